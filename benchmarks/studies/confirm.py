"""Do the designs that propose well also find the optimum sooner? Whole runs on lines that are none of the paper's.

    python -P -m llmopt.benchmarks.studies.confirm FILE [--llm local] DESIGN...

Each design of :mod:`llmopt.benchmarks.studies.designs` and each control without a model searches the same twelve lines
from the same starts with the same budget. Of several models, with commas between them, each answers a part of every
step's prompts. FILE (CSV) keeps every run as soon as it has ended; what is in it is not run again. It is of one model.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from llmopt.benchmarks.studies.command import design_parser, errors_in_one_line, measuring, opened, parsed
from llmopt.benchmarks.studies.designs import DESIGNS
from llmopt.benchmarks.studies.frozen import line
from llmopt.benchmarks.studies.kept import Kept, ended
from llmopt.benchmarks.studies.paired import CONTROLS, geometric_ratio, written
from llmopt.budget import Budget
from llmopt.registry import create_solver
from llmopt.run import run
from llmopt.solver import AskTellSolver, Solver

SEEDS = range(8_000, 8_012)
"""Of the coefficients, noise, starts and solver; none of them is one of the frozen histories'."""
BUDGET = Budget(evaluations=805, steps=100)
"""Of eight samples a step."""

Row = tuple[bool, int, int]
"""Whether a run was solved, its evaluations and its steps."""


def budget(solver: Solver) -> Budget:
    """Return the budget of a run: where a step has few samples, there are more steps, for as many evaluations."""
    if BUDGET.steps is None or not isinstance(solver, AskTellSolver):
        return BUDGET
    return replace(BUDGET, steps=BUDGET.steps * max(1, 8 // solver.batch))


@errors_in_one_line()
def main(*arguments: str) -> None:
    """Run what is missing and print the table."""
    options = parsed(design_parser(__doc__, "+"), arguments, DESIGNS)
    designs = options.designs
    kept = Kept(options.file, "confirm", model=options.llm)
    known: dict[tuple[str, int], Row] = {
        (name, int(seed)): (bool(int(solved)), int(evaluations), int(steps))
        for name, seed, solved, evaluations, steps in kept.rows
    }
    missing = [(name, seed) for seed in SEEDS for name in (*CONTROLS, *designs) if (name, seed) not in known]
    with opened(options.llm, {name for name, _ in missing} - {*CONTROLS}) as llm:
        for name, seed in missing:
            with measuring(name):
                solver = create_solver(name) if name in CONTROLS else DESIGNS[name](llm)
                result = ended(run(line(seed, 40), solver, budget(solver), seed=seed))
            needed = result.evaluations_to_target or result.nfev, result.steps_to_target or result.nit
            row = known[name, seed] = (result.success, *needed)
            kept.add(name, seed, *map(int, row))
    print("| design | solved | median evaluations | median steps | over gaussian (95 %) | over differential |")
    print("|---|---:|---:|---:|---|---|")
    spent = {name: [known[name, seed][1] for seed in SEEDS] for name in (*CONTROLS, *designs)}
    for name, evaluations in spent.items():
        solved = sum(known[name, seed][0] for seed in SEEDS)
        steps = np.median([known[name, seed][2] for seed in SEEDS])
        over = " | ".join(
            "" if name == other else written(geometric_ratio(evaluations, spent[other])) for other in CONTROLS
        )
        print(f"| {name} | {solved}/{len(SEEDS)} | {np.median(evaluations):g} | {steps:g} | {over} |")


if __name__ == "__main__":
    main()
