"""Panel of stocks: its file, the members of each day, columns, labels, and the days that are samples."""
