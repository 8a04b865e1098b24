"""A language model and CMA-ES on one history and one budget."""

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Budget, Categorical, Float, FunctionProblem, Int, InvalidInput, OptimizeResult, Vector, run
from llmopt.llm.base import Request
from llmopt.llm.local import LocalLLM
from llmopt.opro.distribution import Distribution
from llmopt.opro.hybrid import Hybrid
from llmopt.opro.numeric_hybrid import NumericHybrid
from llmopt.problems.functions import NumericFunction
from support.models import ABLE, FunctionLLM, obedient
from support.strategies import vectors

CHAT = replace(ABLE, continuation=False)
PLANE = Vector(x=Float(-5, 5), y=Float(-5, 5))
MIXED = Vector(
    x=Float(-5, 5),
    rate=Float(1e-4, 1, log=True),
    k=Int(1, 9),
    width=Int(1, 1000, log=True),
    kind=Categorical("a", "b", "c"),
    fixed=Int(3, 3),
)


def bowl(solution: dict[str, Any]) -> float:
    return float((solution["x"] - 3) ** 2 + (solution["y"] + 1) ** 2)


def solve(solver: NumericHybrid, seed: int = 0, **budget: Any) -> OptimizeResult:
    return run(FunctionProblem(bowl, PLANE), solver, Budget(**(budget or {"evaluations": 100})), seed=seed)


def answering(x: float, y: float, spread: float = 0.0) -> FunctionLLM:
    """Return a model that always names about the same point."""

    def reply(request: Request, i: int) -> str:
        rng = np.random.default_rng([request.seed or 0, i])
        values = {n: np.clip(v + spread * rng.standard_normal(), -5, 5) for n, v in (("x", x), ("y", y))}
        return f"[x={values['x']:.5f}, y={values['y']:.5f}]"

    return FunctionLLM(reply, CHAT)


def asked(llm: FunctionLLM) -> int:
    return sum(request.n for request in llm.requests)


def test_a_useless_model_keeps_no_budget_from_being_spent() -> None:
    def steps(solution: dict[str, Any]) -> float:
        return float(np.floor(bowl(solution) / 30))

    useless = FunctionLLM(lambda request, i: "I cannot help with that.", CHAT)
    for evaluations in (100, 203):
        result = run(FunctionProblem(steps, PLANE), NumericHybrid(useless), Budget(evaluations=evaluations), seed=0)
        assert (result.nfev, result.stop_reason) == (evaluations, "evaluations")


@pytest.mark.parametrize(("share", "evaluations"), [(1, 9), (1, 7), (None, 7)])
def test_a_share_is_asked_for_in_a_short_step_too(share: int | None, evaluations: int) -> None:
    llm = obedient()
    solve(NumericHybrid(llm, share=share), evaluations=evaluations)
    assert asked(llm) > 0


@pytest.mark.parametrize("seed", range(5))
def test_whole_numbers_on_a_logarithmic_scale_are_all_in_reach(seed: int) -> None:
    space = Vector(n=Int(1, 1000, log=True))
    problem = FunctionProblem(lambda s: abs(math.log(s["n"] / 300)), space)
    result = run(problem, NumericHybrid(obedient(), share=0), Budget(evaluations=150), seed=seed, target=0.0)
    assert result.success


def test_with_no_share_no_model_is_asked_and_none_is_named() -> None:
    llm = obedient()
    solver = NumericHybrid(llm, share=0)
    result = solve(solver)
    assert not llm.requests and not solver.models and result.nfev == 100
    assert result.fun < 0.1


@pytest.mark.parametrize("share", [1, 5, 8])
def test_a_fixed_share_is_kept(share: int) -> None:
    llm = obedient()
    result = solve(NumericHybrid(llm, share=share), steps=6)
    assert asked(llm) == 6 * share
    assert result.proposals == 5 + 6 * 8


def test_what_the_model_repeats_is_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    tell = Distribution.tell

    def telling(self: Distribution, points: Any, losses: Any) -> None:
        told.append(len(points))
        tell(self, points, losses)

    monkeypatch.setattr(Distribution, "tell", telling)
    solve(NumericHybrid(answering(3, -1), share=4), steps=4)
    # The step that spends the budget is not told.
    assert told == [1 + 4, 4, 4]


def test_a_model_that_knows_the_way_soon_makes_most_proposals() -> None:
    llm = answering(3, -1, spread=0.02)
    result = solve(NumericHybrid(llm), evaluations=45)
    assert asked(llm) >= 20
    assert result.fun < 1e-3 < solve(NumericHybrid(obedient(), share=0), evaluations=45).fun


def test_a_model_that_is_of_no_use_is_asked_for_a_few_proposals() -> None:
    llms = [answering(-5, 5) for _ in range(5)]
    results = [solve(NumericHybrid(llm), seed, evaluations=400) for seed, llm in enumerate(llms)]
    assert np.median([asked(llm) for llm in llms]) <= 400 / 8
    assert max(result.fun for result in results) < 1e-6


def test_what_the_model_finds_draws_the_classical_part_on() -> None:
    # Two proposals a step are the model's, and lie far from the start points; the others follow.
    space = Vector(x=Float(-500, 500), y=Float(-500, 500))
    problem = FunctionProblem(lambda s: (s["x"] - 400) ** 2 + (s["y"] - 400) ** 2, space)
    starts = [{"x": -400.0, "y": -400.0}, {"x": -390.0, "y": -395.0}]

    def reply(request: Request, i: int) -> str:
        return f"[x={390 + (request.seed or 0) % 20}, y={390 + i}]"

    found = run(problem, NumericHybrid(FunctionLLM(reply, CHAT), share=2), Budget(steps=12), seed=0, starts=starts)
    alone = run(problem, NumericHybrid(obedient(), share=0), Budget(steps=12), seed=0, starts=starts)
    ends = [np.median([math.dist((e.solution["x"], e.solution["y"]), (400, 400)) for e in r.history[-6:]])
            for r in (found, alone)]  # fmt: skip
    assert ends[0] < ends[1]


def test_the_model_reads_what_the_classical_part_has_found_out() -> None:
    llm = obedient()
    solve(NumericHybrid(llm, share=2, hint="x is large"), steps=4)
    lines = [str(request.prompt).split("\n") for request in llm.requests]
    notes = [found[0] for found in lines if "; a local search moves" in found[0]]
    assert re.fullmatch(
        r"# the best so far is at x = \S+ and y = \S+; a local search moves x by about \S+ and y by about \S+(; .*)?",
        notes[0],
    )
    assert len(set(notes)) > 1
    assert all("# x is large" in found for found in lines)
    chat = FunctionLLM(lambda request, i: f"[x={i}, y=1]")
    solve(NumericHybrid(chat, share=2, serializer="chat"), steps=1)
    prompt = chat.requests[0].prompt
    assert not isinstance(prompt, str)
    [message] = prompt
    assert "What the search has shown so far: the best so far is at x = " in message.content
    assert "local search" not in message.content[: message.stable]


def test_replies_that_cannot_be_read_are_counted_and_nothing_is_made_up_for_them() -> None:
    llm = FunctionLLM(lambda request, i: "no idea")
    result = solve(NumericHybrid(llm, share=3, serializer="chat"), steps=3)
    assert result.invalid["no solution in the reply"] == 3 * 3 * 3
    assert result.nfev == 5 + 3 * 5


@given(vectors(), st.integers(0, 20), st.sampled_from([None, 0, 3]))
def test_every_vector_can_be_searched(space: Vector, seed: int, share: int | None) -> None:
    aim = space.key(space.row(space.sample(1, np.random.default_rng(seed + 1)), 0))
    problem = FunctionProblem(lambda s: float(space.key(s) != aim), space)
    result = run(problem, NumericHybrid(obedient(), share=share), Budget(evaluations=30), seed=seed)
    assert not result.invalid and result.nfev <= 30
    assert result.stop_reason in ("evaluations", "exhausted", "stalled")


@given(st.integers(0, 30))
def test_a_run_is_a_function_of_its_seed_and_the_replies(seed: int) -> None:
    one, other = (
        run(
            FunctionProblem(lambda s: s["x"] ** 2 + s["k"], MIXED),
            NumericHybrid(obedient()),
            Budget(steps=5),
            seed=seed,
        )
        for _ in range(2)
    )
    assert one.history.losses.tolist() == other.history.losses.tolist()


def test_a_finite_space_is_exhausted() -> None:
    space = Vector(k=Int(0, 6), kind=Categorical("a", "b"))
    result = run(FunctionProblem(lambda s: float(s["k"]), space), NumericHybrid(obedient(), share=0),
                 Budget(evaluations=100))  # fmt: skip
    assert result.stop_reason == "exhausted" and result.nfev == 14


def test_failures_count_as_the_worst_and_do_not_end_it() -> None:
    def fails(solution: dict[str, Any]) -> float:
        if solution["x"] < 0:
            raise RuntimeError("the simulator crashed")
        return bowl(solution)

    result = run(FunctionProblem(fails, PLANE), NumericHybrid(obedient()), Budget(evaluations=150), seed=3)
    assert result.nfev == 150 and result.history.count("failed") > 0 and result.fun < 0.1
    nothing = run(FunctionProblem(lambda s: math.nan, PLANE), NumericHybrid(obedient()), Budget(evaluations=60))
    assert nothing.nfev == 60


def test_without_start_points_it_begins_in_the_middle() -> None:
    result = run(FunctionProblem(bowl, PLANE), NumericHybrid(obedient(), share=0), Budget(steps=2), starts=[])
    assert result.nfev == 16


@pytest.mark.parametrize("share", [-1, 9, 1.5, True])
def test_a_share_beyond_a_step_is_refused(share: Any) -> None:
    with pytest.raises(InvalidInput, match=r"share must be from 0 \(no model\) to samples=8"):
        NumericHybrid(obedient(), share=share)


def test_the_requests_of_the_first_step_are_those_that_are_sent() -> None:
    shown, sent = obedient(), obedient()
    problem = FunctionProblem(bowl, PLANE)
    run(problem, NumericHybrid(sent, share=2), Budget(steps=1), seed=4)

    class Preview(NumericHybrid):
        def run(self, *arguments: Any) -> None:
            self.start(*arguments[1:])
            self.found = self.requests()

    preview = Preview(shown, share=2)
    run(problem, preview, Budget(steps=1), seed=4)
    assert preview.found == sent.requests and not shown.requests


@pytest.mark.model
def test_the_embedded_model_shares_a_run(local_llm: LocalLLM) -> None:
    result = run(NumericFunction("branin", instance=1), Hybrid(local_llm, samples=4), Budget(steps=3), seed=1)
    assert not result.invalid and result.spent["optimizer"].calls >= 1
