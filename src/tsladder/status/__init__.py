"""Where a study stands: which stages are stale and why, what is at work, and how long it still takes."""
