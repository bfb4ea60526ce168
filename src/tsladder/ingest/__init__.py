"""Ingestion: read a user's file into checked bars under data/, and record what was read, dropped and why."""
