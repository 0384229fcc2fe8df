"""Pictures for people: a batch as the model sees it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kitbox.contracts import Task
from kitbox.data.batches import Loader

if TYPE_CHECKING:
    import torch
    from PIL import Image

_GAP, _LINE = 6, 18


def batch(loader: Loader, task: Task, images: torch.Tensor, targets: torch.Tensor) -> Image.Image:
    """A grid of normalised images (B, C, H, W), their targets (B, ...) drawn on them."""
    pictures, captions = [], []
    for picture, target in zip(visible(loader, images), targets.cpu().numpy(), strict=True):
        drawn, caption = task.draw(picture, target)
        pictures.append(drawn)
        captions.append(caption)
    return grid(pictures, captions)


def visible(loader: Loader, images: torch.Tensor) -> np.ndarray:
    """Normalised images (B, C, H, W) back to pictures (B, H, W, 3) uint8."""
    values = np.asarray(images.permute(0, 2, 3, 1).float().cpu())
    values = values * np.asarray(loader.std, np.float32) + np.asarray(loader.mean, np.float32)
    pictures = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
    if pictures.shape[3] == 1:
        return pictures.repeat(3, axis=3)
    return pictures[..., :3]


def grid(
    pictures: Sequence[np.ndarray], captions: Sequence[str], *, columns: int = 4, cell: int = 160
) -> Image.Image:
    """Pictures (H, W, 3) uint8 in rows, a caption under each."""
    from PIL import Image, ImageDraw, ImageFont

    height, width = pictures[0].shape[:2]
    scale = cell / max(height, width)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = Image.new(
        "RGB",
        (columns * (w + _GAP) + _GAP, rows * (h + _LINE + _GAP) + _GAP),
        "white",
    )
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for i, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        x = _GAP + (i % columns) * (w + _GAP)
        y = _GAP + (i // columns) * (h + _LINE + _GAP)
        how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
        sheet.paste(Image.fromarray(picture).resize((w, h), how), (x, y))
        shown = caption
        while shown and pen.textlength(shown, font) > w:
            shown = shown[:-2] + "…" if len(shown) > 2 else ""
        pen.text((x, y + h + 1), shown, "black", font)
    return sheet


def png(image: Image.Image) -> bytes:
    """A picture as the bytes of a PNG file."""
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()
