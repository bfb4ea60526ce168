"""Loss against size and amount of data, where both vary in a table."""
