"""How much may be asked of an endpoint at a time."""

from __future__ import annotations

import pickle
import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm.limits import Limits
from support.clock import FakeClock

STOP = threading.Event()


@given(
    st.none() | st.integers(1, 5),
    st.none() | st.integers(10, 50),
    st.lists(st.tuples(st.integers(1, 60), st.floats(0, 30)), max_size=40),
)
def test_no_minute_holds_more_than_is_allowed(
    requests: int | None, tokens: int | None, calls: list[tuple[int, float]]
) -> None:
    clock = FakeClock()
    limits = Limits(requests_per_minute=requests, tokens_per_minute=tokens, clock=clock)
    admitted = []
    for wanted, pause in calls:
        clock.time += pause
        before = clock.time
        at = limits.admit(wanted, STOP).at
        assert clock.time == max(before, at)
        admitted.append((at, wanted))
    assert all(a <= b for (a, _), (b, _) in pairwise(admitted))
    for start, _ in admitted:
        window = [wanted for at, wanted in admitted if start <= at < start + 60 - 1e-6]
        assert requests is None or len(window) <= requests
        # A call that is larger than the limit goes alone.
        assert tokens is None or sum(window) <= tokens or len(window) == 1


def test_nobody_waits_without_a_need() -> None:
    clock = FakeClock()
    limits = Limits(requests_per_minute=3, clock=clock)
    assert [limits.admit(1, STOP).at - 100 for _ in range(7)] == [0, 0, 0, 60, 60, 60, 120]


def test_tokens_that_were_not_used_are_given_back() -> None:
    clock = FakeClock()
    limits = Limits(tokens_per_minute=100, clock=clock)
    limits.admit(90, STOP).tokens = 10
    assert limits.admit(90, STOP).at == 100


def test_a_pause_holds_everyone() -> None:
    clock = FakeClock()
    limits = Limits(clock=clock)
    limits.pause(5)
    assert limits.admit(1, STOP).at == 105
    with pytest.raises(ModelError, match="too late"):
        limits.pause(50)
        limits.admit(1, STOP, until=110)


def test_a_place_is_waited_for_and_given_back() -> None:
    limits = Limits(2)
    most, now, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal most, now
        with limits.slot(STOP):
            with lock:
                now += 1
                most = max(most, now)
            with lock:
                now -= 1

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most <= 2
    stopped = threading.Event()
    stopped.set()
    with limits.slot(STOP), limits.slot(STOP), pytest.raises(ModelError, match="its turn"), limits.slot(stopped):
        pass


@pytest.mark.parametrize("name", ["concurrency", "requests_per_minute", "tokens_per_minute"])
def test_a_limit_below_one_is_refused(name: str) -> None:
    limits: dict[str, Any] = {name: 0}
    with pytest.raises(InvalidInput, match=f"{name} must be at least 1"):
        Limits(**limits)


def test_a_copy_in_another_process_counts_by_itself() -> None:
    copy = pickle.loads(pickle.dumps(Limits(3, 4, 5)))
    assert copy.concurrency == 3
