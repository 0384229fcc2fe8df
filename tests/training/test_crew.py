"""Processes that share a run: they end as one process does."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from crews import alike, together
from results import SMALL, follow, small

from kitbox import recipe as recipes
from kitbox.errors import TrainingError
from kitbox.training.crew import Crew, Wishes
from kitbox.training.line import Line

HELD: list[dict[str, Any]] = [
    {"epochs": 2, "freeze": True, "hold_norm": True},
    {"epochs": 1, "hold_norm": True},
]


def pictures(place: Path, test: int) -> dict[str, Any]:
    """A recipe on made-up pictures of three classes, with so many to predict."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 33), ("test", test)):
        for n in range(count):
            picture = rng.integers(0, 120, (40, 40, 3))
            picture[:, :, n % 3] += 100
            folder = place / "files" / part / (f"class-{n % 3}" if part == "train" else "")
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f"{n}.png"), picture.astype(np.uint8))
    changes = {"source": {"use": "folder", "path": str(place / "files")}, "submission": {}}
    return {**SMALL, **changes, "name": f"test-{test}", "batch_size": 6, "stages": HELD[1:]}


def scenes(place: Path) -> dict[str, Any]:
    """Masks; the decoder's normalisation takes its statistics from the batch."""
    rng = np.random.default_rng(0)
    for part, count in (("images", 21), ("test", 4)):
        (place / part).mkdir(parents=True)
        (place / "labels").mkdir(exist_ok=True)
        for n in range(count):
            mask = np.zeros((48, 64), np.uint8)
            y, x, side = rng.integers([0, 0, 10], [20, 30, 30])
            mask[y : y + side, x : x + side] = 1
            picture = rng.integers(0, 80, (48, 64, 3)) + 150 * mask[:, :, None]
            cv2.imwrite(str(place / part / f"{n}.png"), picture.astype(np.uint8))
            if part == "images":
                cv2.imwrite(str(place / "labels" / f"{n}.png"), mask)
    return {
        "name": "scenes",
        "source": {"use": "folder", "path": str(place)},
        "labeler": {"use": "masks", "images": "images", "path": "labels/{stem}.png"},
        "test": {"folder": "test"},
        "split": {"use": "random", "valid": 0.25},
        "task": {"use": "segmentation", "codes": ["ground", "square"]},
        "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
        "size": [32, 64],
        "batch_size": 5,
        # Rates at which a network from random weights does not make much of small differences.
        "stages": [{"epochs": 1, "freeze": True, "lr": 1e-4}, {"epochs": 1, "lr": 1e-5}],
        "submission": {},
    }


def test_two_processes_end_as_one_does(tmp_path: Path) -> None:
    """Frozen features and the finder, mixing, masks; batches of odd size, 1 and 3 pictures."""
    found = {**SMALL, "name": "found", "batch_size": 9, "sampler": "balanced"}
    jobs = {
        "found": {**found, "stages": [{**HELD[0], "lr": "find"}, HELD[1]]},
        "mixed": {**SMALL, "name": "mixed", "batch_size": 7, "tta": True, "stages": HELD}
        | {"mix": {"mixup": 0.4, "cutmix": 1.0}},
        "one": pictures(tmp_path / "1", 1),
        "three": pictures(tmp_path / "3", 3),
        "scenes": scenes(tmp_path / "scenes"),
    }
    short = {**SMALL, "name": "short", "batch_size": 4, "time_budget": "1s"}
    short["stages"] = [{"epochs": 500, "freeze": True, "features": 1}]
    cache = tmp_path / "cache"
    shared = [(recipe, tmp_path / f"{name}-two") for name, recipe in jobs.items()]
    said = together([*shared, (short, tmp_path / "short")], tmp_path, cache)
    for name, recipe in jobs.items():
        follow(recipes.make(recipe), tmp_path / f"{name}-one", cache)
        masks = name == "scenes"
        one, two = tmp_path / f"{name}-one", tmp_path / f"{name}-two"
        alike(one, two, 2e-3 if masks else 1e-4, masks=masks)
        assert (
            json.loads((tmp_path / f"{name}-two" / "environment.json").read_text())["processes"]
            == 2
        )
    for name, count in (("one", 1), ("three", 3)):
        with (tmp_path / f"{name}-two" / "submission.csv").open() as file:
            ids = [row[0] for row in csv.reader(file)][1:]
        assert len(set(ids)) == len(ids) == count

    assert said.count("2 processes on this machine share each batch\n") == len(jobs) + 1
    assert "is shortened to about" in said
    with (tmp_path / "short" / "log.csv").open() as file:
        assert 1 <= len(list(csv.DictReader(file))) < 20
    assert json.loads((tmp_path / "short" / "run.json").read_text())["state"] == "finished"
    shutil.rmtree(cache)


def test_a_crew_of_one_gives_back_what_it_is_given() -> None:
    crew, model = Crew(), torch.nn.Linear(2, 2)
    losses = torch.tensor([1.0, 2.5])
    assert crew.main
    assert crew.same("a") == "a"
    assert crew.any(True)
    assert not crew.any(False)
    assert crew.whole(losses, 2) is losses
    assert crew.pool(model, losses, 2) == 3.5
    assert crew.weight(7) == 7
    wishes = Wishes(cut=3)
    assert crew.agree(lambda: wishes) is wishes
    crew.alike(lambda: pytest.fail("asked for"), "letters")
    crew.wait()
    with crew.in_turn():
        pass


def test_each_process_has_random_numbers_of_its_own() -> None:
    """The same again when a run goes on from the step."""

    def drawn(crew: Crew, step: int) -> float:
        crew.seed((42, 1, 1, 3, step))
        return torch.rand(()).item()

    pair = Crew(0, 2), Crew(1, 2)
    with torch.random.fork_rng():
        found = [drawn(crew, step) for crew in pair for step in (0, 1)]
        assert len(set(found)) == 4
        assert [drawn(crew, step) for crew in pair for step in (0, 1)] == found
        state = torch.get_rng_state()
        Crew().seed((42, 1, 1, 3, 0))  # alone it goes on with its own
        assert torch.equal(torch.get_rng_state(), state)


def test_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    from kitbox.training import crew

    here = replace(crew.detect(), device="cuda:0")
    monkeypatch.setattr(crew, "launched", lambda: True)
    monkeypatch.setattr(crew, "detect", lambda: here)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="2 processes cannot share this machine"):
        Crew.join()


def test_a_small_batch_is_done_by_all() -> None:
    """Their gradients add up to that of one."""
    assert Crew(0, 2).weight(2) == 4
    assert Crew(0, 2).weight(3) == 3


def test_wishes_are_told_once_and_heard_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, one after the other: what the first sent is added to what the second has."""
    main, other = Crew(0, 2), Crew(1, 2)
    model, sent = torch.nn.Linear(2, 1), {}

    def meet(wish: Wishes, others: Wishes) -> tuple[Wishes, Wishes]:
        """A step of both, and what each then does."""
        for crew in (main, other):  # the first pass only looks what they send
            monkeypatch.setattr(crew, "_sum", lambda v, c=crew: sent.setdefault(c, v))
        for crew in (main, other):
            keep = crew._next
            crew.pool(model, torch.ones(2), 4)
            crew._next = keep
        total = sent.pop(main) + sent.pop(other)
        for crew in (main, other):
            monkeypatch.setattr(crew, "_sum", lambda v: total)
            assert crew.pool(model, torch.ones(2), 4) == 4
        return main.agree(lambda: wish), other.agree(lambda: others)

    nothing = Wishes()
    assert meet(Wishes(due=True, cut=5), Wishes(due=True, cut=9)) == (nothing, nothing)
    assert meet(nothing, nothing) == (Wishes(due=True, cut=5),) * 2  # the main one's
    assert meet(nothing, Wishes(stop=True)) == (nothing, nothing)
    assert meet(nothing, nothing) == (Wishes(stop=True),) * 2  # anybody's
    assert meet(Wishes(cut=5), nothing) == (nothing, nothing)
    main.forget()
    other.forget()
    assert meet(nothing, nothing) == (nothing, nothing)


def test_on_a_gpu_wishes_are_heard_a_step_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wish that is on its way is not told again, so nothing is cut or saved twice."""
    from kitbox.training import crew as module

    monkeypatch.setattr(module, "_on_its_way", lambda tail: lambda: tail)
    crew, model = Crew(0, 2), torch.nn.Linear(2, 1)
    monkeypatch.setattr(crew, "_sum", lambda values: values)
    wish, heard = Wishes(due=True, cut=5), []
    for _ in range(8):
        crew.pool(model, torch.ones(2), 4)
        heard.append(crew.agree(lambda: wish))
    # Wished after step 1, told with step 2, read in step 3; then the next one.
    assert [bool(one) for one in heard] == [n in (2, 5) for n in range(8)]
    assert heard[2] == wish


def test_normalisation_on_gpus_is_converted_in_place() -> None:
    """Its parameters stay the optimizer's."""
    from timm.layers import convert_sync_batchnorm

    from kitbox.models.backbone import Timm

    body = Timm(name="test_resnet", pretrained=False).build((32, 32))
    before = {name: id(one) for name, one in body.named_parameters()}  # type: ignore[attr-defined]
    converted = convert_sync_batchnorm(body)
    assert converted is body
    assert {name: id(one) for name, one in body.named_parameters()} == before  # type: ignore[attr-defined]
    assert any(isinstance(one, torch.nn.SyncBatchNorm) for one in body.modules())  # type: ignore[attr-defined]


def test_a_recipe_can_ask_for_processes() -> None:
    from kitbox.results.folder import fingerprint

    assert small(processes=2).processes == 2
    assert fingerprint(small(processes=2)) == fingerprint(small())


def test_who_shares_a_run_in_words() -> None:
    assert Crew(0, 2, 2).words() == "2 processes on this machine share each batch"
    assert Crew(0, 4, 2).words() == "4 processes share each batch, 2 of them on this machine"


def test_only_the_main_process_has_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five rows, by pairs; a batch of one is done by all."""
    batch = torch.arange(5) * 10
    parts = [batch[Crew(n, 2).share.places(5).tolist()] for n in range(2)]
    for index in range(2):
        crew = Crew(index, 2)
        sent = torch.cat([crew._sent(part, 5) for part in parts])
        main = index == 0
        monkeypatch.setattr(Line, "collected", lambda line, own, s=sent, m=main: s if m else None)
        monkeypatch.setattr(Line, "everybodys", lambda line, own, s=sent: s)
        assert torch.equal(crew.whole(parts[index], 5), batch)
        brought = crew.brought(parts[index], 5)
        assert (brought is not None) == main
        assert brought is None or torch.equal(brought, batch)
        assert (crew.brought(batch[:1], 1) is not None) == main


def test_a_table_is_compared_by_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(Crew, "same", lambda crew, value: told.append(value) or value)
    monkeypatch.setattr(Crew, "any", lambda crew, flag: flag)
    Crew(0, 2).alike(lambda: "a row\n" * 100_000, "table")
    assert len(told[0]) == 64
    monkeypatch.setattr(Crew, "same", lambda crew, value: told[0])
    with pytest.raises(TrainingError, match="do not see the same table"):
        Crew(1, 2).alike(lambda: "another row\n", "table")
