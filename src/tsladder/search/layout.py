"""File name of Optuna's journal in a search's live record."""

JOURNAL = "journal.log"
