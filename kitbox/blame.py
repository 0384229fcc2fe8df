"""Exceptions that come out of strangers' plugins, told as theirs in a paragraph."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from types import FrameType, FunctionType
from typing import TypeVar

from kitbox import registry
from kitbox.errors import KitboxError, PluginError
from kitbox.installed import BUILT_IN, SESSION, Plugin
from kitbox.storage import write

T = TypeVar("T")


@contextmanager
def edge() -> Iterator[None]:
    """What comes out of a stranger's plugin is raised as `told` says; also as a decorator.

    Raises:
        PluginError: instead of it.
    """
    try:
        yield
    except Exception as error:
        if (paragraph := told(error)) is None:
            raise
        raise paragraph from error


def at_edges(cls: type[T]) -> type[T]:
    """A class whose making and public methods are edges (see `edge`)."""
    for name, one in list(vars(cls).items()):
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(one, FunctionType):
            setattr(cls, name, edge()(one))
        elif isinstance(one, classmethod):
            setattr(cls, name, classmethod(edge()(one.__func__)))
        elif isinstance(one, property):
            getter, setter = one.fget and edge()(one.fget), one.fset and edge()(one.fset)
            setattr(cls, name, property(getter, setter, doc=one.__doc__))
    return cls


def told(error: Exception, file: Path | None = None) -> PluginError | None:
    """An exception that passed through a stranger's plugin, for a person; None for others.

    Nothing is wrapped: whose code an exception passed through stands in its traceback. Built-in
    plugins, and classes that were registered for the session, keep theirs.

    Args:
        file: gets the traceback; by default, or where it cannot be written, one in the
            system's folder of temporary files.
    """
    if isinstance(error, KitboxError):
        return None
    for frame in _frames(error):
        if plugins := _plugins_of(frame):
            package, version = plugins[0].package, plugins[0].version
            mine = _own(frame, plugins)
            who = f"The {mine.kind} '{mine.name}'" if mine else "A plugin"
            place = _saved(error, file)
            where = _reports(package)
            return PluginError(
                f"{who} of {package} {version} failed in its `{frame.f_code.co_qualname}`",
                found=" ".join(traceback.format_exception_only(error)[-1].split()),
                do=f"Report it to {package}"
                + (f" ({where})" if where else "")
                + (f", with the traceback in {place}" if place else ""),
            )
    return None


def _frames(error: Exception) -> Iterator[FrameType]:
    """The frames that it passed through, the outermost first."""
    return (frame for frame, _ in traceback.walk_tb(error.__traceback__))


def _plugins_of(frame: FrameType) -> list[Plugin]:
    """The strangers' plugins of the package whose code a frame is."""
    root = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    if root in ("", "kitbox", "__main__") or root not in sys.modules:
        return []
    return [
        plugin
        for kind in registry.KINDS.values()
        for plugin in kind.plugins()
        if plugin.package not in (BUILT_IN, SESSION)
        and plugin.allowed
        and plugin.value.partition(":")[0].partition(".")[0] == root
    ]


def _own(frame: FrameType, plugins: list[Plugin]) -> Plugin | None:
    """Which of a package's plugins it is: that of the method, or the only one of the module."""
    cls = type(frame.f_locals.get("self"))
    names = [f"{one.__module__}:{one.__qualname__}" for one in cls.__mro__]
    module = frame.f_globals.get("__name__")
    for fits in (
        *([p for p in plugins if p.value == name] for name in names),
        [p for p in plugins if p.value.partition(":")[0] == module],
        plugins,
    ):
        if len(fits) == 1:
            return fits[0]
    return None


def _saved(error: Exception, file: Path | None) -> Path | None:
    """Where the traceback is."""
    text = "".join(traceback.format_exception(error))
    with suppress(KitboxError, OSError):  # the disk is full, perhaps
        if file is not None and file.parent.is_dir():
            write(file, text)
            return file
    with suppress(KitboxError, OSError):
        write(file := Path(tempfile.mkdtemp(prefix="kitbox-")) / "traceback.txt", text)
        return file
    return None


def _reports(package: str) -> str:
    """The address that a package's metadata names for reports, else another of its author."""
    try:
        found = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return ""
    named = (one.partition(",") for one in found.get_all("Project-URL") or ())
    addresses = {label.strip().lower(): address.strip() for label, _, address in named}
    for word in ("issue", "bug", "track", "support", "repo", "source", "home"):
        for label, address in addresses.items():
            if word in label:
                return address
    more = (found.get_all(key) for key in ("Home-page", "Author-email"))
    return next((value[0] for value in more if value), "")
