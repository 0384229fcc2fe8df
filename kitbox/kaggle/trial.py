"""A pack tried: a new environment made from it without any network, and a check in there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Collection
from importlib import metadata
from pathlib import Path

from kitbox.errors import SourceError, some
from kitbox.kaggle import pack, resolver
from kitbox.progress import Progress
from kitbox.results.folder import RECIPE

CLOSED = "kitbox_no_network"
"""The module that closes the network in the new environment; a path file imports it."""
_TIMEOUT = 900
_PROBE = """
import socket
for reach in (lambda: socket.create_connection(("192.0.2.1", 80), 1),
              lambda: socket.getaddrinfo("localhost", 80)):
    try:
        reach()
    except ConnectionError as error:
        assert "no network" in str(error), error
    else:
        raise SystemExit("the network is open")
print("closed")
"""
_CHECK = """
import sys
from kitbox.recipe import read
weights = read({recipe!r}).backbone.find_weights()
if not weights.here:
    sys.exit("the weights are not in the pack: " + weights.source)
from kitbox.cli import main
sys.argv[1:] = ["check", {recipe!r}]
main()
"""
_LOAD = "import sys; from kitbox.results.predictor import Predictor; Predictor.load({run!r})"
_NO_NETWORK = '''\
"""Refuses every connection and every look-up of a name, for good: an audit hook stays."""
import sys

EVENTS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr",
          "socket.sendto", "socket.sendmsg"}


def refuse(event, args):
    if event in EVENTS and not (event == "socket.connect" and isinstance(args[1], (str, bytes))):
        raise ConnectionError(f"no network: {event} {args[1:]!r}")


sys.addaudithook(refuse)
'''


def trial(folder: Path, progress: Progress | None = None) -> None:
    """Make an environment from a pack without network, and check its recipe or load its run there.

    The environment has what this one has, but for the packages that the pack brings: these
    come from its wheels. Sockets are blocked in it, and it is made sure that they are.

    Raises:
        SourceError: when the folder is no pack, or what it holds is not enough.
    """
    progress, folder = progress or Progress(), folder.resolve()
    held = pack.read_manifest(folder)
    packages = [resolver.canonical(str(name)) for name in held["packages"]]
    with tempfile.TemporaryDirectory(prefix="kitbox-trial-") as scratch:
        root = Path(scratch)
        site = _environment(root / "env", packages)
        python = _python(root / "env")
        _install(python, folder / pack.WHEELS, packages)
        environ = _environ(root, folder)
        told = _run([str(python), "-P", "-c", _PROBE], environ, "the network could not be closed")
        assert told.strip() == "closed", told
        where = _run(
            [str(python), "-P", "-c", "import kitbox; print(kitbox.__file__)"], environ, "no kitbox"
        )
        if not Path(where.strip()).resolve().is_relative_to(site.resolve()):
            raise SourceError(f"kitbox comes from {where.strip()}, not from the pack")
        progress.say(f"a new environment has {some(packages, 8)} from the pack; no network")
        if held.get("run"):
            code, what = _LOAD.format(run=str(folder / pack.RUN)), "its run"
        else:
            code, what = _CHECK.format(recipe=str(folder / RECIPE)), "its recipe"
        told = _run(
            [str(python), "-P", "-c", code], environ, f"The pack {folder} is not enough for {what}"
        )
        for line in told.splitlines():
            progress.say(f"  {line}")
    progress.say(f"{folder} is enough for {what}, without any network")
    if local := held.get("local"):
        progress.warn(f"not tried: in the kernel {some(local)} will have to name other places")


def _environment(folder: Path, without: Collection[str]) -> Path:
    """A new environment with all of this one's packages but some; its folder of packages."""
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    site = Path(
        sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
    )
    ours: dict[Path, set[str]] = {}
    for found in metadata.distributions():
        home = Path(str(found.locate_file(""))).resolve()
        left_out = resolver.canonical(found.metadata["Name"] or "") in without
        tops = {Path(str(path)).parts[0] for path in found.files or ()} if left_out else set()
        ours.setdefault(home, set()).update(tops)
    for home in map(Path, dict.fromkeys(sys.path)):
        if home.resolve() not in ours or home.name not in ("site-packages", "dist-packages"):
            continue
        hidden = ours[home.resolve()] | {"__pycache__"}
        for entry in home.iterdir():
            link = site / entry.name
            if entry.name not in hidden and entry.suffix != ".pth" and not link.exists():
                link.symlink_to(entry.resolve())
    (site / f"{CLOSED}.py").write_text(_NO_NETWORK, encoding="utf-8")
    (site / f"{CLOSED}.pth").write_text(f"import {CLOSED}\n", encoding="utf-8")
    return site


def _install(python: Path, wheels: Path, packages: Collection[str]) -> None:
    """The packages from the wheels alone, as the pack's first cell does it."""
    words = ["--no-index", "--no-deps", "--find-links", str(wheels), *packages]
    if uv := shutil.which("uv"):
        start = [uv, "pip", "install", "--quiet", "--offline", "--python", str(python)]
    else:
        start = [*resolver.pip(), "--python", str(python), "install", "--quiet"]
    _run([*start, *words], dict(os.environ), "The wheels of the pack cannot be installed")


def _environ(root: Path, folder: Path) -> dict[str, str]:
    """Variables of a machine that has nothing but the pack."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH",)}
    return {
        **kept,
        "PYTHONNOUSERSITE": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(root / "hub"),
        "TORCH_HOME": str(root / "torch"),
        "KITBOX_CACHE": os.environ.get("KITBOX_CACHE") or str(root / "cache"),
        "KITBOX_WEIGHTS": str(folder / pack.WEIGHTS),
    }


def _run(words: list[str], environ: dict[str, str], wrong: str) -> str:
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, env=environ, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(wrong, found=str(error)) from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise SourceError(wrong, found="; ".join(line.strip() for line in lines[-4:]))
    return done.stdout


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
