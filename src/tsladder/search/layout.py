"""File names in a search's live record, beside those that `artifacts/` names."""

PLAN = "plan.json"
JOURNAL = "journal.log"
