"""State of a study: stale stages and the reasons, running trainings, and the time left."""
