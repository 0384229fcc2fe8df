"""What came of a list, told to a person; too little is an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.request import getproxies

from kitbox.errors import SourceError, some
from kitbox.progress import Progress
from kitbox.sources.web.manifest import Row


def tell(rows: Sequence[Row], manifest: Path, why: str) -> None:
    """Say how many addresses ended how, why it stopped early, and which labels disagree."""
    progress = Progress()
    states = Counter(row.status for row in rows)
    told = ", ".join(f"{count} {state}" for state, count in states.most_common())
    progress.say(f"addresses: {told}; each with its reason in {manifest}")
    if why and states["not-asked"]:
        progress.warn(f"not all addresses were asked for: {why}")
    if clashes := sum(row.clash for row in rows):
        progress.warn(f"{clashes} pictures are copies of one in another class (see `reason`)")


def check(rows: Sequence[Row], manifest: Path, least: float) -> None:
    """Let pass only a list of which enough arrived, some of every class.

    Args:
        rows: the manifest.
        manifest: where it lies.
        least: the smallest share of the addresses; 0 lets classes be empty too.

    Raises:
        SourceError: when too little arrived.
    """
    here = sum(bool(row.file) for row in rows)
    reasons = Counter(row.reason for row in rows if not row.file)
    common = some([f"{reason} ({count})" for reason, count in reasons.most_common()], most=4)
    if not here or here < least * len(rows):
        raise SourceError(
            f"{here} of {len(rows)} pictures arrived, less than the share of {least:g} that must",
            found=common,
            do=f"Look at {manifest}, turn the internet on if it is off, run again (only what "
            f"failed is asked for), or lower `least`{_proxies()}",
        )
    full = {row.label for row in rows if row.file and not row.is_aside}
    empty = [label for label in dict.fromkeys(row.label for row in rows) if label not in full]
    if empty and least:
        raise SourceError(
            f"{len(empty)} classes have no picture: {some(empty)}",
            found=common or "copies of pictures in other classes only",
            do=f"Look at {manifest}, and add addresses or remove the class",
        )


def _proxies() -> str:
    """A hint for machines that reach the internet through a proxy alone."""
    named = [name for name in getproxies() if name in ("http", "https", "all")]
    return ". The proxy of this environment is not used: it could lead anywhere" if named else ""
