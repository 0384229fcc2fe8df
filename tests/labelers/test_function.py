import sys
import uuid

import pytest
from pydantic import ValidationError

from kitbox.data import table
from kitbox.errors import LabelError
from kitbox.labelers.function import FunctionLabels


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module into the current folder; its name is new each time."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    name = f"labels_{uuid.uuid4().hex}"

    def write(text):
        (here / f"{name}.py").write_text(text)
        return name

    yield write
    sys.modules.pop(name, None)


@pytest.fixture
def folder(tmp_path, touch):
    touch("data/images/cat_1.jpg", "data/images/dog_1.jpg", "data/other.jpg")
    return tmp_path / "data"


def test_a_function_knows_the_labels(module, folder):
    name = module(
        "def f(path):\n    return path.stem.split('_')[0] if '_' in path.name else None\n"
    )
    before = list(sys.path)
    labels = FunctionLabels(function=f"{name}:f", images="images").label(folder)
    made = table.make(labels, folder)
    assert made["image"].tolist() == ["images/cat_1.jpg", "images/dog_1.jpg"]
    assert made["label"].tolist() == ["cat", "dog"]
    assert sys.path == before


def test_none_skips(module, folder):
    name = module(
        "def f(path):\n    return None if path.name == 'other.jpg' else [path.stem[:3]]\n"
    )
    labels = FunctionLabels(function=f"{name}:f").label(folder)
    assert labels.rows["label"].tolist() == [("cat",), ("dog",)]
    assert f"{name}:f skipped 1 picture." in labels.notes


def test_numbers(module, folder):
    name = module("def f(path):\n    return len(path.name)\n")
    assert FunctionLabels(function=f"{name}:f").label(folder).rows["label"].tolist() == [9, 9, 9]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def g(path): ...", r"no function 'f'.*Known: g"),
        ("f = 3", r"no function 'f'.*Found: a value of type int"),
        ("def f(path): ...", "returned None for all 3"),
        ("def f(path): return b'x'", r"label of images/cat_1.jpg is of no use.*bytes"),
        ("import nothing_like_this", "cannot be imported.*ModuleNotFoundError.*nothing_like_this"),
        ("1 / 0", "cannot be imported.*ZeroDivisionError"),
    ],
)
def test_mistakes_in_the_function(module, folder, text, words):
    with pytest.raises(LabelError, match=words):
        FunctionLabels(function=f"{module(text)}:f").label(folder)


def test_a_function_that_raises(module, folder):
    name = module("def f(path):\n    return {}[path]\n")
    with pytest.raises(LabelError, match=r"failed for .*images/cat_1.jpg.*KeyError") as e:
        FunctionLabels(function=f"{name}:f").label(folder)
    assert isinstance(e.value.__cause__, KeyError)


def test_it_is_given_a_path_that_can_be_opened(module, folder):
    name = module(
        "from pathlib import Path\n"
        "def f(path):\n"
        "    return f'{isinstance(path, Path)} {path.is_file()} {path.parent.name}'\n"
    )
    labels = FunctionLabels(function=f"{name}:f", images="images").label(folder)
    assert set(labels.rows["label"]) == {"True True images"}
    assert labels.rows["image"].tolist() == ["images/cat_1.jpg", "images/dog_1.jpg"]


@pytest.mark.parametrize(
    "body",
    ["path.split('/')[0]", "path[:3]", "'_' in path", "len(path)", "re.match('c', path).group()"],
)
def test_a_function_for_text_is_told_what_it_is_given(module, folder, body):
    name = module(f"import re\ndef f(path):\n    return {body}\n")
    with pytest.raises(LabelError, match=r"Error: .*called with a `pathlib\.Path`, not with text"):
        FunctionLabels(function=f"{name}:f").label(folder)


def test_no_pictures(module, tmp_path):
    (tmp_path / "empty").mkdir()
    name = module("def f(path): ...")
    with pytest.raises(LabelError, match="no pictures below"):
        FunctionLabels(function=f"{name}:f").label(tmp_path / "empty")


@pytest.mark.parametrize(
    "function", ["name", "a.b", "a:", ":b", "a:b.c", "a b:c", "../a:b", "a:b()"]
)
def test_the_place_is_checked_before_use(function):
    with pytest.raises(ValidationError, match=r"expected package\.module:name"):
        FunctionLabels(function=function)
