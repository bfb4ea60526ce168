"""A study in one file, to be told again on another machine: what report and law read, and nothing else."""
