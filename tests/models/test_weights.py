"""Where weights come from: explicit, attached, the hub's cache, the hub, in this order."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import torch
from huggingface_hub import constants

from kitbox.errors import StorageError, WeightsError
from kitbox.models import weights

NAME, HUB_ID = "test_resnet", "timm/test_resnet.r160_in1k"
ADDRESS = f"/{HUB_ID}/resolve/main/"


def attach(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def put_in_cache(repository: str = HUB_ID, file: str = "model.safetensors") -> Path:
    """The layout of the hub's cache: a blob, and a link to it in a snapshot."""
    folder = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    commit = "a" * 40
    attach(folder, f"blobs/{file}", "refs/main")
    (folder / "refs" / "main").write_text(commit)
    (folder / "snapshots" / commit).mkdir(parents=True)
    link = folder / "snapshots" / commit / file
    link.symlink_to(Path("../../blobs") / file)
    return link


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """`find` never asks the network; a test that may connect uses the fixture `hub`."""
    if "hub" not in request.fixturenames:

        def refuse(*_: object, **__: object) -> None:
            raise OSError(101, "Network is unreachable")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "create_connection", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weights.find(NAME, None) == weights.Found(None, f"{HUB_ID}, from the hub")
    cached = put_in_cache()
    found = weights.find(NAME, None)
    assert (found.file, found.source) == (cached, f"{HUB_ID}, from the local cache of the hub")
    attach(tmp_path / "mount", "dataset/test_resnet.pth")
    monkeypatch.setattr(weights, "MOUNT", tmp_path / "mount")
    found = weights.find(NAME, None)
    assert found.file == tmp_path / "mount/dataset/test_resnet.pth"
    assert "attached" in found.source
    attach(tmp_path / "named", "test_resnet.safetensors")
    monkeypatch.setenv(weights.ATTACHED, f"{tmp_path / 'nowhere'}{os.pathsep}{tmp_path / 'named'}")
    assert weights.find(NAME, None).file == tmp_path / "named/test_resnet.safetensors"
    attach(tmp_path, "mine.pth")
    found = weights.find(NAME, tmp_path / "mine.pth")
    assert (found.file, found.source) == (tmp_path / "mine.pth", f"the file {tmp_path}/mine.pth")


@pytest.mark.parametrize(
    ("file", "fits"),
    [
        ("test_resnet.safetensors", True),
        ("test_resnet.bin", True),
        ("a/b/c/test_resnet.r160_in1k.safetensors", True),
        ("test_resnet.r160_in1k/model.safetensors", True),
        ("test_resnet.r160_in1k/pytorch/default/1/model.safetensors", True),
        (f"models--timm--test_resnet.r160_in1k/snapshots/{'b' * 40}/pytorch_model.bin", True),
        ("test_resnet.txt", False),
        ("test_resnet2.safetensors", False),
        ("my_test_resnet.safetensors", False),
        ("model.safetensors", False),
        ("test_vit.r160_in1k/model.safetensors", False),
        ("test_resnet.r160_in1k/config.bin", False),
        ("test_resnet.safetensors/empty.txt", False),
    ],
)
def test_attached_names(
    file: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach(tmp_path / "mount", file)
    monkeypatch.setattr(weights, "MOUNT", tmp_path / "mount")
    assert weights.find(NAME, None).file == (tmp_path / "mount" / file if fits else None)


def test_a_file_called_as_in_the_models_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach(tmp_path, "mobilenetv2_100_ra-b33bc2c4.pth")
    monkeypatch.setenv(weights.ATTACHED, str(tmp_path))
    found = weights.find("mobilenetv2_100", None)
    assert found.file == tmp_path / "mobilenetv2_100_ra-b33bc2c4.pth"


def test_asked_for_by_tag_takes_no_other_tag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weights.ATTACHED, str(tmp_path))
    attach(tmp_path, "resnet34.safetensors", "resnet34.a1_in1k.safetensors")
    assert weights.find("resnet34.a2_in1k", None).file is None
    wanted = tmp_path / "resnet34.a1_in1k.safetensors"
    assert weights.find("resnet34.a1_in1k", None).file == wanted
    attach(tmp_path, "resnet34.bt_in1k/model.safetensors")
    wanted = tmp_path / "resnet34.bt_in1k/model.safetensors"
    assert weights.find("resnet34.bt_in1k", None).file == wanted


def test_folders_of_many_pictures_are_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach(tmp_path, "pictures/below/test_resnet.pth", *[f"pictures/{n}.jpg" for n in range(1000)])
    monkeypatch.setenv(weights.ATTACHED, str(tmp_path))
    assert weights.find(NAME, None).file is None


def test_the_cache_may_hold_the_older_file() -> None:
    link = put_in_cache(file="pytorch_model.bin")
    assert weights.find(NAME, None).file == link


def test_a_dangling_link_in_the_cache_is_no_file() -> None:
    link = put_in_cache()
    link.resolve().unlink()
    assert weights.find(NAME, None).file is None


def test_torchs_cache_counts_where_a_model_has_an_address(tmp_path: Path) -> None:
    attach(tmp_path / "torch-cache/checkpoints", "seresnet18-4bb0ce65.pth")
    found = weights.find("legacy_seresnet18", None)
    assert found.file == tmp_path / "torch-cache/checkpoints/seresnet18-4bb0ce65.pth"


def test_an_explicit_file_that_is_missing(tmp_path: Path) -> None:
    attach(tmp_path, "best.safetensors")
    with pytest.raises(WeightsError, match=r"bset\.safetensors is not there.*'best\.safetensors'"):
        weights.find(NAME, tmp_path / "bset.safetensors")
    with pytest.raises(WeightsError, match="is not there"):
        weights.find(NAME, tmp_path / "no/such/folder.pth")
    with pytest.raises(WeightsError, match="is not there"):
        weights.find(NAME, tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet43", r"no model called 'resnet43'.*'resnet"),
        ("restnet50", "Did you mean 'resnet50'"),
        ("qqqqq", "list_models"),
        ("resnet34.nonsense", r"no weights called 'resnet34\.nonsense'.*resnet34\.a1_in1k"),
        ("", "no model called ''"),
    ],
)
def test_unknown_names(name: str, message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        weights.find(name, None)


def test_a_model_without_weights(tmp_path: Path) -> None:
    import timm

    with_weights = set(timm.list_models(pretrained=True))
    bare = {name.split(".")[0] for name in with_weights}
    name = next(name for name in timm.list_models("resnet*") if name not in bare)
    with pytest.raises(WeightsError, match=r"no pretrained weights.*pretrained: false"):
        weights.find(name, None)
    attach(tmp_path, "mine.pth")
    assert weights.find(name, tmp_path / "mine.pth").file == tmp_path / "mine.pth"


def check_message(error: WeightsError) -> None:
    """It names the file to attach, and the ways around."""
    for part in ("test_resnet.safetensors", weights.ATTACHED, "pretrained: false", HUB_ID):
        assert part in str(error)


def test_no_network_is_said_quickly() -> None:
    found = weights.find(NAME, None)
    began = time.monotonic()
    with pytest.raises(WeightsError, match="unreachable") as caught:
        weights.fetch(NAME, found)
    assert time.monotonic() - began < 40
    check_message(caught.value)


def test_offline_is_said_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(weights, "_ask", lambda _: pytest.fail("offline means offline"))
    began = time.monotonic()
    with pytest.raises(WeightsError) as caught:
        weights.fetch(NAME, weights.find(NAME, None))
    assert time.monotonic() - began < 40
    check_message(caught.value)


def test_a_knock(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asks once and fetches nothing; what it says is what a run would say."""
    weights.knock(NAME)
    assert [line.split()[0] for line in hub.asked] == ["HEAD"]
    monkeypatch.setattr(weights, "_KNOCK", (0.3, 0.3))
    hub.silent = True
    with pytest.raises(WeightsError, match="timed out") as caught:
        weights.knock(NAME)
    check_message(caught.value)
    assert len(hub.asked) == 2
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE is set") as caught:
        weights.knock(NAME)
    check_message(caught.value)
    assert len(hub.asked) == 2


def test_what_is_attached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attach(tmp_path / "one", "b.pth", "below/a.safetensors", "notes.txt")
    (tmp_path / "two").mkdir()
    there = os.pathsep.join(str(tmp_path / name) for name in ("one", "two", "three"))
    monkeypatch.setenv(weights.ATTACHED, there)
    held = {tmp_path / "one": ["b.pth", "below/a.safetensors"], tmp_path / "two": []}
    assert weights.attached_files() == held


def test_a_hub_that_never_answers(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_TIMEOUT", (0.3, 0.3))
    hub.silent = True
    began = time.monotonic()
    with pytest.raises(WeightsError, match="timed out") as caught:
        weights.fetch(NAME, weights.find(NAME, None))
    assert time.monotonic() - began < 40
    check_message(caught.value)
    assert len(hub.asked) == 2  # it was given a second chance


def test_a_second_try_helps(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files[ADDRESS + "model.safetensors"] = b"weights"
    head, count = requests.head, [0]

    def shaky(*args: Any, **options: Any) -> requests.Response:
        count[0] += 1
        if count[0] == 1:
            raise requests.ConnectionError("the line was busy")
        return head(*args, **options)

    monkeypatch.setattr(requests, "head", shaky)
    assert weights.fetch(NAME, weights.find(NAME, None)).read_bytes() == b"weights"


def test_the_hub_gives_the_file_once(hub: Any) -> None:
    hub.files[ADDRESS + "model.safetensors"] = b"weights"
    file = weights.fetch(NAME, weights.find(NAME, None))
    assert file.read_bytes() == b"weights"
    found = weights.find(NAME, None)
    assert found.file == file
    assert "local cache" in found.source
    asked = len(hub.asked)
    assert weights.fetch(NAME, found) == file
    assert len(hub.asked) == asked


def test_the_hub_may_have_the_older_file(hub: Any) -> None:
    hub.files[ADDRESS + "pytorch_model.bin"] = b"older"
    assert weights.fetch(NAME, weights.find(NAME, None)).read_bytes() == b"older"


def test_a_hub_without_the_model(hub: Any) -> None:
    with pytest.raises(WeightsError) as caught:
        weights.fetch(NAME, weights.find(NAME, None))
    check_message(caught.value)
    assert any(line.startswith("GET") or "pytorch_model" in line for line in hub.asked)


@pytest.fixture
def addressed(hub: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A model whose weights lie at a plain address, on the server of this test."""
    settings = weights.config("legacy_seresnet18")
    monkeypatch.setattr(settings, "url", f"{hub.address}/files/seresnet18.pth")
    monkeypatch.setattr(weights, "config", lambda _: settings)
    return hub


def test_a_plain_address(addressed: Any, tmp_path: Path) -> None:
    addressed.files["/files/seresnet18.pth"] = b"plain" * 500_000
    found = weights.find("legacy_seresnet18", None)
    assert (found.file, found.source) == (
        None, f"{addressed.address}/files/seresnet18.pth, from the hub"
    )  # fmt: skip
    file = weights.fetch("legacy_seresnet18", found)
    assert file == tmp_path / "torch-cache/checkpoints/seresnet18.pth"
    assert file.read_bytes() == b"plain" * 500_000
    assert weights.find("legacy_seresnet18", None).file == file


def test_a_plain_address_that_breaks_off(
    addressed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addressed.files["/files/seresnet18.pth"] = b"plain" * 500_000

    def cut(*_: object) -> Any:
        yield b"plain"
        raise requests.ConnectionError("the line was cut")

    monkeypatch.setattr(requests.Response, "iter_content", cut)
    with pytest.raises(WeightsError, match="the line was cut"):
        weights.fetch("legacy_seresnet18", weights.find("legacy_seresnet18", None))
    assert os.listdir(tmp_path / "torch-cache/checkpoints") == []


def test_a_plain_address_that_has_nothing(addressed: Any) -> None:
    with pytest.raises(WeightsError, match="404"):
        weights.fetch("legacy_seresnet18", weights.find("legacy_seresnet18", None))


def test_a_full_disk_is_no_fault_of_the_network(
    addressed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    addressed.files["/files/seresnet18.pth"] = b"plain"
    monkeypatch.setattr(weights, "_torch_cache", lambda _: Path("/dev/full/seresnet18.pth"))
    with pytest.raises(StorageError, match="writing"):
        weights.fetch("legacy_seresnet18", weights.find("legacy_seresnet18", None))


def test_digest(tmp_path: Path) -> None:
    attach(tmp_path, "a.bin")
    assert weights.digest(tmp_path / "a.bin") == hashlib.sha256(b"a.bin").hexdigest()


def test_the_real_weights_are_found(
    real: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = real("mobilenetv1_100")
    monkeypatch.setenv(weights.ATTACHED, str(file.parent))
    for name in ("mobilenetv1_100", "mobilenetv2_100"):
        assert weights.find(name, None).file == file.parent / f"{name}.safetensors"


@pytest.mark.parametrize("key", ["", "state_dict", "model", "state_dict_ema"])
def test_read_finds_the_tensors(key: str, tmp_path: Path) -> None:
    tensors = {"module.a": torch.ones(2), "module.b": torch.zeros(3)}
    held: dict[str, Any] = {key: tensors, "epoch": 3} if key else dict(tensors)
    torch.save(held, tmp_path / "a.pth")
    got = weights.read(tmp_path / "a.pth")
    assert {name: value.tolist() for name, value in got.items()} == {"a": [1, 1], "b": [0, 0, 0]}
