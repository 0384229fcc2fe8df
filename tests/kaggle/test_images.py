"""What the images have, as the data file says it and as the facts do."""

import re
from pathlib import Path

import pytest

from kitbox.kaggle.images import every, images

FACTS = Path(__file__).resolve().parents[2].parent / "shared" / "KAGGLE.md"


def test_constraints() -> None:
    first, second, colab = images()
    assert [(one.name, one.python) for one in images()] == [
        ("kaggle", "3.12"),
        ("kaggle", "3.12"),
        ("colab", "3.13"),
    ]
    assert "torch==2.10.*" in first.constraints()
    assert "torch==2.11.*" in second.constraints()
    assert "timm==1.0.28" in colab.constraints()
    assert "rich==13.9.4" in colab.constraints()
    assert colab.title == "Colab's image"


def test_older_runtimes() -> None:
    """They are known, but a pack is not made for them."""
    older = {one.name: one for one in every() if one.older}
    assert {one.python for one in older.values()} == {"3.11", "3.12"}
    assert not any(one.older for one in images())
    january = older["colab 2026.01"]
    assert january.title == "Colab's image of 2026.01"
    assert "opencv-python-headless==4.12.0.88" in january.constraints()


def test_what_is_inferred_is_pinned() -> None:
    for image in every():
        assert image.inferred <= image.pins.keys()
        assert image.replaced <= image.pins.keys()
    assert all("torchvision" in image.inferred for image in images())


@pytest.mark.skipif(not FACTS.exists(), reason="no ../shared/KAGGLE.md")
def test_the_pins_are_those_of_the_facts() -> None:
    table = FACTS.read_text().partition("| Kaggle | Colab |")[2].partition("\n\n")[0]
    known = {"opencv": "opencv-python-headless"}
    compared = 0
    told: set[str] = set()
    for line in table.splitlines()[2:]:
        named, kaggle, colab = (cell.strip() for cell in line.strip("| ").split("|"))
        names = [known.get(name.strip(), name.strip()) for name in named.split(",")]
        if names[0] in ("Python", "segmentation_models_pytorch"):
            continue
        told |= {*names}
        colab = kaggle if colab == "the same" else colab
        for image in images():
            text = kaggle if image.name == "kaggle" else colab
            versions = re.findall(r"\d+(?:\.\d+)+|\b\d+(?=\D|$)", re.sub(r"\(.*\)", "", text))
            if names[0] == "torch":
                assert image.pins["torch"] in versions, line
            else:
                assert [image.pins[name] for name in names] == versions, line
            compared += len(names)
    assert compared > 30
    for image in images():
        assert image.pins.keys() - told <= image.inferred
