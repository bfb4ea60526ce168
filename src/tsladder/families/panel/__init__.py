"""The model families of a panel of stocks, one module each, loaded by name as those of a series are."""
