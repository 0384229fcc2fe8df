"""Strangers' plugins tried in another process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from third_party import LABELER, Strangers

from kitbox import probe, registry
from kitbox.errors import PluginError
from kitbox.installed import BUILT_IN
from kitbox.launched import PLACE

KEEPS = """
import time
while True:
    try:
        time.sleep(600)
    except BaseException:
        pass
"""


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Strangers:
    return Strangers(tmp_path / "site", monkeypatch)


def ask() -> dict[str, str]:
    plugins = [p for p in registry.labelers.plugins() if p.package != BUILT_IN]
    return dict(zip([p.name for p in plugins], probe.troubles(plugins), strict=True))


def test_nobody_is_asked_where_there_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere")
    assert probe.troubles([]) == []


def test_each_is_judged_alone(strangers: Strangers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_IMPORT_SECONDS", "1")
    monkeypatch.setattr(probe, "GRACE", 1.0)
    strangers.labeler("a-good", "a")
    strangers.labeler("b-ends", "b", "import os\nos._exit(3)")
    strangers.labeler("c-crashes", "c", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    strangers.labeler("d-hangs", "d", "import time\ntime.sleep(600)")
    # Deaf to alarms, as a loop in C is.
    deaf = "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n"
    strangers.labeler("e-deaf", "e", f"{deaf}time.sleep(600)")
    # It catches all that comes, for ever.
    strangers.labeler("e-keeps", "e2", KEEPS)
    strangers.labeler("f-talks", "f", f"print('hello')\n{LABELER}")
    strangers.labeler("g-raises", "g", "raise RuntimeError('a\\nb')")
    strangers.labeler("h-stops", "h", "raise KeyboardInterrupt")
    strangers.labeler("i-good", "i")
    began = time.monotonic()
    assert ask() == {
        "a": "",
        "b": "the import ended the process, with status 3",
        "c": "the import ended the process, with status -11",
        "d": "the import did not end within 1 seconds",
        "e": "the import did not end within 1 seconds",
        "e2": "the import did not end within 1 seconds",
        "f": "",
        "g": "RuntimeError: a",
        "h": "KeyboardInterrupt:",
        "i": "",
    }
    assert time.monotonic() - began < 300
    assert "b_ends" not in sys.modules


def test_several_plugins_of_a_module_that_hangs(
    strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITBOX_IMPORT_SECONDS", "2")
    names = {f"n{n}": f"slow:Mine{n}" for n in range(8)}
    strangers.install("slow-pack", {"labelers": names}, {"slow": "import time\ntime.sleep(600)"})
    strangers.labeler("z-good", "z")
    started = []
    plain = subprocess.Popen
    monkeypatch.setattr(
        probe.subprocess, "Popen", lambda *a, **b: started.append(a) or plain(*a, **b)
    )
    found = ask()
    assert {found.pop(name) for name in names} == {"the import did not end within 2 seconds"}
    assert found == {"z": ""}
    assert len(started) == 2  # not one for each plugin of the module


def test_a_slow_start_is_nobody_s_fault(
    strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is for the import alone, however long an interpreter takes to come to it."""
    monkeypatch.setenv("KITBOX_IMPORT_SECONDS", "0.5")
    monkeypatch.setattr(probe, "GRACE", 0.5)
    slow = probe._CHILD.replace(
        "import kitbox.probe", "import time; time.sleep(2); import kitbox.probe"
    )
    assert slow != probe._CHILD
    monkeypatch.setattr(probe, "_CHILD", slow)
    strangers.labeler("a-good", "a")
    assert ask() == {"a": ""}
    monkeypatch.setattr(probe, "START", 0.5)
    (told,) = ask().values()
    assert (
        told == "it could not be tried in another process, which did not start within 0.5 seconds"
    )


@pytest.mark.parametrize("python", ["/nowhere/python", ""])
def test_no_other_process(
    python: str, strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers.labeler("a-good", "a")
    strangers.labeler("b-good", "b")
    monkeypatch.setattr(sys, "executable", python)
    monkeypatch.setenv("PATH", "")
    found = ask()
    assert list(found) == ["a", "b"]
    for told in found.values():
        assert told.startswith("it could not be tried in another process (No such file")


def test_a_machine_that_gives_it_little_time(
    strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that works is not ended by the clock."""
    monkeypatch.setenv("KITBOX_IMPORT_SECONDS", "1")
    monkeypatch.setattr(probe, "GRACE", 0.0)
    deaf = "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n"
    strangers.labeler("a-slow", "a", f"{deaf}time.sleep(2)\n{LABELER}")
    clock = time.monotonic
    monkeypatch.setattr(probe, "_processor", lambda process: clock() * 0.1)
    assert ask() == {"a": ""}
    monkeypatch.setattr(probe, "_processor", lambda process: 0.0)
    assert ask() == {"a": "the import did not end within 1 seconds"}


def test_seconds_of_a_process() -> None:
    before, own = probe._processor(os.getpid()), time.process_time()
    while time.process_time() - own < 0.3:
        pass
    assert probe._processor(os.getpid()) - before == pytest.approx(0.3, abs=0.1)
    assert probe._processor(2**30) == 0


@pytest.mark.parametrize("in_thread", [True, False])
def test_what_hangs_or_crashes_is_not_begun(
    in_thread: bool, strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITBOX_IMPORT_SECONDS", "1")
    strangers.labeler("hang-pack", "hang", "import time\ntime.sleep(600)")
    strangers.labeler("keep-pack", "keep", KEEPS)
    strangers.labeler("crash-pack", "crash", "import os\nos._exit(3)")
    strangers.labeler("raise-pack", "raise", "raise RuntimeError('as it is')")
    strangers.labeler("good-pack", "good")
    found: dict[str, str] = {}

    def load() -> None:
        for name in ("hang", "keep", "crash", "raise", "good"):
            try:
                registry.labelers.load(name)
                found[name] = ""
            except PluginError as error:
                found[name] = error.found

    if in_thread:
        thread = threading.Thread(target=load, daemon=True)
        thread.start()
        thread.join(60)
    else:
        load()
    assert found == {
        "hang": "TookTooLongError: the import did not end within 1 seconds",
        "keep": "TookTooLongError: the import did not end within 1 seconds",
        "crash": "ImportError: the import ended the process, with status 3",
        "raise": "RuntimeError: as it is",
        "good": "",
    }
    assert not {"hang_pack", "keep_pack", "crash_pack"} & set(sys.modules)


def test_what_is_imported_is_in_no_danger(
    strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers.labeler("good-pack", "good")
    (plugin,) = (p for p in registry.labelers.plugins() if p.name == "good")
    registry.labelers.load("good")
    monkeypatch.setattr(probe, "troubles", None)
    assert probe.danger(plugin) == ""
    monkeypatch.setattr(probe, "_harmless", set())
    assert probe.danger(plugin) == ""


@pytest.mark.parametrize("where", ["again", "launched", "inside"])
def test_it_is_tried_once(
    where: str, strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not again where it was tried already: here, by who started this process, or just now."""
    strangers.labeler("raise-pack", "raise", "raise RuntimeError")
    (plugin,) = (p for p in registry.labelers.plugins() if p.name == "raise")
    if where == "again":
        assert probe.danger(plugin) == ""
    elif where == "launched":
        monkeypatch.setenv(PLACE, "somewhere")
    else:
        monkeypatch.setattr(probe, "inside", True)
    monkeypatch.setattr(probe, "troubles", None)
    assert probe.danger(plugin) == ""
    monkeypatch.delenv(PLACE, raising=False)
    monkeypatch.setattr(probe, "inside", False)
    monkeypatch.setattr(probe, "_harmless", set())
    with pytest.raises(TypeError, match="not callable"):
        probe.danger(plugin)
