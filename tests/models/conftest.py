"""Weights of a tiny network, a hub of its own, and the real weights where they lie."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from kitbox.models import weights

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "weights"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No attached folders, an empty cache of the hub, and a hub that nobody answers for."""
    monkeypatch.delenv(weights.ATTACHED, raising=False)
    monkeypatch.setattr(weights, "MOUNT", tmp_path / "no-mount")
    monkeypatch.setattr(weights.time, "sleep", lambda _: None)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch-cache"))
    point_at(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def point_at(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def real() -> Callable[[str], Path]:
    """The file of real weights of a model; skips where it is not there."""

    def find(name: str) -> Path:
        file = REAL / f"{name}.safetensors"
        if not file.is_file():
            pytest.skip(f"no weights at {file}")
        return file

    return find


@pytest.fixture
def state() -> Callable[[str], dict[str, torch.Tensor]]:
    """Weights of a model with its classifier, as they would lie on the hub."""

    def make(name: str) -> dict[str, torch.Tensor]:
        torch.manual_seed(hash_of(name))
        model = timm.create_model(name, pretrained=False)
        for value in model.parameters():
            torch.nn.init.normal_(value, std=0.05)
        return {key: value.contiguous() for key, value in model.state_dict().items()}

    return make


def hash_of(name: str) -> int:
    return int.from_bytes(hashlib.md5(name.encode()).digest()[:4], "big")


@pytest.fixture
def saved(state: Callable[[str], dict[str, torch.Tensor]], tmp_path: Path) -> Callable[..., Path]:
    """Writes a model's weights to a file."""

    def write(name: str, file: Path | None = None) -> Path:
        file = file or tmp_path / f"some {name}.safetensors"
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".safetensors":
            save_file(state(name), file)
        else:
            torch.save(state(name), file)
        return file

    return write


class Hub:
    """Files by path, and what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.silent = False
        self.stop = threading.Event()
        self.address = ""


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        self.hub.asked.append(f"{self.command} {self.path}")
        if self.hub.silent:
            self.hub.stop.wait(30)
            return
        content = self.hub.files.get(self.path)
        self.send_response(404 if content is None else 200)
        if content is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("ETag", f'"{hashlib.sha256(content or b"").hexdigest()}"')
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if body:
            self.wfile.write(content or b"")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A server on this machine that answers as the hub does."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    point_at(monkeypatch, hub.address)
    yield hub
    hub.stop.set()
    server.shutdown()
    server.server_close()
    thread.join()
