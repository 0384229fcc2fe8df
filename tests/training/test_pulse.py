"""Signs of life between processes; threads stand for them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch

from kitbox.errors import SilentError
from kitbox.training import pulse
from kitbox.training.pulse import Pulse


def soon(there: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not there():
        assert time.monotonic() < until
        time.sleep(0.01)


def silent(one: Pulse) -> bool:
    try:
        one.check()
    except SilentError:
        return True
    return False


def nobody(error: SilentError) -> None:
    pytest.fail(f"ended: {error}")


def test_who_vanishes_is_missed_and_who_lives_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "SILENCE", 1.5)
    store, ended = torch.distributed.HashStore(), list[SilentError]()
    monkeypatch.setattr(pulse, "GRACE", 0.3)
    with Pulse(0, 3, ended.append, lambda: store) as main:
        with Pulse(1, 3, nobody, lambda: store) as busy:  # its work takes longer than SILENCE
            with Pulse(2, 3, nobody, lambda: store):
                soon(lambda: len(main._heard) == 2)
                time.sleep(2.5)
                main.check()
                busy.check()
            soon(lambda: silent(main))
            with pytest.raises(SilentError, match=r"Process 3 of 3 no longer answers.*no sign for"):
                main.check()
            busy._end = lambda error: None
            soon(lambda: ended)  # it did not look by itself
        assert "Process 3 of 3" in str(ended[0])
        soon(lambda: "2 and 3" in str(_error(main)))
    assert len(ended) == 1


def _error(one: Pulse) -> SilentError | None:
    try:
        one.check()
    except SilentError as error:
        return error
    return None


def test_who_was_never_heard_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may do something else before it joins; signs of an earlier run are none."""
    monkeypatch.setattr(pulse, "SILENCE", 0.2)
    store = torch.distributed.HashStore()
    with Pulse(1, 2, nobody, lambda: store):
        pass
    with Pulse(0, 2, nobody, lambda: store) as main:
        time.sleep(0.8)
        main.check()


def test_a_store_that_is_gone_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "SILENCE", 1.0)
    monkeypatch.setattr(pulse, "GRACE", 60)
    shared, broken = torch.distributed.HashStore(), list[bool]()

    class Cut:
        """A store whose connection breaks."""

        def add(self, key: str, amount: int) -> int:
            if broken:
                raise torch.distributed.DistNetworkError("Connection was likely closed")
            return int(shared.add(key, amount))

    other = Pulse(1, 2, nobody, lambda: shared)
    with Pulse(0, 2, nobody, Cut) as main, other:  # type: ignore[arg-type]
        soon(lambda: main._heard)
        broken.append(True)
        soon(lambda: silent(main))
        broken.clear()
        soon(lambda: not silent(main))  # it came back in time


def test_alone_it_needs_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "SILENCE", 0.1)
    with Pulse(0, 1, nobody, lambda: pytest.fail("met")) as alone:
        time.sleep(0.3)
        alone.check()
