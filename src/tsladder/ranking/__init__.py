"""Judge rankings of stocks: daily metrics, a long-short portfolio, baselines, and the scores of a region.

Axis letters: D days, N scored days, S stocks, F columns, Q quantiles, R resamples, K figures.
"""
