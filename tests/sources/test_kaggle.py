"""The source `kaggle`, with the real client against a server that speaks Kaggle's protocol."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from fresh_environment import needs_uv
from kaggle_client import CLIENT, KEY, TOKEN, USER, AtKaggle
from kaggle_server import Competition, No, tarred, zipped
from pydantic import ValidationError

from kitbox.kaggle import mounts
from kitbox.sources.kaggle import Kaggle

PICTURE = bytes(range(256)) * 40
FILES = {
    "train.csv": b"id,label\na,1\n",
    "sample_submission.csv": b"id,label\nb,0\n",
    "train/a.jpg": PICTURE,
    "test/b.jpg": PICTURE[::-1],
}


def below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_competition_comes_whole_and_once(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    folder = at_kaggle.fetch(competition="dogs")
    assert below(folder) == FILES
    assert at_kaggle.fetch(competition="dogs") == folder
    assert at_kaggle.server.count("DownloadDataFiles") == 1
    assert at_kaggle.server.downloads == [(None, 200)]
    # The archive is gone, and nothing but the files was left.
    assert list((at_kaggle.folder / "cache/kaggle/archives").glob("[!.]*")) == []


def test_a_competition_that_changed_comes_again(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    first = at_kaggle.fetch(competition="dogs")
    changed = {**FILES, "train.csv": b"id,label\na,22\n"}
    at_kaggle.server.competitions["dogs"] = Competition(changed)
    second = at_kaggle.fetch(competition="dogs")
    assert second != first
    assert below(second) == changed
    assert Kaggle(competition="dogs").find(at_kaggle.folder / "cache") == second


def test_a_download_that_is_cut_goes_on(at_kaggle: AtKaggle) -> None:
    files = {**FILES, "large.bin": os.urandom(3_000_000)}
    at_kaggle.server.competitions["dogs"] = Competition(files)
    at_kaggle.server.cuts = [1_000_000, 500_000]
    assert below(at_kaggle.fetch(competition="dogs")) == files
    ranges = [asked for asked, _ in at_kaggle.server.downloads]
    assert ranges == [None, "bytes=1000000-", "bytes=1500000-"]


def test_a_download_goes_on_in_another_process_under_another_address(at_kaggle: AtKaggle) -> None:
    files = {**FILES, "large.bin": os.urandom(2_000_000)}
    at_kaggle.server.competitions["dogs"] = Competition(files)
    at_kaggle.server.cuts = [1_500_000, *[0] * 20]
    # The process dies in a pause between two tries.
    code = (
        "import os, time, pathlib; time.sleep = lambda s: os._exit(7)\n"
        "from kitbox.sources.kaggle import Kaggle\n"
        "Kaggle(competition='dogs').fetch(pathlib.Path('cache'))"
    )
    assert at_kaggle.python(code).returncode == 7
    at_kaggle.server.cuts = []
    at_kaggle.server.downloads.clear()
    assert below(at_kaggle.fetch(competition="dogs")) == files
    assert at_kaggle.server.downloads == [("bytes=1500000-", 206)]
    assert len(set(at_kaggle.server.signatures)) == 2


def test_bytes_that_do_not_fit_their_sum_are_refused(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    at_kaggle.server.lie = True
    said = at_kaggle.refused(competition="dogs")
    assert "md5" in said
    at_kaggle.server.lie = False
    assert below(at_kaggle.fetch(competition="dogs")) == FILES


def test_more_files_than_a_page_holds(at_kaggle: AtKaggle) -> None:
    files = {f"f{n:03}.txt": str(n).encode() for n in range(45)}
    at_kaggle.server.competitions["many"] = Competition(files)
    first = at_kaggle.fetch(competition="many")
    assert below(first) == files
    assert [a["pageToken"] for m, a in at_kaggle.server.asked if m == "ListDataFiles"] == [
        "",
        "20",
        "40",
    ]
    # A change on the last page is seen.
    at_kaggle.server.competitions["many"] = Competition({**files, "f044.txt": b"other"})
    assert at_kaggle.fetch(competition="many") != first


def test_zips_inside_are_unpacked(at_kaggle: AtKaggle) -> None:
    files = {
        "train.zip": zipped({"train/a.jpg": PICTURE, "train/b.jpg": b"b"}),
        "test.zip": zipped({"c.jpg": PICTURE, "d.jpg": b"d"}),
        "labels.csv.zip": zipped({"labels.csv": b"id,label\n"}),
        "code.zip": zipped({"readme.md": b"not data"}),
        "broken.zip": b"PK\x03\x04 no zip",
    }
    at_kaggle.server.competitions["cats"] = Competition(files)
    assert below(at_kaggle.fetch(competition="cats")) == {
        "train/a.jpg": PICTURE,
        "train/b.jpg": b"b",
        "test/c.jpg": PICTURE,
        "test/d.jpg": b"d",
        "labels.csv": b"id,label\n",
        "code.zip": files["code.zip"],
        "broken.zip": files["broken.zip"],
    }
    assert "did not come" not in at_kaggle.said


def test_a_hostile_archive_is_refused(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition({"../../evil.txt": b"x", "a.csv": b"y"})
    assert "leads outside" in at_kaggle.refused(competition="dogs")
    inner = {"train.zip": zipped({"../../../evil.jpg": b"x"}), "a.csv": b"y"}
    at_kaggle.server.competitions["dogs"] = Competition(inner)
    assert "leads outside" in at_kaggle.refused(competition="dogs")
    assert list(at_kaggle.folder.rglob("evil*")) == []


def test_a_dataset_by_version(at_kaggle: AtKaggle) -> None:
    versions = {n: zipped({"a.txt": f"version {n}".encode()}) for n in (1, 2)}
    at_kaggle.server.datasets["mona/cats"] = versions
    assert below(at_kaggle.fetch(dataset="mona/cats")) == {"a.txt": b"version 2"}
    assert below(at_kaggle.fetch(dataset="mona/cats", version=1)) == {"a.txt": b"version 1"}
    asked = len(at_kaggle.server.asked)
    assert below(at_kaggle.fetch(dataset="mona/cats", version=1)) == {"a.txt": b"version 1"}
    assert len(at_kaggle.server.asked) == asked  # a version that is here needs no question
    at_kaggle.server.datasets["mona/cats"][3] = zipped({"a.txt": b"version 3"})
    assert below(at_kaggle.fetch(dataset="mona/cats")) == {"a.txt": b"version 3"}
    assert "404" in at_kaggle.refused(dataset="mona/cats", version=9)
    # One that was asked for by its number is not the newest one known.
    at_kaggle.server.datasets["mona/cats"] |= {4: zipped({"a.txt": b"version 4"})}
    assert below(at_kaggle.fetch(dataset="mona/cats", version=4)) == {"a.txt": b"version 4"}
    found = Kaggle(dataset="mona/cats").find(at_kaggle.folder / "cache")
    assert found is not None
    assert below(found) == {"a.txt": b"version 3"}


def test_a_public_dataset_needs_no_key(at_kaggle: AtKaggle) -> None:
    at_kaggle.variables = {}
    at_kaggle.server.datasets["mona/cats"] = {1: zipped({"a.txt": b"1"})}
    assert below(at_kaggle.fetch(dataset="mona/cats")) == {"a.txt": b"1"}
    said = at_kaggle.refused(dataset="mona/dogs")
    assert "403" in said
    assert "KAGGLE_API_TOKEN" in said


def test_a_model_by_version(at_kaggle: AtKaggle) -> None:
    models = {n: tarred({"w.bin": f"weights {n}".encode(), "c.json": b"{}"}) for n in (1, 12)}
    at_kaggle.server.models["timm/resnet/MODEL_FRAMEWORK_PY_TORCH/r34"] = models
    folder = at_kaggle.fetch(model="timm/resnet/pyTorch/r34")
    assert below(folder) == {"w.bin": b"weights 12", "c.json": b"{}"}
    first = at_kaggle.fetch(model="timm/resnet/pytorch/r34/1")
    assert below(first)["w.bin"] == b"weights 1"
    assert "404" in at_kaggle.refused(model="timm/resnet/pyTorch/r50")
    assert "pytorch" in at_kaggle.refused(model="timm/resnet/pietorch/r34")


def test_no_keys(at_kaggle: AtKaggle) -> None:
    at_kaggle.variables = {}
    said = at_kaggle.refused(competition="dogs")
    assert said.startswith("There is no key to Kaggle here.")
    assert "https://www.kaggle.com/settings/api" in said
    assert at_kaggle.server.lines == []


def test_a_wrong_key(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    at_kaggle.variables = {"KAGGLE_API_TOKEN": "KGAT_wrong_wrong_wrong"}
    said = at_kaggle.refused(competition="dogs")
    assert "takes none of the keys" in said
    assert "KAGGLE_API_TOKEN (401 the token is unknown or has expired)" in said
    at_kaggle.variables = {"KAGGLE_USERNAME": USER, "KAGGLE_KEY": "wrong_wrong_wrong"}
    assert "Basic ***" in at_kaggle.refused(competition="dogs")


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"username": "mona"}'])
def test_a_wrong_or_broken_key_does_not_hide_the_right_one(
    at_kaggle: AtKaggle, broken: str
) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    at_kaggle.give(".kaggle/access_token", "KGAT_stale_stale_stale\n")
    at_kaggle.give(".kaggle/kaggle.json", broken)
    at_kaggle.give(".config/kaggle/kaggle.json", f'{{"username": "{USER}", "key": "{KEY}"}}')
    at_kaggle.variables = {"KAGGLE_API_TOKEN": "KGAT_wrong_wrong_wrong"}
    assert below(at_kaggle.fetch(competition="dogs")) == FILES
    assert "does not take the key from ~/.kaggle/access_token" in at_kaggle.said


@pytest.mark.parametrize("good", [".kaggle/access_token.txt", ".kaggle/kaggle.json"])
def test_what_cannot_be_sent_does_not_hide_the_right_key(at_kaggle: AtKaggle, good: str) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    at_kaggle.variables = {"KAGGLE_API_TOKEN": "KGAT_„abc“"}
    at_kaggle.give(".kaggle/access_token", "KGAT_aaaa\nKGAT_bbbb\n")
    pair = f'{{"username": "{USER}", "key": "{KEY}"}}'
    at_kaggle.give(good, pair if good.endswith("json") else TOKEN)
    assert below(at_kaggle.fetch(competition="dogs")) == FILES
    assert "~/.kaggle/access_token holds no key" in at_kaggle.said


# 401 is what the stand-in says by itself.
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_login_buys_a_token_and_its_file_stays(at_kaggle: AtKaggle, status: int) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    at_kaggle.server.refreshes["refresh-0123456789"] = TOKEN
    text = '{"refresh_token": "refresh-0123456789", "access_token": "old", "username": "mona"}'
    at_kaggle.give(".kaggle/credentials.json", text)
    at_kaggle.variables = {}
    assert below(at_kaggle.fetch(competition="dogs")) == FILES
    at_kaggle.server.refreshes.clear()
    if status != 401:
        at_kaggle.server.faults["GenerateAccessToken"] = [No(status, "invalid_grant")]
    shutil.rmtree(at_kaggle.folder / "cache")
    assert "takes none" in at_kaggle.refused(competition="dogs")
    assert (at_kaggle.home / ".kaggle/credentials.json").read_text() == text


def test_rules_that_are_not_accepted(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES, joined=False)
    said = at_kaggle.refused(competition="dogs")
    assert "403" in said
    assert "https://www.kaggle.com/competitions/dogs/rules" in said


def test_a_wrong_name(at_kaggle: AtKaggle) -> None:
    said = at_kaggle.refused(competition="dgos")
    assert "404" in said
    assert "https://www.kaggle.com/competitions/dgos" in said


def test_a_bare_400(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    at_kaggle.server.faults["DownloadDataFiles"] = [No(400)]
    assert "Check the name" in at_kaggle.refused(competition="dogs")


def test_too_many_requests(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    at_kaggle.server.faults["ListDataFiles"] = [No(429, "Too many", Retry_After="0"), No(503)]
    assert below(at_kaggle.fetch(competition="dogs")) == FILES
    log = (at_kaggle.folder / "log.txt").read_text()
    assert "429 Too many Bearer ***; again in 0 s" in log
    assert "503 Bearer ***; again in 2 s" in log
    shutil.rmtree(at_kaggle.folder / "cache")
    at_kaggle.server.faults["ListDataFiles"] = [No(429, "Too many", Retry_After="1200")]
    assert "wait 20 minutes" in at_kaggle.refused(competition="dogs")
    at_kaggle.server.faults["ListDataFiles"] = [No(429, "Too many", Retry_After="0")] * 3
    assert "wait some minutes" in at_kaggle.refused(competition="dogs")


def test_no_network(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    nowhere = dict.fromkeys(("HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
    at_kaggle.variables |= nowhere
    said = at_kaggle.refused(competition="dogs")
    assert said.startswith("Kaggle cannot be reached")
    assert "Turn the internet on" in said
    # What was downloaded before is used, and that is said.
    for name in nowhere:
        del at_kaggle.variables[name]
    folder = at_kaggle.fetch(competition="dogs")
    at_kaggle.variables |= nowhere
    assert at_kaggle.fetch(competition="dogs") == folder
    assert "is used as it was downloaded before" in at_kaggle.said


def test_a_home_that_cannot_be_written(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    at_kaggle.variables["HOME"] = "/proc/nowhere"
    assert below(at_kaggle.fetch(competition="dogs")) == FILES


def test_verbose_clients_stay_quiet(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    at_kaggle.variables["VERBOSE"] = "1"
    at_kaggle.fetch(competition="dogs")
    # Not a word of its own, though the server tells it that it is out of date.
    assert at_kaggle.said.count("\n") == 1


def test_a_notebooks_own_client_is_left_alone(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    code = (
        "import os, pathlib\n"
        "from kitbox.sources.kaggle import Kaggle\n"
        "Kaggle(competition='dogs').fetch(pathlib.Path('cache'))\n"
        "assert 'VERBOSE' not in os.environ and os.environ['KAGGLE_API_TOKEN']\n"
        "import kaggle\n"
        "print(kaggle.api.config_values['username'], kaggle.api.config_values['auth_method'])\n"
        "print(len(kaggle.api.competition_list_files('dogs').files))\n"
        "Kaggle(competition='dogs').fetch(pathlib.Path('other'))\n"
    )
    done = at_kaggle.python(code)
    assert done.returncode == 0, done.stderr
    *_, who, count = done.stdout.splitlines()
    assert who.split()[0] == USER
    assert count == str(len(FILES))


# Mounts.


def put(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@pytest.mark.parametrize("rerun", ["", "1"])
@pytest.mark.parametrize("place", ["competitions/dogs", "dogs"])
def test_an_attached_competition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, rerun: str
) -> None:
    root = tmp_path / "input"
    mount = put(root / place, FILES)
    monkeypatch.setenv(mounts.INPUT, str(root))
    monkeypatch.setenv("KAGGLE_IS_COMPETITION_RERUN", rerun)
    source, cache = Kaggle(competition="dogs"), tmp_path / "cache"
    for path in [*root.rglob("*"), root]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert source.find(cache) == source.fetch(cache) == mount
    assert not cache.exists()
    for path in [root, *root.rglob("*")]:
        path.chmod(0o755)


def test_an_attached_zip_is_opened_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = {"train/a.jpg": PICTURE, "train/b.jpg": b"b"}
    mount = put(tmp_path / "input/dogs", {"train.zip": zipped(inside), "labels.csv": b"id\n"})
    put(mount, {"more/c.txt": b"c"})
    monkeypatch.setenv(mounts.INPUT, str(tmp_path / "input"))
    source, cache = Kaggle(competition="dogs"), tmp_path / "cache"
    assert source.find(cache) is None
    folder = source.fetch(cache)
    found = {p: (folder / p).read_bytes() for p in (*inside, "labels.csv", "more/c.txt")}
    assert found == {**inside, "labels.csv": b"id\n", "more/c.txt": b"c"}
    assert not (folder / "train.zip").exists()
    assert source.find(cache) == source.fetch(cache) == folder
    # The rerun has another test set under the same name.
    hidden = {"train/a.jpg": b"hidden", "train/b.jpg": b"b"}
    (mount / "train.zip").write_bytes(zipped(hidden))
    assert source.find(cache) is None
    assert (source.fetch(cache) / "train/a.jpg").read_bytes() == b"hidden"


def test_attached_datasets_and_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(mounts.INPUT, str(tmp_path))
    new = put(tmp_path / "datasets/mona/cats", {"a.txt": b"new"})
    put(tmp_path / "cats", {"a.txt": b"old"})
    old = put(tmp_path / "birds", {"a.txt": b"old"})
    model = put(tmp_path / "models/timm/resnet/pytorch/r34/2", {"w.bin": b""})
    assert Kaggle(dataset="mona/cats").fetch(tmp_path / "cache") == new
    assert Kaggle(dataset="mona/birds").fetch(tmp_path / "cache") == old
    assert Kaggle(model="timm/resnet/pyTorch/r34").fetch(tmp_path / "cache") == model


def test_nothing_is_downloaded_in_a_rerun(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    at_kaggle.fetch(competition="dogs")
    (at_kaggle.folder / "input/competitions/cats").mkdir(parents=True)
    at_kaggle.server.lines.clear()
    at_kaggle.variables |= {
        "KAGGLE_IS_COMPETITION_RERUN": "1",
        mounts.INPUT: str(at_kaggle.folder / "input"),
    }
    said = at_kaggle.refused(competition="dogs")
    assert "rerun" in said
    assert "competitions" in said
    assert at_kaggle.server.lines == []


def test_an_attached_competition_asks_nobody(at_kaggle: AtKaggle) -> None:
    mount = put(at_kaggle.folder / "input/dogs", FILES)
    at_kaggle.variables = {mounts.INPUT: str(at_kaggle.folder / "input")}
    assert at_kaggle.fetch(competition="dogs") == mount
    assert at_kaggle.server.lines == []


# Options.


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "expected one of competition, dataset, model"),
        ({"competition": "a", "dataset": "b/c"}, "found competition and dataset"),
        ({"competition": "mona/cats"}, "last part of its address"),
        ({"competition": "../up"}, "last part of its address"),
        ({"dataset": "cats"}, "OWNER/NAME"),
        ({"dataset": "mona/.."}, "OWNER/NAME"),
        ({"model": "timm/resnet"}, "FRAMEWORK"),
        ({"model": "timm/resnet/pyTorch/r34/x"}, "FRAMEWORK"),
        ({"competition": "dogs", "version": 2}, "without a dataset"),
        ({"dataset": "mona/cats", "version": 0}, "greater than or equal to 1"),
    ],
)
def test_options_that_name_nothing(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Kaggle(**options)  # type: ignore[arg-type]


def test_a_pages_address_will_do() -> None:
    assert Kaggle(competition="https://www.kaggle.com/competitions/dogs/").competition == "dogs"
    assert Kaggle(dataset="kaggle.com/datasets/mona/cats").dataset == "mona/cats"


# Other versions of the client, and what another client makes of the stand-in.


def _client(folder: Path, *wanted: str) -> Path:
    command = [needs_uv(), "pip", "install", "-q", "--target", str(folder), "--no-deps", *wanted]
    if subprocess.run([*command, "--python", sys.executable], check=False).returncode:
        pytest.skip(f"{', '.join(wanted)} cannot be fetched here")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "versions",
    [("kaggle==2.0.2", "kagglesdk==0.1.20"), ("kaggle>=2.0,<3", "kagglesdk")],
    ids=["2.0.2", "newest"],
)
def test_all_of_this_with_another_version(tmp_path: Path, versions: tuple[str, ...]) -> None:
    client = _client(tmp_path / "client", *versions)
    if (client / f"kaggle-{version('kaggle')}.dist-info").exists():
        pytest.skip("all tests have run with this version")
    tests = Path(__file__).parents[1]
    packing = {"pack", "resolver", "trial", "wheels", "images"}  # need no client
    client_s = [
        str(one)
        for one in sorted((tests / "kaggle").glob("test_*.py"))
        if one.stem.removeprefix("test_") not in packing
    ]
    files = [str(tests / "sources/test_kaggle.py"), *client_s]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", *files],
        env={**os.environ, CLIENT: str(client)},
        cwd=tests.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_stand_in_satisfies_kaggles_own_command(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    code = "import sys; sys.argv[0] = 'kaggle'; from kaggle.cli import main; main()"
    done = at_kaggle.python(code, "competitions", "download", "dogs", "-p", "theirs", "-q")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(at_kaggle.folder / "theirs/dogs.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
    assert below(at_kaggle.fetch(competition="dogs")) == FILES


def test_the_stand_in_satisfies_kagglehub(at_kaggle: AtKaggle) -> None:
    pytest.importorskip("kagglehub")
    if os.environ.get(CLIENT):
        pytest.skip("kagglehub wants the SDK that it was installed with")
    at_kaggle.server.competitions["dogs"] = Competition(FILES)
    code = "import kagglehub; print(kagglehub.competition_download('dogs'))"
    done = at_kaggle.python(code)
    assert done.returncode == 0, done.stderr
    theirs = below(Path(done.stdout.splitlines()[-1]))
    assert theirs == below(at_kaggle.fetch(competition="dogs")) == FILES
