import math

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from kitbox.bounds import Bounds, clipped


def test_bounds() -> None:
    check = TypeAdapter(Bounds).validate_python
    assert check([0, math.inf]) == (0, math.inf)
    for wrong in ([1, 0], [math.nan, 1], [0, math.nan]):
        with pytest.raises(ValidationError, match="lower bound"):
            check(wrong)


def test_clipped() -> None:
    assert clipped(np.array([-1.0, 0.5, 9.0]), (0, 4)).tolist() == [0, 0.5, 4]
    assert clipped(np.array([-1.0, 9.0]), (0, math.inf)).tolist() == [0, 9]
    assert clipped(np.array([-1.0]), None).tolist() == [-1]
