"""From a file of daily bars to the labelled windows a model sees."""
