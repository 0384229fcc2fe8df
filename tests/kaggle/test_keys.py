"""Keys: every place on its own, and in nobody's sight."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest

from kitbox.kaggle import keys
from kitbox.kaggle.keys import Key

NAMES = (
    "KAGGLE_API_V1_TOKEN",
    "KAGGLE_API_TOKEN",
    "KAGGLE_USERNAME",
    "KAGGLE_KEY",
    "KAGGLE_CONFIG_DIR",
    "XDG_CONFIG_HOME",
    "COLAB_RELEASE_TAG",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("google.colab", "kagglehub.config"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def put(home: Path, name: str, text: str) -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def found() -> list[tuple[str, str, str]]:
    return [(key.token, key.username, key.secret) for key in keys.find()]


def test_none() -> None:
    assert keys.find() == []


def test_every_place_in_the_clients_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_V1_TOKEN", str(put(home, "kernel/token", "t0\n")))
    monkeypatch.setenv("KAGGLE_API_TOKEN", " t1 ")
    put(home, ".kaggle/access_token", "t2\n")
    put(home, ".kaggle/access_token.txt", "\ufefft3\r\n")
    monkeypatch.setenv("KAGGLE_USERNAME", "u4\n")
    monkeypatch.setenv("KAGGLE_KEY", "k4")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(home / "conf"))
    for number, folder in ((5, "conf"), (6, ".kaggle"), (7, ".config/kaggle")):
        pair = {"username": f"u{number}", "key": f"k{number}"}
        put(home, f"{folder}/kaggle.json", json.dumps(pair))
    assert found() == [
        *((f"t{n}", "", "") for n in range(4)),
        *(("", f"u{n}", f"k{n}") for n in range(4, 8)),
    ]


def test_a_token_may_be_the_path_of_a_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(put(home, "token", "in-the-file\n")))
    assert found() == [("in-the-file", "", "")]


def test_the_same_key_in_two_places_is_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "t")
    put(home, ".kaggle/access_token", "t")
    assert [key.place for key in keys.find()] == ["KAGGLE_API_TOKEN"]


@pytest.mark.parametrize("text", ["KGAT_a\nKGAT_b", "KGAT_„abc“", "KGAT_a b", "KGAT_a\x07"])
def test_what_cannot_be_sent_is_no_key(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", text)
    put(home, ".kaggle/access_token", f"{text}\n")
    put(home, ".kaggle/kaggle.json", json.dumps({"username": "u", "key": "k ö"}))
    put(home, ".config/kaggle/kaggle.json", '{"username": "u", "key": "k"}')
    assert found() == [("", "u", "k")]
    said = [record.getMessage() for record in caplog.records]
    places = ["KAGGLE_API_TOKEN", "~/.kaggle/access_token", str(home / ".kaggle/kaggle.json")]
    assert [one.partition(" holds no key")[0] for one in said] == places
    assert "KGAT" not in "".join(said)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '{"username": 3, "key": []}', "\xff"])
def test_a_broken_place_hides_no_other(home: Path, text: str) -> None:
    (home / ".kaggle").mkdir()
    (home / ".kaggle/access_token").mkdir()  # a folder, as Docker makes of a missing file
    (home / ".kaggle/kaggle.json").write_bytes(text.encode("latin-1"))
    put(home, ".config/kaggle/kaggle.json", '{"username": "u", "key": "k"}')
    assert found() == [("", "u", "k")]


def test_half_a_pair(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_USERNAME", "u")
    assert keys.find() == []
    # The client, too, fills the file's gaps from the environment.
    put(home, ".kaggle/kaggle.json", '{"key": "k"}')
    assert found() == [("", "u", "k")]


@pytest.mark.parametrize(
    ("until", "token"),
    [
        ("2999-01-01T00:00:00+00:00", "a"),
        ("2999-01-01T00:00:00", "a"),
        ("2001-01-01", ""),
        ("", ""),
    ],
)
def test_a_login(home: Path, until: str, token: str) -> None:
    kept = {"access_token": "a", "refresh_token": "r", "access_token_expiration": until}
    put(home, ".kaggle/credentials.json", json.dumps(kept))
    [key] = keys.find()
    assert (key.token, key.refresh) == (token, "r")


def test_colabs_secrets_each_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"KAGGLE_USERNAME": "u", "KAGGLE_KEY": "k\n"}
    colab = types.ModuleType("google.colab")

    class userdata:  # noqa: N801
        @staticmethod
        def get(name: str) -> str:
            if name not in secrets:
                raise RuntimeError(f"Secret {name} does not exist.")
            return secrets[name]

    colab.userdata = userdata  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    assert found() == [("", "u", "k")]
    secrets["KAGGLE_API_TOKEN"] = "t"
    del secrets["KAGGLE_KEY"]
    assert found() == [("t", "", "")]


def test_kagglehubs_login(monkeypatch: pytest.MonkeyPatch) -> None:
    config = pytest.importorskip("kagglehub.config")
    monkeypatch.setitem(sys.modules, "kagglehub.config", config)
    config.set_kaggle_credentials("u", "k")
    try:
        assert found() == [("", "u", "k")]
    finally:
        config.clear_kaggle_credentials()


def test_nothing_shows_a_secret() -> None:
    key = Key("here", token="tok", username="me", secret="sec", refresh="ref")
    assert repr(key) == "Key(place='here')"
    said = keys.hide("tok sec ref bWU6c2Vj", [key])  # the last is what Basic sends
    assert said == "*** *** *** ***"
    longer = Key("there", token="token")
    assert keys.hide("token", [key, longer]) == "***"
