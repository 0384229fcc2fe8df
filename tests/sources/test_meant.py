"""Words that are no source's name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kitbox import registry
from kitbox.errors import RecipeError
from kitbox.mistakes import Mistakes
from kitbox.recipe import make, read
from kitbox.sources.meant import meant


@pytest.mark.parametrize(
    ("word", "use"),
    [
        ("flowers", "folder"),
        ("./my pictures", "folder"),
        ("2024", "folder"),
        ("flowers.zip", "untar"),
        ("flowers.tar.gz", "untar"),
        ("https://example.org/a.tgz?b=1&c=d", "untar"),
        ("PETS", "untar"),
    ],
)
def test_what_it_says_to_write_is_that_source(
    word: str, use: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("flowers", "my pictures", "2024"):
        (tmp_path / folder).mkdir()
    for file in ("flowers.zip", "flowers.tar.gz"):
        (tmp_path / file).touch()
    with pytest.raises(Mistakes) as refused:
        registry.sources.build(word)
    said = str(refused.value)
    assert "Did you mean" not in said
    written = yaml.safe_load(said.partition("`")[2].partition("`")[0])["source"]
    assert written["use"] == use
    built = registry.sources.build(written).model_dump(mode="json")
    assert Path(built["path"]) == Path(word) if use == "folder" else built["url"] == word


@pytest.mark.parametrize("word", ["", " ", "a\0b", "notes.txt", "nothing/here", "~nobody"])
def test_other_words_mean_nothing(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").touch()
    assert meant(word) == ""


def test_a_folder_given_as_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowers").mkdir()
    with pytest.raises(RecipeError, match=r"is a folder.*\{use: folder, path: flowers\}"):
        read("flowers")
    (tmp_path / "flowers" / "recipe.yaml").touch()
    with pytest.raises(RecipeError, match=r"Give the recipe in it: flowers.recipe\.yaml"):
        read("flowers")


def test_a_recipe_says_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowers").mkdir()
    with pytest.raises(
        RecipeError, match=r"source\.use: There is no source called 'flowers'. The fo"
    ):
        make({"source": "flowers", "labeler": "folder", "task": "single-label"})
