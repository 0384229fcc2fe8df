"""For all tests: one thread a process, as several share the cores; the same examples each time."""

import os

from hypothesis import settings

# Before anything imports torch or OpenCV; processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# The same examples in every run: a change fails its own tests, not a later one by chance.
# HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("repeat", derandomize=True)
settings.register_profile("explore")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))
