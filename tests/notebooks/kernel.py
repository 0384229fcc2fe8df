"""IPython's kernel, as a script that `closed.py` runs."""

from ipykernel.kernelapp import launch_new_instance

launch_new_instance()
