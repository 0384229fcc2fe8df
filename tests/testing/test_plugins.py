"""What holds for every kind, and that no built-in is left out of the contract tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import Field
from test_registry import BUILT_IN

from kitbox import Options, errors, registry, testing
from kitbox.listing import undocumented
from kitbox.testing.plugins import is_clear, refuses

HERE = Path(__file__).parent


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_every_built_in_takes_the_tests_of_its_kind(kind: str, name: str) -> None:
    text = (HERE / f"test_{kind}s.py").read_text()
    cls = registry.KINDS[kind].load(name)
    assert re.search(rf"def plugin\(.*\) -> (Iterator\[)?{cls.__name__}\b", text, re.DOTALL)


@pytest.mark.parametrize("name", testing.__all__)
def test_public_names_load(name: str) -> None:
    assert getattr(testing, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'TasksTest'"):
        testing.TasksTest  # noqa: B018


def test_every_kind_has_its_tests() -> None:
    for kind in registry.KINDS:
        assert getattr(testing, f"{kind.capitalize()}Tests").kind == kind


def test_clear_errors() -> None:
    is_clear(errors.LabelError("No.", do="Yes"))
    is_clear(errors.LabelError("No.", found="nothing"))
    with pytest.raises(AssertionError, match="neither what was found nor what to do"):
        is_clear(errors.LabelError("No."))
    with pytest.raises(AssertionError, match=r"expected one of kitbox\.errors"):
        is_clear(ValueError("No"))


def test_refusals() -> None:
    def fail(error: Exception) -> None:
        raise error

    refuses(lambda: fail(errors.LabelError("No", do="x")), errors.LabelError, "it")
    for error in (ValueError("No"), errors.SplitError("No", do="x")):
        with pytest.raises(AssertionError, match=r"it: expected a LabelError, found"):
            refuses(lambda error=error: fail(error), errors.LabelError, "it")  # type: ignore[misc]
    with pytest.raises(AssertionError, match="nothing was raised"):
        refuses(lambda: None, errors.LabelError, "it")


def test_what_is_not_documented() -> None:
    class Bare(Options):
        pass

    class Half(Options):
        """Half.

        Attributes:
            one, two: of them.
        """

        one: int = 1
        two: int = 2
        three: int = Field(3, description="of them")
        four: int = 4

    assert "no docstring" in undocumented(Bare)[0]
    assert [line.split("'")[1] for line in undocumented(Half)] == ["four"]
