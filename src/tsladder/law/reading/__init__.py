"""Read a table of points as people have it: names of columns, units, numbers, rows."""
