"""Report of a panel study: how constants and baselines rank stocks, the level that a model has to beat."""
