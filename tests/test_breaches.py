"""Whether a class keeps its contract, checked against ways to call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest

from kitbox import Options, contracts
from kitbox.breaches import breaches


class Contract(Protocol):
    def build(self, size: int, depth: int, *, load: bool = True, must: bool) -> str: ...


def test_a_class_that_keeps_it() -> None:
    class Exact(Options):
        def build(self, size: int, depth: int, *, load: bool = True, must: bool) -> str:
            return ""

    class More(Options):
        def build(me, size: int, depth: int, load: bool = True, must: bool = False, x: int = 0):  # type: ignore[no-untyped-def]  # noqa: N805, ANN
            return ""

    class Anything(Options):
        def build(self, *args: Any, **options: Any) -> str:
            return ""

    class Named(Options):
        def build(self, size: int, depth: int, **options: Any) -> str:
            return ""

    class Inherited(Exact):
        pass

    for cls in (Exact, More, Anything, Named, Inherited):
        assert breaches(cls, Contract) == []


def _missing() -> type:
    class Bad(Options):
        pass

    return Bad


def _renamed() -> type:
    class Bad(Options):
        def build(self, side: int, depth: int, *, load: bool = True, must: bool) -> str:
            return ""

    return Bad


def _swapped() -> type:
    class Bad(Options):
        def build(self, depth: int, size: int, *, load: bool = True, must: bool) -> str:
            return ""

    return Bad


def _extra() -> type:
    class Bad(Options):
        def build(self, size: int, depth: int, x: int, *, load: bool = True, must: bool) -> str:
            return ""

    return Bad


def _fewer() -> type:
    class Bad(Options):
        def build(self, size: int, depth: int, *, must: bool) -> str:
            return ""

    return Bad


def _needs() -> type:
    class Bad(Options):
        def build(self, size: int, depth: int, *, load: bool, must: bool) -> str:
            return ""

    return Bad


def _by_place_only() -> type:
    class Bad(Options):
        def build(self, size: int, depth: int, /, *, load: bool = True, must: bool) -> str:
            return ""

    return Bad


def _static() -> type:
    class Bad(Options):
        @staticmethod
        def build(size: int, depth: int, *, load: bool = True, must: bool) -> str:
            return ""

    return Bad


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (_missing, "nothing"),
        (_renamed, "build(self, side: 'int', depth"),
        (_swapped, "build(self, depth: 'int', size"),
        (_extra, "x: 'int'"),
        (_fewer, "depth: 'int', *, must"),
        (_needs, "load: 'bool', must"),
        (_by_place_only, "depth: 'int', /"),
        (_static, "staticmethod"),
    ],
)
def test_a_breach_quotes_both(make: Any, found: str) -> None:
    (line,) = breaches(make(), Contract)
    wanted, _, got = line.partition(", found ")
    assert "build(self, size: 'int', depth: 'int', *, load: 'bool' = True, must: 'bool')" in wanted
    assert found in got


def test_every_breach_is_told() -> None:
    class Bad(Options):
        use: str = ""

    lines = breaches(Bad, contracts.Source)
    assert len(lines) == 3
    assert "'use'" in lines[0]
    assert "find(self, cache: 'Path')" in lines[1]
    assert "fetch(self, cache: 'Path')" in lines[2]


def test_an_option_of_a_method_s_name() -> None:
    class Bad(Options):
        label: str | None = None

        def label(self, folder: Path) -> contracts.Labels:  # type: ignore[no-redef]  # noqa: F811
            raise NotImplementedError

    assert "found an option of that name" in breaches(Bad, contracts.Labeler)[0]


@pytest.mark.parametrize("thing", [object, 3, None, print, Options()])
def test_what_is_no_options_class(thing: object) -> None:
    assert breaches(thing, Contract) == [
        f"expected a class derived from kitbox.Options, found {thing!r}"
    ]
