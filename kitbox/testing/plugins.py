"""What holds for a plugin of every kind: options, names, documentation."""

from __future__ import annotations

import inspect
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kitbox import listing, recipe, registry
from kitbox.breaches import where
from kitbox.demo import demo_recipe
from kitbox.errors import KitboxError, PluginError
from kitbox.mistakes import Mistakes
from kitbox.testing.isolation import isolated
from kitbox.testing.network import offline
from kitbox.vetting import HEAVY

_LEAST = ("source", "labeler", "task")
"""What a recipe has at least."""


class PluginTests:
    """Inherit from the tests of a kind, not from these.

    A subclass gives a fixture `plugin`: an instance with all the options that it needs.
    """

    kind: ClassVar[str]

    @pytest.fixture
    def plugin(self) -> Any:
        raise NotImplementedError(
            f"Give {type(self).__name__} a fixture `plugin`: an instance of your {self.kind}"
        )

    @pytest.fixture(autouse=True)
    def _named(self, plugin: Any) -> Iterator[None]:
        """A class that no installed package names has a name for the test."""
        try:
            registry.KINDS[self.kind].name_of(type(plugin))
        except PluginError:
            with isolated(**{self.kind: {"under-test": type(plugin)}}):
                yield
            return
        yield

    @pytest.fixture
    def report(self, capsys: Any, record_property: Any) -> Callable[[str, int, float], None]:
        """Prints how fast something was, also where output is captured."""

        def say(what: str, count: int, seconds: float) -> None:
            rate = count / max(seconds, 1e-9)
            record_property(what, f"{rate:.0f} a second")
            with capsys.disabled():
                sys.stdout.write(
                    f"\n{type(self).__name__}: {what}: {count} in {1000 * seconds:.1f} ms, "
                    f"{rate:,.0f} a second\n"
                )

        return say

    def test_it_keeps_its_contract(self, plugin: Any) -> None:
        contract = registry.KINDS[self.kind].contract
        lines = registry.breaches(type(plugin), contract)
        assert not lines, f"see {where(contract)}: {'; '.join(lines)}"

    def test_options_go_through_a_recipe(self, plugin: Any) -> None:
        """A run's folder keeps the recipe: reading it again must give the same plugin."""
        described = registry.KINDS[self.kind].describe(plugin)
        values: dict[str, Any] = {part: getattr(demo_recipe(), part) for part in _LEAST}
        if self.kind == "writer":
            values["submission"] = {"writer": described}
        else:
            values["split" if self.kind == "splitter" else self.kind] = described
        again = recipe.parse(recipe.make(values).text(), Path("again.yaml"))
        found = (
            again.submission and again.submission.writer
            if self.kind == "writer"
            else getattr(again, "split" if self.kind == "splitter" else self.kind)
        )
        assert found == plugin, f"the recipe gave back {found!r}, expected {plugin!r}"
        json.dumps(described)

    def test_it_can_be_pickled(self, plugin: Any) -> None:
        """Processes get plugins by pickle: its class is at the top of a module."""
        assert pickle.loads(pickle.dumps(plugin)) == plugin

    def test_it_cannot_be_changed(self, plugin: Any) -> None:
        with pytest.raises(ValueError, match=r"frozen|no field|no attribute"):
            plugin.anything = 1

    def test_unknown_options_are_refused(self, plugin: Any) -> None:
        plugins = registry.KINDS[self.kind]
        with pytest.raises(Mistakes, match="no_such_option: unknown option"):
            plugins.build({**plugins.describe(plugin), "no_such_option": 1})

    def test_mistakes_in_options_are_explained(self, plugin: Any) -> None:
        """Every option refuses what has no business there, by name and in words."""
        plugins = registry.KINDS[self.kind]
        for option in type(plugin).model_fields:
            try:
                plugins.build({**plugins.describe(plugin), option: _Nonsense()})
            except Mistakes as error:
                assert option in str(error), f"the mistake does not name the option: {error}"
            else:
                raise AssertionError(f"the option '{option}' takes anything; give it a type")

    def test_it_is_documented(self, plugin: Any) -> None:
        """What `kitbox plugins show` prints: a sentence on the class, words on each option."""
        for trouble in listing.undocumented(type(plugin)):
            raise AssertionError(trouble)

    def test_its_module_loads_quickly(self, plugin: Any) -> None:
        """A recipe is checked before anything happens, and `kitbox plugins` loads them all."""
        module = type(plugin).__module__
        file = getattr(sys.modules.get(module), "__file__", None) or ""
        if inspect.getmodulename(file) is None or module.rpartition(".")[2].startswith("test_"):
            pytest.skip("the class is written in a test, not in a module of a package")
        loaded = _heavy_imports(module, tuple(sys.path))
        assert not loaded, f"{module} imports {', '.join(loaded)}; import it inside the functions"


@lru_cache
def _heavy_imports(module: str, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Which heavy libraries a module imports, in a new process; asked once for all its classes.

    Raises:
        AssertionError: when it cannot be imported.
    """
    code = (
        "import importlib, json, sys; sys.path[:] = json.loads(sys.argv[1]); import kitbox\n"
        "before = set(sys.modules)\n"
        f"importlib.import_module({module!r})\n"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules and m not in before]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(paths)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert done.returncode == 0, f"{module} cannot be imported: {done.stderr}"
    return tuple(json.loads(done.stdout.splitlines()[-1]))


class _Nonsense:
    """No option takes this."""

    def __repr__(self) -> str:
        return "nonsense"


def is_clear(error: BaseException) -> None:
    """Whether an error tells a person what to do.

    Raises:
        AssertionError: when it does not.
    """
    kind = type(error).__name__
    assert isinstance(error, KitboxError), (
        f"expected one of kitbox.errors for what a person can mend, found {kind}: {error}"
    )
    assert error.do or error.found, (
        f"the error says neither what was found nor what to do (`found=`, `do=`): {error}"
    )


def refuses(call: Callable[[], Any], expected: type[KitboxError], what: str) -> None:
    """Whether a call is refused with a clear error of a kind.

    Raises:
        AssertionError: when it is not.
    """
    try:
        with offline():
            given = call()
    except KitboxError as error:
        assert isinstance(error, expected), (
            f"{what}: expected a {expected.__name__}, found {type(error).__name__}: {error}"
        )
        is_clear(error)
    except Exception as error:
        raise AssertionError(
            f"{what}: expected a {expected.__name__}, found {type(error).__name__}: {error}"
        ) from error
    else:
        raise AssertionError(f"{what}: expected a {expected.__name__}, nothing was raised: {given}")
