"""File names of the pictures beside a panel study's report."""

RANK_IC = "rank_ic.png"
CUMULATIVE = "cumulative_return.png"
OVER_TIME = "rank_ic_over_time.png"
BY_MONTH = "rank_ic_by_month.png"
FIFTHS = "return_by_fifth.png"
BEST_SO_FAR = "best_so_far.png"
