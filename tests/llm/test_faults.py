"""Runs against a server that fails: they end well or with one clear error, in time, within budgets, and leave nothing
behind."""

from __future__ import annotations

import logging
import pickle
import re
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from llmopt import Budget, OptimizeResult
from llmopt.errors import InvalidInput, ModelError
from llmopt.llm import Message, Request
from llmopt.llm.anthropic import AnthropicLLM
from llmopt.llm.ledger import BudgetSpent, Ledger, total
from llmopt.llm.metered import Metered
from llmopt.llm.openai import OpenAILLM
from llmopt.llm.prices import FREE, Price
from llmopt.llm.remote import RemoteLLM
from llmopt.llm.retry import Retries
from llmopt.llm.terms import Terms
from llmopt.opro import OPRO
from llmopt.problems.regression import LinearRegression
from llmopt.run import run
from support.fault_server import FAULTS, PASSING, PERMANENT, SILENT, UNPRICED, FaultServer, solution
from support.logs import recorded

KEY = "sk-never-shown-0123456789"
PROVIDERS = {"openai": (OpenAILLM, "gpt-4o"), "anthropic": (AnthropicLLM, "model")}
CHAT = Request((Message("user", "say something"),), n=3)
PRICE = Price(100.0, 200.0, 10.0)
DEADLINE = 5.0


def model(provider: str, server: FaultServer, *, attempt_seconds: float = 0.3) -> RemoteLLM:
    kind, name = PROVIDERS[provider]
    retries = Retries(first=0.005, longest=0.02, attempt_seconds=attempt_seconds, call_seconds=DEADLINE, seed=0)
    return kind(name, server.url, api_key=KEY, retries=retries)


def optimize(llm: RemoteLLM, budget: Budget) -> OptimizeResult:
    terms = Terms(prices={llm.info.spec: PRICE})
    return run(LinearRegression(points=5), OPRO(llm, samples=4, retries=1), budget, terms=terms)


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    process = psutil.Process()
    threads, sockets = set(threading.enumerate()), len(process.net_connections())
    yield
    # A handler of the server ends just after the answer that the client has read.
    patience = time.monotonic() + 5
    while time.monotonic() < patience:
        left = set(threading.enumerate()) - threads
        if not left and len(process.net_connections()) <= sockets:
            return
        time.sleep(0.01)
    pytest.fail(f"left behind: {left}, {process.net_connections()}")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_overcome_and_what_was_reported_is_counted(provider: str, fault: str) -> None:
    # Long enough for a good answer on a slow machine; what hangs is given up sooner.
    seconds = 1.0 if fault in ("hang", "drip", "drip-header") else DEADLINE
    with FaultServer([fault]) as server, model(provider, server, attempt_seconds=seconds) as llm:
        [response] = llm.generate([CHAT])
        assert len(response.replies) == 3
        assert all(reply.text.startswith("reply") for reply in response.replies)
        usage, told = response.usage, server.reported
        assert (usage.calls, usage.prompt_tokens, usage.completion_tokens) == (told.calls, told.prompt, told.completion)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_is_one_clear_error_in_time(provider: str, fault: str) -> None:
    with FaultServer([fault] * 1000, solution) as server, model(provider, server, attempt_seconds=0.12) as llm:
        began = time.monotonic()
        if fault in ("fewer", "no-usage", "text-usage"):
            assert len(llm.generate([CHAT])[0].replies) == 3
            return
        with pytest.raises(ModelError) as error:
            llm.generate([CHAT])
        assert time.monotonic() - began < DEADLINE + 1
        assert "\n" not in str(error.value) and llm.info.spec in str(error.value)
        assert len(server.bodies) <= (3 if fault in PERMANENT else 18)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_error_ends_a_run_and_keeps_what_was_evaluated(provider: str) -> None:
    calls = 1 if provider == "openai" else 4
    with FaultServer(["ok"] * calls + ["401"] * 50, solution) as server, model(provider, server) as llm:
        result = optimize(llm, Budget(steps=5))
    assert result.stop_reason == "error"
    assert "401" in result.message
    assert result.nfev > 5


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_request_that_is_refused_can_be_found(provider: str) -> None:
    long = Request((Message("user", f"Q: how many? {'x' * 5_000}"),))
    said = r"answered 400 .* has 5,013 characters and begins with 'Q: how many\? x"
    with (
        FaultServer(["400"] * 9, solution) as server,
        model(provider, server) as llm,
        pytest.raises(ModelError, match=said),
    ):
        llm.generate([long])


def mixtures() -> st.SearchStrategy[list[str]]:
    passing = ["ok"] * 8 + list(PASSING)
    return st.lists(st.sampled_from(passing), max_size=40) | st.lists(
        st.sampled_from(passing + list(PERMANENT)), max_size=40
    )


def check_mixture(
    provider: str, schedule: list[str], max_tokens: int | None, max_calls: int | None, max_cost: float | None
) -> None:
    with FaultServer(schedule, solution) as server, model(provider, server, attempt_seconds=0.12) as llm:
        budget = Budget(steps=3, seconds=DEADLINE, tokens=max_tokens, calls=max_calls, cost=max_cost)
        began = time.monotonic()
        result = optimize(llm, budget)
        assert time.monotonic() - began < DEADLINE + 1
        limits = {"seconds", "tokens", "calls", "cost"}
        assert result.stop_reason in {"steps", "error", *limits}
        assert result.message and "\n" not in result.message and KEY not in result.message
        assert result.stop_reason not in limits or "budget" in result.message
        event(re.sub(r"\d[\d,.]*|http\S+", "#", result.message)[:60])
        spent, told, done = total(result.spent), server.reported, server.done
        assert spent.calls >= len(server.bodies)
        counts = (spent.prompt_tokens, spent.completion_tokens)
        silent = sum(fault in SILENT + UNPRICED for fault in server.met)
        # More are silent where a connection was just cut off, or the machine is too slow for the deadline.
        if result.stop_reason == "steps" and spent.unreported == silent:
            assert counts == (told.prompt, told.completion)
            assert spent.calls == len(server.bodies)
            event("the counts are equal")
        assert all(ours <= theirs for ours, theirs in zip(counts, (told.prompt, told.completion), strict=True))
        if max_tokens is not None:
            assert done.prompt + done.completion <= spent.tokens <= max_tokens
        if max_cost is not None:
            assert PRICE.cost(done.prompt, done.prompt, done.completion) <= (spent.dollars or 0) <= max_cost
        if max_calls is not None:
            assert len(server.bodies) <= spent.calls <= max_calls


MIXTURE = given(
    st.sampled_from(sorted(PROVIDERS)),
    mixtures(),
    st.none() | st.integers(1_000, 100_000),
    st.none() | st.integers(1, 60),
    st.none() | st.floats(0.1, 15.0),
)
CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@MIXTURE
@settings(max_examples=50, suppress_health_check=CHECKS)
def test_a_run_through_any_mixture_of_faults_is_right_or_ends_with_one_error(
    provider: str, schedule: list[str], max_tokens: int | None, max_calls: int | None, max_cost: float | None
) -> None:
    check_mixture(provider, schedule, max_tokens, max_calls, max_cost)


@pytest.mark.slow
@MIXTURE
@settings(max_examples=500, suppress_health_check=CHECKS)
def test_a_run_through_many_mixtures_of_faults_is_right_or_ends_with_one_error(
    provider: str, schedule: list[str], max_tokens: int | None, max_calls: int | None, max_cost: float | None
) -> None:
    check_mixture(provider, schedule, max_tokens, max_calls, max_cost)


def test_no_number_of_calls_in_flight_exceeds_a_budget() -> None:
    # Long enough for many to be there at once, on a busy machine too.
    with FaultServer(delay=0.06) as server, model("openai", server, attempt_seconds=5) as llm:
        ledger = Ledger(max_tokens=2_000)
        metered = Metered(llm, ledger, "scorer", price=None)
        ready = threading.Barrier(64)
        errors = []

        def ask() -> None:
            ready.wait()
            try:
                while True:
                    metered.generate([Request((Message("user", "a"),), max_tokens=10)])
            except BudgetSpent as error:
                errors.append(error)

        threads = [threading.Thread(target=ask) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        total = ledger.total()
        assert len(errors) == 64
        assert total.tokens == server.done.prompt + server.done.completion <= 2_000
        # What calls leave over of their reservations is used by others.
        assert total.tokens > 2_000 - (64 + 10 + 1)
        assert server.most_at_once > 10


def test_usage_above_what_a_call_can_take_stops_a_run_that_has_a_budget() -> None:
    with FaultServer(["wrong-usage"], solution) as server, model("openai", server) as llm:
        result = optimize(llm, Budget(steps=3, tokens=100_000))
        assert result.stop_reason == "error"
        assert "more than" in result.message
        assert total(result.spent).prompt_tokens == 10**9
        assert len(server.bodies) == 1


def test_a_call_that_never_answered_is_charged_at_its_bound() -> None:
    with FaultServer(["hang"] * 9) as server, model("openai", server, attempt_seconds=0.05) as llm:
        ledger = Ledger()
        with pytest.raises(ModelError, match="did not answer in time"):
            Metered(llm, ledger, "optimizer", price=None).generate([CHAT])
        total = ledger.total()
        assert (total.calls, total.retries, total.unreported) == (6, 5, 6)
        assert total.unreported_tokens == 6 * (64 + len("say something") + 3 * 64)
        assert total.dollars is None


def test_ctrl_c_gives_up_what_is_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer(["hang"] * 20) as server, model("openai", server, attempt_seconds=60) as llm:
        began = time.monotonic()

        def interrupted(*args: object, **more: object) -> None:
            time.sleep(0.1)
            raise KeyboardInterrupt

        monkeypatch.setattr("llmopt.llm.remote.wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            llm.generate([CHAT] * 10)
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_key_is_shown_nowhere(provider: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "httpcore2")
    shown = []
    schedule = ["ok", *["401", "500", "429", "reset"] * 8]
    with FaultServer(schedule, solution) as server, model(provider, server) as llm:
        with recorded(tmp_path / "log", llm) as recorder:
            recorder.generate([Request(CHAT.prompt)])
            for _ in range(6):
                try:
                    recorder.generate([CHAT])
                except ModelError as error:
                    shown += [repr(error), str(error), *traceback.format_exception(error)]
                    shown += [repr(error.__context__), repr(error.__cause__)]
        result = optimize(llm, Budget(steps=3))
        with pytest.raises(InvalidInput) as refused:
            pickle.dumps(llm)
        assert server.keys == {KEY}
        shown += [repr(llm), repr(llm.info), repr(vars(llm)), str(refused.value)]
    (tmp_path / "result").write_bytes(pickle.dumps(result.spent) + result.message.encode())
    assert caplog.records
    shown += [record.getMessage() + repr(vars(record)) for record in caplog.records]
    shown += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in shown if KEY in text]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_call_that_the_endpoint_lets_nobody_send_in_time_names_the_model(provider: str) -> None:
    with FaultServer([], solution) as server, model(provider, server) as llm:
        llm.limits.pause(1_000)
        with pytest.raises(ModelError, match="the next call may be sent in") as error:
            Metered(llm, Ledger(seconds=20), "optimizer", price=FREE).generate([CHAT])
        assert llm.info.spec in str(error.value)
