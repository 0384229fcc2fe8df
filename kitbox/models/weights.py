"""Where a backbone's pretrained weights come from.

In this order: an explicit file, files attached to the kernel, the local cache of
the hub, the hub. The first that has them is used, and the report says which.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitbox import storage
from kitbox.errors import StorageError, WeightsError, nearest, some
from kitbox.models import trouble

ATTACHED = "KITBOX_WEIGHTS"
"""Folders to search for weight files, separated like PATH."""

MOUNT = Path("/kaggle/input")
_SUFFIXES = (".safetensors", ".pth", ".bin", ".pt")
_HUB_FILES = ("model.safetensors", "pytorch_model.bin")
_TIMEOUT = (8.0, 30.0)  # seconds: to connect, and between two pieces
_KNOCK = (4.0, 4.0)


@dataclass(frozen=True)
class Found:
    """Weights that were found.

    Attributes:
        file: where they lie, or None when the hub has to be asked.
        source: a sentence for the report.
    """

    file: Path | None
    source: str


def config(name: str) -> Any:
    """timm's configuration of a model's pretrained weights.

    Raises:
        WeightsError: when timm knows no such model, or has no weights for it.
    """
    import timm

    base = name.split(".", 1)[0]
    if not timm.is_model(base):
        raise WeightsError(
            f"timm {timm.__version__} has no model called '{name}'",
            do=nearest(base, timm.list_models()) or "See timm.list_models()",
        )
    known = [tag for tag in timm.list_pretrained() if tag.split(".", 1)[0] == base]
    if "." in name and name not in known:
        raise WeightsError(
            f"timm {timm.__version__} has no weights called '{name}'",
            do=f"It has: {some(known, 10)}" if known else "It has none for this model",
        )
    return timm.models.get_pretrained_cfg(name)


def find(name: str, explicit: Path | None) -> Found:
    """Find the weights of a timm model; no network.

    Raises:
        WeightsError: when timm knows no such model or weights, or the explicit file is missing.
    """
    settings = config(name)
    if explicit is not None:
        file = Path(os.path.expanduser(explicit))  # leaves the home of nobody as it is
        if not file.is_file():
            beside = [p.name for p in file.parent.glob("*")] if file.parent.is_dir() else []
            raise WeightsError(
                f"The weights file {file.absolute()} is not there",
                do=nearest(file.name, beside) or "Check `weights` of the backbone",
            )
        return Found(file, f"the file {file}")
    if settings is None or not settings.has_weights:
        raise WeightsError(
            f"timm has no pretrained weights for '{name}'",
            do="Give `weights: FILE`, choose another model, or set `pretrained: false`",
        )
    wanted = set(file_names(name, settings))
    folders = _clones(name, settings)
    for folder in attached_folders():
        for file in _files(folder):
            above = file.relative_to(folder).parts[:-1]
            if file.name in wanted or (file.name in _HUB_FILES and folders.intersection(above)):
                return Found(file, f"{file}, attached to this machine")
    if (cached := _cached(settings)) is not None:
        where = settings.hf_hub_id or cached.name
        return Found(cached, f"{where}, from the local cache of the hub")
    return Found(None, f"{settings.hf_hub_id or settings.url}, from the hub")


def fetch(name: str, found: Found) -> Path:
    """The file of found weights, downloaded from the hub where that is needed.

    Raises:
        WeightsError: when the hub cannot be reached; names the file to attach.
        StorageError: when the disk is full or the cache of the hub cannot be written.
    """
    if found.file is not None:
        return found.file
    settings = config(name)
    try:
        if settings.hf_hub_id:
            return _from_hub(settings.hf_hub_id)
        return _from_address(settings.url)
    except StorageError:
        raise
    except Exception as error:  # the hub's client raises many kinds
        raise _lost(name, settings, error) from error


def knock(name: str) -> None:
    """Ask whether the place answers that a model's weights would be downloaded from, in seconds.

    Raises:
        WeightsError: when it does not, or the hub's client is told to stay offline; names the
            file to attach.
    """
    from huggingface_hub import constants, hf_hub_url

    settings = config(name)
    hub = settings.hf_hub_id
    try:
        if hub and constants.HF_HUB_OFFLINE:
            raise ConnectionError("HF_HUB_OFFLINE is set")
        _ask(hf_hub_url(hub, _HUB_FILES[0]) if hub else settings.url, 1, _KNOCK)
    except OSError as error:  # of requests, too
        raise _lost(name, settings, error) from error


def _lost(name: str, settings: Any, error: Exception) -> WeightsError:
    return WeightsError(
        f"The pretrained weights of '{name}' cannot be had: no attached file, not in the "
        f"local cache, and not from {settings.hf_hub_id or settings.url} on the network",
        found=trouble.told(error),
        do=f"Attach a file called {file_names(name, settings)[0]} (in a folder named by "
        f"{ATTACHED}, or as a data set of the kernel), give `weights: FILE` in the backbone, "
        "or set `pretrained: false` to train from scratch",
    )


def file_names(name: str, settings: Any) -> list[str]:
    """Names under which the weights of a model may be attached, the simplest first.

    A clone of the hub's repository, or a copy of the hub's cache, is found as well.
    """
    base = name.split(".", 1)[0]
    tagged = f"{base}.{settings.tag}" if settings.tag else base
    names = [f"{stem}{suffix}" for stem in dict.fromkeys((base, tagged)) for suffix in _SUFFIXES]
    if "." in name:  # asked for by tag: a file without the tag may be another set of weights
        names = [n for n in names if n.startswith(tagged)]
    if settings.url:
        names.append(Path(settings.url).name)
    return names


def attached_folders() -> list[Path]:
    """Folders that are searched for attached weight files."""
    listed = os.environ.get(ATTACHED, "")
    folders = [Path(part).expanduser() for part in listed.split(os.pathsep) if part]
    return [folder for folder in (*folders, MOUNT) if folder.is_dir()]


def attached_files() -> dict[Path, list[str]]:
    """The folders that are searched, and the weight files below each, sorted."""
    return {
        folder: [path.relative_to(folder).as_posix() for path in _files(folder)]
        for folder in attached_folders()
    }


def read(file: Path) -> dict[str, Any]:
    """The tensors of a weights file by name, on the CPU. Runs no code from it.

    Older timm (1.0.15) unpickles whatever a file holds, so a file is read here
    first. The readers raise many kinds of errors.
    """
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(file)
    import torch
    from timm.models import clean_state_dict

    held = torch.load(file, map_location="cpu", weights_only=True)
    for key in ("state_dict_ema", "model_ema", "state_dict", "model"):  # in timm's order
        if held.get(key) is not None:
            held = held[key]
            break
    return {name: value for name, value in clean_state_dict(held).items() if torch.is_tensor(value)}


def digest(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _clones(name: str, settings: Any) -> set[str]:
    """Names of folders that hold a clone of the hub's repository, or its part of the cache."""
    hub = settings.hf_hub_id or ""
    base = name.split(".", 1)[0]
    names = {f"{base}.{settings.tag}" if settings.tag else base, hub.rsplit("/", 1)[-1]}
    return (names | {f"models--{hub.replace('/', '--')}"}) - {"", "models--"}


def _files(folder: Path, depth: int = 7) -> Iterator[Path]:
    """Weight files below a folder, sorted; folders with many pictures are not descended into."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(_SUFFIXES) and entry.is_file():
            yield Path(entry.path)
    if depth and len(entries) < 1000:
        for entry in entries:
            if entry.is_dir():
                yield from _files(Path(entry.path), depth - 1)


def _cached(settings: Any) -> Path | None:
    if settings.hf_hub_id:
        from huggingface_hub import try_to_load_from_cache

        for file in _HUB_FILES:
            held = try_to_load_from_cache(settings.hf_hub_id, file)
            if isinstance(held, str):
                return Path(held)
    if settings.url:
        held_file = _torch_cache(settings.url)
        if held_file.is_file():
            return held_file
    return None


def _from_hub(repository: str) -> Path:
    from huggingface_hub import hf_hub_download, hf_hub_url
    from huggingface_hub.constants import HF_HUB_OFFLINE
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    if not HF_HUB_OFFLINE:
        _ask(hf_hub_url(repository, _HUB_FILES[0]))
    try:
        return Path(hf_hub_download(repository, _HUB_FILES[0]))
    except LocalEntryNotFoundError:  # says that the network is down: another name won't help
        raise
    except EntryNotFoundError:
        return Path(hf_hub_download(repository, _HUB_FILES[1]))


def _ask(address: str, tries: int = 2, timeout: tuple[float, float] | None = None) -> None:
    """Knock before the hub's client does, which would try for minutes where there is no network."""
    import requests

    for rest in reversed(range(tries)):
        try:
            requests.head(address, timeout=timeout or _TIMEOUT, allow_redirects=False).close()
            return
        except requests.RequestException:
            if not rest:
                raise
            time.sleep(1)


def _from_address(address: str) -> Path:
    """A file from a plain address, in torch's cache, as timm itself would keep it."""
    import requests

    target = _torch_cache(address)
    with requests.get(address, stream=True, timeout=_TIMEOUT) as reply:
        reply.raise_for_status()
        with storage.whole(target) as beside, beside.open("wb") as file:
            pieces = reply.iter_content(1 << 20)
            while piece := _next(pieces):
                file.write(piece)
    return target


def _next(pieces: Iterator[bytes]) -> bytes:
    """The next piece, b'' at the end; a broken line is no fault of the disk."""
    import requests

    try:
        return next(pieces, b"")
    except requests.RequestException as error:
        raise WeightsError(f"The download broke off ({error})") from error


def _torch_cache(address: str) -> Path:
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints" / Path(address).name
