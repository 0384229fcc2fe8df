"""The command line, from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
import yaml
from results import SMALL, finished, source, trained

from kitbox import __version__, cli
from kitbox.demo import PATH

MAIN = "from kitbox.cli import main; main()"
COMMANDS = (
    "demo",
    "run",
    "check",
    "predict",
    "check-submission",
    "submit",
    "submissions",
    "schema",
    "plugins",
)


def kitbox(place: Path, *args: object, main: str = MAIN) -> subprocess.CompletedProcess[str]:
    """Run the command in a place of its own."""
    cache = {"KITBOX_CACHE": str(place / "cache"), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", main, *map(str, args)],
        capture_output=True,
        text=True,
        cwd=place,
        env={**os.environ, **cache},
        check=False,
    )


def refused(place: Path, *args: object) -> str:
    """What a command says that fails by the person's mistake, writing nothing."""
    before = sorted(place.rglob("*"))
    done = kitbox(place, *args)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("kitbox: ")
    assert "\n\n" not in done.stderr.strip()
    assert sorted(place.rglob("*")) == before
    return done.stderr


def small_file(place: Path) -> Path:
    file = place / "small.yaml"
    file.write_text(yaml.safe_dump(SMALL, sort_keys=False))
    return file


def test_help_and_version(tmp_path: Path) -> None:
    done = kitbox(tmp_path, "--help")
    assert done.returncode == 0
    assert all(f" {name} " in done.stdout for name in COMMANDS)
    assert kitbox(tmp_path, "--version").stdout.strip() == __version__
    assert kitbox(tmp_path).returncode == 2


def test_plugins(tmp_path: Path) -> None:
    done = kitbox(tmp_path, "plugins")
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("single-label", "timm", "stratified", "scalar"))
    shown = kitbox(tmp_path, "plugins", "show", "timm").stdout
    assert "pretrained" in shown
    assert "weights" in shown


def test_an_unknown_plugin(tmp_path: Path) -> None:
    assert "timm" in refused(tmp_path, "plugins", "show", "timn")


def test_schema(tmp_path: Path) -> None:
    schema = json.loads(kitbox(tmp_path, "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    valid = jsonschema.Draft202012Validator(schema)
    assert valid.is_valid(SMALL)
    assert not valid.is_valid({**SMALL, "size": "large"})


def test_five_mistakes_are_said_at_once(tmp_path: Path) -> None:
    wrong = {
        **SMALL,
        "source": "digitz",
        "size": 2,
        "batch_sise": 3,
        "stages": [{"epochs": 0}],
        "seed": -1,
    }
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(wrong, sort_keys=False))
    for command in ("run", "check"):
        said = refused(tmp_path, command, "wrong.yaml")
        assert "5 mistakes" in said
        lines = [line for line in said.splitlines() if line.startswith("  - line ")]
        assert len(lines) == 5
        for word in ("digits", "size", "batch_size", "epochs", "seed"):
            assert any(word in line for line in lines), word


def test_a_missing_recipe(tmp_path: Path) -> None:
    small_file(tmp_path)
    said = refused(tmp_path, "run", "smal.yaml")
    assert "There is no recipe at smal.yaml" in said
    assert "small.yaml" in said


def test_a_recipe_with_an_unknown_plugin(tmp_path: Path) -> None:
    said = refused(tmp_path, "run", small_file(tmp_path), "--set", "task=single-labl")
    assert "Did you mean 'single-label'" in said


def test_check_submission(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text("id,rle_mask\na,1 1\nb,1 1\n")
    (tmp_path / "s.csv").write_text("id,rle_mask\na,1 3\nb,\n")
    done = kitbox(tmp_path, "check-submission", "s.csv", "--sample", "sample.csv")
    assert (done.returncode, done.stderr) == (0, "")
    *notes, told = done.stdout.splitlines()
    assert told == "s.csv: nothing to refuse: run lengths, a row per picture; 2 rows, 1 empty"
    assert notes == [
        "Note: The lengths are not checked against the picture size: give --height and --width."
    ]
    size = ("--height", 3, "--width", 3)
    done = kitbox(tmp_path, "check-submission", "s.csv", "--sample", "sample.csv", *size)
    assert done.stdout == f"{told}\n"
    (tmp_path / "s.csv").write_text("id,rle_mask\na,1 3 8 2\nc,1\n")
    done = kitbox(tmp_path, "check-submission", "s.csv", "--sample", "sample.csv", *size)
    assert done.returncode == 2
    told = done.stderr.strip().split("\n\n")
    assert [one.startswith("kitbox: ") for one in told] == [True] * 3
    assert "1 id of the sample missing (b)" in told[0]
    assert "1 id not in the sample (c)" in told[1]
    assert "c: 1 numbers are no pairs" in told[2]
    assert "3x3" not in told[2]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00\x01", b"\x00" * 100, b"\x89PNG\r\n\x1a\n,,\n\n"]
)
def test_check_submission_of_garbage(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sample.csv").write_text("id,p\na,0.5\n")
    (tmp_path / "s.csv").write_bytes(content)
    assert "submission" in refused(tmp_path, "check-submission", "s.csv", "--sample", "sample.csv")


def test_check_submission_of_a_folder_and_of_half_a_size(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text("id,p\na,0.5\n")
    assert "is a folder" in refused(tmp_path, "check-submission", ".", "--sample", "sample.csv")
    half = ("check-submission", "sample.csv", "--sample", "sample.csv", "--height", 3)
    assert kitbox(tmp_path, *half).returncode == 2


def test_an_interrupt_is_no_bug(tmp_path: Path) -> None:
    main = (
        "import kitbox.runner\n"
        "def stop(*args, **options):\n    raise KeyboardInterrupt\n"
        f"kitbox.runner.run = stop\n{MAIN}"
    )
    done = kitbox(tmp_path, "demo", main=main)
    assert done.returncode == 130
    assert "stopped" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_check_of_the_demo_writes_nothing(tmp_path: Path) -> None:
    done = kitbox(tmp_path, "check", PATH)
    assert done.returncode == 0, done.stderr
    assert "stage 1 of 2" in done.stdout
    assert "stage 2 of 2" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_run_then_again_then_another(tmp_path: Path) -> None:
    changes = ["--set", "source={use: digits, pictures: 120}", "--set", "stages=[{epochs: 1}]"]
    first = kitbox(tmp_path, "demo", *changes)
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""
    run = tmp_path / "runs" / "digits"
    made = (run / "submission.csv").read_bytes()
    again = kitbox(tmp_path, "demo", *changes)
    assert again.returncode == 0
    assert "left as it is" in again.stdout
    assert "another recipe" in refused(tmp_path, "demo", *changes, "--set", "seed=1")
    assert (run / "submission.csv").read_bytes() == made


def test_predict(tmp_path: Path) -> None:
    folder = source() / "test"
    done = kitbox(tmp_path, "predict", finished(), folder, "--out", "out.csv", "--top", 2)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "out.csv", dtype={"image": str})
    *lines, last = done.stdout.splitlines()
    assert last == "out.csv written: 20 pictures"
    assert len(lines) == len(table) == 20
    assert all(line.count(", ") == 1 for line in lines)
    best = table.drop(columns="image").idxmax(axis=1)
    names = [line.rpartition(": ")[2].split(" ")[0] for line in lines]
    assert names == list(best)
    (tmp_path / "out.csv").write_text("mine")
    few = sorted(folder.iterdir())[:1]
    told = refused(tmp_path, "predict", finished(), *few, "--out", "out.csv")
    assert "out.csv is there already. Choose another --out, or add --force" in told
    assert (tmp_path / "out.csv").read_text() == "mine"
    done = kitbox(tmp_path, "predict", finished(), *few, "--out", "out.csv", "--force")
    assert "out.csv written: 1 picture" in done.stdout
    assert len(pd.read_csv(tmp_path / "out.csv")) == 1


def test_predict_without_pictures_or_model(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no pictures" in refused(tmp_path, "predict", finished(), "empty")
    assert "no saved model" in refused(tmp_path, "predict", tmp_path, "none.png")
    assert "none.png" in refused(tmp_path, "predict", finished(), "none.png")


def test_the_saved_recipe_runs_again(tmp_path: Path) -> None:
    file = finished() / "recipe.yaml"
    done = kitbox(tmp_path, "run", file, "--out", finished())
    assert done.returncode == 0, done.stderr
    assert "left as it is" in done.stdout
    assert trained().name in file.read_text()
