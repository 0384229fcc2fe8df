"""Uploads: what arrives, and why not."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import kaggle_server
import pytest
from kaggle_server import STORAGE, Kaggle

from kitbox.kaggle import upload

SOON = (0.5, 0.5)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    with kaggle_server.serving() as found:
        for name, value in found.variables.items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "submission.csv"
    path.write_bytes(b"id,label\n" * 10_000)
    return str(path)


@pytest.mark.parametrize("status", [200, 201])
def test_it_arrives(server: Kaggle, file: str, status: int) -> None:
    server.upload_status = status
    assert upload.put(file, f"{STORAGE}/upload/a", SOON) == ""
    assert server.uploads == {"a": Path(file).read_bytes()}


@pytest.mark.parametrize(
    ("status", "said"), [(403, "403 Forbidden"), (503, "503 Service Unavailable")]
)
def test_the_status_is_the_reason(server: Kaggle, file: str, status: int, said: str) -> None:
    server.upload_status = status
    address = f"{STORAGE}/upload/a?signature={secrets.token_hex(8)}"
    assert upload.put(file, address, SOON) == f"the storage answered {said}"


def test_no_answer(server: Kaggle, file: str) -> None:
    server.upload_takes = 3
    said = upload.put(file, f"{STORAGE}/upload/a", SOON)
    assert said == "the connection failed (TimeoutError)"


def test_nobody_there(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    said = upload.put(file, f"http://127.0.0.1:{port}/a?signature=secret", SOON)
    assert said == "the connection failed (Connection refused)"
