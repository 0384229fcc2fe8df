"""The tree of errors and what its messages say."""

from __future__ import annotations

import copy
import errno
import inspect
import pickle
import re
from pathlib import Path

import pytest

from kitbox import errors
from kitbox.errors import KitboxError, RecipeError, StorageError, nearest, some, storage, visible


def test_docstring_draws_the_real_tree() -> None:
    drawn = re.findall(r"^ +(?:[├└]── )?(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    assert drawn[0] == "KitboxError"
    classes = [c for c in vars(errors).values() if inspect.isclass(c)]
    real = [c for c in classes if issubclass(c, Exception) and c.__module__ == errors.__name__]
    assert drawn == [c.__name__ for c in real]
    # One level: every branch hangs on the root.
    assert all(c.__bases__ == (KitboxError,) for c in real[1:])
    assert KitboxError.__bases__ == (Exception,)


def test_every_error_says_what_it_is_for() -> None:
    for name in re.findall(r"(\w+Error)\b", errors.__doc__ or ""):
        assert getattr(errors, name).__doc__


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("No file",), "No file."),
        (("No file", "a.csv"), "No file. Found: a.csv."),
        (("No file", "", "Look again"), "No file. Look again."),
        (("No file.", "a!", "Why?"), "No file. Found: a! Why?"),
        ((" No file ", "a"), "No file. Found: a."),
    ],
)
def test_messages_compose(given: tuple[str, ...], message: str) -> None:
    wrong, found, do = (*given, "", "")[:3]
    error = KitboxError(wrong, found=found, do=do)
    assert str(error) == message
    assert (error.wrong, error.found, error.do) == (wrong, found, do)


def test_recipe_error_lists_its_mistakes() -> None:
    error = RecipeError("It has 2 mistakes", mistakes=iter(["line 1, a: b", "c"]), do="Mend")
    assert str(error) == "It has 2 mistakes. Mend.\n  - line 1, a: b\n  - c"
    assert error.mistakes == ("line 1, a: b", "c")
    assert str(RecipeError("Empty")) == "Empty."


@pytest.mark.parametrize(
    "error", [KitboxError("a", found="b", do="c"), RecipeError("a", mistakes=["b"])]
)
def test_a_copy_reads_the_same(error: KitboxError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_nearest() -> None:
    assert nearest("folde", ["untar", "folder"]) == "Did you mean 'folder'?"
    assert nearest("xyz", ["b", "a"]) == "Known: a, b."
    assert nearest("xyz", []) == ""
    assert nearest("xyz", [str(i) for i in range(21)]) == ""
    assert nearest("xyz", iter(["a"])) == "Known: a."


def test_some() -> None:
    assert some([]) == ""
    assert some(range(5)) == "0, 1, 2, 3, 4"
    assert some(range(6)) == "0, 1, 2, 3, 4 and 1 more"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "may not be written"),
        (errno.EIO, "The operating system refused"),
    ],
)
def test_storage_translates(number: int, words: str) -> None:
    original = OSError(number, "as the system says")
    with pytest.raises(StorageError, match=words) as caught, storage(Path("/a/b"), "writing"):
        raise original
    assert "while writing /a/b (as the system says)" in str(caught.value)
    assert caught.value.do
    assert caught.value.__cause__ is original


def test_storage_translates_a_real_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"Not a directory"), storage(tmp_path, "making"):
        (tmp_path / "file" / "below").mkdir()


def test_storage_has_words_for_an_error_without_a_number() -> None:
    with pytest.raises(StorageError, match=r"refused while writing x \(OSError\)"):  # noqa: SIM117
        with storage(Path("x"), "writing"):
            raise OSError("odd")


def test_storage_leaves_other_errors_and_results_alone() -> None:
    with storage(Path("x"), "writing"):
        value = 1
    assert value == 1
    with pytest.raises(ValueError, match="mine"), storage(Path("x"), "writing"):
        raise ValueError("mine")
    with pytest.raises(KitboxError, match="inner") as caught, storage(Path("x"), "writing"):
        raise KitboxError("inner")
    assert not isinstance(caught.value, StorageError)


def test_control_characters_are_spelt_out() -> None:
    error = RecipeError("a\x1b[2J\0b", mistakes=["c\x07"], do="d\u200b")
    assert str(error) == "a\\x1b[2J\\x00b. d\\u200b.\n  - c\\x07"
    assert visible("Äpfel 中") == "Äpfel 中"
