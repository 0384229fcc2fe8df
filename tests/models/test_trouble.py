"""Errors of the network in a few words."""

from __future__ import annotations

import socket

import pytest
import requests

from kitbox.models import trouble


def asked(address: str, **options: object) -> str:
    with pytest.raises(requests.RequestException) as caught:
        requests.head(address, timeout=(0.5, 0.5), **options)  # type: ignore[arg-type]
    told = trouble.told(caught.value)
    for noise in ("0x", "Max retries", "urllib3", "Pool", "\n", "("):
        assert noise not in told
    return told


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_real_errors() -> None:
    assert "Connection refused" in asked("http://127.0.0.1:9/timm/resnet34")
    refused = asked("http://huggingface.co/x", proxies={"http": "http://127.0.0.1:9"})
    assert refused.startswith("of the proxy: ")
    assert "Connection refused" in refused
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert asked(f"http://127.0.0.1:{port}/x") == "the connection timed out"


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    told = asked("https://huggingface.co/timm/resnet34/resolve/main/model.safetensors")
    assert told == "the server's name cannot be looked up: there is no network here, or no DNS"


def test_others() -> None:
    assert trouble.told(OSError("first\nsecond")) == "first"
    assert trouble.told(ValueError()) == "ValueError"
    assert trouble.told(requests.ConnectionError("the line was busy")) == "the line was busy"
