"""Threads wait before the decoders while there is no room."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from kitbox.data import gate, masks
from kitbox.data.images import decode
from kitbox.data.looks import look

SIDE = 64


def test_no_more_pixels_at_once_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MOST", 100)
    lock, inside, most, alone = threading.Lock(), [0], [0], []

    def work(width: int) -> None:
        with gate.held(SimpleNamespace(width=width, height=1)):
            with lock:
                inside[0] += width
                most[0] = max(most[0], inside[0] if width <= 100 else 0)
                alone.append(width <= 100 or inside[0] == width)
            threading.Event().wait(0.001)
            with lock:
                inside[0] -= width

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, [30, 40, 100, 1000, 7] * 40))
    assert 60 < most[0] <= 100
    assert all(alone)


def test_it_is_left_by_an_error() -> None:
    for _ in range(3):
        with (
            pytest.raises(ValueError, match="damaged"),
            gate.held(SimpleNamespace(width=10**9, height=1)),
        ):
            raise ValueError("damaged")
    with gate.held(SimpleNamespace(width=10**9, height=1)):
        pass


@pytest.mark.parametrize("read", [lambda p: decode(p, 8), look, lambda p: masks.read(p, "m")])
def test_every_decoder_waits(read: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MOST", SIDE * SIDE)
    Image.fromarray(np.zeros((SIDE, SIDE), np.uint8)).save(tmp_path / "a.png")
    done = threading.Event()

    def work() -> None:
        read(tmp_path / "a.png")  # type: ignore[operator]
        done.set()

    thread = threading.Thread(target=work)
    with gate.held(SimpleNamespace(width=1, height=1)):
        thread.start()
        assert not done.wait(0.3)
    assert done.wait(20)
    thread.join()
