from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

from sources.web.serving import Web, serve


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as web:
        yield web


@pytest.fixture
def closed() -> int:
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def talker() -> Iterator[Callable[..., str]]:
    """talker(answer, tls): the address of a server that says this to everybody, and hangs up."""
    with contextlib.ExitStack() as stack:

        def talk(server: socket.socket, answer: bytes, tls: ssl.SSLContext | None) -> None:
            while True:
                try:
                    plug, _ = server.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError), plug:
                    whole = tls.wrap_socket(plug, server_side=True) if tls else plug
                    with whole:
                        whole.recv(4096)
                        whole.sendall(answer)

        def start(answer: bytes, tls: ssl.SSLContext | None = None) -> str:
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            thread = threading.Thread(target=talk, args=(server, answer, tls))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown, socket.SHUT_RDWR)
            return f"http://127.0.0.1:{server.getsockname()[1]}/"

        yield start
