"""The notebooks as they are kept: without outputs, easy to compare, and set up alike."""

from __future__ import annotations

import json
import os
import re
import subprocess
import venv
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from kitbox.public import private_uses
from notebooks.executing import BOOKS

REPOSITORY = "kitbox-ml/kitbox"
"""Where the notebooks will be found; a stand-in until the repository is public."""
NAMES = ("biwi", "camvid", "google_images", "kaggle_submission", "pets", "planet")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def book(name: str) -> Any:
    return nbformat.read(BOOKS / f"{name}.ipynb", as_version=4)


def code(book: Any) -> list[str]:
    """The code cells as plain Python, without the magic that writes a file or keeps quiet."""
    found = []
    for cell in book.cells:
        if cell.cell_type == "code":
            head, _, rest = cell.source.partition("\n")
            plain = rest if head.startswith("%%") else cell.source
            found.append(TransformerManager().transform_cell(plain))
    return found


def test_all_of_them_are_here() -> None:
    assert sorted(path.stem for path in BOOKS.glob("*.ipynb")) == sorted(NAMES)
    readme = (BOOKS / "README.md").read_text()
    for name in NAMES:
        assert f"({name}.ipynb)" in readme


def test_they_are_valid_and_without_outputs(name: str, book: Any) -> None:
    nbformat.validate(book)
    ids = [cell.id for cell in book.cells]
    # Ids that are words stay as they are when a notebook is edited and compared.
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", one) for one in ids), ids
    assert len(set(ids)) == len(ids)
    for cell in book.cells:
        assert cell.source == cell.source.strip("\n")
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
            assert set(cell.metadata) <= {"tags"}
    raw = (BOOKS / f"{name}.ipynb").read_text()
    assert raw == json.dumps(json.loads(raw), indent=1, ensure_ascii=False) + "\n"


def test_they_begin_with_badges_and_set_up(name: str, book: Any) -> None:
    place = f"{REPOSITORY}/blob/main/notebooks/{name}.ipynb"
    assert book.cells[0].source.splitlines()[0] == (
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"(https://colab.research.google.com/github/{place}) "
        "[![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)]"
        f"(https://kaggle.com/kernels/welcome?src=https://github.com/{place})"
    )
    assert [cell.id for cell in book.cells[:3]] == ["what", "setup", "parameters"]
    assert book.cells[2].metadata["tags"] == ["parameters"]
    assert [cell.id for cell in book.cells if cell.metadata.get("tags")] == ["parameters"]
    first = nbformat.read(BOOKS / f"{NAMES[0]}.ipynb", as_version=4)
    assert book.cells[1].source == first.cells[1].source


def test_they_use_public_names_only(book: Any, tmp_path: Path) -> None:
    (tmp_path / "cells.py").write_text("\n".join(code(book)))
    assert private_uses(tmp_path / "cells.py") == []


def test_lines_are_no_longer_than_the_houses(book: Any) -> None:
    for cell in book.cells[1:]:
        assert max(map(len, cell.source.splitlines())) <= 100, cell.id


def test_set_up_without_internet_installs_the_attached_pack(tmp_path: Path) -> None:
    """In a new environment, from a wheel in a pack; where it is installed, nothing is done."""
    book = nbformat.read(BOOKS / "pets.ipynb", as_version=4)
    script = tmp_path / "setup.py"
    script.write_text(f"{book.cells[1].source}\nprint('have', kitbox.__version__)\n")
    venv.create(tmp_path / "env", with_pip=True)
    pack = tmp_path / "input" / "datasets" / "me" / "packed"
    (pack / "wheels").mkdir(parents=True)
    _wheel(pack / "wheels")
    (pack / "pack.json").write_text(json.dumps({"packages": ["kitbox"]}))

    def start(attached: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tmp_path / "env" / "bin" / "python", "-I", script],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "KITBOX_KAGGLE_INPUT": str(attached),
                "PIP_INDEX_URL": "http://127.0.0.1:9/simple",  # nobody listens there
                "PIP_RETRIES": "0",
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    nothing = start(tmp_path / "empty")
    assert nothing.returncode != 0
    assert "turn the internet on, or attach a pack" in nothing.stderr
    done = start(tmp_path / "input")
    assert done.stdout == "have 7.0\n", done.stderr
    again = start(tmp_path / "empty")
    assert again.stdout == "have 7.0\n", again.stderr


def _wheel(folder: Path) -> None:
    """A wheel of a kitbox that knows its version and no more."""
    import zipfile

    about = "kitbox-7.0.dist-info"
    with zipfile.ZipFile(folder / "kitbox-7.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("kitbox/__init__.py", '__version__ = "7.0"\n')
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: kitbox\nVersion: 7.0\n")
        wheel.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{about}/RECORD", "")
