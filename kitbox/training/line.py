"""The line between the processes of a run: sums, objects and tensors that go over it."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import distributed

from kitbox.errors import LostError

_LOOK = timedelta(seconds=2)
"""How often a process that waits for others looks whether they live."""
_GLOO = re.compile(r"gloo[/\\]|\bgloo\b", re.IGNORECASE)
"""In the messages of the library that connects CPUs, whose errors have no type of their own."""


@dataclass(frozen=True)
class Line:
    """What connects this process with the others of its run.

    All processes call the same methods in the same order.

    Attributes:
        device: where tensors have to be.
        check: raises where another process is lost; asked while this one waits on a CPU.
    """

    device: torch.device
    check: Callable[[], None] = lambda: None

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over all processes; `values` holds it too."""
        self._finish(lambda: distributed.all_reduce(values, async_op=True))
        return values

    def same(self, value: Any = None) -> Any:
        """What the first process has, in all; what others give is not looked at."""
        first = distributed.get_rank() == 0
        packed = bytearray(pickle.dumps(value)) if first else bytearray()
        size = self.spread(torch.tensor([len(packed)], device=self.device))
        if first:
            self.spread(torch.frombuffer(packed, dtype=torch.uint8).to(self.device))
            return value
        sent = self.spread(torch.empty(int(size), dtype=torch.uint8, device=self.device))
        return pickle.loads(sent.cpu().numpy().tobytes())

    def spread(self, values: torch.Tensor) -> torch.Tensor:
        """The first process's values, in all; `values` holds them too."""
        self._finish(lambda: distributed.broadcast(values, 0, async_op=True))
        return values

    def everybodys(self, values: torch.Tensor) -> torch.Tensor:
        """The values (n, ...) of each process one after the other, in all of them."""
        count = distributed.get_world_size()
        gathered = values.new_empty((count * len(values), *values.shape[1:]))
        self._finish(lambda: distributed.all_gather_into_tensor(gathered, values, async_op=True))
        return gathered

    def collected(self, values: torch.Tensor) -> torch.Tensor | None:
        """The values (n, ...) of each process one after the other, in the first; None in others."""
        parts = None
        gathered = None
        if distributed.get_rank() == 0:
            count = distributed.get_world_size()
            gathered = values.new_empty((count * len(values), *values.shape[1:]))
            parts = list(gathered.chunk(count))
        self._finish(lambda: distributed.gather(values, parts, 0, async_op=True))
        return gathered

    def deliver(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The first process's tensors by name, in all processes.

        Only digests go to all; a tensor is sent where a process has none like it. What is sent
        arrives on the CPU; what was there already is given back as it is.
        """
        own = {name: (one.dtype, tuple(one.shape), _digest(one)) for name, one in tensors.items()}
        wanted = self.same(own)
        lacking = [own.get(name) != facts for name, facts in wanted.items()]
        asked = self.total(torch.tensor(lacking, dtype=torch.float32, device=self.device))
        found = {}
        for (name, (dtype, shape, _)), asks, lacks in zip(
            wanted.items(), asked.tolist(), lacking, strict=True
        ):
            if not asks:
                found[name] = tensors[name]
                continue
            mine = tensors.get(name) if not lacks else None
            sent = self.spread(
                torch.empty(shape, dtype=dtype).reshape(-1).view(torch.uint8).to(self.device)
                if mine is None
                else _bytes(mine).to(self.device)
            )
            found[name] = mine if mine is not None else sent.cpu().view(dtype).reshape(shape)
        return found

    def meet(self) -> None:
        """Return when all processes are here."""
        if self.device.type == "cuda":
            with talking():
                distributed.barrier(device_ids=[self.device.index or 0])
        else:
            self._finish(lambda: distributed.barrier(async_op=True))

    def close(self, lost: Callable[[], bool]) -> None:
        """Let go of the others when this process ends: gloo's threads may abort it otherwise.

        Args:
            lost: whether one of them vanished. A message to it may still be on its way, for
                which the threads would wait: the process ends at once, with status 2.
        """
        if lost():
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(2)
        if self.device.type == "cpu" and distributed.is_initialized():
            distributed.destroy_process_group()

    def _finish(self, start: Callable[[], Any]) -> None:
        """Start a message and wait for its end; on a GPU what follows waits, not the host."""
        with talking():
            work = start()
            if self.device.type == "cuda":
                work.wait()
                return
            while True:
                try:
                    work.wait(_LOOK)
                    return
                except RuntimeError:
                    if work.is_completed():
                        work.wait()  # raises, unless it has ended just now
                        return
                self.check()


@contextmanager
def talking() -> Iterator[None]:
    """Translate what torch raises when another process, or the way to it, is gone.

    Raises:
        LostError: instead. Other errors, of a full memory or a wrong shape say, stay.
    """
    try:
        yield
    except (RuntimeError, ConnectionError) as error:
        told = isinstance(error, distributed.DistError | ConnectionError)
        if not told and not _GLOO.search(str(error)):
            raise
        raise LostError(
            "Another process of this run has ended",
            found=(str(error).splitlines() or [type(error).__name__])[0][:200],
            do="The same command goes on from the last checkpoint",
        ) from error


def _digest(tensor: torch.Tensor) -> bytes:
    return hashlib.blake2b(_bytes(tensor).numpy().data, digest_size=32).digest()


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor's values as bytes (n,) on the CPU, in the order of its indices."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
