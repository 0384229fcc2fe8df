"""A folder of pictures from addresses: what is missing is fetched, and all put in its place."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kitbox import storage as files
from kitbox.data.looks import TooLarge, look
from kitbox.errors import PictureError, storage
from kitbox.progress import Progress
from kitbox.sources.web import manifest
from kitbox.sources.web.crew import Crew, Limits
from kitbox.sources.web.fetching import Failed, Rules, fetch
from kitbox.sources.web.guard import Refused
from kitbox.sources.web.journal import Journal, Record
from kitbox.sources.web.line import Job
from kitbox.sources.web.lists import Wanted
from kitbox.sources.web.manifest import Drop
from kitbox.sources.web.outcome import check, tell
from kitbox.sources.web.places import name, take_apart
from kitbox.sources.web.watch import Watch

_SETTLED, _JOURNAL = ".settled.json", ".journal.jsonl"


@dataclass(frozen=True)
class Settings:
    """How to gather.

    Attributes:
        rules: what is let pass.
        limits: how hard to try, and when to stop.
        most_pixels: of a picture.
        min_side: fewest pixels of a picture's shorter side.
        drop: which copies are set aside.
        least: the smallest share of addresses that must arrive.
        again: whether what failed before is asked for again.
    """

    rules: Rules
    limits: Limits
    most_pixels: int
    min_side: int
    drop: Drop
    least: float
    again: bool

    @property
    def refusing(self) -> str:
        """What refusals go back to; where it is another, what was refused is asked again."""
        rules = self.rules
        networks = [str(network) for network in rules.allowed]
        return json.dumps(
            [rules.robots, rules.most_bytes, self.most_pixels, self.min_side, networks]
        )


def is_settled(folder: Path, wanted: Sequence[Wanted], settings: Settings) -> bool:
    """Whether the folder was made from these addresses with these settings. Reads a small file."""
    try:
        return bool(json.loads((folder / _SETTLED).read_text()) == _key(wanted, settings))
    except (OSError, ValueError):
        return False


def gather(folder: Path, wanted: Sequence[Wanted], settings: Settings) -> None:
    """Make the folder hold the pictures of these addresses, and the manifest.

    However it ends, by Ctrl-C as well, what has arrived is in its place and the
    manifest has a row per address.

    Raises:
        SourceError: when too few arrive.
        StorageError: when the disk is full or the folder cannot be written.
    """
    with storage(folder, "making the folder"):
        (folder / manifest.ARRIVED).mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / manifest.ARRIVING, ignore_errors=True)
        (folder / manifest.ARRIVING).mkdir(exist_ok=True)
    journal = Journal(folder / _JOURNAL)
    known = _here(journal.read(), manifest.present(folder))
    first = not (folder / manifest.MANIFEST).is_file()
    addresses = [
        address
        for address in dict.fromkeys(one.address for one in wanted)
        if _is_open(known.get(address), settings, first=first)
    ]
    with storage(folder, "writing in"):
        (folder / _SETTLED).unlink(missing_ok=True)
    why = "the fetch was stopped"
    try:
        if addresses:
            why = _ask(folder, journal, addresses, settings)
    finally:
        known = _here(journal.read(), manifest.present(folder))
        rows = manifest.judge(wanted, known, drop=settings.drop, why=why)
        manifest.place(folder, rows)
        manifest.write(folder, rows)
        journal.replace(known.values())
    if addresses:
        tell(rows, folder / manifest.MANIFEST, why)
    check(rows, folder / manifest.MANIFEST, settings.least)
    files.write(folder / _SETTLED, json.dumps(_key(wanted, settings)))


def _ask(folder: Path, journal: Journal, addresses: Sequence[str], settings: Settings) -> str:
    """Fetch these addresses; why it stopped before all were asked for, or ''."""

    def keep(record: Record) -> None:
        journal.add(replace(record, rules=settings.refusing))

    def bring(job: Job, watch: Watch) -> Record:
        return _bring(folder, job, settings, watch)

    with journal, Progress().bar("fetching pictures", len(addresses)) as step:
        jobs = []
        for address in addresses:
            try:
                jobs.append(Job(address, take_apart(address).site))
            except Refused as reason:
                keep(Record(address, "refused", str(reason)))
                step(1)
        return Crew(jobs, bring, keep, settings.limits).work(step)


def _bring(folder: Path, job: Job, settings: Settings, watch: Watch) -> Record:
    """Fetch one address and look at the picture."""
    address = job.address
    part = folder / manifest.ARRIVING / f"{name(address)}.part"
    try:
        size = fetch(job.at or address, part, settings.rules, watch, job.hops)
        seen = look(part, most_pixels=settings.most_pixels)
        if min(seen.width, seen.height) < settings.min_side:
            raise Refused(f"the picture is too small ({seen.width} x {seen.height} pixels)")
        file = f"{name(address)}.{seen.ending}"
        with storage(part, "renaming"):
            os.replace(part, folder / manifest.ARRIVED / file)
        return Record(address, "arrived", file=file, bytes=size, look=seen)
    except TooLarge as error:
        raise Refused(error.wrong) from error
    except PictureError as error:
        raise Failed(error.wrong) from error
    finally:
        part.unlink(missing_ok=True)


def _here(records: Mapping[str, Record], present: Mapping[str, Path]) -> dict[str, Record]:
    """The records, without those whose file is gone or cut."""

    def is_sound(record: Record) -> bool:
        path = present.get(record.file)
        return path is not None and path.stat().st_size == record.bytes

    return {
        address: record
        for address, record in records.items()
        if record.status != "arrived" or is_sound(record)
    }


def _is_open(record: Record | None, settings: Settings, *, first: bool) -> bool:
    """Whether an address is still to be asked for."""
    match record.status if record else "not-asked":
        case "arrived":
            return False
        case "refused":
            return record is not None and record.rules != settings.refusing
        case "failed":
            return settings.again or first
        case _:
            return True


def _key(wanted: Sequence[Wanted], settings: Settings) -> list[str]:
    """What a folder is made from."""
    text = "\n".join(f"{one.label}\t{one.address}" for one in wanted)
    total = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return [total, settings.drop, str(settings.least), settings.refusing]
