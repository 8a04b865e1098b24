"""A model that names the next entry of a good order."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt import Budget, InvalidInput, OptimizeResult, Permutation, Problem, minimize, run
from llmopt.llm.base import Reply, Request
from llmopt.opro import OPRO
from llmopt.problems.tsp import TSP, tsp
from llmopt.solver import Task
from support.models import ABLE, FunctionLLM, obedient


class Named(Problem):
    """Orders whose entries have the given labels; the best one is sorted."""

    def __init__(self, labels: Any, symmetry: Any = "none") -> None:
        self.space = Permutation(6, symmetry)
        self.labels = labels

    def evaluate(self, solution: Any) -> float:
        return float(np.abs(np.diff(solution)).sum())

    def describe(self) -> str:
        return "Sort."


def solve(problem: Problem, llm: FunctionLLM, steps: int = 4, **settings: Any) -> OptimizeResult:
    return run(problem, OPRO(llm, **settings), Budget(steps=steps), seed=1)


def test_the_prompt_is_the_end_of_a_good_tour_and_the_grammar_offers_cities() -> None:
    llm = obedient()
    problem = tsp(n=9)
    result = solve(problem, llm, steps=1, hint="go\nround")
    assert problem.labels is not None
    assert len(llm.requests) == 8
    best = result.history[:5].losses.argmin()
    tour = result.history[int(best)].solution
    legs = {frozenset((problem.labels[a], problem.labels[b])) for a, b in zip(tour, np.roll(tour, -1), strict=True)}
    for request in llm.requests:
        hint, *examples, path = str(request.prompt).split("\n")
        assert hint == "# go round" and path.endswith(" ->")
        assert [tuple(example.split(" -> ")) for example in examples] == list(problem.examples)
        shown = path.removesuffix(" ->").split(" -> ")
        assert len(shown) == 2
        assert {frozenset(leg) for leg in itertools.pairwise(shown)} <= legs
        assert request.n == 1 and request.sampling.temperature == 0.5
        assert request.constraint is not None and request.constraint.schema is not None
        assert set(request.constraint.schema["enum"]) <= set(problem.labels)


def test_the_temperature_rises_while_nothing_better_is_found_and_falls_back() -> None:
    llm = obedient()
    result = solve(tsp(n=12), llm, steps=60, temperature=0.4)
    losses, steps = result.history.losses, result.history.steps
    expected = []
    for step in range(1, 61):
        known = losses[steps < step]
        since = step - 1 - int(steps[int(known.argmin())])
        expected.append(min(1.6, 0.4 * (1 + since / 8)))
    asked = [request.sampling.temperature for request in llm.requests[::8]]
    assert asked == pytest.approx(expected[: len(asked)])
    assert min(asked) == 0.4 < max(asked)


@settings(max_examples=20, deadline=None)
@given(st.integers(5, 30), st.integers(0, 99))
def test_every_proposal_is_a_new_tour(n: int, seed: int) -> None:
    problem = TSP(points=np.random.default_rng(seed).uniform(size=(n, 2)), optimum="none")
    result = run(problem, OPRO(obedient()), Budget(evaluations=40), seed=seed)
    assert not result.invalid and not result.repaired
    # Only where few tours are left can a proposal be known.
    assert result.duplicates == 0 or n == 5


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=6, max_size=6))
@settings(max_examples=50, deadline=None)
def test_labels_of_any_characters_are_read_back(labels: list[str]) -> None:
    result = solve(Named(labels), obedient(), steps=2)
    assert not result.invalid


@pytest.mark.parametrize("symmetry", ["none", "rotation", "dihedral"])
def test_orders_of_every_symmetry_can_be_searched(symmetry: str) -> None:
    result = solve(Named(list("abcdef"), symmetry), obedient(), steps=30)
    assert result.fun == result.history.losses.min() < result.history.losses[:5].min()
    assert not result.invalid


def test_what_names_no_offered_entry_is_counted_with_a_reason_and_asked_again() -> None:
    llm = FunctionLLM(lambda request, i: "somewhere else")
    result = solve(tsp(n=8), llm, steps=1, retries=1)
    assert result.invalid == {"no solution in the reply": 16}
    llm = FunctionLLM(lambda request, i: Reply("4", "length"))
    assert solve(tsp(n=8), llm, steps=1, retries=0).invalid == {"cut off at the limit of tokens": 8}


def test_the_path_is_taken_where_there_are_labels_and_the_model_can_continue_it() -> None:
    def first_prompt(problem: Problem, llm: FunctionLLM, **settings: Any) -> Any:
        solve(problem, llm, steps=1, **settings)
        return llm.requests[0].prompt

    cities = tsp(n=8)
    matrix = TSP(cities.structure.matrix)
    assert " -> " in first_prompt(cities, obedient())
    assert "loss=" in first_prompt(matrix, obedient()) and "loss=" in first_prompt(
        cities, obedient(), serializer="continuation"
    )
    assert isinstance(first_prompt(cities, obedient(replace(ABLE, continuation=False))), tuple)


def test_a_path_needs_labels_and_a_model_that_continues() -> None:
    with pytest.raises(InvalidInput, match="needs a permutation whose entries have labels"):
        solve(TSP(tsp(n=6).structure.matrix), obedient(), serializer="path")
    with pytest.raises(InvalidInput, match="cannot continue a text"):
        solve(tsp(n=6), obedient(replace(ABLE, continuation=False)), serializer="path")


@pytest.mark.parametrize("labels", [["a"] * 5, ["a"] * 5 + [" "], [1, 2, 3, 4, 5, 6]])
def test_labels_that_do_not_fit_are_one_clear_error(labels: Any) -> None:
    with pytest.raises(InvalidInput, match="labels must be 6 texts, one for each entry"):
        run(Named(labels), OPRO(obedient()), Budget(steps=1))


def test_the_solver_is_told_texts_and_no_distances() -> None:
    seen: list[Task] = []

    class Curious(OPRO):
        def start(self, task: Task, rng: np.random.Generator) -> None:
            seen.append(task)
            super().start(task, rng)

    run(tsp(n=6), Curious(obedient()), Budget(steps=1))
    assert seen[0].structure is None and seen[0].labels == tsp(n=6).labels


def test_a_run_is_a_function_of_its_seed_and_the_replies() -> None:
    one, other = (solve(tsp(n=12), obedient(), steps=6) for _ in range(2))
    assert one.history.losses.tolist() == other.history.losses.tolist()


def test_whole_round_trips_are_shown_from_anywhere_in_letters() -> None:
    llm = obedient()
    matrix = tsp(n=8).structure.matrix
    space = TSP(matrix).space
    result = minimize(TSP(matrix, optimum="none").evaluate, space, solver=OPRO(llm), max_steps=6, max_evaluations=None)
    shown = [line.split(" at ")[1] for r in llm.requests for line in str(r.prompt).split("\n")[:-1]]
    assert {text[0] for text in shown} == set("ABCDEFGH")
    assert not result.invalid
    keys = {space.key(np.array([ord(letter) - 65 for letter in text.split()])) for text in shown}
    assert keys <= {space.key(evaluation.solution) for evaluation in result.history}


def test_who_obeys_no_grammar_names_an_entry_up_to_the_next_arrow() -> None:
    def goes_on(request: Request, i: int) -> str:
        text = f" {request.seed % 6 if request.seed else 0} -> 1 -> 2\n3"
        return min((text.split(stop)[0] for stop in request.stop), key=len)

    llm = FunctionLLM(goes_on, replace(ABLE, grammar=False))
    result = solve(Named([str(i) for i in range(6)]), llm, serializer="path", retries=9)
    assert all(request.constraint is None and request.stop == (" ->", "\n") for request in llm.requests)
    assert result.nfev > 5
