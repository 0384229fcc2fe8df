"""When pictures are decoded: once, and while the device works, without a trace in the result."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from results import follow, small, source

from kitbox.data import assemble, pixels
from kitbox.data.images import decode
from kitbox.recipe import Recipe
from kitbox.training import trainer
from kitbox.training.step import NotFiniteError

SAME = ("submission.csv", "predictions_test.csv", "predictions_valid.csv", "best.safetensors")
SAME += ("table.csv", "log.csv", "batch.png")


def copied(tmp_path: Path, **changes: Any) -> tuple[Path, Recipe]:
    """A copy of the pictures, and the recipe that reads it."""
    folder = tmp_path / "data"
    shutil.copytree(source(), folder)
    stages = [{"epochs": 1, "freeze": True}, {"epochs": 2}]
    return folder, small(
        source={"use": "folder", "path": str(folder)}, **{"stages": stages, **changes}
    )


def same(one: Path, other: Path) -> None:
    for name in SAME:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Which thread decoded which picture."""
    seen: list[tuple[str, str]] = []

    def spy(path: Path, side: int, channels: int) -> Any:
        seen.append((threading.current_thread().name.rstrip("-_0123456789"), path.name))
        return decode(path, side, channels)

    monkeypatch.setattr(pixels, "decode", spy)
    return seen


def test_a_second_run_decodes_nothing(tmp_path: Path, decoded: list[tuple[str, str]]) -> None:
    """Not with another seed, split, augmentation, sampler or finder; nor on half the pictures."""
    folder, recipe = copied(tmp_path)
    decoded.clear()  # the source comes with a run of its own
    cache = tmp_path / "cache"
    follow(recipe, tmp_path / "one", cache)
    count = len(list(folder.rglob("*.png")))
    assert len(decoded) == count > 100
    decoded.clear()
    same_source = {"use": "folder", "path": str(folder)}
    for number, changes in enumerate(
        (
            {},
            {"seed": 7, "split": {"use": "random", "valid": 0.4, "seed": 3}},
            {"augmentation": "heavy", "stages": [{"epochs": 1, "lr": "find"}]},
            {"stages": [{"epochs": 1, "size": 8}, {"epochs": 1}]},
        )
    ):
        changed = small(source=same_source, **changes)
        assert "memory-mapped from the cache" in follow(changed, tmp_path / f"{number}", cache)
    (tmp_path / "out.csv").write_text("image\n" + "\n".join(half(folder)))
    follow(small(source=same_source, exclude=str(tmp_path / "out.csv")), tmp_path / "half", cache)
    assert decoded == []


def half(folder: Path) -> list[str]:
    """Names of some labelled pictures."""
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("train/*/*"))[::3]]


@pytest.mark.parametrize("features", [True, False])
def test_decoding_while_the_device_works(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    decoded: list[tuple[str, str]],
    features: bool,
) -> None:
    stages = [{"epochs": 1, "freeze": True, "features": 1 if features else False}, {"epochs": 1}]
    _, recipe = copied(tmp_path, stages=stages)
    follow(recipe, tmp_path / "before", tmp_path / "cache-before")
    assert {thread for thread, _ in decoded} == {"kitbox-decode"}
    count = len(decoded)
    decoded.clear()
    monkeypatch.setattr(assemble, "overlaps", lambda environment: True)
    slow_down(monkeypatch)
    said = follow(recipe, tmp_path / "while", tmp_path / "cache-while")
    assert "decoded while training begins" in said
    assert len(decoded) == count
    assert {thread for thread, _ in decoded} >= {"kitbox-decode", "kitbox-batch"}
    same(tmp_path / "before", tmp_path / "while")
    decoded.clear()
    follow(recipe, tmp_path / "again", tmp_path / "cache-while")
    same(tmp_path / "before", tmp_path / "again")
    assert decoded == []


def slow_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the threads behind be slow, so that whoever needs a picture has to make it."""
    spied = pixels.decode

    def slow(path: Path, side: int, channels: int) -> Any:
        if threading.current_thread().name.startswith("kitbox-decode"):
            time.sleep(0.005)
        return spied(path, side, channels)

    monkeypatch.setattr(pixels, "decode", slow)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_picture_that_turns_out_damaged_while_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """As if it had been known before: the run begins again without it, a test one is blank."""
    folder, recipe = copied(tmp_path)
    victim = sorted((folder / part).rglob("*.png"))[3]
    data = bytearray(victim.read_bytes())
    at = data.index(b"IDAT") + 8
    data[at : at + 20] = b"\0" * 20
    victim.write_bytes(data)
    follow(recipe, tmp_path / "before", tmp_path / "cache-before")
    monkeypatch.setattr(assemble, "overlaps", lambda environment: True)
    monkeypatch.setattr(pixels, "probe", lambda path: (8, 8))  # takes it for whole
    slow_down(monkeypatch)
    said = follow(recipe, tmp_path / "while", tmp_path / "cache-while")
    assert ("begins again without them" in said) == (part == "train")
    told = {"train": "1 labelled picture left out", "test": "1 test picture predicted as if blank"}
    assert told[part] in said
    assert victim.name in said
    same(tmp_path / "before", tmp_path / "while")


def test_a_balanced_sampler_while_pictures_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It draws pictures more than once."""
    _, recipe = copied(tmp_path, sampler="balanced")
    follow(recipe, tmp_path / "before", tmp_path / "cache-before")
    monkeypatch.setattr(assemble, "overlaps", lambda environment: True)
    slow_down(monkeypatch)
    follow(recipe, tmp_path / "while", tmp_path / "cache-while")
    same(tmp_path / "before", tmp_path / "while")


def test_a_loss_that_is_not_finite_while_pictures_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second try begins at the start of the stage, though nothing was saved by then."""
    _, recipe = copied(tmp_path, stages=[{"epochs": 2}])
    train = trainer.train_epoch

    def run(name: str) -> str:
        calls: list[int] = []

        def once(*args: Any, **options: Any) -> float:
            calls.append(1)
            if len(calls) == 1:
                raise NotFiniteError(np.arange(3))
            return train(*args, **options)

        with monkeypatch.context() as patched:
            patched.setattr(trainer, "train_epoch", once)
            return follow(recipe, tmp_path / name, tmp_path / f"cache-{name}")

    assert "back to epoch 1 of stage 1" in run("before")
    monkeypatch.setattr(assemble, "overlaps", lambda environment: True)
    slow_down(monkeypatch)
    assert "back to epoch 1 of stage 1" in run("while")
    same(tmp_path / "before", tmp_path / "while")


def test_ctrl_c_before_anything_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run leaves at once; the same command begins again."""
    _, recipe = copied(tmp_path)
    follow(recipe, tmp_path / "before", tmp_path / "cache-before")
    monkeypatch.setattr(assemble, "overlaps", lambda environment: True)

    def undecided(self: trainer.Trainer, *, wait: bool) -> bool:
        assert self.keeper is not None
        self.keeper.stop.asked = True
        return False

    with monkeypatch.context() as patched:
        patched.setattr(trainer.Trainer, "_decoded", undecided)
        with pytest.raises(KeyboardInterrupt):
            follow(recipe, tmp_path / "while", tmp_path / "cache-while")
    assert not (tmp_path / "while" / "checkpoint.safetensors").exists()
    follow(recipe, tmp_path / "while", tmp_path / "cache-while")
    same(tmp_path / "before", tmp_path / "while")
