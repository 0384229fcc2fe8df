"""What a plugin author implements.

A plugin is a class whose fields are its options: it derives from
`kitbox.Options` (a frozen pydantic model that forbids unknown keys) and has the
methods of one of the protocols below. An entry point in the group
`kitbox.<kind>s` names it. Options are checked before anything is fetched, so a
plugin's module imports heavy libraries inside its functions only.

A package says which version of the contracts it was made for, in its metadata, so that it is
known before anything of it is imported. In `pyproject.toml`:

    [project.entry-points."kitbox.contract"]
    1 = "kitbox.contracts"

`kitbox.testing` has tests of each contract to inherit, `docs/write-a-task.md` shows the way.

A file a kind: `kitbox/contracts/source.py`, `labeler.py`, `splitter.py`, `augmentation.py`,
`backbone.py`, `task.py` (and `task_extras.py`, what a task may leave out), `writer.py`. All names
are imported from `kitbox.contracts`.

Shapes: B batch, C channels, H and W pixels, N rows, K outputs, F features.
"""

from __future__ import annotations

from kitbox.contracts.augmentation import Augmentation
from kitbox.contracts.backbone import Attaches, Backbone, Body, Weights
from kitbox.contracts.batches import Batches
from kitbox.contracts.labeler import Labeler, Labels
from kitbox.contracts.source import Source
from kitbox.contracts.splitter import Splitter
from kitbox.contracts.task import Tally, Task
from kitbox.contracts.task_extras import Advises, Decides, Interprets, Mirrors, Recalls, Variation
from kitbox.contracts.writer import Remarks, Writer

CONTRACT = 1
"""The version of these contracts; another where a plugin that kept them may not keep them now."""

__all__ = [
    "CONTRACT",
    "Advises",
    "Attaches",
    "Augmentation",
    "Backbone",
    "Batches",
    "Body",
    "Decides",
    "Interprets",
    "Labeler",
    "Labels",
    "Mirrors",
    "Recalls",
    "Remarks",
    "Source",
    "Splitter",
    "Tally",
    "Task",
    "Variation",
    "Weights",
    "Writer",
]
