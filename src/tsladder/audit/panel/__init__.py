"""Leak audit of a panel study: ten probes on its own data and code."""
