"""Pictures for people: a batch as the model sees it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kitbox.contracts import Task
from kitbox.data.batches import Loader
from kitbox.data.mixing import Mix
from kitbox.results.lettering import Lettering

if TYPE_CHECKING:
    import torch
    from PIL import Image

_GAP, _LINE, _LINES, _COLUMNS = 6, 16, 3, 4
_LETTERS, _BASE = 12, 12  # pixels: the size, and how far below its top a line's base is


def batch(
    loader: Loader,
    task: Task,
    images: torch.Tensor,
    targets: torch.Tensor,
    mix: Mix | None = None,
    seed: Sequence[int] = (),
) -> Image.Image:
    """A grid of normalised images (B, C, H, W), their targets (B, ...) drawn on them.

    Args:
        mix: mixes the pictures of each row of the grid, and their captions say how.
    """
    pictures, captions = [], []
    for start in range(0, len(images), _COLUMNS):
        some, wanted = images[start : start + _COLUMNS], targets[start : start + _COLUMNS]
        own = 1.0
        if mix is not None:
            whole = mix.model_copy(update={"share": 1.0})  # also those batches that are mixed
            some, own = whole.apply(some, (*seed, start))
        drawn = zip(visible(loader, some), wanted.cpu().numpy(), strict=True)
        shown = [task.draw(picture, target) for picture, target in drawn]
        for (picture, caption), (_, other) in zip(shown, reversed(shown), strict=True):
            pictures.append(picture)
            captions.append(caption if mix is None else _mixed(own, caption, other))
    return grid(pictures, captions, columns=_COLUMNS)


def _mixed(own: float, caption: str, other: str) -> str:
    """
    >>> _mixed(0.7, "daisy", "tulip")
    '0.7 daisy + 0.3 tulip'
    """
    return " + ".join(
        f"{round(share, 2):g} {of}".strip() for share, of in ((own, caption), (1 - own, other))
    )


def visible(loader: Loader, images: torch.Tensor) -> np.ndarray:
    """Normalised images (B, C, H, W) back to pictures (B, H, W, 3) uint8."""
    values = np.asarray(images.permute(0, 2, 3, 1).float().cpu())
    values = values * np.asarray(loader.std, np.float32) + np.asarray(loader.mean, np.float32)
    pictures = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
    if pictures.shape[3] == 1:
        return pictures.repeat(3, axis=3)
    return pictures[..., :3]


def grid(
    pictures: Sequence[np.ndarray],
    captions: Sequence[str],
    *,
    columns: int = _COLUMNS,
    cell: int = 160,
) -> Image.Image:
    """Pictures (H, W, 3) uint8 in rows, a caption of up to three lines under each."""
    from PIL import Image, ImageDraw

    height, width = pictures[0].shape[:2]
    scale = cell / max(height, width)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    letters = Lettering(captions, _LETTERS)
    told = [_lines(letters.readable(caption), w, letters.length) for caption in captions]
    below = _LINE * max(map(len, told)) + 2
    sheet = Image.new(
        "RGB",
        (columns * (w + _GAP) + _GAP, rows * (h + below + _GAP) + _GAP),
        "white",
    )
    pen = ImageDraw.Draw(sheet)
    for i, (picture, lines) in enumerate(zip(pictures, told, strict=True)):
        x = _GAP + (i % columns) * (w + _GAP)
        y = _GAP + (i // columns) * (h + below + _GAP)
        how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
        sheet.paste(Image.fromarray(picture).resize((w, h), how), (x, y))
        for number, line in enumerate(lines):
            letters.write(pen, x, y + h + 1 + _LINE * number + _BASE, line)
    return sheet


def _lines(caption: str, width: float, length: Callable[[str], float]) -> list[str]:
    """A caption in lines of at most `width`, at most `_LINES`; what is too long ends with …"""
    lines = [""]
    for word in caption.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if length(longer) <= width or not lines[-1]:
            lines[-1] = longer
        elif len(lines) < _LINES:
            lines.append(word)
        else:
            lines[-1] = f"{longer} …"
            break
    return [_cut(line, width, length) for line in lines]


def _cut(line: str, width: float, length: Callable[[str], float]) -> str:
    while line and length(line) > width:
        line = line[:-2] + "…" if len(line) > 2 else ""
    return line


def png(image: Image.Image) -> bytes:
    """A picture as the bytes of a PNG file."""
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()
