"""The files of IOHprofiler, which IOHanalyzer and iohinspector read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt import __version__
from llmopt.history import OK
from llmopt.runlog import LoggedRun, LogReader
from llmopt.runlog.rows import Outcome
from llmopt.space import Permutation, Space, Vector

_LARGEST = 65_535
"""Instances and dimensions are 16 bits wide in these programs."""


def export(reader: LogReader, runs: Sequence[LoggedRun], target: Path) -> list[str]:
    """Write one folder for each solver and return their names.

    A function is a problem with its settings, its number the order in which it first came. Every evaluation with a
    score is written; one without is left out, but for the first of a run, which stands for the worst score of the run:
    these programs count runs by their first evaluation.
    """
    functions = list(dict.fromkeys(_function(run) for run in runs))
    written: list[str] = []
    for solver in dict.fromkeys(run.solver for run in runs):
        folder = target / _slug(solver)
        if folder.exists():
            # Another solver's name differs only in characters that no folder should have.
            folder = target / f"{_slug(solver)}-{len(written)}"
        for number, function in enumerate(functions, 1):
            chosen = [run for run in runs if run.solver == solver and _function(run) == function]
            scored = [(run, outcome) for run in chosen if np.any((outcome := reader.outcome(run)).status == OK)]
            if scored:
                _write(folder, solver, number, function, scored)
                written.append(folder.name)
    return list(dict.fromkeys(written))


def _write(folder: Path, solver: str, number: int, function: str, runs: Sequence[tuple[LoggedRun, Outcome]]) -> None:
    name = _slug(function)
    data = f"data_f{number}_{name}"
    (folder / data).mkdir(parents=True, exist_ok=True)
    scenarios = []
    for dimension in sorted({_dimension(run.space) for run, _ in runs}):
        path = f"{data}/IOHprofiler_f{number}_DIM{dimension}.dat"
        entries = []
        with (folder / path).open("w", encoding="ascii") as file:
            for run, outcome in runs:
                if _dimension(run.space) == dimension:
                    calls, scores = _scored(run, outcome)
                    file.write("evaluations raw_y\n")
                    file.writelines(f"{call} {score!r}\n" for call, score in zip(calls, scores, strict=True))
                    entries.append(_entry(run, outcome, calls, scores))
        scenarios.append({"dimension": dimension, "path": path, "runs": entries})
    document = {
        "version": "0.3.5",
        "suite": "llmopt",
        "function_id": number,
        "function_name": name,
        "maximization": runs[0][0].maximize,
        "algorithm": {"name": solver, "info": f"llmopt {__version__}"},
        "attributes": ["evaluations", "raw_y"],
        "scenarios": scenarios,
    }
    text = json.dumps(document, indent=1, allow_nan=False)
    (folder / f"IOHprofiler_f{number}_{name}.json").write_text(text, encoding="utf-8")


def _scored(run: LoggedRun, outcome: Outcome) -> tuple[list[int], list[float]]:
    """Return the numbers, from 1, and the scores of the evaluations that have one, and of the first."""
    scores: NDArray[np.float64] = (-outcome.losses if run.maximize else outcome.losses) + 0.0
    ok = outcome.status == OK
    if not ok[0]:
        scores[0] = scores[ok].min() if run.maximize else scores[ok].max()
        ok[0] = True
    return (outcome.calls[ok] + 1).tolist(), scores[ok].tolist()


def _entry(run: LoggedRun, outcome: Outcome, calls: Sequence[int], scores: Sequence[float]) -> dict[str, Any]:
    best = (max if run.maximize else min)(scores)
    instance = int(run.identity["asked"].get("instance") or 0)
    return {
        "instance": min(instance, _LARGEST),
        "evals": len(outcome),
        "best": {"evals": calls[scores.index(best)], "y": best, "x": _numbers(run, outcome, scores.index(best))},
    }


def _numbers(run: LoggedRun, outcome: Outcome, row: int) -> list[float]:
    """Return a solution as numbers, where it is one of numbers."""
    solution = run.space.rows_to_json({name: values[row : row + 1] for name, values in outcome.columns.items()})[0]
    values = list(solution.values()) if isinstance(solution, dict) else solution
    return values if isinstance(values, list) and all(type(v) in (int, float) for v in values) else []


def _function(run: LoggedRun) -> str:
    settings = run.identity["asked"].get("settings") or {}
    return "_".join([run.problem, *(f"{name}-{value}" for name, value in settings.items())])


def _dimension(space: Space[Any]) -> int:
    if isinstance(space, Vector):
        return min(len(space.variables), _LARGEST)
    return min(space.n, _LARGEST) if isinstance(space, Permutation) else 1


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "_", text)[:80]
