"""Plain baselines, measured beside kitbox's own recipes.

    python benchmarks/baselines.py tags --seeds 1 2 3

Each is a module `baselines_<name>.py` beside this one with `main(arguments)`, which
prints figures. Start it from the project's root, with the project installed.
"""

from __future__ import annotations

import importlib
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
    sys.path.insert(0, str(HERE))
    importlib.import_module(f"baselines_{name}").main(arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
