"""Designs differ from the default in what their names say."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Float, Int, Vector
from llmopt.benchmarks.studies import confirm
from llmopt.benchmarks.studies.adapting import PATIENCE
from llmopt.benchmarks.studies.designs import DESIGNS
from llmopt.benchmarks.studies.frozen import line
from llmopt.benchmarks.studies.text_forms import BareCodec, DigitsApartCodec
from llmopt.budget import Budget
from llmopt.history import History
from llmopt.llm.base import Request
from llmopt.opro import OPRO
from llmopt.run import run
from llmopt.solver import Task
from support.gbnf import Grammar
from support.models import obedient

SPACE = Vector(w=Int(-50, 50), x=Float(-2, 30))


def stagnant(steps: int) -> History:
    """Return a history whose start points hold the best, and which has so many steps of eight behind them."""
    history = History(Vector(w=Int(-50, 50), b=Int(-50, 50)))
    number = np.r_[np.zeros(5), np.repeat(np.arange(1, steps + 1), 8)].astype(np.int32)
    rows = np.arange(len(number))
    columns = {"w": rows % 40 + 1, "b": rows // 40}
    losses = np.where(rows < 5, 5.0 - rows, 10.0 + rows)
    history.append(columns, losses, np.zeros(len(rows), np.int8), number, {}, history.space.keys(columns))
    return history


def requests(design: str, history: History | None = None) -> list[Request]:
    """Return what a design asks next."""
    history = history or stagnant(1)
    solver = DESIGNS[design](obedient())
    assert isinstance(solver, OPRO)
    solver.start(Task(history, seed=1), np.random.default_rng(1))
    solver.tell(history[:])
    return solver.requests()


def prompts(design: str, history: History | None = None) -> list[str]:
    return [str(request.prompt) for request in requests(design, history)]


def test_values_stand_without_their_names() -> None:
    *lines, last = prompts("solutions, values without names")[0].split("\n")
    assert all(re.fullmatch(r"loss=\d+ at \(-?\d+ -?\d+\)", shown) for shown in lines) and last == "loss=0 at ("


def test_digits_of_values_stand_apart() -> None:
    *lines, last = prompts("solutions, digits of values apart")[0].split("\n")
    assert all(re.fullmatch(r"loss=\d+ at w=-?\d( \d)*, b=-?\d( \d)*", shown) for shown in lines)
    assert any(re.search(r"w=1 \d,", shown) for shown in lines) and last == "loss=0 at w="


@pytest.mark.parametrize("codec", [BareCodec(SPACE), DigitsApartCodec(SPACE), BareCodec(SPACE).reversed()])
@given(st.integers(-50, 50), st.floats(-2, 30), st.integers(0, 99))
def test_what_a_text_form_writes_and_allows_it_reads(
    codec: BareCodec | DigitsApartCodec, w: int, x: float, seed: int
) -> None:
    text = codec.encode({"w": w, "x": x})
    read = codec.decode(text).solution
    assert codec.encode(read) == text and read["w"] == w and read["x"] == pytest.approx(x, abs=0.05)
    assert text.startswith(codec.lead) and len(text) <= codec.longest
    free, bound = codec.grammar(opening=codec.lead), codec.grammar(opening=codec.lead, known=[text])
    assert free is not None and bound is not None
    rest = text.removeprefix(codec.lead)
    assert Grammar(free).allows(rest) and not Grammar(bound).allows(rest)
    drawn = codec.lead + Grammar(bound).draw(random.Random(seed))
    assert codec.encode(codec.decode(drawn).solution) == drawn


def test_the_prompts_of_a_step_ask_for_three_targets() -> None:
    last = [prompt.rpartition("\n")[2] for prompt in prompts("solutions, three targets a step")]
    best = [int(re.findall(r"loss=(\d+) at", prompt)[-2]) for prompt in prompts("solutions, three targets a step")]
    asked = [int(re.findall(r"loss=(\d+) at", text)[0]) for text in last]
    assert asked == [0, round(best[1] / 2), best[2], 0] and 0 < asked[1] < asked[2]
    assert {prompt.rpartition("\n")[2][:7] for prompt in prompts("solutions")} == {"loss=0 "}


@pytest.mark.parametrize(
    ("design", "samples"), [("1 sample a step", 1), ("2 samples a step", 2), ("4 samples a step", 4)]
)
def test_a_step_has_as_many_samples_as_its_name_says_and_a_run_as_many_evaluations(design: str, samples: int) -> None:
    assert sum(request.n for request in requests(design)) == samples
    budget = confirm.budget(DESIGNS[design](obedient()))
    assert budget.evaluations == 805 and (budget.steps or 0) * samples == 800


def test_more_than_eight_samples_have_no_fewer_steps() -> None:
    assert confirm.budget(DESIGNS["16 samples a step"](obedient())) == confirm.BUDGET


def test_samples_double_where_steps_find_nothing_and_are_few_again_where_one_does() -> None:
    design = "2 to 16 samples a step, more where steps find nothing"
    assert sum(request.n for request in requests(design, stagnant(0))) == 2
    solver = DESIGNS[design](obedient())
    result = run(line(8_000, 40), solver, Budget(evaluations=200), seed=3)
    best = np.minimum.accumulate(result.history.losses)
    steps = result.history.steps
    wanted, sizes = 2, []
    for step in range(1, int(steps[-1])):
        rows = np.flatnonzero(steps == step)
        sizes.append((len(rows), wanted))
        wanted = 2 if best[rows[-1]] < best[rows[0] - 1] else min(16, 2 * wanted)
    assert all(size <= most for size, most in sizes) and {most for _, most in sizes} >= {2, 4, 8}
    assert sum(size for size, _ in sizes) >= 0.8 * sum(most for _, most in sizes)


def test_a_temperature_rises_where_steps_find_nothing() -> None:
    design = "temperature that rises where steps find nothing"
    found = [requests(design, stagnant(steps))[0].sampling.temperature for steps in (0, 1, 4, 100)]
    assert found == pytest.approx([0.6, 0.6 * 9 / 8, 0.6 * 12 / 8, 2.0])
    assert prompts(design) == prompts("moves (the default)")


def test_a_restart_shows_only_what_came_behind_the_incumbent() -> None:
    design, plain = "solutions, restarts where steps find nothing", "solutions"
    assert prompts(design, stagnant(PATIENCE - 1)) == prompts(plain, stagnant(PATIENCE - 1))
    history = stagnant(PATIENCE)
    first = {f"w={i} b=0" for i in range(1, 6)}
    assert any(text in prompt for prompt in prompts(plain, history) for text in first)
    again = prompts(design, history)
    assert not any(text in prompt for prompt in again for text in first)
    assert all("w=" in prompt.split("\n")[0] for prompt in again)


def test_a_run_after_another_begins_with_few_samples_again() -> None:
    llm = obedient()
    solver = DESIGNS["2 to 16 samples a step, more where steps find nothing"](llm)
    for seed in (3, 4):
        llm.requests.clear()
        run(line(8_000, 40), solver, Budget(steps=1), seed=seed)
        assert sum(request.n for request in llm.requests) == 2
        solver.batch = 16
