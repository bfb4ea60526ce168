"""What is known of the cells of a study, read from files, and the table of it: experiment_results.csv."""
