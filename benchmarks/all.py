"""Every benchmark in turn; what they print becomes docs/benchmarks.md.

    python benchmarks/all.py [--only loop decode ...] [--cores 2 4]

Each runs in a process of its own, with nothing else on the machine at best. With `--only` the
others keep what the page says of them. `--cores` runs each once for every number of cores
(the first ones of the machine).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks.md"

PARTS = {
    "loop": (
        [],
        "The real loop beside the bare step: 1.0 is the speed of the bare network on a batch that "
        "lies on the device.",
    ),
    "decode": ([], "Building the pixel cache beside OpenCV's bare rate."),
    "growth": ([], "Time and memory as pictures double, and with room for few of them."),
    "end_to_end": ([], "From the start of the process to the submission, beside fastai."),
}

HEAD = """# Benchmarks

Written by `python benchmarks/all.py`, which runs them all (about an hour, most of it fastai's);
`--only NAME` runs one. What is compared alternates in one run. Each part says when and on what
machine it was measured.
"""


def measured(name: str, options: list[str], cores: int | None) -> str:
    """What a benchmark prints."""
    command = [sys.executable, str(HERE / f"{name}.py"), *options]
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:cores])  # what is started here keeps to it
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE) as running:
        assert running.stdout is not None
        lines = []
        for line in running.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    os.sched_setaffinity(0, allowed)
    if running.returncode:
        sys.exit(f"{name} ended with {running.returncode}; the page is as it was")
    return "".join(lines).rstrip()


def sections() -> dict[str, str]:
    """What the page says of each benchmark so far."""
    if not PAGE.exists():
        return {}
    parts = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {part.split("\n", 1)[0].strip(): part for part in parts}


def main() -> None:
    """Run them, write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), default=list(PARTS))
    parser.add_argument("--cores", nargs="+", type=int, default=[None])
    given = parser.parse_args()
    for name in given.only:
        options, words = PARTS[name]
        texts = [measured(name, options, cores) for cores in given.cores]
        body = "\n".join(f"```\n{text}\n```" for text in texts)
        kept = {**sections(), name: f"{name}\n\n{words}\n\n{body}\n\n"}
        page = HEAD + "".join(f"\n## {kept[one].rstrip()}\n" for one in PARTS if one in kept)
        PAGE.write_text(page)


if __name__ == "__main__":
    main()
