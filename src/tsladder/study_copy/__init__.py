"""Copy of a whole study into a tracker, from the files that its stages left."""
