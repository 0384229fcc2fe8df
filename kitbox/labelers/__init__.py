"""From a folder of files to a row per labelled picture."""
