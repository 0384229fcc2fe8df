"""The built-in splitters keep what strangers' must."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kitbox.data.split import Auto, ByColumn, ByFolder, ByNames, Group, Random, Stratified
from kitbox.testing import SplitterTests


class TestAuto(SplitterTests):
    @pytest.fixture
    def plugin(self) -> Auto:
        return Auto(valid=0.25)


class TestRandom(SplitterTests):
    @pytest.fixture
    def plugin(self) -> Random:
        return Random(seed=3)


class TestStratified(SplitterTests):
    @pytest.fixture
    def plugin(self) -> Stratified:
        return Stratified()


class TestGroup(SplitterTests):
    @pytest.fixture
    def plugin(self) -> Group:
        return Group(by="who")

    @pytest.fixture
    def rows(self) -> pd.DataFrame:
        ids = [f"{number:02d}" for number in range(12)]
        who = [number % 4 for number in range(12)]
        return pd.DataFrame({"id": ids, "image": ids, "label": 1, "who": who})


class TestByFolder(SplitterTests):
    @pytest.fixture
    def plugin(self) -> ByFolder:
        return ByFolder(valid="group3")


class TestByColumn(SplitterTests):
    @pytest.fixture
    def plugin(self) -> ByColumn:
        return ByColumn(column="label", valid="cat")


class TestByNames(SplitterTests):
    @pytest.fixture
    def plugin(self) -> ByNames:
        return ByNames(file="valid.txt")

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "valid.txt").write_text("picture02\npicture11.png\n")
        return tmp_path
