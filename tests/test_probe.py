"""Strangers' plugins tried in another process."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from third_party import LABELER, Strangers

from kitbox import probe, registry
from kitbox.installed import BUILT_IN


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
    strangers.labeler("a-good", "a")
    strangers.labeler("b-ends", "b", "import os\nos._exit(3)")
    strangers.labeler("c-crashes", "c", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    strangers.labeler("d-hangs", "d", "import time\ntime.sleep(600)")
    # Deaf to alarms, as a loop in C is.
    deaf = "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n"
    strangers.labeler("e-deaf", "e", f"{deaf}time.sleep(600)")
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
        "f": "",
        "g": "RuntimeError: a",
        "h": "KeyboardInterrupt:",
        "i": "",
    }
    assert time.monotonic() - began < 60
    assert "b_ends" not in sys.modules


def test_several_plugins_of_a_module_that_hangs(
    strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITBOX_IMPORT_SECONDS", "2")
    names = {f"n{n}": f"slow:Mine{n}" for n in range(8)}
    strangers.install("slow-pack", {"labelers": names}, {"slow": "import time\ntime.sleep(600)"})
    strangers.labeler("z-good", "z")
    began = time.monotonic()
    found = ask()
    assert {found.pop(name) for name in names} == {"the import did not end within 2 seconds"}
    assert found == {"z": ""}
    assert time.monotonic() - began < 12
