"""Hypothesis without deadlines: a busy machine must not fail a property."""

from hypothesis import settings

settings.register_profile("tsladder", deadline=None)
settings.load_profile("tsladder")
