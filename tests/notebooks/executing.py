"""A notebook run from top to bottom in a kernel of its own, without network."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import closed
import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

BOOKS = Path(__file__).resolve().parents[2] / "notebooks"
KERNEL = Path(__file__).with_name("kernel.py")


class Executed:
    """A notebook and what it came to.

    Attributes:
        book: the notebook, with outputs.
        seconds: of CPU that the kernel took.
    """

    def __init__(self, book: Any, seconds: float) -> None:
        self.book, self.seconds = book, seconds

    def outputs(self, cell: str | None = None) -> list[Any]:
        """Of a cell, by its id, or of all cells."""
        ids = [one.id for one in self.book.cells]
        assert cell is None or cell in ids, f"no cell {cell} among {ids}"
        return [
            output
            for one in self.book.cells
            if one.cell_type == "code" and cell in (None, one.id)
            for output in one.outputs
        ]

    def text(self, cell: str | None = None) -> str:
        """All that a person can read in the outputs."""
        found = []
        for output in self.outputs(cell):
            found.append(output.get("text", ""))
            data = output.get("data", {})
            found.append(data.get("text/plain", ""))
            found.append(re.sub(r"base64,[^\"']+", "", data.get("text/html", "")))
        return "\n".join(found)

    def number(self, pattern: str, cell: str | None = None) -> float:
        """The number in the group of a pattern, where it is found last."""
        found = re.findall(pattern, self.text(cell))
        assert found, f"{pattern!r} is not in:\n{self.text(cell)}"
        return float(found[-1])

    def pictures(self, cell: str) -> int:
        """How many pictures a cell shows."""
        data = [output.get("data", {}) for output in self.outputs(cell)]
        inside = sum(one.get("text/html", "").count("data:image/png") for one in data)
        return inside + sum("image/png" in one or "image/jpeg" in one for one in data)

    def check(self) -> None:
        """Nothing went wrong, and nothing is there that nobody wants to read."""
        for cell in self.book.cells:
            if cell.cell_type != "code":
                continue
            assert cell.execution_count, f"cell {cell.id} was not run"
            for output in cell.outputs:
                assert output.output_type != "error", f"{cell.id}: {output}"
                said = output.get("text", "")
                assert output.get("name") != "stderr", f"{cell.id}: {said}"
                assert not re.search("[\x1b\r]", said), f"{cell.id}: {said!r}"
                assert not re.search(r"\w*Warning\b|Traceback", said), f"{cell.id}: {said}"


def execute(
    name: str,
    folder: Path,
    parameters: Mapping[str, Any],
    *,
    read_only: Path,
    env: Mapping[str, str],
    but: str = "",
) -> Executed:
    """Run a notebook in a folder, with values of its parameters after its own.

    Args:
        name: of the notebook.
        folder: the working folder; it is made. The notebook with its outputs is kept beside it.
        parameters: put into a cell after the one that is tagged `parameters`.
        read_only: nothing below it may be changed.
        env: variables for the kernel.
        but: the one address that it may reach.
    """
    folder.mkdir(parents=True, exist_ok=True)
    book = nbformat.read(BOOKS / f"{name}.ipynb", as_version=4)
    place = [i for i, one in enumerate(book.cells) if "parameters" in one.metadata.get("tags", ())]
    assert len(place) == 1, f"one cell is tagged `parameters`, found {len(place)}"
    lines = "\n".join(f"{key} = {value!r}" for key, value in parameters.items())
    injected = nbformat.v4.new_code_cell(lines, metadata={"tags": ["injected-parameters"]})
    book.cells.insert(place[0] + 1, injected)
    began = _spent()
    variables = {**os.environ, "CLOSED_BUT": but, "IPYTHONDIR": f"{folder}-ipython", **env}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with _manager(read_only) as manager, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the client's libraries
        client = NotebookClient(
            book, km=manager, timeout=900, resources={"metadata": {"path": str(folder)}}
        )
        try:
            client.execute(env=variables, cleanup_kc=True)
        finally:
            book.metadata["seconds"] = _spent() - began
            nbformat.write(book, folder.with_suffix(".ipynb"))
    return Executed(book, book.metadata["seconds"])


def _spent() -> float:
    """Seconds of CPU of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def _manager(read_only: Path) -> Iterator[AsyncKernelManager]:
    """A manager of kernels that are closed; it speaks to them through files, not the network."""
    # The path of such a file may have about a hundred letters, which pytest's folders exceed.
    place = Path(tempfile.mkdtemp(prefix="kb-"))
    try:
        argv = [sys.executable, closed.__file__, str(read_only), str(KERNEL)]
        spec = {
            "argv": [*argv, "-f", "{connection_file}"],
            "display_name": "closed",
            "language": "python",
        }
        (place / "specs" / "closed").mkdir(parents=True)
        (place / "specs" / "closed" / "kernel.json").write_text(json.dumps(spec))
        manager = AsyncKernelManager(
            kernel_name="closed",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(place / "specs")]),
            transport="ipc",
            ip=str(place / "k"),
            connection_file=str(place / "connection.json"),
        )
        yield manager
    finally:
        shutil.rmtree(place, ignore_errors=True)
