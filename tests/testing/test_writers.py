"""The built-in writers keep what strangers' must."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kitbox.runs import Runs
from kitbox.testing import WriterTests
from kitbox.writers.joined import Joined
from kitbox.writers.lookup import Lookup
from kitbox.writers.rle import Rle
from kitbox.writers.scalar import Scalar
from kitbox.writers.wide import Wide

IDS = ["b", "a", "d", "c"]


def numbers(*names: str) -> pd.DataFrame:
    values = np.random.default_rng(0).random((len(IDS), len(names)))
    return pd.DataFrame(values, columns=list(names)).assign(id=IDS)[["id", *names]]


class TestWide(WriterTests):
    @pytest.fixture
    def plugin(self) -> Wide:
        return Wide()

    @pytest.fixture
    def predictions(self) -> pd.DataFrame:
        return numbers("cat", "dog", "cow")

    @pytest.fixture
    def sample(self) -> pd.DataFrame:
        ids = sorted(IDS)
        return pd.DataFrame({"id": ids, "dog": "0.3", "cow": "0.3", "cat": "0.3"}, dtype=str)


class TestScalar(WriterTests):
    @pytest.fixture
    def plugin(self) -> Scalar:
        return Scalar()

    @pytest.fixture
    def predictions(self) -> pd.DataFrame:
        return numbers("cat", "dog", "cow")

    @pytest.fixture
    def sample(self) -> pd.DataFrame:
        return pd.DataFrame({"image": sorted(IDS), "breed": "dog"}, dtype=str)


class TestJoined(WriterTests):
    @pytest.fixture
    def plugin(self) -> Joined:
        return Joined(top=2)

    @pytest.fixture
    def predictions(self) -> pd.DataFrame:
        return numbers("cat", "dog", "cow")

    @pytest.fixture
    def sample(self) -> pd.DataFrame:
        return pd.DataFrame({"image": sorted(IDS), "tags": "cat dog"}, dtype=str)


class TestRle(WriterTests):
    @pytest.fixture
    def plugin(self) -> Rle:
        return Rle()

    @pytest.fixture
    def predictions(self) -> pd.DataFrame:
        rng = np.random.default_rng(0)
        masks = [Runs.of(rng.random((5, 7)) < 0.5) for _ in IDS]
        return pd.DataFrame({"id": IDS, "salt": masks})

    @pytest.fixture
    def sample(self) -> pd.DataFrame:
        return pd.DataFrame({"id": sorted(IDS), "rle_mask": "1 1"}, dtype=str)


class TestLookup(WriterTests):
    @pytest.fixture
    def plugin(self) -> Lookup:
        return Lookup()

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        lines = [f"{n},{one},x{n % 2}" for n, one in enumerate(one for one in IDS for _ in "xy")]
        table = "RowId,ImageId,FeatureName\n" + "\n".join(lines) + "\n"
        (tmp_path / "IdLookupTable.csv").write_text(table)
        return tmp_path

    @pytest.fixture
    def predictions(self) -> pd.DataFrame:
        return numbers("x0", "x1")

    @pytest.fixture
    def sample(self) -> pd.DataFrame:
        rows = [str(n) for n in (5, 2, 0, 6, 1)]
        return pd.DataFrame({"RowId": rows, "Location": "0"}, dtype=str)
