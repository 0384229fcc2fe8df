"""What there is to work with here, and what had better be changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from kitbox import environment
from kitbox.errors import some

HOSTS = {
    "www.kaggle.com": "sources of Kaggle, and submissions",
    "huggingface.co": "weights that are not here",
}
"""Who is asked whether there is an internet, and what for."""
_SECONDS = 4.0
_LIST = 12  # things that a folder of attached data shows


class Finding(NamedTuple):
    """Something about this place.

    Attributes:
        subject: a word or two.
        said: what was found.
        advice: what to do about it; '' where there is nothing.
    """

    subject: str
    said: str
    advice: str = ""


def look() -> Iterator[Finding]:
    """Everything, a finding after another. Nothing is written, no secret is told."""
    for part in (
        _place,
        _devices,
        _machine,
        _disks,
        _internet,
        _keys,
        _mounts,
        _weights,
        _packages,
    ):
        yield from part()


def say(findings: Sequence[Finding] | Iterator[Finding], write: Callable[[str], None]) -> None:
    """Write findings as lines."""
    for subject, said, advice in findings:
        write(f"{subject:<12} {said}")
        if advice:
            write(f"{'':<12}   -> {advice}")


def _place() -> Iterator[Finding]:
    from kitbox.kaggle import mounts

    where = {"kaggle": "a Kaggle kernel", "colab": "a Colab notebook"}
    said = where.get(environment.place(), "neither Kaggle nor Colab")
    yield Finding("place", said + (", in a competition's rerun" if mounts.is_rerun() else ""))


def _devices() -> Iterator[Finding]:
    found = environment.detect()
    gpus = environment.gpus()
    for number, gpu in enumerate(gpus):
        major, minor = gpu.capability
        said = f"{gpu.name}, {gpu.memory / 2**30:.1f} GiB, compute capability {major}.{minor}"
        advice = ""
        if gpu.trouble:
            advice = f"It {gpu.trouble}. Choose another accelerator, or another build of torch"
        elif number:
            advice = "Runs use one GPU unless the recipe says `processes: 2`"
        yield Finding(f"GPU {number}", said + ("" if gpu.trouble else "; works"), advice)
    formats = {"no": "fp32"}
    precision = formats.get(found.precision, found.precision)
    advice = ""
    if found.device == "cpu" and not gpus:
        advice = {
            "kaggle": "Choose an accelerator in the notebook's settings",
            "colab": "Choose a GPU: Runtime, Change runtime type",
        }.get(found.place, "Small nets and sizes; a GPU is ten times as fast or more")
    yield Finding("device", f"{found.device_name}, {precision}: {found.reason}", advice)


def _machine() -> Iterator[Finding]:
    cores, free = environment.cores(), environment.free_memory()
    yield Finding("cores", f"{cores}, and {max(1, min(16, cores))} threads that prepare pictures")
    small = "Other programs hold the rest; restart the kernel if it was yours" if free < 2e9 else ""
    yield Finding("memory", f"{free / 2**30:.1f} GiB free", small)
    shm = Path("/dev/shm")
    if shm.is_dir():
        size = shutil.disk_usage(shm).total
        yield Finding(
            "/dev/shm",
            f"{size / 2**30:.1f} GiB; one process needs none of it, two GPUs talk through it",
        )


def _disks() -> Iterator[Finding]:
    limit = environment.pixel_limit()
    cache = environment.cache_folder()
    yield _disk("cache", cache, "Set KITBOX_CACHE to a folder with room")
    if limit is not None:
        yield Finding("pixels", f"KITBOX_PIXELS allows {limit / 1e9:g} GB of decoded pictures")
    yield _disk("working in", Path.cwd(), "Give runs another folder with --out")


def _disk(subject: str, folder: Path, advice: str) -> Finding:
    there = next(one for one in (folder, *folder.parents) if one.exists())
    writable = os.access(there, os.W_OK)
    free = shutil.disk_usage(there).free
    said = f"{folder}, {free / 2**30:.1f} GiB free" + ("" if writable else ", read-only")
    return Finding(subject, said, advice if not writable or free < 2e9 else "")


def _internet() -> Iterator[Finding]:
    from kitbox.kaggle import mounts

    if mounts.is_rerun():
        yield Finding("internet", "not tried: a rerun has none")
        return
    with ThreadPoolExecutor(len(HOSTS)) as pool:
        reached = dict(zip(HOSTS, pool.map(_reaches, HOSTS), strict=True))
    missing = [f"{host} ({HOSTS[host]})" for host, is_there in reached.items() if not is_there]
    said = ", ".join(
        f"{host} {'answers' if ok else 'does not answer'}" for host, ok in reached.items()
    )
    advice = ""
    if missing:
        advice = f"Without {', '.join(missing)}: attach what the recipe needs, see `kitbox pack`"
    yield Finding("internet", said, advice)


def _reaches(host: str) -> bool:
    """Whether a host answers at all, through a proxy where one is set."""
    import requests

    try:
        requests.head(f"https://{host}", timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException:
        return False
    return True


def _keys() -> Iterator[Finding]:
    from kitbox.kaggle import keys

    found = keys.find()
    if found:
        yield Finding("Kaggle keys", "; ".join(key.place for key in found))
    else:
        yield Finding("Kaggle keys", "none", keys.ADVICE)


def _mounts() -> Iterator[Finding]:
    from kitbox.kaggle import mounts

    things = mounts.attached()
    more = f" and {len(things) - _LIST} more" if len(things) > _LIST else ""
    if things or mounts.root().is_dir():
        yield Finding("attached", ", ".join(things[:_LIST]) + more or "nothing")


def _weights() -> Iterator[Finding]:
    """Files of pretrained weights that need no network."""
    from kitbox.models import weights

    listed = [Path(part) for part in os.environ.get(weights.ATTACHED, "").split(os.pathsep) if part]
    held = weights.attached_files()
    for folder in listed:
        if folder.expanduser() not in held:
            advice = f"Correct {weights.ATTACHED}: it names folders, separated by '{os.pathsep}'"
            yield Finding("weights", f"{folder} is no folder", advice)
    for folder, files in held.items():
        said = f"{folder}: {some(files, _LIST) or 'no files of weights'}"
        expected = folder != weights.MOUNT and not files
        yield Finding("weights", said, "Name a folder with them" if expected else "")
    if not held and not listed:
        yield Finding("weights", f"none attached ({weights.ATTACHED} names no folder)")


def _packages() -> Iterator[Finding]:
    versions = environment.versions()
    shown = [f"{name} {version}" for name, version in versions.items() if name != "platform"]
    yield Finding("packages", ", ".join(shown))
    for wanted, wrong in _unmet():
        yield Finding("packages", wrong, f"pip install '{wanted}'")


def _unmet() -> Iterator[tuple[str, str]]:
    """What kitbox needs and is not here, or too old: the requirement, and a sentence."""
    from packaging.requirements import Requirement

    for line in metadata.requires("kitbox") or ():
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield f"{wanted.name}{wanted.specifier}", f"{wanted.name} is missing"
            continue
        if not wanted.specifier.contains(version, prereleases=True):
            said = f"{wanted.name} {version} does not do, expected {wanted.specifier}"
            yield f"{wanted.name}{wanted.specifier}", said
