"""Hypothesis without deadlines: a busy machine must not fail a property. And one thread a test process.

Test processes run side by side on all cores; threads that wait for busy cores made small models train twenty times
slower. Set before numpy and torch are loaded; what is trained on several threads asks for them by itself.
"""

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("tsladder", deadline=None)
settings.load_profile("tsladder")
