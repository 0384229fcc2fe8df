"""A folder to attach to a kernel without network: wheels, weights, and the recipe or run."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kitbox import recipe as recipes
from kitbox import registry
from kitbox.contracts import Attaches
from kitbox.data.sampling import Listed
from kitbox.errors import SourceError, StorageError, counted, some, storage
from kitbox.installed import BUILT_IN, SESSION
from kitbox.kaggle import fitting, resolver, wheels
from kitbox.kaggle.images import Image, images
from kitbox.progress import Progress
from kitbox.recipe import Recipe
from kitbox.results.folder import MODEL, RECIPE, STATE, TABLE

WHEELS, WEIGHTS, RUN = "wheels", "weights", "run"
INSTALL, MANIFEST = "INSTALL.txt", "pack.json"
_KEPT = (RECIPE, TABLE, STATE)
"""Files of a run that a kernel needs beside the model."""


def pack(what: Path, dest: Path, progress: Progress | None = None) -> Path:
    """Put all into a folder that a kernel without network needs for a recipe, or for a run.

    Packages that Kaggle's and Colab's images have (`images.toml`) are not packed, and
    everything packed is resolved to go with their versions: installing it changes
    nothing that is there.

    Args:
        what: a recipe, or the folder of a finished run (for `kitbox rerun`).
        dest: the folder to make.
        progress: where to say what happens; by default standard output.

    Returns:
        `dest`.

    Raises:
        KitboxError: when the recipe is wrong, packages or weights cannot be had, or
            there is something at `dest`.
    """
    progress = progress or Progress()
    run = what if what.is_dir() else None
    path = what / RECIPE if run else what
    recipe = recipes.read(path)
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise StorageError(f"There is something at {dest}", do="Name a folder that is not there")
    with storage(dest, "writing to"):
        made = not dest.exists()
        (dest / WHEELS).mkdir(parents=True)
        try:
            packages = packages_of(recipe)
            lacking = fetch(packages, dest / WHEELS, progress)
            if run is not None:
                _copy_run(run, dest / RUN)
            else:
                _write_recipe(recipe, path, dest, progress)
            names = sorted([*packages, *lacking])
            local = local_paths(recipe)
            for key, place in local.items():
                progress.warn(f"`{key}` names {place}, which is on this machine, not in the pack")
            text = install(names, of_run=run is not None, local=local)
            (dest / INSTALL).write_text(text, encoding="utf-8")
            about = {
                "packages": names,
                "kitbox": _version(),
                "run": run is not None,
                "local": sorted(local),
            }
            (dest / MANIFEST).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        except BaseException:
            shutil.rmtree(dest, ignore_errors=True)
            if not made:
                dest.mkdir()
            raise
    size = sum(file.stat().st_size for file in dest.rglob("*") if file.is_file())
    progress.say(f"{dest}: {some(names, 8)}; {size / 1e6:.1f} MB. {INSTALL} has the first cell")
    return dest


def packages_of(recipe: Recipe) -> list[str]:
    """kitbox, and the packages whose plugins a recipe uses.

    Raises:
        SourceError: when a plugin was registered in this session and is in no package.
    """
    used = {str(one["plugin"]).partition(":")[0] for one in registry.used(recipe.plugins())}
    if SESSION in used:
        raise SourceError(
            "The recipe uses a plugin that this session registered",
            do="Make it a package: a wheel cannot be made of a session",
        )
    return sorted({BUILT_IN, *used})


def fetch(packages: Sequence[str], folder: Path, progress: Progress) -> list[str]:
    """Put the wheels of installed packages, and of what the images lack, into a folder.

    Returns:
        The names of what they lack, besides the packages.

    Raises:
        SourceError: when wheels cannot be had without changing an image.
    """
    own = {resolver.canonical(package) for package in packages}
    needs = {package: wheels.requirements(package) for package in packages}
    for image in images():
        fitting.refuse(image, needs)
    wanted = [one for lines in needs.values() for one in lines]
    wanted = [one for one in wanted if resolver.canonical(_name(one)) not in own]
    lacking: dict[str, dict[str, str]] = {}
    with ThreadPoolExecutor() as pool:  # each waits for the index most of the time
        all_found = list(pool.map(lambda image: lacks(wanted, image), images()))
    for image, found in zip(images(), all_found, strict=True):
        lacking.setdefault(image.python, {}).update(found)
        progress.say(
            f"{image.name} (Python {image.python}, torch {image.pins['torch']}): "
            f"{counted(len(found), 'package')} to bring ({some(found, 8) or 'none'})"
        )
    names = sorted({name for found in lacking.values() for name in found})
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if here not in lacking:  # for a trial on this machine
        versions = resolver.resolve(wanted, (), here)
        lacking[here] = {name: versions[name] for name in names if name in versions}
    with ThreadPoolExecutor() as pool:
        each = [pool.submit(resolver.download, found, py, folder) for py, found in lacking.items()]
        for one in each:
            one.result()
    for image in images():  # resolved within the pins; this asks each wheel itself
        fitting.refuse(image, fitting.of_wheels(folder))
    for package in packages:
        wheels.make(package, folder)
    return names


def lacks(requirements: Iterable[str], image: Image) -> dict[str, str]:
    """Package to version: what an image lacks of the requirements.

    Raises:
        SourceError: when they cannot be had unless a package of the image changed.
    """
    pins = image.constraints()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(resolver.resolve, [*requirements], pins, image.python)
        there = resolver.resolve(pins, (), image.python)
    try:
        wanted = asked.result()
    except SourceError as error:
        raise SourceError(
            f"What the recipe needs does not go with what {image.title} has",
            found=error.found,
            do="Nothing there may change; loosen what your plugins' packages require",
        ) from error
    return {name: version for name, version in wanted.items() if name not in there}


def local_paths(recipe: Recipe) -> dict[str, Path]:
    """What a recipe reads or writes on the machine that it is on, by key: not in a pack."""
    source = {f"source.{name}": value for name, value in vars(recipe.source).items()}
    found = {key: value for key, value in source.items() if isinstance(value, Path)}
    return {**found, **({} if recipe.copy_to is None else {"copy_to": recipe.copy_to})}


def install(packages: Sequence[str], *, of_run: bool, local: Iterable[str] = ()) -> str:
    """The lines for a notebook's first cell.

    Args:
        local: keys of the recipe that name places on this machine.
    """
    weights = "" if of_run else f"%env KITBOX_WEIGHTS={{PACK}}/{WEIGHTS}\n"
    if of_run:
        files = " --files /kaggle/input/competitions/NAME" if any(local) else ""
        follow = f"!kitbox rerun {{PACK}}/{RUN} --out submission.csv{files}"
    else:
        places = "".join(f" --set {key}=/kaggle/WHERE" for key in local)
        follow = f"!kitbox run {{PACK}}/{RECIPE}{places} --out run && cp run/submission.csv ."
    return f"""\
# The first cell of the notebook. Attach this folder as a dataset, and correct the path.
PACK = "/kaggle/input/datasets/OWNER/NAME"
{weights}# Nothing that is installed is changed: only what is missing is taken from the folder.
!pip install --no-index --no-deps --find-links {{PACK}}/{WHEELS} {" ".join(packages)}

# Then, in the next one:
{follow}
"""


def _write_recipe(recipe: Recipe, path: Path, dest: Path, progress: Progress) -> None:
    """The recipe as it will be read there, and its backbone's weights beside it."""
    text = path.read_text(encoding="utf-8-sig")
    if isinstance(recipe.backbone, Attaches):
        (dest / WEIGHTS).mkdir()
        elsewhere = recipe.backbone.attach(dest / WEIGHTS)
        if elsewhere != recipe.backbone:
            text = recipe.model_copy(update={"backbone": elsewhere}).text()
    else:
        progress.warn("the backbone does not say which files its weights are: attach them yourself")
    if recipe.exclude is not None:
        progress.warn(f"the recipe reads {recipe.exclude} from where it is started: attach it too")
    if isinstance(recipe.sampler, Listed):
        progress.warn(
            f"the recipe reads {recipe.sampler.csv} from where it is started: attach it too"
        )
    (dest / RECIPE).write_text(text, encoding="utf-8")


def _copy_run(run: Path, dest: Path) -> None:
    """What `kitbox rerun` needs of a run."""
    if not (run / MODEL).is_dir():
        raise SourceError(f"{run} has no model: it is no finished run", do="Finish it first")
    shutil.copytree(run / MODEL, dest / MODEL)
    for name in _KEPT:
        if (run / name).is_file():
            shutil.copy(run / name, dest / name)


def _name(requirement: str) -> str:
    found = resolver.NAME.match(requirement)
    return found[0] if found else requirement


def _version() -> str:
    from kitbox import __version__

    return __version__


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """What a pack says of itself.

    Raises:
        SourceError: when the folder is none.
    """
    try:
        held = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{folder} is no pack", found=f"no {MANIFEST} that can be read", do="Make one first"
        ) from error
    if not isinstance(held, dict) or not isinstance(held.get("packages"), list):
        raise SourceError(f"{folder} is no pack", found=f"another {MANIFEST}", do="Make one first")
    return held
