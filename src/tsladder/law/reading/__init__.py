"""Reading of tables of points in the forms that users have: column names, units, numbers, rows."""
