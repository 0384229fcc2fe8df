"""The source that is a list of picture addresses: a text file per class, a csv, or one list."""

from __future__ import annotations

import hashlib
import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainSerializer, field_validator, model_validator

from kitbox.errors import SourceError
from kitbox.options import Options
from kitbox.sources.folder import absolute
from kitbox.sources.web import lists
from kitbox.sources.web.lists import Wanted
from kitbox.sources.web.manifest import Drop

if TYPE_CHECKING:
    from kitbox.sources.web.gather import Settings

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
        examples=[{"ant": "ant.txt", "bee": "bee.txt"}],
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
    seconds: _Positive = Field(60, description="most seconds for one try of an address at one host")
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
        from kitbox.sources.web.gather import is_settled

        folder = self._folder(cache)
        try:
            return folder if is_settled(folder, self._wanted(), self._settings()) else None
        except SourceError:
            return None  # a list that is gone, say; `fetch` tells

    def fetch(self, cache: Path) -> Path:
        """Fetch what is missing, and return the folder of pictures.

        Raises:
            SourceError: when a list cannot be read, or too few pictures arrive.
            StorageError: when the disk is full or the folder cannot be written.
        """
        from kitbox.sources.web.gather import gather
        from kitbox.sources.whole import alone

        wanted = self._wanted()
        folder = self._folder(cache)
        with alone(folder):
            gather(folder, wanted, self._settings())
        return folder

    def _settings(self) -> Settings:
        from kitbox.sources.web.crew import Limits
        from kitbox.sources.web.fetching import Rules
        from kitbox.sources.web.gather import Settings

        return Settings(
            rules=Rules(
                allowed=self.allow_private,
                robots=self.robots,
                seconds=self.seconds,
                most_bytes=int(self.max_mb * 10**6),
                agent=self.agent,
            ),
            limits=Limits(
                threads=self.threads,
                per_site=self.per_host,
                tries=self.tries,
                wait=self.wait,
                seconds=self.minutes * 60,
                most_bytes=int(self.max_gb * 10**9),
            ),
            most_pixels=int(self.max_megapixels * 1e6),
            min_side=self.min_side,
            drop=self.drop,
            least=self.least,
            again=self.again,
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
