"""File names of the pictures beside a panel study's report."""

RANK_IC = "rank_ic.png"
CUMULATIVE = "cumulative_return.png"
OVER_TIME = "rank_ic_over_time.png"
