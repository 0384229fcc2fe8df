"""What can be had from Kaggle: competitions, datasets and models."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from kitbox.errors import SourceError
from kitbox.kaggle import mounts
from kitbox.kaggle.address import Address, led_to
from kitbox.kaggle.client import Client

log = logging.getLogger("kitbox")

SITE = "https://www.kaggle.com"
_PAGE = 200  # files that are asked for at a time; Kaggle may bring 20
_PAGES = 100


@dataclass(frozen=True)
class Version:
    """One state of a thing at Kaggle.

    Attributes:
        name: a plain word that changes when the files do.
        files: their names and bytes, as far as Kaggle was asked.
    """

    name: str
    files: Mapping[str, int] = field(default_factory=dict)


class Thing(Protocol):
    """One competition, dataset or model.

    Attributes:
        title: in words.
        place: the steps of its folder in the cache.
        public: whether it may be had without a key.
        opens_zips: whether zips inside are part of how Kaggle keeps it.
        hints: what to do about a status, by status.
    """

    @property
    def title(self) -> str: ...
    @property
    def place(self) -> tuple[str, ...]: ...
    @property
    def public(self) -> bool: ...
    @property
    def opens_zips(self) -> bool: ...
    @property
    def hints(self) -> Mapping[int, str]: ...

    def mounted(self) -> Path | None:
        """The folder that the kernel has attached, or None."""

    def wanted(self) -> Version | None:
        """The version that was asked for, or None for the newest."""

    def newest(self, client: Client) -> Version:
        """The version that Kaggle has now."""

    def address(self, client: Client, version: Version) -> Address:
        """Where its archive is."""


@dataclass(frozen=True)
class Competition:
    """A competition's data, all of it."""

    slug: str
    public = False
    opens_zips = True

    @property
    def title(self) -> str:
        return f"the competition '{self.slug}'"

    @property
    def place(self) -> tuple[str, ...]:
        return ("competitions", self.slug)

    @property
    def hints(self) -> Mapping[int, str]:
        page = f"{SITE}/competitions/{self.slug}"
        return {
            400: f"Check the name; it is the last part of the address {page}",
            403: f"Open {page}/rules with the account of the key, join and accept the rules, "
            "then run again",
            404: f"Check the name for a slip; it is the last part of the address {page}",
        }

    def mounted(self) -> Path | None:
        return mounts.competition(self.slug)

    def wanted(self) -> Version | None:
        return None  # Kaggle keeps one state of a competition's files

    def newest(self, client: Client) -> Version:
        files: dict[str, int] = {}
        seen = hashlib.sha256()
        for page in self._pages(client):
            for file in page.files or ():
                files[file.name] = file.total_bytes
                seen.update(f"{file.name}\n{file.total_bytes}\n{file.creation_date}\n".encode())
        if not files:
            raise SourceError(f"Kaggle has no files of {self.title}", do=self.hints[404])
        return Version(seen.hexdigest()[:12], files)

    def address(self, client: Client, version: Version) -> Address:
        def request(api: Any) -> Address:
            from kagglesdk.competitions.types import competition_api_service as types

            asked = types.ApiDownloadDataFilesRequest()
            asked.competition_name = self.slug
            with api.build_kaggle_client() as kaggle:
                files = kaggle.competitions.competition_api_client
                return led_to(files.download_data_files(asked))

        return client.ask(f"the files of {self.title}", request, hints=self.hints)

    def _pages(self, client: Client) -> Iterator[Any]:
        token = ""
        for _ in range(_PAGES):

            def request(api: Any, token: str = token) -> Any:
                return api.competition_list_files(self.slug, page_token=token, page_size=_PAGE)

            page = client.ask(f"the file list of {self.title}", request, hints=self.hints)
            yield page
            if not page.next_page_token or page.next_page_token == token:
                return
            token = page.next_page_token
        log.info("%s has more files than are listed; the rest is not compared", self.title)


@dataclass(frozen=True)
class Dataset:
    """A dataset, all of it."""

    owner: str
    slug: str
    version: int | None = None
    public = True
    opens_zips = False

    @property
    def title(self) -> str:
        return f"the dataset '{self.owner}/{self.slug}'"

    @property
    def place(self) -> tuple[str, ...]:
        return ("datasets", self.owner, self.slug)

    @property
    def hints(self) -> Mapping[int, str]:
        page = f"{SITE}/datasets/{self.owner}/{self.slug}"
        return {
            403: f"It may be private: open {page} with the account of the key, accept what it "
            "asks for, and check the name",
            404: f"Check the name (and the version) for a slip; its page would be {page}",
        }

    def mounted(self) -> Path | None:
        return mounts.dataset(self.owner, self.slug)

    def wanted(self) -> Version | None:
        return None if self.version is None else Version(str(self.version))

    def newest(self, client: Client) -> Version:
        def request(api: Any) -> int:
            from kagglesdk.datasets.types import dataset_api_service as types

            asked = types.ApiGetDatasetRequest()
            asked.owner_slug, asked.dataset_slug = self.owner, self.slug
            with api.build_kaggle_client() as kaggle:
                known = kaggle.datasets.dataset_api_client.get_dataset(asked)
                return int(known.current_version_number or 0)

        return _number(client.ask(f"the version of {self.title}", request, hints=self.hints), self)

    def address(self, client: Client, version: Version) -> Address:
        def request(api: Any) -> Address:
            from kagglesdk.datasets.types import dataset_api_service as types

            asked = types.ApiDownloadDatasetRequest()
            asked.owner_slug, asked.dataset_slug = self.owner, self.slug
            asked.dataset_version_number = int(version.name)
            with api.build_kaggle_client() as kaggle:
                return led_to(kaggle.datasets.dataset_api_client.download_dataset(asked))

        return client.ask(f"the files of {self.title}", request, hints=self.hints)


@dataclass(frozen=True)
class Model:
    """One variation of a model."""

    owner: str
    name: str
    framework: str
    variation: str
    version: int | None = None
    public = True
    opens_zips = False

    @property
    def title(self) -> str:
        return f"the model '{'/'.join(self.place[1:])}'"

    @property
    def place(self) -> tuple[str, ...]:
        return ("models", self.owner, self.name, self.framework, self.variation)

    @property
    def hints(self) -> Mapping[int, str]:
        page = f"{SITE}/models/{self.owner}/{self.name}"
        return {
            403: f"Its licence may have to be accepted: open {page} with the account of the key",
            404: "Check the four parts of the name (owner, model, framework, variation; and the "
            f"version); its page would be {page}",
        }

    def mounted(self) -> Path | None:
        return mounts.model(self.owner, self.name, self.framework, self.variation, self.version)

    def wanted(self) -> Version | None:
        return None if self.version is None else Version(str(self.version))

    def newest(self, client: Client) -> Version:
        def request(api: Any) -> int:
            from kagglesdk.models.types import model_api_service as types

            asked = types.ApiGetModelInstanceRequest()
            self._fill(api, asked)
            with api.build_kaggle_client() as kaggle:
                known = kaggle.models.model_api_client.get_model_instance(asked)
                return int(known.version_number or 0)

        return _number(client.ask(f"the version of {self.title}", request, hints=self.hints), self)

    def address(self, client: Client, version: Version) -> Address:
        def request(api: Any) -> Address:
            from kagglesdk.models.types import model_api_service as types

            asked = types.ApiDownloadModelInstanceVersionRequest()
            self._fill(api, asked)
            asked.version_number = int(version.name)
            with api.build_kaggle_client() as kaggle:
                return led_to(kaggle.models.model_api_client.download_model_instance_version(asked))

        return client.ask(f"the files of {self.title}", request, hints=self.hints)

    def _fill(self, api: Any, asked: Any) -> None:
        from kagglesdk.models.types.model_enums import ModelFramework

        asked.owner_slug, asked.model_slug = self.owner, self.name
        asked.instance_slug = self.variation
        try:
            asked.framework = api.lookup_enum(
                ModelFramework, ModelFramework.MODEL_FRAMEWORK_API, self.framework
            )
        except KeyError:
            known = [name.removeprefix("MODEL_FRAMEWORK_") for name in ModelFramework.__members__]
            raise SourceError(
                f"Kaggle's client knows no framework '{self.framework}'",
                found=self.title,
                do=f"Known: {', '.join(n.replace('_', '').lower() for n in known[1:])}",
            ) from None


def _number(number: int, thing: Thing) -> Version:
    if number < 1:
        raise SourceError(f"Kaggle names no version of {thing.title}", do=thing.hints[404])
    return Version(str(number))
