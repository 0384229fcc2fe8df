"""The trainer: every stage in turn, saved as it goes, and gone on with."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from kitbox.contracts import Augmentation, Tally, Task
from kitbox.data.batches import Loader
from kitbox.data.frames import Frames
from kitbox.data.mixing import Mix
from kitbox.errors import TrainingError, counted, some
from kitbox.models.forward import BothWays, predict
from kitbox.models.model import Model, has_statistics, parameter_groups
from kitbox.progress import Progress
from kitbox.stopping import Stopped
from kitbox.training import finder
from kitbox.training.budget import Budget, Plan
from kitbox.training.checkpoints import Checkpoint
from kitbox.training.crew import ALONE, Crew, Wishes
from kitbox.training.cycle import Cycle
from kitbox.training.feed import Feed
from kitbox.training.keeper import Keeper
from kitbox.training.packing import pack, unpack, unpack_into
from kitbox.training.stages import CALMER, Epoch, default_rate, describe, in_words
from kitbox.training.step import NotFiniteError, Part, Slices, evaluate, losses_of, train_epoch

if TYPE_CHECKING:
    from accelerate import Accelerator

    from kitbox.data.pixels import Pixels
    from kitbox.interpretation.interpretation import Interpretation
    from kitbox.recipe import Stage


class SurpriseError(Exception):
    """Training began before all of the `pixels` were decoded, and some of its rows are broken."""

    def __init__(self, count: int, pixels: Pixels) -> None:
        super().__init__(f"{counted(count, 'picture')} turned out damaged")
        self.pixels = pixels


@dataclass
class Trainer:
    """Trains a model on a loader's pictures, a stage at a time.

    Attributes:
        train, valid: row numbers.
        weights: how often each training row is drawn, relative to the others; None: once each.
        ids: of all rows, for messages.
        rate: the head's in the last stage whose body was frozen, for the finder's rule.
        log: every epoch so far.
        keeper: keeps checkpoints; None keeps none.
        budget: the time that there is; None: any.
        predictions: pictures that are to be predicted at the end, for the budget.
        mix: mixes the pictures of a batch; None: not at all.
        tta: `validate` and `predict` average a picture's outputs with its mirror image's.
        crew: the processes that share each batch; the loader's share is this one's.
        feed: what the epochs are fed, and what it goes through.
        watch: told of each optimizer step after it, and once (an epoch of 0) before the first:
            stage, epoch, how far the epoch has come, and the optimizer with its next rates.
    """

    model: Model
    task: Task
    loader: Loader
    augmentation: Augmentation
    train: np.ndarray
    valid: np.ndarray
    accelerator: Accelerator
    weight_decay: float
    seed: int
    progress: Progress
    ids: Sequence[str]
    weights: np.ndarray | None = None
    rate: float | None = None
    log: list[Epoch] = field(default_factory=list)
    keeper: Keeper | None = None
    budget: Budget | None = None
    predictions: int = 0
    mix: Mix | None = None
    tta: bool = False
    crew: Crew = ALONE
    watch: Callable[[int, int, Part, torch.optim.Optimizer], None] = lambda *seen: None
    feed: Feed = field(init=False)
    _slices: Slices = field(init=False)
    _calm: float = field(default=1.0, init=False)  # lowered once, after a loss that was not finite

    def __post_init__(self) -> None:
        self.crew.align(self.model)
        self.crew.join_statistics(self.model)
        self._slices = Slices(self.progress.warn)
        self.feed = Feed(
            self.model,
            # No wrapper that sums gradients: the crew does.
            self.accelerator.prepare_model(self.model, evaluation_mode=True),
            self.loader,
            self.augmentation,
            self.train,
            self.valid,
            self.weights,
            self.seed,
            self.accelerator,
            self._slices,
            self.progress,
            self.crew,
        )

    def stages(
        self,
        stages: Sequence[Stage],
        size: Callable[[Stage], tuple[int, int]],
        first: int = 1,
    ) -> Iterator[Epoch]:
        """Train every stage; yields after each epoch, its scores those of the weights then.

        Goes on from the keeper's checkpoint if it has one.

        Args:
            size: (H, W) of a stage's pictures.
            first: the number of the stage to begin with; those before it are done.

        Raises:
            Stopped: when the keeper was asked to stop; the state is saved.
            SurpriseError: when training rows turned out broken; nothing was saved yet.
            TrainingError: when the loss is not finite, again after a second try.
        """
        kept = self.keeper.load() if self.keeper else None
        number, epoch = first, 1
        if kept is not None:
            number, epoch = kept.facts["stage"], kept.facts["epoch"]
            self.restore(kept)
            if number <= len(stages):
                self.progress.say(
                    f"goes on from stage {number}, epoch {epoch}, step {kept.facts['step']}"
                )
        while number <= len(stages):
            try:
                yield from self._stage(number, stages, size, kept, epoch)
            except NotFiniteError as error:
                kept = self._second_try(error)
                number, epoch = kept.facts["stage"], kept.facts["epoch"]
                continue
            number, epoch, kept = number + 1, 1, None

    def _stage(
        self,
        number: int,
        stages: Sequence[Stage],
        size_of: Callable[[Stage], tuple[int, int]],
        kept: Checkpoint | None,
        epoch: int,
    ) -> Iterator[Epoch]:
        """The rest of a stage: from its start, or from where a checkpoint was."""
        stage, size = stages[number - 1], size_of(stages[number - 1])
        steps = self.loader.count(len(self.train))
        valid_batches = self.loader.count_fixed(len(self.valid))
        self.progress.say(describe(stage, number, len(stages), size))
        self._freeze(stage)
        inside = kept is not None and kept.facts["cycle"] is not None
        views = kept.facts["views"] if inside and kept else self._views(stage)
        self._feed(number, size, views)
        lr = _pair(kept.facts["lr"]) if inside and kept else self._rate(number, stage, size)
        head = lr[1] if isinstance(lr, tuple) else lr
        if stage.freeze is True:
            self.rate = head
        optimizer = self._optimizer(lr)
        cycle = Cycle(
            optimizer.optimizer, stage.epochs * steps, constant=stage.schedule == "constant"
        )
        part = self._part()
        if inside and kept is not None:
            part = self._enter(kept, optimizer.optimizer, cycle)
        here = _Place(number, lr, optimizer.optimizer, cycle, views)
        self.watch(number, 0, part, optimizer.optimizer)
        if not inside:
            self._keep(here, epoch, part)
        self.crew.forget()
        while epoch <= stage.epochs and (cycle.left or part.step):  # steps that nobody scored
            what = f"stage {number}, epoch {epoch} of {stage.epochs}"
            with self.progress.bar(what, steps + valid_batches) as show:
                show(part.step)
                clock, whole = _Clock(), self.loader.meter.epoch()

                def done(note: str, epoch: int = epoch, part: Part = part) -> None:
                    show(1, note=note)
                    self.watch(number, epoch, part, here.optimizer)
                    seconds = clock.lap()  # noqa: B023
                    if self.budget is not None:
                        self.budget.stepped(number, seconds)
                    planned = part.step % 10 == 0 or part.step == steps
                    cut = partial(self._cut, here, stages, size_of, steps)
                    self._heed(here, epoch, part, cut if planned else lambda: 0)

                train_loss = train_epoch(
                    self.feed.forward,
                    self.task,
                    self.feed.varied(number, epoch, size, part.step),
                    optimizer,
                    cycle,
                    self.accelerator,
                    part,
                    self._slices,
                    done,
                    mix=self._mixing(number, epoch),
                    crew=self.crew,
                )
                whole.trained()
                valid_loss, scores = self._validated(size, show)
            times = whole.times()
            rate = head * self._calm
            self.log.append(Epoch(number, epoch, rate, train_loss, valid_loss, scores, *times))
            yield self.log[-1]
            epoch, part = epoch + 1, self._part()
            over = epoch > stage.epochs or not cycle.left
            due = self.keeper is not None and self.keeper.due(whole_epoch=True)
            if over or self.crew.same(due):
                self._keep(here, epoch, part, over=over)

    def _optimizer(self, lr: float | tuple[float, float]) -> Any:
        """A new optimizer, prepared, whose rates are the heights of a cycle."""
        # Accelerate keeps every optimizer that it ever prepared, with its state.
        self.accelerator._optimizers.clear()
        return self.accelerator.prepare(
            torch.optim.AdamW(
                parameter_groups(self.model, _times(lr, self._calm), self.weight_decay),
                fused=self.accelerator.device.type in ("cpu", "cuda"),
            )
        )

    def _heed(self, here: _Place, epoch: int, part: Part, cut: Callable[[], int]) -> None:
        """Shorten the stage, save and stop after a step, as all processes agree to.

        Raises:
            Stopped: when somebody asked for that; the state is saved.
            KeyboardInterrupt: when it could not be saved yet.
        """

        def wish() -> Wishes:
            return Wishes(
                cut=cut(),
                due=self.keeper is not None and self.keeper.due(whole_epoch=False),
                stop=self.keeper is not None and self.keeper.stop.asked,
            )

        agreed = self.crew.agree(wish)
        if agreed.cut:
            self._shorten(here, agreed.cut)
        kept = (agreed.due or agreed.stop) and self._keep(here, epoch, part)
        if agreed.stop:
            if not kept:
                raise KeyboardInterrupt  # there is nothing to go on from
            raise Stopped

    def _validated(
        self, size: tuple[int, int], show: Callable[..., None]
    ) -> tuple[float, dict[str, float]]:
        """Loss and scores of the validation rows at an epoch's end."""
        clock = _Clock()
        forward, source = self.feed.forward, self.feed.source
        loss, tally = evaluate(
            forward, self.task, source, self.valid, size, show, self._slices, self.crew
        )
        if self.budget is not None and source is self.loader:
            self.budget.passed(clock.lap(), self.loader.count_fixed(len(self.valid)))
        self._without_surprises()
        return self.crew.same((loss, self.task.score(tally) if self.crew.main else {}))

    def _part(self) -> Part:
        return Part(torch.zeros((), dtype=torch.float64, device=_sums(self.accelerator.device)))

    def _keep(self, here: _Place, epoch: int, part: Part, *, over: bool = False) -> bool:
        """Save where the training is; whether it was saved, not only kept in memory.

        Args:
            over: the next stage begins.
        """
        if self.keeper is None:
            return False
        if not all(bool(torch.isfinite(one).all()) for one in self.model.parameters()):
            # Not the last good state, whatever the loss.
            raise NotFiniteError(np.empty(0, np.int64))
        decoded = self._decoded(wait=over)
        keep = self.keeper.save if decoded else self.keeper.hold
        facts = self._facts(here.number + over, 1 if over else epoch)
        facts |= {
            "cycle": None if over else here.cycle.state(),
            "lr": here.lr,
            "views": here.views,
            "step": part.step,
            "total": part.total.item(),
            "pictures": part.pictures,
        }
        keep(Checkpoint(pack(self.model, None if over else here.optimizer), facts))
        return decoded

    def _facts(self, number: int, epoch: int) -> dict[str, Any]:
        """What a checkpoint says of the training, whatever the stage that it is in."""
        scaler = self.accelerator.scaler
        return {
            "stage": number,
            "epoch": epoch,
            "cycle": None,
            "rate": self.rate,
            "calm": self._calm,
            "slices": self._slices.count,
            "scaler": scaler.state_dict() if scaler is not None else None,
            "log": [asdict(one) for one in self.log],
        }

    def _decoded(self, *, wait: bool) -> bool:
        """Whether all labelled pictures are decoded, none of them to a surprise."""
        rows = np.concatenate([self.train, self.valid])
        if wait:
            self.loader.pixels.need(rows)
        if not self.loader.pixels.has(rows):
            return False
        self._without_surprises()
        return True

    def _without_surprises(self) -> None:
        """Raise where pictures were blank in training that should have been left out.

        Raises:
            SurpriseError: with their number.
        """
        rows = np.concatenate([self.train, self.valid])
        if found := self.loader.pixels.surprises(rows):
            raise SurpriseError(len(found), self.loader.pixels)

    def state(self, number: int) -> Checkpoint:
        """Where the training is before stage `number`, as `restore` takes it; a copy."""
        packed = pack(self.model, None).items()
        tensors = {name: value.detach().to("cpu", copy=True) for name, value in packed}
        return Checkpoint(tensors, self._facts(number, 1))

    def restore(self, kept: Checkpoint) -> None:
        """Give model, random states and log what a checkpoint has."""
        self.feed.forget()
        facts = kept.facts
        unpack(self.model, kept.tensors)
        self.rate, self._calm = facts["rate"], facts["calm"]
        self._slices.count = facts["slices"]
        self.log = [Epoch(**epoch) for epoch in facts["log"]]
        if self.accelerator.scaler is not None and facts["scaler"]:
            self.accelerator.scaler.load_state_dict(facts["scaler"])

    def _enter(self, kept: Checkpoint, optimizer: torch.optim.Optimizer, cycle: Cycle) -> Part:
        """Give optimizer and cycle what a checkpoint has; how far the epoch has come."""
        unpack_into(optimizer, kept.tensors)
        cycle.load(kept.facts["cycle"])
        part = self._part()
        part.total += kept.facts["total"]
        part.step, part.pictures = kept.facts["step"], kept.facts["pictures"]
        return part

    def _second_try(self, error: NotFiniteError) -> Checkpoint:
        """Go back to the last good state with a lower rate, once.

        Raises:
            TrainingError: the second time, with the pictures of the batches.
        """
        self._decoded(wait=True)  # pictures that are broken explain it
        kept = self.keeper.load() if self.keeper else None
        if kept is None or self._calm < 1:
            raise TrainingError(
                "The training loss is not a finite number"
                + (", also with a lower learning rate" if self._calm < 1 else ""),
                found=f"in batches of the pictures {some(self.ids[row] for row in error.rows)}"
                if len(error.rows)
                else "",
                do="Lower the learning rate of this stage, let `lr: find` choose it, or look at "
                "these pictures and their targets",
            ) from error
        self.restore(kept)
        self._calm = CALMER
        self.progress.warn(
            f"the loss was not finite; back to epoch {kept.facts['epoch']} of stage "
            f"{kept.facts['stage']}, with {CALMER:g} of the learning rate"
        )
        return kept

    def _cut(
        self,
        here: _Place,
        stages: Sequence[Stage],
        size: Callable[[Stage], tuple[int, int]],
        steps: int,
    ) -> int:
        """How many of the cycle's steps the time budget asks to leave out."""
        if self.budget is None:
            return 0
        plan = Plan.of(
            here.number,
            here.cycle.left,
            steps,
            [(stage.epochs, stage.freeze is True, math.prod(size(stage))) for stage in stages],
            self.loader.count_fixed(len(self.valid)),
            self.loader.count_fixed(self.predictions),
        )
        fits = self.budget.fitting(plan)
        return here.cycle.left - fits if fits < 0.97 * here.cycle.left else 0

    def _shorten(self, here: _Place, cut: int) -> None:
        """Leave out steps of the cycle, unless it has ended meanwhile."""
        if not here.cycle.left:
            return
        fits = max(1, here.cycle.left - cut)
        if not here.shortened:
            here.shortened = True
            self.progress.warn(
                f"stage {here.number} is shortened to about {fits} more steps instead of "
                f"{here.cycle.left}, to keep within the time budget"
            )
        here.cycle.shorten(fits)

    def try_batch(self, number: int, stage: Stage, size: tuple[int, int]) -> float:
        """The loss of one training batch, forward and backward; weights stay as they are.

        Raises:
            TrainingError: when the loss or a gradient is not finite.
        """
        self._freeze(stage)
        with finder.untouched(self.model):
            self.model.train()
            images, targets, _ = next(iter(self.feed.varied(number, 0, size)))
            with self.accelerator.autocast():
                outputs = self.model(images)
            loss = losses_of(self.task, outputs.float(), targets).mean()
            loss.backward()
            gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
            if not all(bool(torch.isfinite(g).all()) for g in (loss.detach(), *gradients)):
                raise TrainingError(
                    f"One batch of stage {number} gives a loss or a gradient that is not finite",
                    found=f"loss {loss.item()}",
                    do="Check the pictures and the targets",
                )
            return float(loss.item())

    @property
    def calmed(self) -> bool:
        """Whether the rates were lowered after a loss that was not finite."""
        return self._calm < 1

    def fresh_rates(self) -> None:
        """Take the rates as they are asked for again, whatever happened in earlier stages."""
        self._calm = 1.0

    def validate(
        self,
        size: tuple[int, int],
        step: Callable[..., None] = lambda n=1, note="": None,
        rows: np.ndarray | None = None,
        watch: Interpretation | None = None,
    ) -> tuple[float, Tally]:
        """The mean loss and the task's tally of labelled rows, by default the validation rows.

        The main process's; see `evaluate`.

        Args:
            watch: sees the same pass.
        """
        model, seen = self._predicting(), self.valid if rows is None else rows
        slices, crew = self._slices, self.crew
        return evaluate(model, self.task, self.loader, seen, size, step, slices, crew, watch)

    def predict(
        self,
        rows: np.ndarray,
        size: tuple[int, int],
        step: Callable[..., None] = lambda n=1, note="": None,
    ) -> Iterator[tuple[np.ndarray, Frames]]:
        """Raw outputs (B, ...) and frames of the rows, a batch at a time, in their order.

        The main process's: others compute their share of them, and give nothing.
        """
        forward = self._slices.forward
        whole = self.crew.brought
        return predict(self._predicting(), self.loader, rows, size, step, forward, whole)

    def _predicting(self) -> torch.nn.Module:
        return BothWays(self.feed.whole, self.task) if self.tta else self.feed.whole

    def _mixing(
        self, number: int, epoch: int
    ) -> Callable[[torch.Tensor, int], tuple[torch.Tensor, float]]:
        """How the batches of an epoch are mixed; the same again when it goes on."""

        def mixed(images: torch.Tensor, step: int) -> tuple[torch.Tensor, float]:
            self.crew.seed((self.seed, number, epoch, 3, step))
            if self.mix is None:
                return images, 1.0
            return self.mix.apply(images, (self.seed, number, epoch, 2, step))

        return mixed

    def _feed(self, number: int, size: tuple[int, int], views: int) -> None:
        """Choose what the epochs of a stage are fed, and count the time that features took."""
        clock = _Clock()
        computed = self.feed.choose(number, size, views, self._heeding)
        if computed:
            self._without_surprises()
            if self.budget is not None:
                self.budget.passed(clock.lap(), computed)

    def _heeding(self, step: Callable[..., None]) -> Callable[..., None]:
        """A bar's step that heeds a stop where there is nothing to save yet."""

        def stepped(n: int = 1, note: str = "") -> None:
            step(n, note=note)
            if self.crew.any(self.keeper is not None and self.keeper.stop.asked):
                if not self.log:
                    raise KeyboardInterrupt  # nothing was trained
                raise Stopped

        return stepped

    def _out_of_time(self) -> bool:
        return self.budget is not None and self.budget.left <= 0

    def _views(self, stage: Stage) -> int:
        """Of how many views of each picture a stage's features are; 0 for pictures."""
        # What is mixed is another picture in every step; a few last steps need not all features.
        return self.feed.views(stage, use=self.mix is None and not self._out_of_time())

    def _freeze(self, stage: Stage) -> None:
        hold = self.model.body.pretrained if stage.hold_norm is None else stage.hold_norm
        # Statistics of one picture are none; PyTorch refuses them.
        hold = hold or len(self.train) // max(1, self.loader.count(len(self.train))) < 2
        self.model.freeze(stage.freeze, hold_norm=hold)
        self._slices.whole = self.crew.count > 1 and any(
            has_statistics(one) and one.training for one in self.model.train().modules()
        )

    def _rate(
        self, number: int, stage: Stage, size: tuple[int, int]
    ) -> float | tuple[float, float]:
        if stage.lr == "find" and self.crew.same(self._out_of_time()):
            lr = default_rate(stage, self.model.body.pretrained)
            self.progress.warn(f"no time is left to find a rate; taking {in_words(lr)}")
            return lr
        if stage.lr == "find":
            curve = self._sweep(number, size)
            lr = self.suggested(stage, curve)
            if curve.flat:
                self.progress.warn(
                    f"learning-rate finder: the loss falls at no rate within {finder.STEPS} "
                    f"batches; taking {in_words(lr)}"
                )
                return lr
            self.progress.say(
                f"learning-rate finder: {in_words(lr)} (the loss falls fastest at "
                f"{curve.steepest:.1e} and only rises after {curve.shoots_up:.1e})"
            )
            return lr
        if stage.lr is not None:
            return stage.lr
        return default_rate(stage, self.model.body.pretrained)

    def suggested(self, stage: Stage, curve: finder.Curve) -> float | tuple[float, float]:
        """The rate that `lr: find` takes for a stage from a curve."""
        if curve.flat:
            return finder.bounded(default_rate(stage, self.model.body.pretrained), curve)
        return finder.choose(curve, frozen=stage.freeze is True, first=self.rate)

    def find(self, number: int, stage: Stage, size: tuple[int, int]) -> finder.Curve:
        """What the learning-rate finder sees before stage `number`.

        Weights, modes and random states stay as they are. Features of a frozen body, which a stage
        would need too, are kept for it.

        Raises:
            Stopped: when the keeper was asked to stop.
            KeyboardInterrupt: likewise, where nothing was trained yet.
            TrainingError: when the loss is not finite from the start.
        """
        slices, modes = self._slices.count, [(one, one.training) for one in self.model.modules()]
        try:
            self._freeze(stage)
            self._feed(number, size, self._views(stage))
            return self._sweep(number, size)
        finally:
            self._slices.count = slices
            for module, training in modes:
                module.training = training

    def _sweep(self, number: int, size: tuple[int, int]) -> finder.Curve:
        with self.progress.bar(f"stage {number}, learning-rate finder", finder.STEPS) as step:
            return finder.sweep(
                self.model,
                self.task,
                lambda epoch: self.feed.varied(number, 1_000_000 + epoch, size),
                self.accelerator,
                weight_decay=self.weight_decay,
                forward=self.feed.forward,
                slices=self._slices,
                step=self._heeding(step),
                crew=self.crew,
            )


@dataclass
class _Place:
    """A stage at work."""

    number: int
    lr: float | tuple[float, float]
    optimizer: torch.optim.Optimizer
    cycle: Cycle
    views: int
    shortened: bool = False


class _Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def lap(self) -> float:
        before, self._last = self._last, time.monotonic()
        return self._last - before


def _sums(device: torch.device) -> torch.device:
    """Where sums of losses are kept: Apple's GPUs have no float64."""
    return torch.device("cpu") if device.type == "mps" else device


def _pair(lr: float | list[float]) -> float | tuple[float, float]:
    return (lr[0], lr[1]) if isinstance(lr, list | tuple) else lr


def _times(lr: float | tuple[float, float], factor: float) -> float | tuple[float, float]:
    return (lr[0] * factor, lr[1] * factor) if isinstance(lr, tuple) else lr * factor
