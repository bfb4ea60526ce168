"""The tasks of a panel of stocks, one module each, found by name as those of a series are."""
