"""The files of a search's live record, beside trials.jsonl."""

PLAN = "plan.json"
JOURNAL = "journal.log"
ADOPTED = "adopted.json"
LAG = "lag.json"
