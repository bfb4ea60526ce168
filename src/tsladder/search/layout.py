"""The files of a search's live record."""

TRIALS = "trials.jsonl"
PLAN = "plan.json"
JOURNAL = "journal.log"
ADOPTED = "adopted.json"
LAG = "lag.json"
