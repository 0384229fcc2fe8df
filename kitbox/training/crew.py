"""The crew: the processes that share a run; what they sum, gather and agree on."""

from __future__ import annotations

import atexit
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch

from kitbox.data.sharing import Share
from kitbox.environment import detect, launched
from kitbox.errors import SilentError, TrainingError
from kitbox.training.buckets import Buckets
from kitbox.training.line import Line, talking
from kitbox.training.pulse import Pulse
from kitbox.training.statistics import Shared

T = TypeVar("T")

PATIENCE = timedelta(days=1)
"""How long processes that live wait for one another: one may be fetching or decoding for hours.

A process that gives no sign of life is given up in minutes; see `kitbox.training.pulse`.
"""


@dataclass
class Wishes:
    """What is to be done after a step, by all processes at once.

    Attributes:
        stop: somebody asked the run to stop; counts from any process.
        due: a checkpoint is to be saved; the main process's.
        cut: steps to leave out, to keep within the time budget; the main process's.
    """

    stop: bool = False
    due: bool = False
    cut: int = 0

    def __bool__(self) -> bool:
        return self.stop or self.due or self.cut > 0


@dataclass(eq=False)
class Crew:
    """A process of a run, among others that have the same model and other parts of a batch.

    What communicates has to be called by all processes, in the same order. A crew of one
    communicates nothing: all of this then gives back what it was given.

    Attributes:
        index: the process's number; the main one's is 0.
        count: how many there are, on all machines.
        here: how many of them are on this machine.
    """

    index: int = 0
    count: int = 1
    here: int = 1
    _line: Line = field(default=Line(torch.device("cpu")), init=False)
    _buckets: Buckets = field(default_factory=Buckets, init=False)
    _next: Wishes = field(default_factory=Wishes, init=False)  # what the next step tells
    _heard: Wishes = field(default_factory=Wishes, init=False)
    _told: bool = field(default=False, init=False)  # and not heard yet
    _late: Callable[[], torch.Tensor] | None = field(default=None, init=False)

    @staticmethod
    def join() -> Crew:
        """The crew that Accelerate's launcher has made this process a part of; else one alone.

        Raises:
            TrainingError: when there are more processes than GPUs.
        """
        if not launched():
            return Crew()
        from accelerate import PartialState

        environment = detect()
        here, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count()
        if environment.device != "cpu" and here > gpus:
            raise TrainingError(
                f"{here} processes cannot share this machine: there is one GPU for each",
                found=f"{gpus}",
                do=f"Start {gpus} of them",
            )
        with talking():
            state = PartialState(cpu=environment.device == "cpu", timeout=PATIENCE)
        crew = Crew(state.process_index, state.num_processes, here)
        crew._line = Line(state.device)
        return crew

    @property
    def main(self) -> bool:
        """Whether this process writes the run's folder and says what happens."""
        return self.index == 0

    @contextmanager
    def listening(self, end: Callable[[SilentError], None]) -> Iterator[None]:
        """While it is entered, a process that vanishes is an error of the others in minutes.

        Args:
            end: ends this process with the error, where it is busy with something else.
        """
        with Pulse(self.index, self.count, end) as pulse:
            self._line = Line(self._line.device, pulse.check)
            if self.count > 1:
                atexit.register(self._line.close, lambda: pulse.lost)
            yield

    def words(self) -> str:
        """Who shares the run, for a person."""
        if self.count == self.here:
            return f"{self.count} processes on this machine share each batch"
        return f"{self.count} processes share each batch, {self.here} of them on this machine"

    @property
    def share(self) -> Share:
        """Which places of a batch are this process's."""
        return Share(self.index, self.count)

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Each machine's first process goes before its others: they find what it has fetched."""
        first = os.environ.get("LOCAL_RANK") == "0"
        if not first:
            self.wait()
        yield
        if first:
            self.wait()

    def same(self, value: T) -> T:
        """The main process's value, in all processes."""
        if self.count == 1:
            return value
        told: T = self._line.same(value)
        return told

    def any(self, flag: bool) -> bool:
        """Whether it is so in any process."""
        if self.count == 1:
            return flag
        return bool(self._sum(torch.tensor([float(flag)], device=self._line.device)).item())

    def alike(self, value: Callable[[], str], what: str) -> None:
        """Make sure that all processes have the same value; a process alone does not ask for it.

        Raises:
            TrainingError: when one has another, naming `what` it is.
        """
        if self.count == 1:
            return
        mine = hashlib.sha256(value().encode("utf-8", "surrogateescape")).hexdigest()
        if self.any(self.same(mine) != mine):
            raise TrainingError(
                f"The processes of this run do not see the same {what}",
                do="Give all machines the same files, the same recipe and the same versions",
            )

    def deliver(self, tensors: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """The main process's tensors by name, in all processes; sent where they differ only."""
        return tensors if self.count == 1 else self._line.deliver(tensors)

    def align(self, model: torch.nn.Module) -> None:
        """Give all processes the main process's weights and statistics."""
        own = model.state_dict()
        with torch.no_grad():
            for name, value in self.deliver(own).items():
                if value is not own[name]:
                    own[name].copy_(value)

    def join_statistics(self, model: torch.nn.Module) -> None:
        """Let the model's batch normalisation on a GPU take statistics from the whole batch."""
        if self.count > 1 and next(model.parameters()).device.type == "cuda":
            from timm.layers import convert_sync_batchnorm

            convert_sync_batchnorm(model)

    def statistics(self, device: torch.device) -> AbstractContextManager[object]:
        """While it is entered, batch normalisation on a CPU takes them from the whole batch."""
        if self.count > 1 and device.type != "cuda":
            return Shared(lambda values: self._sum(values.clone()))
        return nullcontext()

    def seed(self, numbers: Sequence[int]) -> None:
        """Give each process random numbers of its own, which depend on `numbers` alone."""
        if self.count > 1:
            state = np.random.SeedSequence([*numbers, self.index]).generate_state(2)
            torch.manual_seed(int(state[0]) << 31 ^ int(state[1]))

    @torch.no_grad()
    def whole(self, part: torch.Tensor, batch: int) -> torch.Tensor:
        """A batch (B, ...) from all processes' parts (b, ...) of it, in the batch's order."""
        if not self.share.divides(batch):
            return part
        gathered = self._line.everybodys(self._sent(part, batch))
        return self._ordered(gathered, batch).to(part.dtype)

    @torch.no_grad()
    def brought(self, part: torch.Tensor, batch: int) -> torch.Tensor | None:
        """As `whole`, in the main process; None in the others."""
        if not self.share.divides(batch):
            return part if self.main else None
        gathered = self._line.collected(self._sent(part, batch))
        return None if gathered is None else self._ordered(gathered, batch).to(part.dtype)

    def _sent(self, part: torch.Tensor, batch: int) -> torch.Tensor:
        """What a process sends of its part: as many rows as the others."""
        sent = part.to(torch.uint8) if part.dtype is torch.bool else part  # gloo knows no bool
        longest = max(len(own) for own in self.share.all_places(batch))
        if missing := longest - len(part):
            sent = torch.cat([sent, sent[-1:].expand(missing, *sent.shape[1:])])
        return sent.contiguous()

    def _ordered(self, gathered: torch.Tensor, batch: int) -> torch.Tensor:
        order = np.empty(batch, np.int64)
        longest = len(gathered) // self.count
        for index, own in enumerate(self.share.all_places(batch)):
            order[own] = index * longest + np.arange(len(own))
        return gathered[torch.from_numpy(order).to(gathered.device)]

    def weight(self, batch: int) -> int:
        """What each process divides the sum of its losses by, so that they add up to the mean."""
        return batch if self.share.divides(batch) else batch * self.count

    def pool(self, model: torch.nn.Module, losses: torch.Tensor, batch: int) -> torch.Tensor:
        """Sum the gradients of all processes; the sum of the losses of the whole batch.

        With the gradients go statistics of batch normalisation (their mean), the losses, and
        what is to be done after the step (see `agree`): one message a step for a small model,
        else one a bucket.

        Args:
            losses: (b,) of this process's part.
            batch: B.
        """
        if self.count == 1:
            return losses.sum()
        trained = [p for p in model.parameters() if p.requires_grad]
        kept = [one for module in model.modules() if module.training for one in _statistics(module)]
        copies = 1 if self.share.divides(batch) else self.count
        tail = torch.tensor(
            [self._next.stop, self.main and self._next.due, self.main and self._next.cut],
            dtype=torch.float32,
        )
        if losses.is_cuda:  # from pinned memory, so that the host does not wait
            tail = tail.pin_memory().to(losses.device, non_blocking=True)
        told = torch.cat([losses.sum().detach().reshape(1) / copies, tail])
        with torch.no_grad():
            for one in kept:
                one.div_(self.count)
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
        self._buckets.sum([*gradients, *kept, told], self._sum)
        mean, tail = told[0], told[1:]
        self._hear(tail)
        return mean

    def agree(self, wish: Callable[[], Wishes]) -> Wishes:
        """What is to be done now, after a step: the same in all processes.

        A wish is told with the next step's gradients, so all heed it a step or two later;
        on a GPU the host reads what it got a step before, and never waits for the device.

        Args:
            wish: what this process finds to be done now; asked when no wish is on its way.
        """
        if self.count == 1:
            return wish()
        heard, self._heard = self._heard, Wishes()
        if not heard and not self._told:
            self._next = wish()
        return heard

    def forget(self) -> None:
        """Drop wishes that are on their way: a stage begins."""
        self._next, self._heard, self._told, self._late = Wishes(), Wishes(), False, None

    def _hear(self, tail: torch.Tensor) -> None:
        """Take in the wishes that came with a step's gradients."""
        sent, self._next = self._next, Wishes()
        late, self._late = self._late, _on_its_way(tail)
        if self._late is None:
            self._heard = _wishes(tail)
            return
        if late is not None:
            self._heard, self._told = _wishes(late()), False
        self._told = self._told or bool(sent)

    def wait(self) -> None:
        """Return when all processes are here."""
        if self.count > 1:
            self._line.meet()

    def ended(self, done: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the main process says of the run's end, in all processes.

        They leave together: the first to leave may have a launcher end the others.
        """
        told = self.same(done)
        self.wait()
        return told or {}

    def _sum(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of a tensor over all processes, which then holds it."""
        return self._line.total(values)


ALONE = Crew()
"""A process that shares with no other."""


def _on_its_way(tail: torch.Tensor) -> Callable[[], torch.Tensor] | None:
    """Send a tensor from a GPU to the host; what waits for it there. None where it is there."""
    if tail.device.type != "cuda":
        return None
    host = torch.empty(tail.shape, pin_memory=True).copy_(tail, non_blocking=True)
    event = torch.cuda.Event()
    event.record()

    def arrived() -> torch.Tensor:
        event.synchronize()
        return host

    return arrived


def _wishes(tail: torch.Tensor) -> Wishes:
    stop, due, cut = tail.tolist()
    return Wishes(stop > 0, due > 0, round(cut))


def _statistics(module: torch.nn.Module) -> list[torch.Tensor]:
    """A normalisation layer's running mean and variance."""
    own = module.named_buffers(recurse=False)
    return [one for name, one in own if name.startswith("running_") and one.is_floating_point()]
