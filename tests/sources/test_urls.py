"""The source against a real server that does all that the open web does."""

from __future__ import annotations

import csv
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from results import SMALL, follow

from kitbox import recipe as recipes
from kitbox.errors import RecipeError, SourceError
from kitbox.labelers.folder import FolderLabels
from kitbox.sources.urls import Urls
from sources.web.serving import LOOPBACK, SIGNED, Web, serve

# What becomes of each kind of address: status and a part of the reason; after `again` the
# second run, when the troubles that may pass have passed.
FATE = {
    "ok": ("ok", ""),
    "png": ("ok", ""),
    "slow": ("ok", ""),
    "signed": ("ok", ""),
    "cutonce": ("ok", ""),
    "busyonce": ("ok", ""),
    "downonce": ("ok", ""),
    "otherbot": ("ok", ""),
    "hop": ("ok", ""),
    "near": ("near-duplicate", "of "),
    "same": ("duplicate", "of "),
    "cut": ("failed", "the connection ended after"),
    "down": ("failed", "the server answered 503"),
    "long": ("failed", "the connection ended after"),
    "short": ("failed", "damaged"),
    "html": ("failed", "a web page"),
    "noise": ("failed", "no picture"),
    "empty": ("failed", "empty"),
    "gzip": ("failed", "packs"),
    "missing": ("failed", "404"),
    "loop": ("failed", "more than 5 redirects"),
    "drip": ("failed", "took longer than"),
    "driphead": ("failed", "took longer than"),
    "endless": ("refused", "more than"),
    "huge": ("refused", "more than"),
    "bomb": ("refused", "too large"),
    "tiny": ("refused", "too small"),
    "noai": ("refused", "X-Robots-Tag: noai"),
    "noimageai": ("refused", "X-Robots-Tag: noimageai"),
    "inside": ("refused", "not public"),
    "file": ("refused", "of the kind 'file'"),
}
PASSING = ("cut", "down")
OUTSIDE = {
    "http://does-not-exist.invalid/{}.jpg": ("failed", "name"),
    "https://127.0.0.1:{plain}/ok/{}.jpg": ("failed", "secure"),
    "http://127.0.0.1:{closed}/{}.jpg": ("failed", "no way"),
    "http://127.0.0.2:{plain}/ok/{}.jpg": ("refused", "not public"),
    "http://2130706434:{plain}/ok/{}.jpg": ("refused", "not public"),
    "http://me:word@127.0.0.1:{plain}/ok/{}.jpg": ("refused", "user"),
    "ftp://127.0.0.1/{}.jpg": ("refused", "of the kind 'ftp'"),
    "data:image/png;base64,{}": ("refused", "of the kind 'data'"),
    "picture {}": ("refused", "without http(s)"),
    "http://[{}/": ("refused", "makes no sense"),
}


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


def source(lists: object, **more: object) -> Urls:
    quick = {"wait": 0.05, "seconds": 2, "max_mb": 1, "threads": 32, "per_host": 32, "least": 0.1}
    return Urls.model_validate(
        {"lists": lists, "allow_private": LOOPBACK, **quick, **more}  # type: ignore[dict-item]
    )


def listed(folder: Path, **lists: Sequence[str]) -> dict[str, Path]:
    """A text file per class."""
    paths = {}
    for label, addresses in lists.items():
        paths[label] = folder / f"{label}.txt"
        paths[label].write_text("# from the console\n\n" + "\n".join(addresses) + "\n")
    return paths


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name != "manifest.csv"
    }


def everything(web: Web, count: int, closed: int) -> dict[str, tuple[str, str]]:
    """`count` addresses of all kinds, and what should become of each."""
    fates: dict[str, tuple[str, str]] = {}
    kinds = [*FATE, *OUTSIDE]
    number = 0
    while len(fates) < count:
        # The hostile kinds once a round, the good one often, as on the web.
        for kind in (*kinds, *["ok"] * (len(kinds) // 2)):
            number += 1
            if kind in OUTSIDE:
                text = kind.replace("{plain}", str(web.port)).replace("{closed}", str(closed))
                fates[text.replace("{}", str(number))] = OUTSIDE[kind]
                continue
            address = f"{web.base}/{kind}/{number}.jpg"
            if kind == "signed":
                address += f"?{SIGNED}{number}"
            if kind == "near":
                fates[f"{web.base}/ok/{number}.jpg"] = FATE["ok"]
            fates[address] = FATE[kind]
    return dict(list(fates.items())[:count])


def check_all(folder: Path, fates: dict[str, tuple[str, str]]) -> None:
    rows = manifest(folder)
    assert [row["address"] for row in rows] == list(fates)
    wrong = []
    for row in rows:
        status, reason = fates[row["address"]]
        if "/same/" in row["address"]:
            fits = row["status"] in ("ok", "duplicate")
        else:
            fits = row["status"] == status and reason in row["reason"]
            # After some refusals of a host the rest of its addresses is not asked for.
            fits |= (
                row["status"] == "not-asked" and "given up with its host: no way" in row["reason"]
            )
        fits &= bool(row["file"]) == (row["status"] in ("ok", "duplicate", "near-duplicate"))
        if not fits:
            wrong.append((row["address"], row["status"], row["reason"]))
    assert wrong == []
    same = [row["status"] for row in rows if "/same/" in row["address"]]
    assert same.count("ok") == min(
        3, len({int(a.split("/")[-1][:-4]) % 3 for a in fates if "/same/" in a})
    )
    for row in rows:
        if row["file"]:
            data = (folder / row["file"]).read_bytes()
            assert len(data) == int(row["bytes"])
            assert row["file"].startswith(".duplicates/") == (row["status"] != "ok")
        if row["status"] == "ok":
            assert int(row["width"]) == int(row["height"]) == 96
    assert len({row["file"] for row in rows if row["file"]}) == sum(bool(r["file"]) for r in rows)
    assert not list((folder / ".arriving").iterdir())


@pytest.mark.parametrize(
    "count", [pytest.param(70, id="70"), pytest.param(1000, id="1000", marks=pytest.mark.slow)]
)
def test_every_address_is_accounted_for_and_only_failures_are_asked_again(
    web: Web, closed: int, tmp_path: Path, count: int
) -> None:
    fates = everything(web, count, closed)
    assert len(fates) == count
    lists = listed(tmp_path, flower=list(fates))
    began = time.monotonic()
    folder = source(lists).fetch(tmp_path / "cache")
    assert time.monotonic() - began < 120 + count / 10
    check_all(folder, fates)
    for row in manifest(folder):
        if "/png/" in row["address"]:
            assert row["file"].endswith(".png")
    assert set(FolderLabels().label(folder).rows["label"]) == {"flower"}

    # A second run: what had arrived or was refused is not asked for.
    before, asked = files(folder), Counter(web.asked)
    web.healed = True
    assert source(lists).fetch(tmp_path / "cache") == folder
    for kind in PASSING:
        fates |= {address: ("ok", "") for address in fates if f"/{kind}/" in address}
    check_all(folder, fates)
    after = files(folder)
    assert {name: after[name] for name in before} == before
    new = {path.split("/")[1] for path in web.asked - asked}
    failed = {kind for kind, (status, _) in FATE.items() if status == "failed"}
    assert new == failed


def test_a_csv_a_folder_and_a_list_without_classes(web: Web, tmp_path: Path) -> None:
    table = tmp_path / "all.csv"
    table.write_text(f"url,label\n{web.base}/ok/1.jpg,007\n{web.base}/ok/2.jpg,ant\n")
    of_csv = source(None, csv=table).fetch(tmp_path / "cache")
    assert {row["class"] for row in manifest(of_csv)} == {"007", "ant"}
    assert set(FolderLabels().label(of_csv).rows["label"]) == {"007", "ant"}

    (tmp_path / "lists").mkdir()
    listed(tmp_path / "lists", bee=[f"{web.base}/ok/3.jpg"], cow=[f"{web.base}/ok/4.jpg"])
    of_folder = source(tmp_path / "lists").fetch(tmp_path / "cache")
    assert set(FolderLabels().label(of_folder).rows["label"]) == {"bee", "cow"}

    (tmp_path / "test.txt").write_text(f"{web.base}/ok/5.jpg\n")
    (name,) = files(source(tmp_path / "test.txt").fetch(tmp_path / "cache"))
    assert "/" not in name
    assert len({of_csv, of_folder}) == 2


def test_find_says_whether_it_is_here(web: Web, tmp_path: Path) -> None:
    lists = listed(tmp_path, bee=[f"{web.base}/ok/1.jpg"])
    one = source(lists)
    assert one.find(tmp_path / "cache") is None
    assert not (tmp_path / "cache").exists()
    folder = one.fetch(tmp_path / "cache")
    assert one.find(tmp_path / "cache") == folder
    lists["bee"].write_text(f"{web.base}/ok/2.jpg\n")
    assert one.find(tmp_path / "cache") is None
    assert source(lists).fetch(tmp_path / "cache") == folder  # an edited list keeps its folder
    lists["bee"].unlink()
    assert one.find(tmp_path / "cache") is None
    with pytest.raises(SourceError, match="no list at"):
        one.fetch(tmp_path / "cache")


def test_by_default_this_machine_is_closed(web: Web, tmp_path: Path) -> None:
    lists = listed(tmp_path, bee=[f"{web.base}/ok/{n}.jpg" for n in range(3)])
    with pytest.raises(SourceError, match=r"127\.0\.0\.1 is not public \(3\)"):
        source(lists, allow_private=[]).fetch(tmp_path / "cache")
    assert web.total() == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "either `lists` or `csv`"),
        ({"lists": "a", "csv": "b"}, "either `lists` or `csv`"),
        ({"lists": {}}, "found no class"),
        ({"lists": {"a/b": "x.txt"}}, "slash"),
        ({"lists": "a", "label": "x"}, "name columns of `csv`"),
        ({"lists": "a", "least": 2}, "least"),
        ({"lists": "a", "threads": 0}, "threads"),
        ({"lists": "a", "drop": "all"}, "drop"),
        ({"lists": "a", "agent": "a\r\nX: y"}, "agent"),
        ({"lists": "a", "allow_private": ["everything"]}, "allow_private"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, object], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        recipes.make({**SMALL, "source": {"use": "urls", **options}})


def test_options_go_through_a_file(tmp_path: Path) -> None:
    values = {"use": "urls", "lists": {"a": "a.txt"}, "allow_private": ["10.0.0.0/8", "::1/128"]}
    recipe = recipes.make({**SMALL, "source": values})
    (tmp_path / "again.yaml").write_text(recipe.text())
    assert recipes.read(tmp_path / "again.yaml") == recipe


def test_a_recipe_runs_on_lists_of_addresses(web: Web, tmp_path: Path) -> None:
    lists = listed(
        tmp_path,
        bee=[f"{web.base}/{'ok' if n % 5 else 'html'}/{n}.jpg" for n in range(20)],
        cow=[f"{web.base}/ok/{n}.jpg" for n in range(20, 40)],
    )
    options = {"lists": {k: str(v) for k, v in lists.items()}, "allow_private": LOOPBACK}
    recipe = {**SMALL, "source": {"use": "urls", **options}, "labeler": "folder"}
    del recipe["test"], recipe["submission"]
    said = follow(recipes.make(recipe), tmp_path / "run", tmp_path / "cache")
    assert "36 pictures of 2 classes" in said
