"""Plots that show themselves and are saved; titles as file names."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from kitbox.interpretation.section import Plot, Section, slug


def test_a_plot_is_a_picture_for_notebooks_and_files(tmp_path: Path) -> None:
    plot = Plot(figsize=(2, 1))
    plot.subplots().plot([0, 1])
    shown = Image.open(io.BytesIO(plot._repr_png_()))
    assert shown.size == (220, 110)
    assert np.asarray(shown)[0, 0, 0] == 255
    with Image.open(plot.save(tmp_path / "a.png")) as saved:
        assert saved.size == (220, 110)


def test_no_global_state_knows_of_it() -> None:
    import matplotlib.pyplot as plt

    Plot(figsize=(1, 1)).png()
    assert plt.get_fignums() == []


def test_letters_that_the_font_lacks_are_no_warning() -> None:
    plot = Plot(figsize=(1, 1))
    plot.suptitle("\U0001f9c5 日本")
    assert plot.png()


def test_sections_and_slugs() -> None:
    assert Section("a").tables == {}
    assert slug("Mean IoU: a / b") == "mean-iou-a-b"


def test_a_plot_with_a_name_that_is_no_text() -> None:
    plot = Plot(figsize=(2, 2))
    axis = plot.subplots()
    axis.set_title("caf\udce9")
    axis.plot([0, 1], label="caf\udce9")
    axis.legend()
    assert plot.png()[:4] == b"\x89PNG"
