"""Runs that have ended, made up from their losses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from llmopt import Float, Vector
from llmopt.benchmarks.record import Record
from llmopt.benchmarks.results import Trace
from llmopt.benchmarks.runtimes import hitting_times
from llmopt.runlog import LoggedRun
from llmopt.space import Space
from llmopt.space.plain import to_plain

SPACE = Vector(x=Float(-5, 5))


def trace(
    solver: str,
    losses: Sequence[float],
    *,
    problem: str = "function",
    instance: int = 0,
    optimum: float | None = 0.0,
    tolerance: float = 0.01,
    steps: Sequence[int] | None = None,
    space: Space[Any] = SPACE,
    maximize: bool = False,
    batch: int | None = None,
    **fields: Any,
) -> Trace:
    """Return a run with these losses, of a problem with this smallest loss, whose repeat is its instance.

    By default every evaluation is a step, the first one the start; ``fields`` are those of the record.
    """
    values = np.array(losses, dtype=np.float64)
    sign = -1.0 if maximize else 1.0
    best = float(np.fmin.reduce(values, initial=math.inf))
    reached = math.inf if optimum is None else hitting_times(values, [optimum + tolerance])[0]
    success = math.isfinite(reached)
    evaluations = int(reached) if success else len(values)
    numbers = np.arange(len(values)) if steps is None else np.array(steps)
    gap = None if optimum is None or math.isinf(best) else best - optimum
    known = None if optimum is None else [sign * optimum, tolerance]
    identity = {
        "asked": {"problem": problem, "settings": {}, "solver": solver, "instance": instance},
        "problem": {
            "class": problem,
            "space": to_plain(space),
            "direction": "maximize" if maximize else "minimize",
            "noisy": False,
            "optimum": known,
        },
        "solver": {"class": solver, "settings": {} if batch is None else {"batch": batch}, "packages": []},
        "target": None,
    }
    run = LoggedRun(
        id=1,
        parent=None,
        name=solver,
        repeat=instance,
        seed=instance,
        identity=identity,
        machine={},
        began="",
        ended=None,
        state="done",
        stop_reason="target" if success else "evaluations",
        message="",
        seconds=0.0,
        cached_replies=0,
        record=None,
        evaluations=len(values),
        steps=len(values),
        best_score=None,
    )
    record = {
        "solver": solver,
        "access": "scores",
        "llm": None,
        "problem": problem,
        "instance": instance,
        "repeat": instance,
        "seed": instance,
        "success": success,
        "evaluations": evaluations,
        "steps": int(numbers[evaluations - 1]) if len(values) else 0,
        "unique_pairs": len(values),
        "proposals": len(values),
        "duplicates": 0,
        "invalid": 0,
        "repaired": 0,
        "move_evaluations": 0,
        "failed": int(np.isnan(values).sum()),
        "infeasible": 0,
        "best_score": None if math.isinf(best) else sign * best,
        "optimum": None if optimum is None else sign * optimum,
        "gap": gap,
        "relative_gap": gap / abs(optimum) if gap is not None and optimum else None,
        "llm_calls": 0,
        "llm_retries": 0,
        "llm_cached": 0,
        "prompt_tokens": 0,
        "cached_tokens": 0,
        "completion_tokens": 0,
        "cost_usd": 0.0,
        "seconds": 1.0,
        "stop_reason": run.stop_reason,
        "message": "",
    }
    return Trace(run, Record(**{**record, **fields}), values, numbers.astype(np.int32))
