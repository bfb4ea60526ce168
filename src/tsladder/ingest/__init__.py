"""From a file as people have it to checked bars under data/, with an account of what was read, dropped and why."""
