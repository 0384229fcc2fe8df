"""What goes over the line between processes: two real ones, connected by gloo."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from crews import free_port
from torch import distributed

from kitbox.errors import LostError
from kitbox.training.line import talking

START = """
import atexit, os, sys, time
from datetime import timedelta
import torch
from torch import distributed
from kitbox.errors import LostError
from kitbox.training import line as module
from kitbox.training.line import Line

rank = int(os.environ["RANK"])
distributed.init_process_group("gloo")
line = Line(torch.device("cpu"))
lost = []
atexit.register(line.close, lambda: bool(lost))
"""
MESSAGES = """
mine = torch.arange(3.0) + rank
assert line.total(mine) is mine
assert mine.tolist() == [1, 3, 5]
assert line.same({"a": (1, None)} if rank == 0 else "other") == {"a": (1, None)}
assert line.same(None if rank == 0 else 5) is None
part = torch.tensor([[rank, 10 + rank]])
assert line.everybodys(part).tolist() == [[0, 10], [1, 11]]
got = line.collected(part)
assert (got is None) if rank else got.tolist() == [[0, 10], [1, 11]]
line.meet()
"""
TENSORS = """
sizes = []
broadcast = distributed.broadcast
def counted(values, *of, **named):
    sizes.append(values.nbytes)
    return broadcast(values, *of, **named)
distributed.broadcast = counted

alike = torch.arange(100_000.0)
main = {
    "alike": alike.reshape(10, 10, 10, 100),
    "layout": torch.arange(24.0).reshape(1, 2, 3, 4),
    "differs": torch.arange(5.0),
    "half": torch.arange(4).bfloat16(),
    "flag": torch.tensor(True),
    "steps": torch.tensor(7),
    "shape": torch.zeros(2, 3),
    "none": torch.empty(0, 2),
}
if rank == 0:
    own = main
else:
    own = {"shape": torch.zeros(3, 2), "extra": torch.ones(3), "differs": torch.ones(5)}
    own["alike"] = main["alike"].contiguous().clone()
    own["layout"] = main["layout"].to(memory_format=torch.channels_last)
found = line.deliver(own)
assert list(found) == list(main)
for name, value in main.items():
    assert found[name].dtype == value.dtype and torch.equal(found[name], value), name
assert found["alike"] is own["alike"]
assert found["layout"] is own["layout"]
assert sum(sizes) < 10_000, sizes
"""
WAITS = """
module._LOOK = timedelta(seconds=0.2)
looked = []
if rank == 1:
    time.sleep(1.5)
waiting = Line(line.device, lambda: looked.append(1))
assert waiting.total(torch.ones(1)).item() == 2
assert rank == 1 or len(looked) > 2

def vanished():
    lost.append(1)
    raise LostError("Process 2 of 2 no longer answers")

if rank == 1:
    time.sleep(8)
    os._exit(2)
began = time.monotonic()
try:
    Line(line.device, vanished).total(torch.ones(1))
    raise SystemExit('it went on')
except LostError as error:
    assert "no longer answers" in str(error)
atexit.register(lambda: print(time.monotonic() - began < 4))  # it ends at once
"""
ENDS = """
if rank == 1:
    os._exit(0)
try:
    line.total(torch.ones(1))
    raise SystemExit('it went on')
except LostError as error:
    assert "Another process of this run has ended" in str(error)
"""
WRONG = """
try:
    line.total("no tensor")
except TypeError:
    sys.exit(0)
sys.exit(1)
"""


@pytest.mark.parametrize(
    ("work", "status"), [(MESSAGES + TENSORS, 0), (WAITS, 2), (ENDS, 0), (WRONG, 0)]
)
def test_two_processes(work: str, status: int) -> None:
    shared = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    shared["MASTER_PORT"] = str(free_port())
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", START + work],
            env={**shared, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=120)[0] for process in pair]
    finally:
        for process in pair:
            process.kill()
    assert [process.returncode for process in pair] == [status, status], said
    assert said == (["True\n", ""] if work is WAITS else ["", ""])


GLOO = "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:545] Read error [127.0.0.1]:29568"


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(GLOO),
        distributed.DistBackendError("NCCL error: remote process exited"),
        distributed.DistNetworkError("The client socket has timed out"),
        distributed.DistStoreError("wait timeout after 300000ms"),
        ConnectionResetError("Connection reset by peer"),
    ],
)
def test_errors_of_the_connection_are_a_lost_process(error: Exception) -> None:
    with pytest.raises(LostError, match="Another process of this run has ended"), talking():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("The size of tensor a (3) must match the size of tensor b (2)"),
        RuntimeError("CUDA error: device-side assert triggered"),
        torch.OutOfMemoryError("CUDA out of memory"),
        NotImplementedError("gather"),
    ],
)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, talking():
        raise error
    assert raised.value is error
