"""Plain baselines, measured beside kitbox's own recipes.

    python benchmarks/baselines.py tags --seeds 1 2 3

Each is a script `baselines_<name>.py` beside this one; the arguments are its own.
Start it from the project's root, with the project installed.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent


def names() -> list[str]:
    """The baselines that there are."""
    return sorted(path.stem.partition("_")[2] for path in HERE.glob("baselines_*.py"))


def main(arguments: Sequence[str]) -> int:
    """Run the baseline that the first argument names with the other arguments."""
    name = arguments[0] if arguments else ""
    if name not in names():
        print(f"python benchmarks/baselines.py {{{','.join(names())}}} ...", file=sys.stderr)
        return 2
    path = HERE / f"baselines_{name}.py"
    sys.argv = [str(path), *arguments[1:]]
    runpy.run_path(str(path), run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
