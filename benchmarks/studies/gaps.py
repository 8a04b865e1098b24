"""How near do designs come to the optimum of functions of two to ten real variables, in 50 evaluations a variable?

    python -P -m llmopt.benchmarks.studies.gaps FILE [--instances 6] [--llm local] DESIGN...

Each design of :mod:`llmopt.benchmarks.studies.designs`, each control without a model and CMA-ES minimizes the same
instances of 13 functions. The table has geometric means of the gap that is left, at least the target's 0.01. FILE (CSV)
keeps every run as soon as it has ended; what is in it is not run again. It is of one model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llmopt.benchmarks.studies.command import design_parser, errors_in_one_line, measuring, opened, parsed
from llmopt.benchmarks.studies.designs import DESIGNS
from llmopt.benchmarks.studies.kept import Kept, ended
from llmopt.benchmarks.studies.paired import CONTROLS, geometric_ratio, written
from llmopt.budget import Budget
from llmopt.llm.base import LLM
from llmopt.problems.functions import NumericFunction
from llmopt.registry import create_problem, create_solver
from llmopt.run import run

BESIDE = (*CONTROLS, "cma-es")
FUNCTIONS = (
    *(f"name={name} dim=2" for name in ("ackley", "rastrigin", "rosenbrock")),
    "name=branin",
    "name=rosenbrock dim=3",
    "name=sphere dim=3",
    *(f"name={name} dim=5" for name in ("ackley", "rastrigin", "rosenbrock", "sphere")),
    "name=hartmann6",
    *(f"name={name} dim=10" for name in ("ackley", "sphere")),
)
"""As written on the command line; all are rotated."""
FIRST_INSTANCE = 20
EACH = 50
"""Evaluations for each variable."""
FLOOR = 0.01

Key = tuple[str, str, int]
"""A design, a function and an instance."""


def gap(design: str, function: NumericFunction, seed: int, llm: LLM) -> float:
    """Return how far above the optimum a run ends, at least :data:`FLOOR`."""
    solver = create_solver(design) if design in BESIDE else DESIGNS[design](llm)
    budget = Budget(evaluations=EACH * len(function.space.variables))
    return max(ended(run(function, solver, budget, seed=seed)).fun - function.formula.minimum, FLOOR)


def problem(settings: str, instance: int) -> NumericFunction:
    """Return an instance of a function that is given as on the command line."""
    named = dict(setting.split("=") for setting in settings.split())
    found = create_problem("function", {**named, "rotated": "true"}, instance=instance)
    assert isinstance(found, NumericFunction)
    return found


def table(gaps: dict[Key, float], designs: list[str], instances: range) -> str:
    """Return the table as Markdown: geometric means by the number of variables, and over ``gaussian``.

    The interval is that of the bootstrap over functions: instances of one function are much alike.
    """
    by_size: dict[int, list[str]] = {}
    for function in FUNCTIONS:
        by_size.setdefault(len(problem(function, 0).space.variables), []).append(function)
    lines = [
        f"| design | {' | '.join(f'{d} variables' for d in by_size)} | all | over gaussian (95 %) |",
        f"|---|{'---:|' * (len(by_size) + 1)}---|",
    ]

    def of(design: str, functions: Sequence[str]) -> list[float]:
        """Return the geometric mean of each function."""
        return [float(np.exp(np.mean([np.log(gaps[design, f, i]) for i in instances]))) for f in functions]

    for design in designs:
        means = [np.exp(np.mean(np.log(of(design, some)))) for some in (*by_size.values(), FUNCTIONS)]
        over = geometric_ratio(*(of(each, FUNCTIONS) for each in (design, CONTROLS[0])))
        lines.append(f"| {design} | {' | '.join(f'{mean:.3g}' for mean in means)} | {written(over)} |")
    return "\n".join(lines)


@errors_in_one_line()
def main(*arguments: str) -> None:
    """Run what is missing and print the table."""
    parser = design_parser(__doc__, "+")
    parser.add_argument("--instances", type=int, default=6)
    options = parsed(parser, arguments, DESIGNS)
    designs, instances = [*BESIDE, *options.designs], range(FIRST_INSTANCE, FIRST_INSTANCE + options.instances)
    kept = Kept(options.file, "gaps", model=options.llm)
    gaps = {(name, f, int(i)): float(value) for name, f, i, value in kept.rows}
    missing = [key for i in instances for f in FUNCTIONS for design in designs if (key := (design, f, i)) not in gaps]
    with opened(options.llm, {design for design, *_ in missing} - {*BESIDE}) as llm:
        for key in missing:
            design, settings, instance = key
            with measuring(design):
                gaps[key] = gap(design, problem(settings, instance), instance, llm)
            kept.add(*key, gaps[key])
    print(table(gaps, designs, instances))


if __name__ == "__main__":
    main()
