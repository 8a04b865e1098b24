"""What is tried again, when, and when it is given up."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.errors import ModelError
from llmopt.llm.retry import Circuit, Failure, Retries, retry_after
from support.clock import FakeClock

STOP = threading.Event()


def call(retries: Retries, *failures: Failure, took: float = 0.0, until: float = float("inf")) -> list[float]:
    """Call something that fails so often and then succeeds; return the seconds that attempts were given."""
    given_seconds: list[float] = []

    def attempt(number: int, seconds: float) -> list[float]:
        assert number == len(given_seconds)
        given_seconds.append(seconds)
        assert isinstance(retries.clock, FakeClock)
        retries.clock.time += took
        if number < len(failures):
            raise failures[number]
        return given_seconds

    return retries.run("model", attempt, stop=STOP, until=until)


BUSY = Failure("it answered 503", again=True)


def test_pauses_double_with_jitter_up_to_the_longest() -> None:
    clock = FakeClock()
    call(Retries(attempts=9, first=1, longest=10, clock=clock, circuit=Circuit(99, clock=clock)), *[BUSY] * 8)
    for pause, whole in zip(clock.slept, [1, 2, 4, 8, 10, 10, 10, 10], strict=True):
        assert whole / 2 <= pause <= whole
    assert len({pause / whole for pause, whole in zip(clock.slept, [1, 2, 4, 8, 10, 10, 10, 10], strict=True)}) == 8


def test_the_jitter_has_a_seed() -> None:
    slept = []
    for seed in (1, 1, 2):
        clock = FakeClock()
        call(Retries(seed=seed, clock=clock), BUSY, BUSY)
        slept.append(clock.slept)
    assert slept[0] == slept[1] != slept[2]


def test_what_the_server_asks_for_is_waited_for() -> None:
    clock = FakeClock()
    call(Retries(clock=clock), Failure("busy", again=True, after=7.0), BUSY)
    assert 7.0 <= clock.slept[0] <= 8.0
    assert clock.slept[1] <= 1.0


def test_a_wish_beyond_the_deadline_ends_the_call_at_once() -> None:
    clock = FakeClock()
    with pytest.raises(ModelError, match="asks to wait 3600 s"):
        call(Retries(clock=clock), Failure("busy", again=True, after=3600.0))
    assert clock.slept == []


def test_what_is_refused_for_good_is_not_tried_again() -> None:
    clock = FakeClock()
    with pytest.raises(ModelError, match=r"^model: wrong key$"):
        call(Retries(clock=clock), Failure("wrong key", again=False))
    assert clock.slept == []


def test_the_attempts_are_counted() -> None:
    clock = FakeClock()
    with pytest.raises(ModelError, match=r"it answered 503 \(3 attempts in \d+ s\)"):
        call(Retries(attempts=3, clock=clock), *[BUSY] * 9)


@given(st.floats(0.0, 50.0), st.integers(1, 12), st.floats(1.0, 300.0), st.floats(1.0, 300.0))
def test_no_call_is_longer_than_its_deadlines(took: float, failures: int, own: float, run: float) -> None:
    clock = FakeClock()
    retries = Retries(
        attempts=20, attempt_seconds=60.0, call_seconds=own, clock=clock, circuit=Circuit(99, clock=clock)
    )
    try:
        seconds = call(retries, *[BUSY] * failures, took=took, until=100.0 + run)
        # Differences of times are rounded.
        assert max(seconds) <= min(60.0, own, run) + 1e-9
    except ModelError:
        pass
    # An attempt keeps to the seconds that it is given; here it may take them once more.
    assert clock.time - 100.0 <= min(own, run) + took + 1e-9


def test_the_circuit_opens_after_failures_in_a_row_and_says_why() -> None:
    clock = FakeClock()
    circuit = Circuit(after=3, rest=60.0, clock=clock)
    retries = Retries(attempts=2, clock=clock, circuit=circuit)
    with pytest.raises(ModelError, match="2 attempts"):
        call(retries, BUSY, BUSY)
    with pytest.raises(ModelError, match="3 attempts in a row failed, the last one because model: it answered 503"):
        call(retries, BUSY, BUSY)
    with pytest.raises(ModelError, match="nothing more is sent to this endpoint for 60 s"):
        call(retries)
    clock.time += 61
    assert call(retries)
    # A success closes it.
    with pytest.raises(ModelError, match="2 attempts in"):
        call(retries, BUSY, BUSY)


def test_the_circuit_opens_again_at_the_first_failure_after_its_rest() -> None:
    clock = FakeClock()
    circuit = Circuit(after=2, rest=60.0, clock=clock)
    retries = Retries(attempts=1, clock=clock, circuit=circuit)
    for _ in range(2):
        with pytest.raises(ModelError):
            call(retries, BUSY)
        clock.time += 1
    clock.time += 61
    with pytest.raises(ModelError, match="503"):
        call(retries, BUSY)
    with pytest.raises(ModelError, match="nothing more is sent"):
        call(retries)


def test_failures_at_the_same_time_count_once() -> None:
    clock = FakeClock()
    circuit = Circuit(after=2, clock=clock)
    began = clock.time
    clock.time += 1
    for _ in range(64):
        circuit.failed(began, "busy")
    circuit.check()
    circuit.failed(clock.time, "busy")
    with pytest.raises(ModelError, match="busy"):
        circuit.check()


def test_whoever_is_told_to_stop_stops() -> None:
    stop = threading.Event()

    def attempt(number: int, seconds: float) -> None:
        stop.set()
        raise BUSY

    with pytest.raises(ModelError, match="given up"):
        Retries().run("model", attempt, stop=stop)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Wed, 11 Nov 2026 10:00:30 GMT", 30.0),
        ("Wed, 11 Nov 2026 09:59:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, datetime(2026, 11, 11, 10, 0, 0, tzinfo=UTC)) == seconds


@given(st.text())
def test_any_retry_after_is_harmless(header: str) -> None:
    seconds = retry_after(header)
    assert seconds is None or 0 <= seconds < float("inf")
