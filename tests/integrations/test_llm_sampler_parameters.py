"""Optuna's distributions and the variables that a model is asked for mean the same values."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from llmopt.errors import InvalidInput
from llmopt.integrations.optuna import LLMSampler, tally
from llmopt.integrations.optuna.groups import Groups, item
from llmopt.integrations.optuna.parameters import Parameter, Parameters
from llmopt.llm.base import Request
from support.gbnf import Grammar
from support.models import FunctionLLM

# Steps that do not divide a range are drawn on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:The distribution is specified by")

SIZES = st.floats(1e-3, 1e6)


@st.composite
def floats(draw: st.DrawFn) -> FloatDistribution:
    kind = draw(st.sampled_from(["plain", "log", "step"]))
    if kind == "step":
        # Where the steps come near to the last digits of their values, Optuna takes its own values for illegal ones.
        low, size = draw(st.floats(-1e3, 1e3)), draw(st.floats(1, 1e6))
        return FloatDistribution(low, low + size, step=draw(st.floats(size / 1_000, size)))
    low = draw(SIZES if kind == "log" else st.floats(-1e6, 1e6))
    return FloatDistribution(low, low + draw(SIZES), log=kind == "log")


@st.composite
def integers(draw: st.DrawFn) -> IntDistribution:
    log = draw(st.booleans())
    low = draw(st.integers(1 if log else -(10**6), 10**6))
    high = low + draw(st.integers(0, 10**6))
    return IntDistribution(low, high, log=log, step=1 if log else draw(st.integers(1, 1_000)))


CHOICES = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=4)
CATEGORIES = st.lists(CHOICES, min_size=1, max_size=5).map(CategoricalDistribution)
DISTRIBUTIONS: st.SearchStrategy[BaseDistribution] = floats() | integers() | CATEGORIES


def same(a: Any, b: Any) -> bool:
    return bool(type(a) is type(b) and (a == b or (a != a and b != b)))


@given(DISTRIBUTIONS, st.integers(0, 1_000))
def test_every_value_of_the_variable_is_one_of_the_distribution(distribution: BaseDistribution, seed: int) -> None:
    parameter = Parameter("x", distribution)
    column = parameter.variable.sample(20, np.random.default_rng(seed))
    for shown in parameter.variable.load_all(column):
        value = parameter.load(shown)
        assert distribution._contains(distribution.to_internal_repr(value))
        assert same(parameter.store(value), shown)


@given(DISTRIBUTIONS, st.integers(0, 1_000))
def test_every_value_that_optuna_draws_is_one_of_the_variable(distribution: BaseDistribution, seed: int) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    value = study.ask({"x": distribution}).params["x"]
    parameter = Parameter("x", distribution)
    stored = parameter.store(value)
    assert parameter.variable.violation(stored) is None
    assert distribution.to_internal_repr(parameter.load(stored)) == pytest.approx(distribution.to_internal_repr(value))


@given(st.dictionaries(st.text(min_size=1, max_size=6), DISTRIBUTIONS, min_size=1, max_size=4), st.integers(0, 1_000))
def test_names_of_any_kind_are_told_apart(distributions: dict[str, BaseDistribution], seed: int) -> None:
    parameters = Parameters(distributions)
    assert len(parameters.vector.variables) == len(distributions)
    solution = parameters.vector.row(parameters.vector.sample(1, np.random.default_rng(seed)), 0)
    params = parameters.params(solution)
    assert params.keys() == distributions.keys()
    assert parameters.solution(params) == solution or any(value != value for value in params.values())


def test_values_outside_a_distribution_are_no_solutions() -> None:
    parameters = Parameters({"x": FloatDistribution(0, 1, step=0.25), "c": CategoricalDistribution([None, "a"])})
    assert parameters.solution({"x": 0.5, "c": None}) == {"x": 0.5, "c": None}
    for params in ({"x": 0.3, "c": None}, {"x": 2.0, "c": "a"}, {"x": 0.5, "c": "b"}, {"x": 0.5}):
        assert parameters.solution(params) is None


def test_a_proposal_on_a_grid_finer_than_optuna_can_check_is_taken_all_the_same() -> None:
    fine = FloatDistribution(-969010.1441042174, -969010.1431052174, step=1.0000000474974512e-06)

    def reply(request: Request, i: int) -> str:
        assert request.constraint is not None and request.constraint.grammar is not None
        return Grammar(request.constraint.grammar).draw(random.Random((request.seed or 0) + i))

    study = optuna.create_study(sampler=LLMSampler(FunctionLLM(reply), seed=675, n_startup_trials=1))
    for _ in range(9):
        trial = study.ask({"a": fine})
        assert Parameter("a", fine).store(trial.params["a"]) == pytest.approx(trial.params["a"], abs=1e-9)
        study.tell(trial, 1.0)
    assert (tally(study).proposals, tally(study).altered) == (8, 0)


@pytest.mark.filterwarnings("ignore:Choices for a categorical distribution")
def test_choices_of_any_kind_are_shown_by_a_text_that_stays() -> None:
    sizes = ((64, 64), "(64, 64)", object(), float("inf"), 1, True)
    parameter = Parameter("layers", CategoricalDistribution(sizes))  # type: ignore[arg-type]
    assert isinstance(parameter.variable.describe(), str)
    assert "0x" not in repr(parameter.variable)
    shown = [parameter.store(size) for size in sizes[:5]]
    assert len(set(map(repr, shown))) == 5
    assert [parameter.load(text) for text in shown] == list(sizes[:5])


def test_a_range_without_an_end_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"parameter 'wide': .*wider than a number"):
        Parameter("wide", FloatDistribution(-1.7e308, 1.7e308))


@settings(max_examples=15)
@given(
    st.dictionaries(st.sampled_from(["a", "b c", "d"]), floats() | integers() | CATEGORIES, min_size=1),
    st.integers(0, 1_000),
)
def test_trials_have_what_the_model_proposed_and_all_of_it_is_legal(
    distributions: dict[str, BaseDistribution], seed: int
) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    replies = []

    def reply(request: Request, i: int) -> str:
        assert request.constraint is not None and request.constraint.grammar is not None
        replies.append(Grammar(request.constraint.grammar).draw(random.Random((request.seed or 0) + i)))
        return replies[-1]

    # Asked once: what repeats would be asked for again.
    sampler = LLMSampler(FunctionLLM(reply), seed=seed, n_startup_trials=1, samples=4, retries=0)
    study = optuna.create_study(sampler=sampler)
    for i in range(9):
        trial = study.ask(dict(distributions))
        assert trial.params.keys() == distributions.keys()
        for name, distribution in distributions.items():
            internal = distribution.to_internal_repr(trial.params[name])
            assert distribution._contains(internal)
        study.tell(trial, float(i))
    counts = tally(study)
    assert counts.proposals == len(replies)
    assert counts.proposals == 8 or all(distribution.single() for distribution in distributions.values())
    assert not counts.invalid and not counts.altered and not counts.random


NAMES = st.sampled_from("abcdef")


@given(st.lists(st.sets(NAMES), min_size=1, max_size=8))
def test_a_group_is_what_occurred_in_the_same_trials(trials: list[set[str]]) -> None:
    distribution = FloatDistribution(0, 1)
    groups = Groups()
    for trial in trials:
        groups.add(dict.fromkeys(trial, distribution))
    seen = sorted(set().union(*trials))
    occurs = {name: frozenset(i for i, trial in enumerate(trials) if name in trial) for name in seen}
    for name in seen:
        group = {other for other, _ in groups.of(item(name, distribution))}
        assert group == {other for other in seen if occurs[other] == occurs[name]}
    finished = [create_trial(params=dict.fromkeys(t, 0.5), distributions=dict.fromkeys(t, distribution), value=0.0)
                for t in trials]  # fmt: skip
    assert groups.common() == optuna.search_space.intersection_search_space(finished)
