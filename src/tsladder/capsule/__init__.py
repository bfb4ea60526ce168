"""Pack a study into one file, from which its law and report are computed again on another machine."""
