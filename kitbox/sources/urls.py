"""The source that is a list of picture addresses: a text file per class, a csv, or one list."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import shutil
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, field_validator, model_validator

from kitbox import storage as files
from kitbox.errors import PictureError, SourceError, some, storage
from kitbox.options import Options
from kitbox.progress import Progress
from kitbox.sources.folder import absolute
from kitbox.sources.web import lists
from kitbox.sources.web.guard import Refused
from kitbox.sources.web.lists import Wanted
from kitbox.sources.web.manifest import Drop

_SETTLED, _JOURNAL = ".settled.json", ".journal.jsonl"
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Urls(Options):
    """Pictures from web addresses, checked and sorted into a folder per class.

    The pictures lie below the cache as `<class>/<hash>.<ext>`, beside
    `manifest.csv` with a row per address and what became of it. A later run
    asks only for what is missing. Copies are set aside, in a hidden folder.
    """

    lists: dict[str, Path] | Path | None = Field(
        None,
        description="text files with an address a line: {class: file, ...}, a folder of files "
        "named by class, or one file of pictures without a class",
    )
    csv: Path | None = Field(
        None, description="a csv file with a column of addresses and of labels"
    )
    address: str | None = Field(None, description="the csv's column of addresses; else by its name")
    label: str | None = Field(None, description="the csv's column of labels; else by its name")
    least: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="smallest share of the addresses that must arrive, copies included"
    )
    again: bool = Field(True, description="ask again, in a later run, for what failed")
    drop: Drop = Field(
        "near", description="copies to set aside: near (and exact) duplicates, exact ones, none"
    )
    robots: bool = Field(True, description="honour X-Robots-Tag: noai and noimageai")
    agent: str = Field(
        "kitbox", min_length=1, pattern=r"^[ -~]+$", description="what to call oneself (User-Agent)"
    )
    threads: Annotated[int, Field(ge=1, le=256)] = Field(16, description="addresses at once")
    per_host: Annotated[int, Field(ge=1, le=256)] = Field(
        4, description="addresses at once of one host"
    )
    tries: Annotated[int, Field(ge=1, le=20)] = Field(4, description="tries for an address")
    wait: Annotated[float, Field(ge=0, le=60)] = Field(
        1.0, description="seconds before the second try; doubled for each later one"
    )
    seconds: _Positive = Field(60, description="most seconds for one try of an address")
    minutes: _Positive = Field(120, description="most minutes for all")
    max_mb: _Positive = Field(20, description="most megabytes (10^6 bytes) of a file")
    max_gb: _Positive = Field(50, description="most gigabytes (10^9 bytes) to fetch in one run")
    max_megapixels: Annotated[float, Field(gt=0, le=178)] = Field(
        100, description="most million pixels of a picture"
    )
    min_side: Annotated[int, Field(ge=1)] = Field(
        8, description="fewest pixels of a picture's shorter side"
    )
    allow_private: tuple[
        Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, PlainSerializer(str)], ...
    ] = Field(
        (),
        description="networks to let pass although they are not public, [127.0.0.1/32] for a "
        "test on this machine say; name only what the lists' authors may reach",
    )

    @field_validator("lists")
    @classmethod
    def _classes(cls, value: Any) -> Any:
        if isinstance(value, dict):
            if not value:
                raise ValueError("found no class, expected {class: file, ...}")
            for label in value:
                try:
                    lists.check_label(label)
                except SourceError as error:
                    raise ValueError(error.wrong) from error
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Urls:
        if (self.lists is None) == (self.csv is None):
            raise ValueError("expected either `lists` or `csv`")
        if self.csv is None and (self.address is not None or self.label is not None):
            raise ValueError("`address` and `label` name columns of `csv`")
        return self

    def find(self, cache: Path) -> Path | None:
        """The folder of pictures below `cache`, if it was made from the lists as they are."""
        folder = self._folder(cache)
        try:
            settled = json.loads((folder / _SETTLED).read_text(encoding="utf-8"))
            return folder if settled == self._key(self._wanted()) else None
        except (OSError, ValueError, SourceError):
            return None

    def fetch(self, cache: Path) -> Path:
        """Fetch what is missing, and return the folder of pictures.

        Raises:
            SourceError: when a list cannot be read, or too few pictures arrive.
            StorageError: when the disk is full or the folder cannot be written.
        """
        from kitbox.sources.whole import alone

        wanted = self._wanted()
        folder = self._folder(cache)
        with alone(folder):
            return self._fetch(folder, wanted)

    def _fetch(self, folder: Path, wanted: list[Wanted]) -> Path:
        from kitbox.sources.web import manifest
        from kitbox.sources.web.journal import Journal

        with storage(folder, "making the folder"):
            (folder / manifest.ARRIVED).mkdir(parents=True, exist_ok=True)
            shutil.rmtree(folder / manifest.ARRIVING, ignore_errors=True)
            (folder / manifest.ARRIVING).mkdir(exist_ok=True)
        journal = Journal(folder / _JOURNAL)
        known = _here(journal.read(), manifest.present(folder))
        first = not (folder / manifest.MANIFEST).is_file()
        rules = self._refusing()
        ask = [
            address
            for address in dict.fromkeys(one.address for one in wanted)
            if _is_open(known.get(address), rules, failed=self.again or first)
        ]
        why = "the fetch was stopped"
        try:
            if ask:
                with storage(folder / _SETTLED, "removing"):
                    (folder / _SETTLED).unlink(missing_ok=True)
                why = self._ask(folder, journal, ask)
        finally:
            known = _here(journal.read(), manifest.present(folder))
            rows = manifest.judge(wanted, known, drop=self.drop, why=why)
            manifest.place(folder, rows)
            manifest.write(folder, rows)
            journal.replace(known.values())
        self._report(folder, rows, fetched=bool(ask))
        files.write(folder / _SETTLED, json.dumps(self._key(wanted)))
        return folder

    def _ask(self, folder: Path, journal: Any, addresses: Sequence[str]) -> str:
        """Fetch these addresses; why it stopped before all were asked for, or ''."""
        from kitbox.environment import cores
        from kitbox.sources.web.crew import Crew, Limits
        from kitbox.sources.web.fetching import Rules
        from kitbox.sources.web.journal import Record
        from kitbox.sources.web.line import Job
        from kitbox.sources.web.places import take_apart

        limits = Limits(
            threads=min(self.threads, len(addresses)),
            per_site=self.per_host,
            tries=self.tries,
            wait=self.wait,
            seconds=self.minutes * 60,
            most_bytes=int(self.max_gb * 10**9),
        )
        rules = Rules(
            allowed=self.allow_private,
            robots=self.robots,
            seconds=self.seconds,
            most_bytes=int(self.max_mb * 10**6),
            agent=self.agent,
        )
        refusing = self._refusing()
        gate = threading.Semaphore(cores())  # large pictures take memory while they decode

        def keep(record: Record) -> None:
            journal.add(replace(record, rules=refusing))

        def bring(address: str, watch: Any) -> Record:
            return self._bring(folder, address, rules, watch, gate)

        with journal, Progress().bar("fetching pictures", len(addresses)) as step:
            jobs = []
            for address in addresses:
                try:
                    jobs.append(Job(address, take_apart(address).site))
                except Refused as reason:
                    keep(Record(address, "refused", str(reason)))
                    step(1)
            return Crew(jobs, bring, keep, limits).work(step)

    def _bring(self, folder: Path, address: str, rules: Any, watch: Any, gate: Any) -> Any:
        """Fetch one address and look at the picture; its record."""
        from kitbox.data.looks import TooLarge, look
        from kitbox.sources.web.fetching import Failed, fetch
        from kitbox.sources.web.journal import Record
        from kitbox.sources.web.manifest import ARRIVED, ARRIVING
        from kitbox.sources.web.places import name

        part = folder / ARRIVING / f"{name(address)}.part"
        try:
            size = fetch(address, part, rules, watch)
            with gate:
                seen = look(part, most_pixels=int(self.max_megapixels * 1e6))
            if min(seen.width, seen.height) < self.min_side:
                raise Refused(f"the picture is too small ({seen.width} x {seen.height} pixels)")
            file = f"{name(address)}.{seen.ending}"
            with storage(part, "renaming"):
                os.replace(part, folder / ARRIVED / file)
            return Record(address, "arrived", file=file, bytes=size, look=seen)
        except TooLarge as error:
            raise Refused(str(error).rstrip(".")) from error
        except PictureError as error:
            raise Failed(str(error).rstrip(".")) from error
        finally:
            part.unlink(missing_ok=True)

    def _report(self, folder: Path, rows: Sequence[Any], *, fetched: bool) -> None:
        """Say what came of it.

        Raises:
            SourceError: when that is too little.
        """
        progress = Progress()
        states = Counter(row.status for row in rows)
        told = ", ".join(f"{count} {state}" for state, count in states.most_common())
        if fetched:
            progress.say(f"addresses: {told}; each with its reason in {folder / 'manifest.csv'}")
        clashes = sum("there of the class" in row.reason for row in rows)
        if clashes and fetched:
            progress.warn(f"{clashes} pictures are copies of one in another class (see `reason`)")
        here = sum(bool(row.file) for row in rows)
        empty = [
            label
            for label in dict.fromkeys(row.label for row in rows)
            if not any(row.file and row.label == label for row in rows)
        ]
        reasons = Counter(row.reason for row in rows if not row.file)
        common = some([f"{reason} ({count})" for reason, count in reasons.most_common(8)], most=4)
        if not here or here < self.least * len(rows):
            raise SourceError(
                f"{here} of {len(rows)} pictures arrived, less than the share of {self.least:g} "
                "that must",
                found=common,
                do=f"Look at {folder / 'manifest.csv'}, turn the internet on if it is off, run "
                "again (only what failed is asked for), or lower `least`",
            )
        if empty and self.least:
            raise SourceError(
                f"No picture arrived of {len(empty)} classes",
                found=f"none of {some(empty)}; {common}",
                do=f"Look at {folder / 'manifest.csv'}, and add addresses or remove the class",
            )

    def _wanted(self) -> list[Wanted]:
        """What the lists ask for.

        Raises:
            SourceError: when one cannot be read.
        """
        if self.csv is not None:
            wanted = lists.from_csv(absolute(self.csv), self.address, self.label)
        elif isinstance(self.lists, dict):
            wanted = lists.from_texts({k: absolute(path) for k, path in self.lists.items()})
        elif (path := absolute(self.lists or Path())).is_dir():
            wanted = lists.from_folder(path)
        else:
            wanted = [Wanted(address, "") for address in lists.read_text(path)]
        if not wanted:
            raise SourceError("The list holds no address", do="Give one address a line")
        return wanted

    def _folder(self, cache: Path) -> Path:
        """One folder for these lists, whatever they hold: an edited list keeps what arrived."""
        if self.csv is not None:
            path = absolute(self.csv)
            what, stem = [f"csv {path}", str(self.address), str(self.label)], path.stem
        elif isinstance(self.lists, dict):
            what = [f"{label} {absolute(path)}" for label, path in sorted(self.lists.items())]
            stem = "lists"
        else:
            path = absolute(self.lists or Path())
            what, stem = [f"lists {path}"], path.stem
        key = hashlib.sha256("\n".join(what).encode("utf-8", "surrogateescape")).hexdigest()[:12]
        plain = "".join(c if c.isalnum() or c in "-_" else "_" for c in stem)[:60]
        return cache / "urls" / f"{plain or 'list'}-{key}"

    def _refusing(self) -> str:
        """The options that refusals go back to; with others, what was refused is asked again."""
        return json.dumps(
            [self.robots, self.max_mb, self.max_megapixels, self.min_side]
            + [str(network) for network in self.allow_private]
        )

    def _key(self, wanted: Sequence[Wanted]) -> list[str]:
        """What the folder was made from."""
        text = "\n".join(f"{one.label}\t{one.address}" for one in wanted)
        sum_ = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return [sum_, self.drop, str(self.least), self._refusing()]


def _here(records: dict[str, Any], present: dict[str, Path]) -> dict[str, Any]:
    """The records, without those whose file is gone or cut."""
    return {
        address: record
        for address, record in records.items()
        if record.status != "arrived"
        or ((path := present.get(record.file)) is not None and path.stat().st_size == record.bytes)
    }


def _is_open(record: Any, rules: str, *, failed: bool) -> bool:
    """Whether an address is still to be asked for."""
    if record is None or record.status == "not-asked":
        return True
    if record.status == "refused":
        return bool(record.rules != rules)
    return bool(record.status == "failed") and failed
