"""The command line on plugins."""

from __future__ import annotations

from pathlib import Path

import pytest
from third_party import Strangers
from typer.testing import CliRunner

from kitbox.cli import app
from kitbox.errors import PluginError


def call(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def test_from_a_new_plugin_to_a_check(tmp_path: Path) -> None:
    code, said, _ = call("new", "plugin", "birds", "--kind", "writer", "--into", str(tmp_path))
    assert code == 0
    folder = tmp_path / "kitbox-birds"
    assert said.startswith(f"{folder} is written.")
    assert "kitbox plugins check ." in said
    code, said, _ = call("plugins", "check", str(folder))
    first, note, last = said.splitlines()
    assert (code, first, last) == (
        *(0, "kitbox-birds 0.1.0: writer birds", "kitbox-birds 0.1.0: nothing to mend"),
    )
    assert note.startswith("Note: kitbox-birds is not installed here: ")
    (folder / "README.md").unlink()
    (folder / "kitbox_birds" / "writer.py").write_text("import nowhere")
    code, _, wrong = call("plugins", "check", str(folder))
    assert code == 2
    assert wrong.startswith("kitbox: kitbox-birds 0.1.0: 3 things are wrong.\n  - ")
    assert "No module named 'nowhere'" in wrong
    with pytest.raises(PluginError, match="no kind"):
        call("new", "plugin", "birds", "--kind", "bird", "--into", str(tmp_path))


def test_the_listing_is_strict_where_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Strangers(tmp_path / "site", monkeypatch).labeler("bad-pack", "bad", "import nowhere")
    code, said, _ = call("plugins")
    assert code == 0
    assert "broken: ModuleNotFoundError" in said
    monkeypatch.setenv("KITBOX_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError, match=r"labeler bad of bad-pack 1\.2\.3"):
        call("plugins")
