"""Read and compare the results of other revisions of a study, above all DVC experiments."""
