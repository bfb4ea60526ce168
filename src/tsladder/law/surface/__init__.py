"""Laws of loss against size and amount of data, for tables in which both vary."""
