"""Whether an image's packages satisfy requirements, from metadata: no index is asked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from kitbox.errors import SourceError
from kitbox.kaggle import fitting, wheels
from kitbox.kaggle.images import Image, every

KITBOX = {"kitbox": wheels.requirements("kitbox")}
HERE = {name: wheels.requirements(name) for name in ("segmentation-models-pytorch", "imagehash")}
"""What no image has, as it is installed here."""


@pytest.mark.parametrize("image", every(), ids=lambda i: f"{i.name}-torch{i.pins['torch']}")
def test_what_the_images_have_satisfies_all(image: Image) -> None:
    found = fitting.misfits(image, KITBOX | HERE)
    assert {one.package for one in found} == image.replaced, found
    names = {re.match(r"[\w-]+", line)[0].lower() for line in KITBOX["kitbox"]}  # type: ignore[index]
    compared = names & image.pins.keys()
    assert {"torch", "numpy"} <= compared
    assert image.older or len(compared) >= 11


@pytest.mark.parametrize(
    ("package", "version", "told"),
    [
        ("pillow", "10.4", "kitbox needs pillow>=11, the image has 10.4"),
        ("numpy", "1.26.4", "kitbox needs numpy>=2.0, the image has 1.26.4"),
        ("albumentations", "3.0", "kitbox needs albumentations<3,>=2.0, the image has 3.0"),
        ("Tqdm", "4.40", "segmentation-models-pytorch needs tqdm>=4.42.1, the image has 4.40"),
    ],
)
def test_a_pin_that_does_not_do_is_named(package: str, version: str, told: str) -> None:
    image = every()[0]
    image = replace(image, pins={**image.pins, package: version})
    assert [one.said for one in fitting.misfits(image, KITBOX | HERE)] == [told]
    with pytest.raises(SourceError, match=re.escape(told)):
        fitting.refuse(image, KITBOX | HERE)


def test_all_patches_of_two_numbers_have_to_do() -> None:
    image = Image("made-up", "3.12", {"numpy": "2.0", "rich": "13.9.4"})
    for line, does in {
        "numpy>=2.0": True,
        "numpy>=2.0.1": False,  # 2.0.0 may be there
        "numpy<=2.0.5": False,  # 2.0.6 may be there
        "numpy<2.1": True,
        "rich==13.9.4": True,
        "rich>=14; python_version < '3.12'": True,  # not there
        "rich>=14; extra == 'more'": True,
        "rich>=14; sys_platform == 'linux'": False,
        "unknown>=7": True,
    }.items():
        assert (not fitting.misfits(image, {"one": [line]})) == does, line


def test_no_requirement_at_all() -> None:
    fitting.refuse(every()[0], {})
