"""What a suite asks of models: they are opened, what asks them is checked, and what it may take is known before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

from llmopt.benchmarks.cells import Cell
from llmopt.benchmarks.compare import Comparison, create_solvers
from llmopt.benchmarks.suite import Suite
from llmopt.budget import Budget
from llmopt.cli.forecast import Forecast, forecast
from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM
from llmopt.llm.connect import scheme_of
from llmopt.llm.terms import Terms
from llmopt.problem import Problem
from llmopt.registry import asks_model, create_problem, names, needs_model
from llmopt.runlog import LogReader
from llmopt.runlog.reader import FILE


def check_spec(llm: str) -> None:
    """Raise InvalidInput where a SPEC is that of no model that is known, or names several."""
    _, *more = llm.split(",")
    if any(text.strip().partition(":")[0] in names("llmopt.models") for text in more):
        raise InvalidInput(
            f"--llm {llm} names several models, and a suite has one for all of its solvers; run it once for each, with "
            "a folder of its own (--out)"
        )
    scheme_of(llm)


def asking(suite: Suite, folder: Path) -> Iterator[Cell]:
    """Yield the runs that ask models and that a folder does not hold yet; nothing is written."""
    done = set()
    if (folder / FILE).exists():
        with LogReader(folder) as reader:
            done = {key for key, (_, state) in reader.begun().items() if state == "done"}
    # To look it up for each of many runs would take longer than they do.
    solver_asks = cache(needs_model)
    for group in suite.groups:
        problem_asks = asks_model(group.problem)
        if not (problem_asks or any(map(solver_asks, group.solvers))):
            continue
        for cell in group.cells():
            if (problem_asks or solver_asks(cell.solver)) and (cell.name, cell.repeat) not in done:
                # One that several groups have is run, and counts, once.
                done.add((cell.name, cell.repeat))
                yield cell


def forecasts(cells: Iterable[Cell], llm: str, terms: Terms, open_model: Callable[[str], LLM]) -> list[Forecast]:
    """Build and check runs that ask models, as a comparison does, and return what they may take.

    Parameters
    ----------
    cells
        The runs; they are never all in memory.
    llm, terms
        The SPEC of the solvers' model, and prices and the reply cache.
    open_model
        Returns the model of a SPEC; whoever hands it in closes the model.

    Raises
    ------
    InvalidInput, MissingExtra
        A model cannot be opened, or does not fit a solver, a problem or a budget; nothing was sent.
    """
    first: dict[tuple[str, Budget], Cell] = {}
    counts: Counter[tuple[str, Budget]] = Counter()
    for cell in cells:
        key = cell.name, cell.budget
        first.setdefault(key, cell)
        counts[key] += 1
    model = open_model(llm) if any(needs_model(cell.solver) for cell in first.values()) else None
    found = []
    for _, alike in groupby(first.items(), lambda entry: entry[1].identity.problem):
        # Of a data set, one is in memory at a time.
        problem: Problem | None = None
        for key, cell in alike:
            try:
                if problem is None:
                    problem = create_problem(cell.problem, cell.settings, instance=cell.instance, open_model=open_model)
                comparison = Comparison(
                    cell.problem,
                    cell.settings,
                    # Its other instances differ in nothing that is checked or counted.
                    [problem] * counts[key],
                    create_solvers([cell.solver], model),
                    cell.budget,
                    cell.instance,
                    cell.seed,
                    terms,
                )
                found.append(forecast(comparison))
            except InvalidInput as error:
                raise InvalidInput(f"{cell.name}: {error}") from None
    return found
