"""Ingest a user's files of many stocks: the long table of a panel, and the account of how it was made."""
