"""Counts, prices and budgets."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm import LLM, Capabilities, Constraint, Message, ModelInfo, Reply, Request, Response, Usage, prices
from llmopt.llm.ledger import Bound, BudgetSpent, Ledger
from llmopt.llm.metered import Metered, prompt_bound
from llmopt.llm.openai import OpenAILLM
from llmopt.llm.prices import FREE, Price
from llmopt.llm.retry import Circuit, Retries

PRICE = Price(input=2.0, output=10.0, cached=0.2, write=2.5)


class Scripted(LLM):
    """Answers with a usage, or raises."""

    def __init__(self, *script: Usage | Exception, spec: str = "test:model") -> None:
        self.script = list(script)
        self.spec = spec
        self.asked = 0

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(self.spec)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(chat=True, n=True)

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        self.asked += 1
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return [Response((Reply("x"),) * requests[0].n, step)]


REQUEST = Request((Message("user", "hello"),), n=2, max_tokens=10)


def test_a_call_counts_with_what_its_answer_reports() -> None:
    ledger = Ledger()
    ledger.reserve("a", PRICE, Bound(100, 50)).settle(Usage(1, 60, 20, 30), 1.5, written=10)
    ledger.reserve("b", PRICE, Bound(100, 50), again=True).free(0.5)
    ledger.reserve("b", PRICE, Bound(100, 50)).lost(2.0)
    a, b = ledger.roles()["a"], ledger.roles()["b"]
    assert (a.calls, a.retries, a.prompt_tokens, a.cached_tokens, a.completion_tokens) == (1, 0, 60, 20, 30)
    assert a.dollars == pytest.approx((30 * 2 + 20 * 0.2 + 10 * 2.5 + 30 * 10) / 1e6)
    assert (b.calls, b.retries, b.unreported, b.unreported_tokens, b.prompt_tokens) == (2, 1, 1, 150, 0)
    assert b.dollars == pytest.approx((100 * 2.5 + 50 * 10) / 1e6)
    total = ledger.total()
    assert (total.calls, total.seconds, total.tokens) == (3, 4.0, 240)


def test_an_unknown_price_is_unknown_and_never_zero() -> None:
    ledger = Ledger()
    ledger.reserve("a", PRICE, Bound(1, 1)).settle(Usage(1, 1, 0, 1), 0)
    ledger.reserve("b", None, Bound(1, 1)).settle(Usage(1, 1, 0, 1), 0)
    assert ledger.roles()["a"].dollars is not None
    assert ledger.roles()["b"].dollars is None
    assert ledger.total().dollars is None


def test_a_charge_is_booked_once() -> None:
    ledger = Ledger()
    charge = ledger.reserve("a", FREE, Bound(10, 10))
    charge.settle(Usage(1, 5, 0, 5), 0)
    charge.lost(0)
    charge.free(0)
    assert ledger.total().calls == 1
    assert ledger.total().unreported == 0


CALLS = st.lists(
    st.tuples(st.integers(0, 100), st.integers(0, 100), st.floats(0, 1), st.sampled_from(["settle", "lost", "free"])),
    max_size=30,
)


@given(CALLS, st.none() | st.integers(1, 2000), st.none() | st.floats(1e-6, 0.01), st.none() | st.integers(1, 20))
def test_budgets_hold_whatever_calls_do(
    calls: list[tuple[int, int, float, str]], tokens: int | None, cost: float | None, number: int | None
) -> None:
    ledger = Ledger(max_tokens=tokens, max_cost=cost, max_calls=number)
    for prompt, completion, part, end in calls:
        try:
            charge = ledger.reserve("a", PRICE, Bound(prompt, completion))
        except BudgetSpent:
            continue
        if end == "settle":
            used = int(prompt * part)
            charge.settle(Usage(1, used, used // 2, int(completion * part)), 0.0, written=used - used // 2)
        else:
            getattr(charge, end)(0.0)
    total = ledger.total()
    assert tokens is None or total.tokens <= tokens
    assert cost is None or (total.dollars or 0) <= cost
    assert number is None or total.calls <= number


def test_what_would_exceed_a_budget_waits_for_what_others_leave_over() -> None:
    ledger = Ledger(max_tokens=100)
    first = ledger.reserve("a", FREE, Bound(60, 0))
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(ledger.reserve("a", FREE, Bound(60, 0))))
    thread.start()
    thread.join(0.05)
    assert not taken
    first.settle(Usage(1, 40, 0, 0), 0)
    thread.join()
    assert len(taken) == 1


def test_the_message_says_which_budget_and_what_was_used() -> None:
    ledger = Ledger(max_tokens=100)
    ledger.reserve("a", FREE, Bound(60, 0)).settle(Usage(1, 50, 0, 0), 0)
    with pytest.raises(BudgetSpent, match=r"budget of 100 tokens is spent: 50 were used, .* up to 60"):
        ledger.reserve("a", FREE, Bound(60, 0))
    with pytest.raises(BudgetSpent, match=r"budget of 0.5 dollars is spent: 0 were used, .* up to 2"):
        Ledger(max_cost=0.5).reserve("a", Price(2, 2), Bound(10**6, 0))
    with pytest.raises(BudgetSpent, match="budget of 1 calls is spent: 0 were sent"):
        Ledger(max_calls=1).reserve("a", FREE, Bound(1, 1, calls=2))


def test_a_report_above_the_bound_ends_everything_with_a_budget() -> None:
    ledger = Ledger(max_tokens=1000)
    with pytest.raises(ModelError, match="more than the 10 and 10"):
        ledger.reserve("a", FREE, Bound(10, 10)).settle(Usage(1, 11, 0, 1), 0)
    with pytest.raises(ModelError, match="more than the 10 and 10"):
        ledger.reserve("b", FREE, Bound(1, 1))
    Ledger().reserve("a", FREE, Bound(10, 10)).settle(Usage(1, 11, 0, 1), 0)


@pytest.mark.parametrize("name", ["max_tokens", "max_cost", "max_calls", "seconds"])
@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_a_budget_that_is_none_is_refused(name: str, value: float) -> None:
    budgets: dict[str, Any] = {name: value}
    with pytest.raises(InvalidInput, match=f"{name} must be above 0"):
        Ledger(**budgets)


def test_a_model_without_calls_of_its_own_is_booked_by_request() -> None:
    ledger = Ledger(max_tokens=1000)
    metered = Metered(Scripted(Usage(3, 50, 5, 12)), ledger, "optimizer", price=PRICE)
    metered.generate([REQUEST])
    entry = ledger.roles()["optimizer"]
    assert (entry.calls, entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens) == (3, 50, 5, 12)


def test_nothing_is_asked_that_could_exceed_a_budget() -> None:
    model = Scripted(Usage(1, 50, 5, 12))
    metered = Metered(model, Ledger(max_tokens=2 * (69 + 10) - 1), "optimizer", price=FREE)
    with pytest.raises(BudgetSpent):
        metered.generate([REQUEST])
    assert model.asked == 0


@pytest.mark.parametrize(("error", "tokens"), [(ModelError("gone"), 2 * (69 + 10)), (InvalidInput("no"), 0)])
def test_a_failed_request_is_charged_unless_it_was_refused(error: Exception, tokens: int) -> None:
    ledger = Ledger()
    with pytest.raises(type(error)):
        Metered(Scripted(error), ledger, "optimizer", price=PRICE).generate([REQUEST])
    assert ledger.total().unreported_tokens == tokens


def test_the_bound_of_a_prompt_counts_bytes_and_what_providers_add() -> None:
    assert prompt_bound(Request("äö")) == 4 + 64
    assert prompt_bound(Request((Message("system", "ab"), Message("user", "c")))) == 3 + 2 * 64
    schema = Request("ab", constraint=Constraint(schema={"type": "integer"}))
    assert prompt_bound(schema) > 2 + 64 + 512


@given(
    st.tuples(*[st.floats(0, 100)] * 4),
    st.none() | st.integers(0, 1000),
    st.tuples(st.floats(0.5, 5), st.floats(0.5, 5)),
    st.tuples(*[st.integers(0, 1000)] * 3),
    st.integers(0, 1000),
)
def test_no_call_within_a_bound_costs_more_than_the_bound(
    rates: tuple[float, ...],
    long_from: int | None,
    factors: tuple[float, float],
    read: tuple[int, ...],
    completion: int,
) -> None:
    price = Price(rates[0], rates[1], rates[2], rates[3], long_from, *factors)
    fresh, cached, written = read
    prompt = fresh + cached + written
    cost = price.cost(prompt, cached, completion, written)
    for more in (0, 1, 500):
        assert cost <= price.bound(prompt + more, completion + more) * (1 + 1e-12)


def test_prices_are_found_by_model_and_only_at_the_makers_address() -> None:
    known = prices.find("openai:gpt-4.1")
    assert known is not None
    assert prices.find("openai:gpt-4.1-2025-04-14") == known
    assert prices.find("anthropic:claude-haiku-4-5-20251001") == prices.find("anthropic:claude-haiku-4-5")
    for spec in ("openai:gpt-4.1@http://127.0.0.1:1/v1", "openai:gpt-4.1-new", "acme:model"):
        assert prices.find(spec) is None
    assert prices.find("local:gemma3-270m") == prices.find("replay:file") == FREE


def test_a_long_prompt_is_dearer_where_the_provider_says_so() -> None:
    haiku = prices.find("anthropic:claude-haiku-5-5")
    assert haiku is not None
    assert haiku.cost(100_000, 0, 0) == pytest.approx(0.01)
    assert haiku.cost(200_000, 0, 100) == pytest.approx(0.1 + 100 * 2.5e-6)


def test_a_users_prices_go_before_the_table(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"openai:gpt-4.1": {"input": 1, "output": 2, "cached": 0.5}}))
    own = prices.load(file)
    assert prices.find("openai:gpt-4.1", own) == Price(1, 2, 0.5)
    assert prices.find("openai:gpt-4.1") != Price(1, 2, 0.5)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"a": 1}',
        '{"a": {"input": 1}}',
        '{"a": {"input": -1, "output": 1}}',
        '{"a": {"input": true, "output": 1}}',
        '{"a": {"input": 1, "output": 1, "typo": 1}}',
        '{"a": {"input": NaN, "output": 1}}',
    ],
)
def test_a_price_file_that_is_not_legal_is_one_clear_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(content)
    with pytest.raises(InvalidInput, match=r"price file .*prices.json") as error:
        prices.load(file)
    assert "\n" not in str(error.value)
    with pytest.raises(InvalidInput, match="cannot be read"):
        prices.load(tmp_path / "missing")


def test_a_model_that_refuses_before_it_sends_anything_costs_nothing() -> None:
    ledger = Ledger(max_calls=5)
    circuit = Circuit(after=1)
    with OpenAILLM("m", "http://127.0.0.1:1", retries=Retries(circuit=circuit)) as llm:
        circuit.failed(float("inf"), "it is ill")
        with pytest.raises(ModelError, match="it is ill"):
            Metered(llm, ledger, "optimizer", price=None).generate([REQUEST])
    assert ledger.total().calls == 0
