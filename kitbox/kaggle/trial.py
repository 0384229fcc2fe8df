"""A pack tried: installed without any network beside an image's packages, and checked there."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from kitbox import closed
from kitbox.errors import SourceError, some
from kitbox.kaggle import pack, resolver, stand_in
from kitbox.progress import Progress
from kitbox.results.folder import RECIPE

CLOSED = "kitbox_no_network"
"""The module that closes the network in the new environment; a path file imports it."""
_TIMEOUT = 900
_DATA = 180
"""Seconds in which a source may give its files without a network."""
_OWN = ("KITBOX_", "KAGGLE_", "COLAB_", "HF_", "HUGGING", "TORCH_HOME", "XDG_", "PIP_", "UV_")
_PYTHON = ("PYTHON", "VIRTUAL_ENV", "CONDA_")
"""How names of variables begin that would let this machine's things through."""
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
_DATA_OF = """
from kitbox.environment import cache_folder
from kitbox.recipe import read
source = read({recipe!r}).source
if source.find(cache_folder()) is None:
    source.fetch(cache_folder())
"""
_PREDICT = """
from pathlib import Path
import numpy as np
from PIL import Image
from kitbox.results.predictor import Predictor
picture = Path.home() / "picture.png"
Image.fromarray(np.arange(96 * 96 * 3).reshape(96, 96, 3).astype("uint8")).save(picture)
print(len(Predictor.load({run!r}).predict([picture])), "picture predicted")
"""


def trial(folder: Path, progress: Progress | None = None, *, torch: bool = False) -> None:
    """Install a pack beside an image's packages without network, and try what it is for.

    The new environment holds what the image has (see `stand_in`) and nothing else; then its
    network is closed. The pack's own first cell installs the wheels there. A recipe is checked,
    with a batch a stage where its data can be had; a run predicts a picture. Home and caches are
    empty, so that only the pack can give what is missing.

    Args:
        torch: take the image's torch too, gigabytes, not this machine's.

    Raises:
        SourceError: when the folder is no pack, or what it holds is not enough.
    """
    progress, folder = progress or Progress(), folder.resolve()
    pack.read_manifest(folder)
    with tempfile.TemporaryDirectory(prefix="kitbox-trial-") as scratch:
        environment = Path(scratch) / "env"
        stand_in.make(environment, stand_in.nearest(), progress, torch=torch)
        attempt(folder, environment, progress)


def attempt(folder: Path, environment: Path, progress: Progress) -> None:
    """Try a pack in an environment, which is closed for good.

    Raises:
        SourceError: when what the pack holds is not enough.
    """
    held = pack.read_manifest(folder)
    packages = [resolver.canonical(str(name)) for name in held["packages"]]
    with tempfile.TemporaryDirectory(prefix="kitbox-home-") as home:
        place = _Closed(environment, Path(home), folder)
        progress.say("the network is closed: connections and look-ups of names are refused")
        brought = place.install(packages)
        progress.say(f"  from the pack: {some(sorted(brought), 12)}")
        if held.get("run"):
            what = "its run"
            told = place.run("-c", _PREDICT.format(run=str(folder / pack.RUN)), of=what)
        else:
            what = "its recipe"
            told = place.check(folder / RECIPE)
        for line in told.splitlines():
            progress.say(f"  {line}")
    progress.say(f"{folder} is enough for {what}, without any network")
    if local := held.get("local"):
        progress.warn(f"not tried: in the kernel {some(local)} will have to name other places")


class _Closed:
    """An environment without network, with an empty home."""

    def __init__(self, environment: Path, home: Path, folder: Path) -> None:
        self.folder, self.home = folder, home
        self.site = stand_in.site(environment)
        self.programs = environment / ("Scripts" if os.name == "nt" else "bin")
        shutil.copy(closed.__file__, self.site / f"{CLOSED}.py")
        line = f"import {CLOSED}; {CLOSED}.close()\n"
        (self.site / f"{CLOSED}.pth").write_text(line, encoding="utf-8")
        told = self.run("-c", _PROBE, of="its probe")
        assert told.strip() == "closed", told

    def install(self, packages: list[str]) -> set[str]:
        """Install what the pack's first cell installs; what came, a name and version each.

        Raises:
            SourceError: when it cannot, something there was changed, or lacks something.
        """
        before = self._there()
        cell = (self.folder / pack.INSTALL).read_text(encoding="utf-8").splitlines()
        lines = [line for line in cell if line.startswith("!pip ")]
        if len(lines) != 1:
            raise SourceError(f"{self.folder / pack.INSTALL} has no line that installs the wheels")
        words = shlex.split(lines[0].removeprefix("!").replace("{PACK}", str(self.folder)))
        self.run("-m", *words, "--quiet", wrong="The wheels of the pack cannot be installed")
        after = self._there()
        if lost := before - after:
            raise SourceError(
                "Installing the pack changes what is there", found=some(lost), do="Pack it again"
            )
        told = self.run("-m", "pip", "check", fails=True)
        own = {one.partition("-")[0].replace("_", "-").lower() for one in after - before}
        lacks = [line for line in told.splitlines() if resolver.canonical(line.split()[0]) in own]
        if lacks:
            raise SourceError("The pack is not whole", found=some(lacks), do="Pack it again")
        if missing := [name for name in packages if name not in own]:
            raise SourceError("The image has packages that the pack brings", found=some(missing))
        return {one.replace("-", " ", 1) for one in after - before}

    def check(self, recipe: Path) -> str:
        """What `kitbox check` says of a recipe; its data is fetched where that needs no network.

        Raises:
            SourceError: when the recipe is not sound there.
        """
        code = _DATA_OF.format(recipe=str(recipe))
        try:
            self.run("-c", code, of="its data", seconds=_DATA)
        except SourceError:
            note = "its data is not here and not in the pack: labels and a batch are not tried\n"
        else:
            note = ""
        return note + self.run("-m", "kitbox", "check", str(recipe), of="its recipe")

    def run(
        self,
        *words: str,
        of: str = "",
        wrong: str = "",
        seconds: int = _TIMEOUT,
        fails: bool = False,
    ) -> str:
        """What the environment's Python says."""
        wrong = wrong or f"The pack {self.folder} is not enough for {of}"
        python = self.programs / ("python.exe" if os.name == "nt" else "python")
        try:
            done = subprocess.run(
                [str(python), "-P", *words],
                capture_output=True,
                text=True,
                env=self._variables(),
                timeout=seconds,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SourceError(wrong, found=str(error)) from error
        if done.returncode and not fails:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            raise SourceError(wrong, found="; ".join(lines[-4:]))
        return done.stdout

    def _variables(self) -> dict[str, str]:
        """Variables of a machine that has nothing but the pack."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith((*_OWN, *_PYTHON))}
        return {
            **kept,
            "PATH": os.pathsep.join([str(self.programs), kept.get("PATH", "")]),
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "PYTHONNOUSERSITE": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "HF_HUB_OFFLINE": "1",
            "KITBOX_CACHE": str(self.home / "cache"),
            "KITBOX_WEIGHTS": str(self.folder / pack.WEIGHTS),
        }

    def _there(self) -> set[str]:
        """Installed packages, as NAME-VERSION."""
        return {path.name.removesuffix(".dist-info") for path in self.site.glob("*.dist-info")}
