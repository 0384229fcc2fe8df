"""Colours and names in drawings."""

from __future__ import annotations

import os

from kitbox import ink


def test_colours_begin_again() -> None:
    assert ink.lines(2) == list(ink.LINES[:2])
    assert ink.lines(len(ink.LINES) + 1) == [*ink.LINES, ink.LINES[0]]
    assert len(set(ink.LINES)) == len(ink.LINES)


def test_names_are_cut() -> None:
    assert ink.shortened("a \n long name", 30) == "a long name"
    assert ink.shortened("abcdefgh", 5) == "abcd…"


def test_bytes_that_are_no_text_are_spelt_out() -> None:
    name = os.fsdecode(b"caf\xe9")
    assert ink.drawable(name) == ink.shortened(name, 30) == r"caf\udce9"
    assert ink.drawable("café 猫 🐈") == "café 猫 🐈"
