"""From people's files of many stocks to the one long table of a panel, and the account of how it came about."""
