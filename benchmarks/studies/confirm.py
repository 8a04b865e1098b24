"""Do the designs that propose well also find the optimum sooner? Whole runs on lines that are none of the paper's.

    python -P -m llmopt.benchmarks.studies.confirm FILE [--llm local] DESIGN...

Each design of :mod:`llmopt.benchmarks.studies.designs` and each control without a model searches the same twelve lines
from the same starts with the same budget. Of several models, with commas between them, each answers a part of every
step's prompts. FILE (CSV) keeps every run as soon as it has ended, whatever the model; what is in it is not run again.
"""

from __future__ import annotations

import argparse
import csv
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from llmopt.benchmarks.studies.designs import DESIGNS
from llmopt.benchmarks.studies.frozen import line
from llmopt.benchmarks.studies.kept import ended, kept
from llmopt.benchmarks.studies.mixture import Mixture
from llmopt.benchmarks.studies.paired import CONTROLS, geometric_ratio, written
from llmopt.llm import connect
from llmopt.objective import Budget
from llmopt.registry import create_solver
from llmopt.run import run

SEEDS = range(8_000, 8_012)
"""Of the coefficients, noise, starts and solver; none of them is one of the frozen histories'."""
BUDGET = Budget(evaluations=805, steps=100)

Row = tuple[bool, int, int]
"""Whether a run was solved, its evaluations and its steps."""


def main(*arguments: str) -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("designs", nargs="+", choices=list(DESIGNS), metavar="DESIGN")
    parser.add_argument("--llm", default="local", help="the model, or several with commas")
    options = parser.parse_args(arguments or None)
    path, designs = options.file, options.designs
    known = _read(path)
    with ExitStack() as stack:
        models = [stack.enter_context(connect(spec)) for spec in options.llm.split(",")]
        llm = models[0] if len(models) == 1 else Mixture(models)
        output = stack.enter_context(path.open("a", newline="", encoding="utf-8"))
        for seed in SEEDS:
            for name in (*CONTROLS, *designs):
                if (name, seed) not in known:
                    solver = create_solver(name) if name in CONTROLS else DESIGNS[name](llm)
                    result = ended(run(line(seed, 40), solver, BUDGET, seed=seed))
                    needed = result.evaluations_to_target or result.nfev, result.steps_to_target or result.nit
                    row = known[name, seed] = (result.success, *needed)
                    csv.writer(output).writerow([name, seed, *map(int, row)])
                    output.flush()
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


def _read(path: Path) -> dict[tuple[str, int], Row]:
    return {
        (name, int(seed)): (bool(int(solved)), int(evaluations), int(steps))
        for name, seed, solved, evaluations, steps in kept(path)
    }


if __name__ == "__main__":
    main()
