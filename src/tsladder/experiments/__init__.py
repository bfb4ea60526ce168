"""The results of other revisions of a study, DVC experiments above all, read as they were and set side by side."""
