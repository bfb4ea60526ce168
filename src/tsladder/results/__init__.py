"""Results of the cells of a study, read from files, and the table of them: experiment_results.csv."""
