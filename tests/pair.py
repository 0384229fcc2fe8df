"""One of several processes that share runs, as a launcher would start it: `pair.py JOBS`.

JOBS is a JSON file: a list of runs, each a recipe and a folder. They are done in turn, so
that the start, which takes most of the time, is paid once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Follow each recipe."""
    from kitbox import recipe
    from kitbox.runner import run

    for values, out in json.loads(Path(sys.argv[1]).read_text()):
        run(recipe.make(values), out)


if __name__ == "__main__":
    main()
