"""Pictures that were trained on."""

from __future__ import annotations

import os

import torch

from kitbox.learning.seen import Seen


def test_pictures_are_known_again() -> None:
    seen = Seen()
    assert seen.count(["a/1.png"]) == 0
    strange = os.fsdecode(b"caf\xe9.png")
    seen.add(["a/1.png", "b/2.png", strange])
    seen.add(["a/1.png"])
    assert seen.count(["a/1.png", strange, "1.png", "b/1.png"]) == 2
    kept = seen.tensor()
    assert (kept.dtype, kept.shape) == (torch.int64, (3,))
    assert Seen(kept).count(["b/2.png", strange, "c"]) == 2
    assert Seen(Seen().tensor()).count(["a/1.png"]) == 0


def test_numbers_are_the_same_everywhere() -> None:
    seen = Seen()
    seen.add(["a/1.png"])
    assert seen.tensor().tolist() == [-9221696507610803146]
