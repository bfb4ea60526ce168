"""File names in a search's live record, beside trials.jsonl and lag.json."""

PLAN = "plan.json"
JOURNAL = "journal.log"
ADOPTED = "adopted.json"
