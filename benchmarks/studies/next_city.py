"""Does a model that is asked for the next city name a near one? How a path is best shown to it.

    python -P -m llmopt.benchmarks.studies.next_city [SPEC]

Random instances, which no suite uses. A question shows the end of a tour and offers all cities but the neighbours; the
tours are random ones, or what 250 evaluations of `2-opt-blind` made of them. Nothing is optimized.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from llmopt.benchmarks.studies.command import errors_in_one_line
from llmopt.budget import Budget
from llmopt.llm import connect
from llmopt.llm.base import LLM, Constraint, Request, Sampling
from llmopt.opro.path import SEPARATOR, alternatives
from llmopt.problems.tsp import EXAMPLES, TSP, on_grid, tsp
from llmopt.registry import create_solver
from llmopt.run import run

CITIES = 20
INSTANCES = range(620, 636)
REPLIES = 8
NEAR = 3


@dataclass(frozen=True)
class Form:
    """A way to ask."""

    grid: int
    examples: int
    shown: int
    temperature: float


FORMS = (
    Form(100, 0, 4, 0.5),
    Form(10, 0, 8, 0.5),
    Form(10, 0, 4, 1.0),
    Form(10, 0, 4, 0.5),
    Form(10, 0, 2, 0.5),
    Form(10, 2, 4, 0.5),
    Form(10, 2, 2, 0.5),
    Form(10, 2, 1, 0.5),
    Form(10, 2, 2, 1.0),
)


@dataclass(frozen=True)
class Question:
    """A tour, turned so that the city in question comes last; ``good`` tells improved tours from random ones."""

    problem: TSP
    tour: Sequence[int]
    good: bool


@dataclass(frozen=True)
class Answers:
    """Over all answers: the mean rank of the named city among the offered ones, from 0 (the nearest) to 1; the share
    among the three nearest, and what chance would give; different answers of eight to a question."""

    rank: float
    near: float
    chance: float
    different: float


def questions(instances: Sequence[int] = INSTANCES) -> Iterator[Question]:
    """Yield two for each instance, a random tour and a better one."""
    for instance in instances:
        problem = tsp(n=CITIES, instance=instance, optimum="none")
        result = run(problem, create_solver("2-opt-blind"), Budget(evaluations=250), seed=instance)
        turn = int(np.random.default_rng(instance).integers(CITIES))
        for good, tour in ((False, result.history[0].solution), (True, result.x)):
            yield Question(problem, np.roll(tour, turn).tolist(), good)


def ask(llm: LLM, form: Form, asked: Sequence[Question]) -> Answers:
    """Ask all questions in one form."""
    requests, offered = [], []
    for question in asked:
        assert question.problem.points is not None
        labels = on_grid(question.problem.points, form.grid)
        lines = [f"{SEPARATOR} ".join(example) + "\n" for example in EXAMPLES[: form.examples]]
        path = " ".join(f"{labels[city]}{SEPARATOR}" for city in question.tour[-form.shown :])
        cities = question.tour[1:-2]
        texts = sorted({labels[city] for city in cities})
        grammar = Constraint(alternatives(texts))
        sampling = Sampling(form.temperature)
        requests.append(Request("".join(lines) + path, REPLIES, 16, grammar, sampling, seed=1))
        offered.append((labels, cities))
    ranks, near, different = [], [], []
    for question, (labels, cities), response in zip(asked, offered, llm.generate(requests), strict=True):
        ways = question.problem.structure.matrix[question.tour[-1], cities]
        order = np.argsort(np.argsort(ways))
        different.append(len({reply.text for reply in response.replies}))
        for reply in response.replies:
            # Cities that share a cell cannot be told apart: the mean of their ranks counts.
            places = [int(order[i]) for i, city in enumerate(cities) if labels[city] == reply.text.strip()]
            if places:
                ranks.append(np.mean(places) / (len(cities) - 1))
                near.append(np.mean([place < NEAR for place in places]))
    chance = NEAR / (CITIES - 3)
    return Answers(float(np.mean(ranks)), float(np.mean(near)), chance, float(np.mean(different)))


@errors_in_one_line()
def main(*arguments: str) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("spec", nargs="?", default="local", help="the model")
    with connect(parser.parse_args(arguments or None).spec) as llm:
        asked = list(questions())
        print("| grid | examples | cities shown | temperature | tours | rank | among the 3 nearest | different of 8 |")
        print("|---:|---:|---:|---:|---|---:|---:|---:|")
        for form in FORMS:
            for good in (False, True):
                found = ask(llm, form, [question for question in asked if question.good == good])
                shape = f"{form.grid} | {form.examples} | {form.shown} | {form.temperature}"
                tours = "improved" if good else "random"
                shares = f"{found.rank:.2f} | {found.near:.2f} ({found.chance:.2f}) | {found.different:.1f}"
                print(f"| {shape} | {tours} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
