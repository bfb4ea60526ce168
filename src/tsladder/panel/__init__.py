"""A panel of stocks as values: the file, who is a member on a day, columns, targets, and which days are samples."""
