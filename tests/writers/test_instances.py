import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kitbox.runs import Runs
from kitbox.writers.instances import instances


def flooded(mask: np.ndarray, corners: bool) -> list[set[tuple[int, int]]]:
    """The connected pieces by flooding, pixel by pixel."""
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    pieces = []
    while left:
        edge = [left.pop()]
        piece = set(edge)
        while edge:
            y, x = edge.pop()
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    near = (y + dy, x + dx)
                    if near in left and (corners or not (dy and dx)):
                        left.discard(near)
                        piece.add(near)
                        edge.append(near)
        pieces.append(piece)
    return sorted(pieces, key=lambda piece: min((x, y) for y, x in piece))


@given(
    mask=arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8)),
    connectivity=st.sampled_from([4, 8]),
)
def test_pieces_are_those_of_flooding(mask: np.ndarray, connectivity: int) -> None:
    found = instances(Runs.of(mask), connectivity)  # type: ignore[arg-type]
    assert [{(int(y), int(x)) for y, x in np.argwhere(p.mask())} for p in found] == flooded(
        mask, connectivity == 8
    )


@pytest.mark.parametrize(("connectivity", "count"), [(4, 2), (8, 1)])
def test_corners(connectivity: int, count: int) -> None:
    runs = Runs.of(np.eye(2, dtype=bool))
    assert len(instances(runs, connectivity)) == count  # type: ignore[arg-type]


def test_none() -> None:
    assert instances(Runs.of(np.zeros((3, 4), bool))) == []
