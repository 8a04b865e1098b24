"""What racing saves and what it risks: simulated candidates, and recorded ones in other orders.

    python -P -m llmopt.benchmarks.studies.racing [--matrices DIR] [--seeds 1000]

A matrix holds the score of every candidate (row) on every item (column). Candidates arrive in the order of the rows,
three at first and then eight at a time, as in a run, and see the items in the order of the columns. Each method
chooses a candidate; it is compared with the one that full evaluation chooses, the first of the best. The simulated
matrices are new with each seed: accuracies are uniform in an interval, difficulties of items normal with a stated
standard deviation, and an answer is right with the logistic probability of the candidate's ability less the
difficulty; the larger the deviation, the more candidates agree on which items are hard. A recorded matrix is put in a
new order of rows and columns with each seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.special import expit

from llmopt.benchmarks.studies.command import errors_in_one_line
from llmopt.errors import InvalidInput
from llmopt.item_evaluator import EARLIER
from llmopt.race_step import race_step
from llmopt.racing import Race, Scores

STARTS, STEP = 3, 8
CANDIDATES = 40
POINTS = 0.02
ROUNDING = 1e-9


@dataclass(frozen=True)
class Setting:
    """What is simulated: the number of items, the interval of accuracies, the deviation of difficulties in logits."""

    items: int
    low: float
    high: float
    difficulty: float = 2.0


SETTINGS = (
    *(Setting(items, low, high) for items in (50, 100, 200) for low, high in ((0.35, 0.85), (0.55, 0.75))),
    Setting(100, 0.35, 0.85, difficulty=4.0),
    Setting(100, 0.55, 0.75, difficulty=4.0),
)


@dataclass(frozen=True)
class Chosen:
    """What a method chose from one matrix, and how many scores it looked at."""

    row: int
    calls: int


@dataclass(frozen=True)
class Figures:
    """Over all seeds: the mean share of the calls of full evaluation, and the shares of seeds in which the chosen
    candidate is worse than full evaluation's choice, at all and by more than two points."""

    calls: float
    lost: float
    lost_points: float


Method = Callable[[Scores], Chosen]
Draw = Callable[[int], Scores]


def simulated(setting: Setting, seed: int, candidates: int = CANDIDATES) -> Scores:
    """Draw a matrix of marks 0 or 1, shape (candidates, items)."""
    rng = np.random.default_rng([setting.items, seed])
    wanted = rng.uniform(setting.low, setting.high, candidates)
    # The ability that gives an accuracy over all difficulties, read off a table.
    abilities = np.linspace(-12, 12, 601)
    quantiles = np.linspace(-4, 4, 161)
    weights = np.exp(-(quantiles**2) / 2)
    given = expit(abilities[:, None] - setting.difficulty * quantiles) @ (weights / weights.sum())
    ability = np.interp(wanted, given, abilities)
    chances = expit(ability[:, None] - rng.normal(0, setting.difficulty, setting.items))
    return (rng.random(chances.shape) < chances).astype(np.float64)


def shuffled(matrix: Scores, seed: int) -> Scores:
    """Put candidates and items in another order."""
    rng = np.random.default_rng(seed)
    return matrix[rng.permutation(len(matrix))][:, rng.permutation(matrix.shape[1])]


def full(scores: Scores) -> Chosen:
    """Score everything."""
    return Chosen(_best(scores.sum(axis=1)), scores.size)


def raced(scores: Scores, race: Race, predict: bool = True) -> Chosen:
    """Race the candidates of each step as a run does, see :func:`llmopt.race_step.race_step`; ``predict`` from the
    others that were scored in full."""
    count, items = scores.shape
    totals = scores.sum(axis=1)
    complete: list[int] = []
    calls = 0
    starts = [0, *range(STARTS, count, STEP), count]
    for start, end in pairwise(starts):

        def score(places: Sequence[int], block: slice, start: int = start) -> Scores:
            nonlocal calls
            part = scores[np.asarray(places) + start, block]
            calls += part.size
            return part

        known = scores[complete[: EARLIER if predict else 1]]
        judged = race_step(race, end - start, known, score)
        complete += [start + place for place in sorted(judged) if judged[place] == items]
        complete.sort(key=lambda row: -round(totals[row] / ROUNDING))
    return Chosen(complete[0], calls)


def hoeffding(scores: Scores, level: float) -> Chosen:
    """Race by Hoeffding's inequality (Maron & Moore 1993), against the known mean of the best so far.

    The looks share the level equally; nothing is paired, and items count as drawn with replacement.
    """
    items = scores.shape[1]
    looks = np.array([block.stop for block in Race().blocks(items)[:-1]], dtype=np.int64)
    widths = np.sqrt(np.log(len(looks) / level) / (2 * looks)) if len(looks) else np.empty(0)
    means = scores.mean(axis=1)
    calls, best = items, 0
    for row in range(1, len(scores)):
        hopeless = np.cumsum(scores[row])[looks - 1] / looks + widths < means[best]
        calls += int(looks[np.argmax(hopeless)]) if hopeless.any() else items
        if not hopeless.any() and means[row] > means[best] + ROUNDING:
            best = row
    return Chosen(best, calls)


def halving(scores: Scores, share: float) -> Chosen:
    """Successive halving within each step: half of the candidates go on at each of three rungs, one is scored in full.

    The rungs are at lengths in geometric progression up to all items, chosen so that a full step takes the ``share``
    of the calls that is asked for, as nearly as whole items allow.
    """
    count, items = scores.shape
    rungs = min(_rungs(items), key=lambda ends: abs(_cost(ends, STEP, items) - share * STEP * items))
    calls, best = 0, -1
    totals = scores.sum(axis=1)
    for start in range(0, count, STEP):
        rows = np.arange(start, min(start + STEP, count))
        calls += _cost(rungs, len(rows), items)
        for end in rungs:
            rows = rows[np.argsort(-scores[rows, :end].sum(axis=1), kind="stable")[: (len(rows) + 1) // 2]]
        if best < 0 or totals[rows[0]] > totals[best] + ROUNDING:
            best = int(rows[0])
    return Chosen(best, calls)


def _rungs(items: int) -> Iterator[list[int]]:
    for shortest in range(1, items + 1):
        yield [round(shortest * (items / shortest) ** (power / 3)) for power in range(3)]


def _cost(ends: Sequence[int], candidates: int, items: int) -> int:
    cost, scored = 0, 0
    for end in [*ends, items]:
        cost += candidates * (end - scored)
        candidates, scored = (candidates + 1) // 2, end
    return cost


def _best(totals: Scores) -> int:
    return int(np.flatnonzero(totals >= totals.max() - ROUNDING)[0])


def measure(method: Method, draw: Draw, seeds: int) -> Figures:
    """Try a method on the matrices of the seeds 0, 1, ..."""
    calls, losses = [], []
    for seed in range(seeds):
        scores = draw(seed)
        chosen = method(scores)
        means = scores.mean(axis=1)
        calls.append(chosen.calls / scores.size)
        losses.append(means.max() - means[chosen.row])
    loss = np.array(losses)
    return Figures(float(np.mean(calls)), float(np.mean(loss > ROUNDING)), float(np.mean(loss > POINTS + ROUNDING)))


def compared(draw: Draw, seeds: int) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of every method on the same matrices."""
    default, strict = Race(), Race(level=0.05)
    yield "full evaluation", measure(full, draw, seeds)
    for race in (default, Race(level=0.1), strict):
        figures = measure(partial(raced, race=race), draw, seeds)
        yield f"race, level {race.level}", figures
        yield "successive halving, as many calls", measure(partial(halving, share=figures.calls), draw, seeds)
    no_margin = replace(default, margin=0)
    yield f"race, level {default.level}, no margin", measure(partial(raced, race=no_margin), draw, seeds)
    unpredicted = partial(raced, race=default, predict=False)
    yield f"race, level {default.level}, others unused", measure(unpredicted, draw, seeds)
    yield f"Hoeffding race, level {strict.level}", measure(partial(hoeffding, level=strict.level), draw, seeds)


def recorded(folder: Path) -> dict[str, Scores]:
    """Return the scores of every ``.csv`` in a folder by its name: rows are candidates, columns items, no header.

    Raises
    ------
    InvalidInput
        There is none, or one holds something else.
    """
    found = {}
    for path in sorted(folder.glob("*.csv")):
        try:
            lines = path.read_text().splitlines()
            found[path.stem] = np.array([line.split(",") for line in lines if line], dtype=np.float64)
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{path} is no matrix of scores: {error}") from None
        if not found[path.stem].size:
            raise InvalidInput(f"{path} is no matrix of scores: it is empty")
    if not found:
        raise InvalidInput(
            f"--matrices {folder} holds no .csv; give a folder that llmopt.benchmarks.studies.score_matrix has written"
        )
    return found


@errors_in_one_line()
def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="racing", description="What racing saves and what it risks.")
    parser.add_argument("--matrices", type=Path, help="a folder of recorded matrices, used instead of simulated ones")
    parser.add_argument("--seeds", type=int, default=1000, help="matrices or orders for each line")
    given = parser.parse_args(arguments)
    matrices = {} if given.matrices is None else recorded(given.matrices)
    print("| candidates | items | accuracies | method | calls | best lost | by more than 2 points |")
    print("|---:|---:|---|---|---:|---:|---:|")
    if given.matrices is None:
        for setting in SETTINGS:
            accuracies = f"{setting.low:.2f} to {setting.high:.2f}, difficulty {setting.difficulty:.0f}"
            _print(f"{CANDIDATES} | {setting.items} | {accuracies}", partial(simulated, setting), given.seeds)
    for name, matrix in matrices.items():
        means = matrix.mean(axis=1)
        accuracies = f"{name}: {means.min():.2f} to {means.max():.2f}"
        _print(f"{len(matrix)} | {matrix.shape[1]} | {accuracies}", partial(shuffled, matrix), given.seeds)


def _print(setting: str, draw: Draw, seeds: int) -> None:
    for method, figures in compared(draw, seeds):
        shares = f"{figures.calls:.3f} | {figures.lost:.3f} | {figures.lost_points:.3f}"
        print(f"| {setting} | {method} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
