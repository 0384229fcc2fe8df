"""The source that is a competition, a dataset or a model at Kaggle: attached, or downloaded."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from kitbox.errors import SourceError
from kitbox.kaggle import mounts
from kitbox.kaggle.store import Store
from kitbox.kaggle.things import Competition, Dataset, Model, Thing
from kitbox.options import Options
from kitbox.sources.folder import beside
from kitbox.sources.room import Limits

log = logging.getLogger("kitbox")

_FORMS = {
    "competition": r"[\w-]+",
    "dataset": r"[\w-]+/[\w.-]*\w[\w.-]*",
    "model": r"[\w-]+/[\w-]+/[\w-]+/[\w.-]*\w[\w.-]*(/[1-9]\d*)?",
}
_EXAMPLES = {
    "competition": "the last part of its address, such as dog-breed-identification",
    "dataset": "OWNER/NAME, such as crawford/cat-dataset",
    "model": "OWNER/MODEL/FRAMEWORK/VARIATION, perhaps with /VERSION",
}


class Kaggle(Options):
    """Exactly one competition, dataset or model.

    In a kernel the attached folder is used as it is; elsewhere the files are
    downloaded, once for each version, which needs a key. Zips inside a
    competition (`train.zip`) are unpacked.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"competition": "dog-breed-identification"}]}
    )

    competition: str | None = Field(None, description="the last part of a competition's address")
    dataset: str | None = Field(None, description="OWNER/NAME")
    version: Annotated[int, Field(ge=1)] | None = Field(
        None, description="of the dataset; by default the newest"
    )
    model: str | None = Field(None, description="OWNER/MODEL/FRAMEWORK/VARIATION or .../VERSION")
    max_gb: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        500, description="most gigabytes (10^9 bytes) that an archive may unpack to"
    )
    max_files: Annotated[int, Field(ge=1)] = Field(
        5_000_000, description="most files and folders that an archive may unpack to"
    )

    @field_validator("competition", "dataset", "model")
    @classmethod
    def _has_its_form(cls, text: str | None, info: object) -> str | None:
        name = str(getattr(info, "field_name", ""))
        # A page's address, pasted, says which one it is.
        plain = re.sub(
            r"^(https?://)?(www\.)?kaggle\.com/(competitions|c|datasets|models)/", "", text or ""
        ).strip("/ ")
        if text is not None and not re.fullmatch(_FORMS[name], plain, re.ASCII):
            raise ValueError(f"found {text!r}, expected {_EXAMPLES[name]}")
        return plain if text is not None else None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [name for name in _FORMS if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"found {found}, expected one of {', '.join(_FORMS)}")
        if self.version is not None and self.dataset is None:
            raise ValueError("found a version without a dataset; a model's is part of its name")
        return self

    def find(self, cache: Path) -> Path | None:
        """The attached folder, or the version downloaded last, or None."""
        store, thing = self._store(cache), self.thing
        if (mount := thing.mounted()) is not None:
            return store.find_opened(mount)
        return None if mounts.is_rerun() else store.find(thing.wanted())

    def fetch(self, cache: Path) -> Path:
        """Find or download the files.

        Kaggle is asked for the newest version each time. Where it cannot be, what
        was downloaded before is used, and a warning says so.

        Raises:
            SourceError: when they cannot be had, with what to do.
            StorageError: when the disk is full or the folder cannot be written.
        """
        store, thing = self._store(cache), self.thing
        if (mount := thing.mounted()) is not None:
            if self.version is not None:
                log.info("A mount does not tell its version; %s is taken as it is", mount)
            return store.open_mount(mount)
        if mounts.is_rerun():
            raise SourceError(
                f"Nothing is downloaded in a competition's rerun, and {thing.title} is not "
                "attached",
                found=_attached(),
                do="Attach it to the notebook (Add Input) and submit again",
            )
        wanted = thing.wanted()
        here = store.find(wanted)
        if here is not None and wanted is not None:
            return here
        from kitbox.kaggle.client import Client

        try:
            client = Client(anonymous=thing.public)
            version = wanted or thing.newest(client)
        except SourceError as error:
            if here is None:
                raise
            log.warning("%s; %s is used as it was downloaded before", error.wrong, thing.title)
            return here
        return store.fetch(client, version)

    @property
    def thing(self) -> Thing:
        """What it is at Kaggle."""
        if self.competition is not None:
            return Competition(self.competition)
        if self.dataset is not None:
            owner, slug = self.dataset.split("/")
            return Dataset(owner, slug, self.version)
        assert self.model is not None
        owner, name, framework, variation, *version = self.model.split("/")
        return Model(owner, name, framework, variation, int(version[0]) if version else None)

    def _store(self, cache: Path) -> Store:
        return Store(cache, self.thing, Limits(int(self.max_gb * 10**9), self.max_files))


def _attached() -> str:
    return beside(mounts.root() / "x")
