"""Several processes for one run: Accelerate's launcher, started from here and listened to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TextIO

from kitbox import environment, registry
from kitbox.errors import KitboxError, LostError, RecipeError, SilentError, TrainingError, counted
from kitbox.installed import SESSION
from kitbox.launched import PLACE, reported
from kitbox.stopping import Stop

if TYPE_CHECKING:
    from kitbox.progress import Progress
    from kitbox.recipe import Recipe

_ELASTIC = re.compile(r"torch[/.]distributed[/.](elastic|run)")
"""In the lines with which the launcher begins to tell that a process has failed."""
_FAILED = re.compile(r"rank\s*: (\d+) \(local_rank: \d+\)\s+exitcode\s*: (-?\d+) \(pid: \d+\)")


def run(recipe: Recipe, out: Path, resume_from: Path | None, progress: Progress) -> None:
    """Follow a recipe in `recipe.processes` new processes on this machine.

    Never a fork: this process may be a notebook's, with a GPU in use. They end when it does.

    Args:
        out: the run's folder.
        resume_from: as of `kitbox.run`.

    Raises:
        KeyboardInterrupt: when somebody stopped it before there was anything to save.
        KitboxError: what one of them raised; or a `TrainingError` that says which one ended how.
    """
    look(recipe)
    count = recipe.processes
    with TemporaryDirectory(prefix="kitbox-", ignore_cleanup_errors=True) as place:
        file = Path(place) / "recipe.yaml"
        file.write_text(recipe.text(), encoding="utf-8")
        arguments = ["run", str(file), "--out", str(out)]
        if resume_from is not None:
            arguments += ["--resume-from", str(resume_from)]
        process = subprocess.Popen(
            [*_launcher(count, Path(place)), "--module", "kitbox", *arguments],
            stdin=subprocess.PIPE,
            stdout=None if progress.terminal else subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(place),
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # a terminal's Ctrl-C comes to this process alone
        )
        said = _Said(process)
        try:
            with Stop(lambda text: _stop(process)) as stop:
                for line in process.stdout or ():
                    progress.say(line.rstrip("\n"))
                status = process.wait()
        finally:
            _end(process)
            errors = said.all()
        if status == 0:
            sys.stderr.write(errors)  # warnings only
            return
        if stop.asked:
            raise KeyboardInterrupt
        raise _why(reported(Path(place)), errors, count, status)


def look(recipe: Recipe) -> None:
    """Stop now where the processes could not work.

    Raises:
        RecipeError: naming what is in the way.
    """
    import torch

    gpus = torch.cuda.device_count()
    if 0 < gpus < recipe.processes:
        raise RecipeError(
            f"`processes: {recipe.processes}` takes a GPU for each, this machine has {gpus}",
            do=f"Give `processes: {gpus}`" if gpus > 1 else "Leave `processes` out",
        )
    for kind, plugin in recipe.plugins().items():
        plugins = registry.KINDS[kind]
        name = plugins.name_of(type(plugin))
        if name and plugins.find(name).package == SESSION:
            raise RecipeError(
                f"The {kind} {name!r} was registered in this session; other processes do not "
                "know it",
                do="Put it into a package with an entry point, or leave `processes` out",
            )


def _launcher(count: int, place: Path) -> list[str]:
    """The command that starts so many processes; what it runs follows.

    Args:
        place: a folder for the launcher's configuration, which else is the user's own.
    """
    config = place / "accelerate.yaml"
    config.write_text("compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_GPU\n")
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, environment.cores() // count))
    return [
        *(sys.executable, "-m", "accelerate.commands.launch"),
        *("--config_file", str(config), "--gpu_ids", "all"),
        "--multi_gpu",  # Accelerate's word for several processes, also without a GPU
        *("--num_processes", str(count), "--num_machines", "1", "--machine_rank", "0"),
        *("--main_process_port", "0"),  # any that is free
        *("--mixed_precision", "no", "--dynamo_backend", "no"),  # a run chooses its own
        *("--num_cpu_threads_per_process", threads),
    ]


def _environment(place: str) -> dict[str, str]:
    """Environment variables of the processes, without a person's own for these launchers."""
    foreign = ("ACCELERATE_", "FSDP_", "PET_", "TORCHELASTIC_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),  # a notebook's too
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
        PLACE: place,
        environment.BEGAN: str(environment.began()),
    }


class _Said:
    """What the processes say on their standard error: passed on until one of them fails."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        self._kept: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(process.stderr,), daemon=True)
        self._thread.start()

    def _read(self, lines: TextIO) -> None:
        with lines:
            self._sort(lines)

    def _sort(self, lines: TextIO) -> None:
        for line in lines:
            if self._kept or _ELASTIC.search(line):
                self._kept.append(line)
            else:
                sys.stderr.write(line)

    def all(self) -> str:
        """What was not passed on."""
        self._thread.join(timeout=10)
        return "".join(self._kept)


def _stop(process: subprocess.Popen[str]) -> None:
    """Pass a Ctrl-C on; the main process says what becomes of it."""
    assert process.stdin is not None
    with suppress(OSError, ValueError):  # they have ended
        process.stdin.write("s")
        process.stdin.flush()


def _end(process: subprocess.Popen[str]) -> None:
    """Make sure that none of them is left."""
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _why(told: dict[int, KitboxError], said: str, count: int, status: int) -> KitboxError:
    """The error of a run whose processes ended with a failure.

    Args:
        told: what processes told of their ends.
        said: what the launcher said.
        status: the launcher's exit status.
    """
    for error in told.values():
        if not isinstance(error, LostError | SilentError):
            return error
    for error in told.values():  # the launcher ended the silent one, in the end
        if isinstance(error, SilentError):
            return error
    # Others ended because that one did: they told so, aborted, or the launcher ended them.
    others, _, root = said.partition("Root Cause")
    ends: dict[int, int] = {}
    for rank, code in _FAILED.findall(root) + _FAILED.findall(others):
        ends.setdefault(int(rank), int(code))
    first = {rank: code for rank, code in ends.items() if rank not in told}
    first = {rank: code for rank, code in first.items() if code != -signal.SIGTERM} or first
    goes_on = "The same command goes on from the last checkpoint"
    if not first and told:  # all of them were lost to one another, by a fault of their network
        return next(iter(told.values()))
    if not first:
        sys.stderr.write(said)
        return TrainingError(
            f"The launcher of {counted(count, 'process', 'processes')} ended with status {status}",
            do=goes_on,
        )
    rank, code = next(iter(first.items()))
    if code >= 0:
        sys.stderr.write(said)  # with its traceback
        how, do = f"failed with exit status {code}", goes_on
    else:
        with suppress(ValueError):
            code = signal.Signals(-code).name
        how, do = f"was killed ({code})", goes_on
        if code == "SIGKILL":
            do += "; if nobody killed it, the memory was full: a smaller `batch_size` needs less"
    return TrainingError(f"Process {rank + 1} of {count} {how}, and the others were ended", do=do)
