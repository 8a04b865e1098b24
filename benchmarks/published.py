"""Figures that the paper publishes, to be shown beside measured ones and never mixed with them.

OPRO, "Large Language Models as Optimizers", arXiv 2309.03409 (ICLR 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmopt.problem import Problem
from llmopt.problems.regression import LinearRegression
from llmopt.problems.tsp import TSP

SOURCE = "OPRO, arXiv 2309.03409, Table 2"
TOURS_SOURCE = "OPRO, arXiv 2309.03409, Table 3"
REPEATS = 5


@dataclass(frozen=True)
class Published:
    """One model in one setting of Table 2: mean and standard deviation over the paper's five repeats."""

    model: str
    steps: float
    steps_std: float
    unique_pairs: float
    unique_pairs_std: float


_MODELS = ("text-bison", "gpt-3.5-turbo", "gpt-4")

# (w_true, b_true): for each model steps, their standard deviation, unique pairs, their standard deviation.
TABLE_2: dict[tuple[int, int], tuple[Published, ...]] = {
    setting: tuple(Published(model, *figures) for model, figures in zip(_MODELS, rows, strict=True))
    for setting, rows in {
        (15, 14): ((5.8, 2.6, 40.0, 12.4), (7.6, 4.5, 36.0, 15.2), (4.0, 1.5, 17.2, 5.1)),
        (17, 17): ((4.0, 1.8, 33.4, 11.7), (12.6, 6.0, 53.8, 16.9), (6.0, 3.7, 26.0, 10.6)),
        (16, 10): ((3.8, 2.2, 30.2, 13.4), (10.4, 5.4, 42.8, 16.3), (6.2, 3.1, 24.2, 8.2)),
        (3, 5): ((9.8, 2.8, 55.8, 16.1), (10.8, 2.7, 39.6, 10.1), (12.2, 2.0, 33.0, 4.0)),
        (25, 23): ((19.6, 11.4, 104.0, 52.3), (26.4, 18.3, 78.6, 26.2), (12.2, 3.7, 44.2, 8.3)),
        (2, 30): ((31.4, 6.3, 126.4, 17.7), (42.8, 9.7, 125.6, 21.7), (38.0, 15.9, 99.0, 24.6)),
        (36, -1): ((35.8, 6.4, 174.0, 28.2), (45.4, 16.9, 142.2, 31.2), (50.4, 18.8, 116.4, 32.7)),
    }.items()
}


@dataclass(frozen=True)
class PublishedTours:
    """One method on tours of one size of Table 3, on five instances that were not published.

    ``gap`` and its standard error are in per cent of the optimum; ``steps`` are the mean over the ``solved`` of the
    five instances that reached it, None where none did and for heuristics.
    """

    method: str
    gap: float
    gap_error: float
    steps: float | None
    solved: int | None


_TOUR_METHODS = ("nearest neighbour", "farthest insertion", "text-bison", "gpt-3.5-turbo", "gpt-4")

# n: for each method the gap, its standard error, and for models steps and solved instances.
TABLE_3: dict[int, tuple[PublishedTours, ...]] = {
    n: tuple(PublishedTours(method, *figures) for method, figures in zip(_TOUR_METHODS, rows, strict=True))
    for n, rows in {
        10: (
            (13.0, 1.3, None, None),
            (3.2, 1.4, None, None),
            (0.0, 0.0, 40.4, 5),
            (0.0, 0.0, 46.8, 5),
            (0.0, 0.0, 9.6, 5),
        ),
        15: (
            (9.4, 3.7, None, None),
            (1.2, 0.6, None, None),
            (4.4, 1.3, None, 0),
            (1.2, 1.1, 202.0, 4),
            (0.2, 0.2, 58.5, 4),
        ),
        20: (
            (16.0, 3.9, None, None),
            (0.2, 0.1, None, None),
            (30.4, 10.6, None, 0),
            (4.4, 2.5, 438.0, 1),
            (1.4, 0.6, 195.5, 2),
        ),
        50: (
            (19.7, 3.1, None, None),
            (9.8, 1.5, None, None),
            (219.8, 13.7, None, 0),
            (133.0, 6.8, None, 0),
            (11.0, 2.6, None, 0),
        ),
    }.items()
}


def published_tours(problem: Problem) -> tuple[PublishedTours, ...]:
    """Return the published figures for random tours of a problem's size; none where the paper has not this size."""
    return TABLE_3.get(problem.space.n, ()) if isinstance(problem, TSP) and problem.random else ()


def published(problem: Problem) -> tuple[Published, ...]:
    """Return the published figures of a problem; none where the paper has not this one.

    It has it where the data are those of one of the seven settings, and the box is the usual one.
    """
    if not isinstance(problem, LinearRegression) or (problem.w_true, problem.b_true) not in TABLE_2:
        return ()
    papers = LinearRegression(problem.w_true, problem.b_true, instance=problem.instance)
    same = np.array_equal(problem.y, papers.y) and problem.space == papers.space
    return TABLE_2[int(problem.w_true), int(problem.b_true)] if same else ()
