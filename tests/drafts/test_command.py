"""`kitbox init competition`."""

from pathlib import Path

import pytest
from competitions import dog_breed, dogs_vs_cats, histopathologic, picture
from typer.testing import CliRunner

from kitbox.cli import app
from kitbox.drafts.command import locate
from kitbox.errors import KitboxError, RecipeError, SourceError
from kitbox.kaggle import keys
from kitbox.recipe import read


def init(*words: str) -> str:
    done = CliRunner().invoke(app, ["init", "competition", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_writes_a_recipe_and_says_what_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dogs_vs_cats(tmp_path / "dogs-and-cats")
    told = init("dogs-and-cats")
    assert "dogs-and-cats.yaml written. Tried: 20 labelled pictures, 5 to predict." in told
    assert "Not known, and to be looked at:\n- which class 'label' is the probability of" in told
    assert told.endswith("Go on with: kitbox check dogs-and-cats.yaml\n")
    assert read("dogs-and-cats.yaml").name == "dogs-and-cats"
    before = Path("dogs-and-cats.yaml").read_bytes()
    with pytest.raises(RecipeError, match="is there already"):
        init("dogs-and-cats")
    assert Path("dogs-and-cats.yaml").read_bytes() == before


def test_what_does_not_hold_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "x/1.png")
    told = init("x", "--out", "y.yaml")
    assert "y.yaml written. It does not hold yet: " in told
    assert "- where the labels are: " in told
    assert told.endswith("Mend that in y.yaml, and go on with: kitbox check y.yaml\n")


def test_a_table_that_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "x/1.png")
    (tmp_path / "x/train.csv").touch()
    assert "train.csv is empty" in " ".join(init("x", "--out", "y.yaml").split())


def test_what_a_run_would_note_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A count of cells changes where pictures are cropped."""
    monkeypatch.chdir(tmp_path)
    lines = ["image,n_cells"]
    for number in range(40):
        picture(tmp_path / f"x/train/{number}.png")
        lines.append(f"{number}.png,{number / 2}")
    (tmp_path / "x/train.csv").write_text("\n".join(lines))
    picture(tmp_path / "x/test/t.png")
    (tmp_path / "x/sample_submission.csv").write_text("image,n_cells\nt.png,0.5\n")
    assert "Note: training pictures are cropped" in init("x")


def test_neither_a_folder_nor_a_slug(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="There is no folder no/such folder"):
        init("no/such folder")
    with pytest.raises(RecipeError, match=r"There is no folder .*: it is a file"):
        init(__file__)
    (tmp_path / "empty").mkdir()
    with pytest.raises(KitboxError, match="There are no pictures"):
        init(str(tmp_path / "empty"))


@pytest.mark.parametrize("what", ["./titanc", "titanc/", "{}/titanc", "../{name}/titanc"])
def test_a_path_that_is_not_there_is_no_competition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Nobody is asked for keys to Kaggle."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "titanic").mkdir()
    given = what.format(tmp_path, name=tmp_path.name)
    with pytest.raises(RecipeError, match=r"There is no folder .*Did you mean 'titanic'") as caught:
        init(given)
    assert "Kaggle" not in str(caught.value)


def test_a_word_may_be_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keys, "find", list)
    with pytest.raises(
        SourceError,
        match=r"no folder titanc here, and as a competition: There is no key to Kaggle here",
    ):
        init("titanc")
    (tmp_path / "titanic").mkdir()
    with pytest.raises(SourceError, match=r"no folder titanc here, and .*Did you mean 'titanic'"):
        init("titanc")
    (tmp_path / "titanc.yaml").touch()
    with pytest.raises(RecipeError, match=r"titanc.yaml is there already"):  # nothing is asked
        init("titanc")


def test_addresses() -> None:
    for what in (
        "https://www.kaggle.com/competitions/dogs-vs-cats",
        "kaggle.com/c/dogs-vs-cats/data",
        "https://kaggle.com/competitions/dogs-vs-cats?tab=1",
        "dogs-vs-cats",
    ):
        assert locate(what) == ({"use": "kaggle", "competition": "dogs-vs-cats"}, "dogs-vs-cats")


def test_guesses_of_the_metric_and_the_probability_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    histopathologic(tmp_path / "histo")
    told = " ".join(init("histo").replace("\n#", "").split())
    assert "scored by error_rate, accuracy; the first, error_rate, chooses the weights" in told
    assert "the probability of '1', as AUC and log loss want it" in told
    assert "whether 'label' is a probability or 0 or 1: the sample's cells (0) can be both" in told
    dog_breed(tmp_path / "dogs")
    assert "a probability for each class; those of a picture sum to 1" in init("dogs")
    sample = tmp_path / "histo/sample_submission.csv"
    sample.write_text(sample.read_text().replace(",0\n", ",0.5\n"))
    assert "can be both" not in init("histo", "--out", "again.yaml")
