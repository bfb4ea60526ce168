"""Evidence for and against a law: neighbours, test days, selection, detection, leave-one-out."""
