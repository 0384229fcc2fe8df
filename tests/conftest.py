"""For all tests: one thread a process, as several processes share the cores."""

import os

# Before anything imports torch or OpenCV; processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
