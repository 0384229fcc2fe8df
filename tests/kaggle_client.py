"""kitbox beside Kaggle's stand-in: processes with the real client, and what they left."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import kaggle_server
import pytest
from kaggle_server import Kaggle

TOKEN, USER, KEY = "KGAT_0123token4567", "mona", "pair0key89abcdef"
CLIENT = "KITBOX_TEST_KAGGLE"
"""A folder with another version of the client, to be used in place of the installed one."""

_MAIN = "from kitbox.cli import main; main()"
_LOG = """
import logging
_record = logging.getLogRecordFactory()
def _kept(*args, **kwargs):
    record = _record(*args, **kwargs)
    with open("log.txt", "a") as file:
        file.write(record.getMessage() + "\\n")
    return record
logging.setLogRecordFactory(_kept)
logging.getLogger().setLevel(logging.INFO)
"""
_FETCH = """
import json, sys
from pathlib import Path
from kitbox.errors import KitboxError
from kitbox.sources.kaggle import Kaggle
try:
    print(Kaggle(**json.loads(sys.argv[1])).fetch(Path("cache")))
except KitboxError as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(2)
"""


class AtKaggle:
    """Runs kitbox in a folder of its own, with the real client led to the stand-in.

    Attributes:
        server: the stand-in.
        folder: the working folder; `home` and `cache` lie in it.
        variables: more of the environment; at first a token that the stand-in knows.
    """

    def __init__(self, server: Kaggle, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.home = folder / "home"
        self.home.mkdir()
        self.variables = {"KAGGLE_API_TOKEN": TOKEN}
        self.said = ""
        server.tokens[TOKEN] = USER
        server.pairs[USER] = KEY
        self.given: set[Path] = set()

    def give(self, name: str, text: str) -> None:
        """A file of keys in the home, as a person puts it there."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        self.given.add(path)

    def python(self, code: str, *args: str) -> subprocess.CompletedProcess[str]:
        """A process of its own; what it logs, from INFO on, is kept in `log.txt`."""
        inherited = {n: v for n, v in os.environ.items() if n in ("PATH", "SYSTEMROOT", "TMPDIR")}
        own = {"HOME": str(self.home), "KITBOX_CACHE": str(self.folder / "cache")}
        own |= {"COLUMNS": "200", "PYTHONPATH": os.environ.get(CLIENT, "")}
        done = subprocess.run(
            [sys.executable, "-c", _LOG + code, *args],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**inherited, **own, **self.server.variables, **self.variables},
            check=False,
            timeout=120,
        )
        self.said += done.stdout + done.stderr
        return done

    def kitbox(self, *args: object) -> subprocess.CompletedProcess[str]:
        """The command."""
        return self.python(_MAIN, *map(str, args))

    def fetch(self, **options: object) -> Path:
        """The folder that the source fetched."""
        done = self.python(_FETCH, json.dumps(options))
        assert done.returncode == 0, done.stderr
        return self.folder / done.stdout.strip()

    def refused(self, **options: object) -> str:
        """What the source says where it cannot fetch."""
        done = self.python(_FETCH, json.dumps(options))
        assert done.returncode == 2, done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("SourceError: "), done.stderr
        return done.stderr.removeprefix("SourceError: ").strip()

    def leaks(self) -> list[str]:
        """Where a key or a signed address can be read that should not be there."""
        pairs = [f"{user}:{key}".encode() for user, key in self.server.pairs.items()]
        hidden = [
            *self.server.tokens,
            *self.server.pairs.values(),
            *self.server.refreshes,
            *self.server.signatures,
            *(base64.b64encode(pair).decode() for pair in pairs),
            *(v for n, v in self.variables.items() if n in ("KAGGLE_API_TOKEN", "KAGGLE_KEY")),
        ]
        places = {"what was printed": self.said.encode()}
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self.given:
                places[str(path)] = path.read_bytes() + path.name.encode()
        return [
            f"{secret} in {place}"
            for place, content in places.items()
            for secret in hidden
            if secret.encode() in content
        ]


@pytest.fixture
def at_kaggle(tmp_path: Path) -> Iterator[AtKaggle]:
    """kitbox beside Kaggle's stand-in; at the end no key may be found anywhere."""
    with kaggle_server.serving() as server:
        place = AtKaggle(server, tmp_path)
        yield place
        assert place.leaks() == []
