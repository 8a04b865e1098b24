"""A run asks its models within its budget, at the user's prices, and pays for no reply twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmopt import Budget, OptimizeResult, minimize, run
from llmopt.errors import InvalidInput, ModelError
from llmopt.llm import LLM, Request
from llmopt.llm.base import Response
from llmopt.llm.ledger import total
from llmopt.llm.limits import Limits
from llmopt.llm.openai import OpenAILLM
from llmopt.llm.prices import FREE, Price
from llmopt.llm.replay import Replay
from llmopt.llm.retry import Retries
from llmopt.llm.terms import Models, Terms, shared_cache
from llmopt.opro import OPRO
from llmopt.problems.regression import LinearRegression
from llmopt.runlog import RunLog, Slot
from support.counting import REQUEST, CountingLLM
from support.fault_server import FaultServer, solution
from support.models import FunctionLLM

PRICE = Price(100.0, 200.0)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer((), solution) as server:
        yield server


@pytest.fixture
def paid(server: FaultServer) -> Iterator[OpenAILLM]:
    # One reply per call, so that replies of a step arrive one by one.
    with OpenAILLM("m", server.url, api_key="sk-x", retries=Retries(attempts=1), choices=1) as llm:
        yield llm


def optimize(
    llm: LLM, terms: Terms | None = None, *, seed: int = 0, log: Slot | None = None, **budget: Any
) -> OptimizeResult:
    budget = {"steps": 3, **budget}
    return run(LinearRegression(points=5), OPRO(llm, samples=4), Budget(**budget), seed=seed, terms=terms, log=log)


def test_a_repeated_run_is_free_and_the_same(paid: OpenAILLM, server: FaultServer, tmp_path: Path) -> None:
    terms = Terms({paid.info.spec: PRICE}, tmp_path / "replies.sqlite")
    first, asked = optimize(paid, terms), len(server.bodies)
    assert first.cached_replies == 0 and first.cost is not None and first.cost > 0
    # One call would be too dear now: nothing needs to be called.
    again = optimize(paid, terms, calls=1)
    assert len(server.bodies) == asked
    assert (again.cost, again.spent, again.stop_reason) == (0.0, {}, "steps")
    assert again.cached_replies == asked
    assert again.history.losses.tolist() == first.history.losses.tolist()
    other = optimize(paid, terms, seed=1)
    assert other.cached_replies == 0 and len(server.bodies) > asked


def test_replies_that_were_paid_for_are_kept_when_a_later_one_fails(tmp_path: Path) -> None:
    with FaultServer(["ok", "ok", "400"], solution) as server:
        terms = Terms(cache=tmp_path / "replies.sqlite")
        # One call at a time: the third of the first step's four is refused.
        with OpenAILLM("m", server.url, api_key="sk-x", choices=1, limits=Limits(1)) as llm:
            assert optimize(llm, terms, steps=1).stop_reason == "error"
            # The fourth may be on its way when the third is refused.
            asked = len(server.bodies)
            assert asked in (3, 4)
            result = optimize(llm, terms, steps=1)
            assert result.stop_reason == "steps"
            assert result.cached_replies >= 2
            assert total(result.spent).calls == len(server.bodies) - asked


@pytest.mark.parametrize("limit", ["tokens", "cost", "calls"])
def test_a_spent_budget_ends_the_run_and_says_which(paid: OpenAILLM, limit: str) -> None:
    terms = Terms({paid.info.spec: PRICE})
    whole = optimize(paid, terms, steps=6)
    spent = total(whole.spent)
    assert spent.dollars is not None
    most = {"tokens": spent.tokens, "cost": spent.dollars, "calls": spent.calls}[limit] * 0.7
    budget: dict[str, Any] = {limit: most if limit == "cost" else int(most)}
    result = optimize(paid, terms, steps=6, **budget)
    assert result.stop_reason == limit
    assert result.message.startswith("the budget of ") and "is spent" in result.message
    assert result.nfev >= 5
    assert {"tokens": total(result.spent).tokens, "cost": result.cost or 0, "calls": total(result.spent).calls}[
        limit
    ] <= most


def test_a_budget_of_dollars_without_a_price_is_refused_before_anything_is_evaluated(paid: OpenAILLM) -> None:
    def never(x: object) -> float:
        pytest.fail("it was evaluated")

    with pytest.raises(InvalidInput, match=r"needs the price of openai:m@http.*--prices"):
        minimize(never, bounds=[(0, 1)], solver=OPRO(paid), max_cost=1.0, cache=None)


def test_the_shared_cache_is_for_models_that_may_cost_money(paid: OpenAILLM) -> None:
    terms = Terms(cache="auto")
    assert terms.cache_of(paid) == shared_cache()
    assert Terms({paid.info.spec: FREE}, "auto").cache_of(paid) is None
    assert Terms().cache_of(paid) is None


def test_what_the_cache_gives_is_logged_too(paid: OpenAILLM, server: FaultServer, tmp_path: Path) -> None:
    terms = Terms(cache=tmp_path / "replies.sqlite")
    first = optimize(paid, terms)
    with RunLog(tmp_path) as log:
        optimize(paid, terms, log=Slot(log))
    asked = len(server.bodies)
    replayed = optimize(Replay(tmp_path))
    assert replayed.history.losses.tolist() == first.history.losses.tolist()
    assert len(server.bodies) == asked


def test_an_error_in_a_second_attempt_does_not_lose_what_the_first_one_gave() -> None:
    class FailsLater(FunctionLLM):
        def generate(self, requests: list[Request]) -> list[Response]:  # type: ignore[override]
            if self.requests:
                raise ModelError("gone")
            return super().generate(requests)

    # The first of two requests is read, the second is not and is asked again.
    llm = FailsLater(lambda request, i: f"[w={i}, b=2]" if request is llm.requests[0] else "?")
    solver = OPRO(llm, serializer="chat", samples=4, prompts=2)
    result = run(LinearRegression(points=5), solver, Budget(steps=5))
    assert (result.stop_reason, result.message) == ("error", "gone")
    assert result.nfev == 5 + 2


def test_the_public_functions_work_inside_a_running_event_loop(paid: OpenAILLM) -> None:
    async def cell() -> OptimizeResult:
        return minimize(lambda s: float(s @ s), bounds=[(-5, 5)] * 2, solver=OPRO(paid), max_steps=2, cache=None)

    assert asyncio.run(cell()).nit == 2


def test_every_role_has_its_own_entry() -> None:
    with Models() as models:
        for role in ("optimizer", "scorer", "scorer"):
            models.bind(CountingLLM(), role).generate([REQUEST])
        assert {role: entry.calls for role, entry in models.ledger.roles().items()} == {"optimizer": 1, "scorer": 2}
