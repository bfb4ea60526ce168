"""The data pipeline, from a file of daily bars to the labelled windows of a model."""
