"""A pattern of moves: what it shows, and where replies lead."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import (
    Budget,
    Categorical,
    Float,
    FunctionProblem,
    Infeasible,
    Int,
    InvalidInput,
    OptimizeResult,
    Vector,
    run,
)
from llmopt.llm.base import Reply
from llmopt.opro import OPRO, moves
from llmopt.space import Variable
from support.models import ABLE, FunctionLLM, obedient

WB = Vector(w=Int(-50, 50), b=Int(-50, 50))
STARTS = [{"w": 18, "b": 15}, {"w": 10, "b": 13}, {"w": 16, "b": 14}]


def loss(s: dict[str, int]) -> float:
    return (s["w"] - 3) ** 2 + (s["b"] + 4) ** 2


def solve(llm: FunctionLLM, steps: int = 1, direction: Any = "minimize", **settings: Any) -> OptimizeResult:
    sign = 1 if direction == "minimize" else -1
    problem = FunctionProblem(lambda s: sign * loss(s), WB, direction)
    settings = {"serializer": "moves", **settings}
    return run(problem, OPRO(llm, **settings), Budget(steps=steps), seed=0, starts=STARTS)


def lines(llm: FunctionLLM, request: int = 0) -> list[str]:
    return str(llm.requests[request].prompt).split("\n")


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_moves_lead_from_the_worse_to_the_better_and_the_largest_gain_comes_last(direction: str) -> None:
    llm = obedient()
    solve(llm, direction=direction)
    found = [re.fullmatch(r"gain=(\d+) at (w|b)=(-?\d+) (w|b)=(-?\d+)", line) for line in lines(llm)[:-1]]
    assert [match and match[1] for match in found] == ["3", "6", "9"] and lines(llm)[-1] == "gain=18 at w="
    assert lines(llm, 1)[-1] == "gain=18 at b="


def test_all_moves_of_a_prompt_are_multiplied_by_one_number_from_back_to_further() -> None:
    llm = obedient()
    starts = [{"x": 16.0}, {"x": 10.0}, {"x": 18.0}]
    problem = FunctionProblem(lambda s: (s["x"] - 3) ** 2, Vector(x=Float(-50, 50)))
    run(problem, OPRO(llm, serializer="moves"), Budget(steps=40), seed=0, starts=starts)
    factors = []
    for request in llm.requests[:8]:
        # Units of half a step: from 18 to 16, 16 to 10 and 18 to 10.
        shown = [int(line.rpartition("=")[2]) for line in str(request.prompt).split("\n")[:-1]]
        factor = shown[-1] / 16
        assert shown == [pytest.approx(factor * units, abs=1) for units in (4, 12, 16)]
        factors.append(abs(factor))
    assert len(set(factors)) > 4 and 0.1 <= min(factors) < 1 < max(factors) <= 4.1


@pytest.mark.parametrize(("back", "sign"), [(0.0, -1), (1.0, 1)])
def test_who_repeats_a_move_goes_on_from_worse_to_better_or_all_the_way_back(
    monkeypatch: pytest.MonkeyPatch, back: float, sign: int
) -> None:
    monkeypatch.setattr(moves, "BACK", back)
    llm = FunctionLLM(lambda r, i: str(r.prompt).split("\n")[-2].rpartition("=")[2])
    problem = FunctionProblem(lambda s: (s["x"] + 40) ** 2, Vector(x=Float(-50, 50)))
    starts = [{"x": 16.0}, {"x": 10.0}, {"x": 18.0}]
    result = run(problem, OPRO(llm, serializer="moves"), Budget(steps=1), seed=0, starts=starts)
    reached = [e.solution["x"] for e in result.history[3:]]
    assert len(reached) == 8 and all(sign * (x - 10) > 0 for x in reached)


def test_a_reply_is_a_move_from_the_best_solution_in_one_of_two_directions() -> None:
    found = []
    for seed in range(4):
        problem = FunctionProblem(lambda s: abs(s["x"]), Vector(x=Int(-50, 50)))
        solver = OPRO(FunctionLLM(lambda r, i: str(i)), serializer="moves", prompts=1)
        result = run(problem, solver, Budget(steps=1), seed=seed, starts=[{"x": 10}, {"x": 18}, {"x": 26}])
        found.append([e.solution["x"] - 10 for e in result.history[3:]])
    assert {tuple(moves) for moves in found} == {tuple(sign * i for i in range(1, 8)) for sign in (-1, 1)}


@pytest.mark.parametrize(
    ("scores", "gains"),
    [
        ("rounded", ["93", "155", "248", "496"]),
        ("ranked", ["1", "2", "3", "4"]),
        ("hidden", []),
    ],
)
def test_gains_are_shown_in_other_forms(scores: str, gains: list[str]) -> None:
    llm = obedient()
    solve(llm, scores=scores)
    assert re.findall("gain=(.*?) ", "\n".join(lines(llm))) == gains
    assert len(lines(llm)) == 4


def test_gains_are_written_with_the_decimals_asked_for() -> None:
    llm = obedient()
    solve(llm, scores="rounded", digits=2)
    assert re.findall("gain=(.*?) ", "\n".join(lines(llm))) == ["93.00", "155.00", "248.00", "496.00"]


def test_shuffled_gains_are_the_same_ones_beside_other_moves() -> None:
    honest, shuffled = obedient(), obedient()
    solve(honest)
    solve(shuffled, scores="shuffled")
    words = [sorted(" ".join(lines(llm)).split()) for llm in (honest, shuffled)]
    assert words[0] == words[1] and lines(honest) != lines(shuffled)
    # In the order of the gains, which tells nothing of the moves.
    gains = [[line.split()[0] for line in lines(llm)] for llm in (honest, shuffled)]
    assert gains[0] == gains[1]


@pytest.mark.parametrize(("order", "gains"), [("worst", [3, 6, 9]), ("best", [9, 6, 3]), ("oldest", [6, 9, 3])])
def test_the_order_is_the_one_asked_for(order: str, gains: list[int]) -> None:
    llm = obedient()
    solve(llm, order=order)
    assert [int(gain) for gain in re.findall(r"gain=(\d+)", "\n".join(lines(llm)[:-1]))] == gains


def test_a_long_history_shows_so_many_moves_of_its_best() -> None:
    llm = obedient()
    solve(llm, steps=20, shown=7, top_k=9)
    assert len(lines(llm, -1)) == 8


def test_a_known_solution_is_no_move_that_a_reply_may_make() -> None:
    problem = FunctionProblem(lambda s: abs(s["x"]), Vector(x=Int(-9, 9)))
    result = run(problem, OPRO(obedient(), serializer="moves", samples=1), Budget(steps=14), starts=[{"x": 3}])
    assert result.nfev == 15 and result.duplicates == 0


def test_units_follow_the_search_below_the_resolution_of_values() -> None:
    llm = FunctionLLM(lambda r, i: str([-20, -8, -3, -1, 1, 3, 8, 20][i]))
    problem = FunctionProblem(lambda s: (s["x"] - 0.123456) ** 2, Vector(x=Float(-100, 100)))
    result = run(problem, OPRO(llm, serializer="moves", prompts=1), Budget(evaluations=150), seed=0)
    assert result.fun < 1e-6


@given(st.sampled_from([1e308, -1e308, 5e-324, 0.0]), st.sampled_from(["rescaled", "rounded", "ranked", "hidden"]))
def test_extreme_and_equal_losses_are_shown_too(value: float, scores: Any) -> None:
    llm = obedient()
    values = iter([value, value, -1e308, 1e308] * 9)
    run(
        FunctionProblem(lambda s: next(values), WB),
        OPRO(llm, serializer="moves", scores=scores),
        Budget(steps=2),
        starts=STARTS,
    )
    assert all("nan" not in str(r.prompt) and "inf" not in str(r.prompt) for r in llm.requests)


def test_ranges_in_which_moves_cannot_be_counted_are_refused_and_searched_by_solutions() -> None:
    for low, high in ((-1e155, 1e155), (-8e307, 8e307), (0.0, 1e-200), (0.0, 5e-324)):
        problem = FunctionProblem(lambda s: float(s["x"] > 0), Vector(x=Float(low, high), y=Float(0, 1)))
        with pytest.raises(InvalidInput, match=r"serializer=moves .* ranges from 1e-150 to 1e150"):
            run(problem, OPRO(obedient(), serializer="moves"), Budget(evaluations=20))
        if high > 1:
            assert run(problem, OPRO(obedient()), Budget(evaluations=9)).nfev == 9


def test_while_nothing_has_a_score_solutions_are_asked_for() -> None:
    llm = FunctionLLM(lambda r, i: f"{i} b=1")

    def fails(s: dict[str, int]) -> float:
        raise ValueError("no")

    result = run(FunctionProblem(fails, WB), OPRO(llm, serializer="moves", prompts=1), Budget(steps=1), starts=STARTS)
    assert lines(llm) == ["loss=0 at w="]
    assert [e.solution for e in result.history[3:]] == [{"w": i, "b": 1} for i in range(8)]


def test_what_is_feasible_in_a_small_part_alone_is_found() -> None:
    def narrow(s: dict[str, float]) -> float:
        if not 6.1 < s["x"] < 6.3:
            raise Infeasible("elsewhere")
        return s["x"]

    solver = OPRO(obedient(), serializer="moves")
    result = run(FunctionProblem(narrow, Vector(x=Float(0, 10))), solver, Budget(evaluations=400), seed=0)
    assert result.nfev == 400 and result.fun == pytest.approx(6.1, abs=0.05)


@pytest.mark.parametrize(
    "variable", [Float(1e-6, 5, log=True), Float(-1, 1), Int(-10, 2**50, step=7), Float(0, 1e6, step=0.01)]
)
def test_where_all_moves_are_known_there_are_finer_ones(variable: Variable) -> None:
    calls = itertools.count()

    def soon_infeasible(s: dict[str, float]) -> float:
        if next(calls) >= 4:
            raise Infeasible("no")
        return float(s["x"])

    solver = OPRO(obedient(), serializer="moves", samples=1)
    result = run(FunctionProblem(soon_infeasible, Vector(x=variable)), solver, Budget(evaluations=70), seed=0)
    assert result.nfev == 70
    # Not even those beyond a known end of the space, which lead to it.
    assert result.duplicates < 5


def test_choices_stand_beside_moves() -> None:
    llm = obedient()
    space = Vector(x=Float(0, 1), kind=Categorical("a", "b"), one=Int(3, 3))
    run(FunctionProblem(lambda s: s["x"], space), OPRO(llm, serializer="moves"), Budget(steps=3), seed=0)
    assert re.fullmatch(r"gain=\d+ at x=-?\d+ kind=[ab] one=3", lines(llm)[0])


def test_a_reply_that_was_cut_off_is_no_move() -> None:
    result = solve(FunctionLLM(lambda r, i: Reply("1 b=1", "length"), ABLE), retries=0)
    assert dict(result.invalid) == {"cut off at the limit of tokens": 8}
    assert np.isfinite(result.fun)


def test_by_default_each_of_the_samples_has_a_prompt_of_moves() -> None:
    llm = obedient()
    solve(llm, serializer="auto", samples=5)
    assert [str(r.prompt).partition("=")[0] for r in llm.requests] == ["gain"] * 5
    assert [str(r.prompt)[-2:] for r in llm.requests] == ["w=", "b="] * 2 + ["w="]
    assert [r.n for r in llm.requests] == [1] * 5


def test_moves_are_between_more_solutions_where_there_are_more_numbers() -> None:
    choice = Categorical("a", "b", "c")
    spaces = [
        WB,
        Vector(w=Int(0, 9), c=choice),
        *(Vector({f"x{i}": Float(0, 1) for i in range(d)}) for d in (3, 10, 99)),
    ]
    assert [moves.default_top_k(space) for space in spaces] == [8, 8, 12, 40, 100]
