"""Exhaustive search over a grid of the paper's regression, in a process of its own."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from llmopt import Budget, run
from llmopt.baselines.exhaustive import Exhaustive
from llmopt.benchmarks.perf.row import Row
from llmopt.registry import create_problem


@dataclass(frozen=True)
class ExhaustiveCost:
    """Seconds and peak memory of the whole process, from its start to its end; ``size`` is that of the space."""

    size: int
    recorded: int
    seconds: float
    peak_mb: float

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        what = f"exhaustive search, {self.size:,} solutions in the history"
        return [
            Row(f"{what}: time of the process", self.seconds, "s", limit=3.0),
            Row(f"{what}: peak memory of the process", self.peak_mb, "MB", limit=400.0),
        ]


def measure(*, quick: bool = False) -> ExhaustiveCost:
    """Search the grid in fresh processes; nothing is left out, neither the interpreter nor the imports."""
    bound, rounds = (30, 1) if quick else (500, 3)
    seconds, outputs = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        out = subprocess.run(
            [sys.executable, "-P", "-m", __name__, str(bound)], capture_output=True, text=True, check=True
        )
        seconds.append(time.perf_counter() - began)
        outputs.append(json.loads(out.stdout))
    peak = max(output["peak_mb"] for output in outputs)
    return ExhaustiveCost(outputs[0]["size"], outputs[0]["recorded"], statistics.median(seconds), peak)


def search(bound: int) -> dict[str, float]:
    """Search -bound .. bound in both coefficients and return the counts and the peak memory of this process."""
    settings = {"w_true": "15", "b_true": "14", "low": str(-bound), "high": str(bound)}
    problem = create_problem("regression", settings)
    size = problem.space.size
    assert size is not None
    result = run(problem, Exhaustive(), Budget(evaluations=size))
    # Linux begins a new program with the peak of the process that started it: this may be too much, never too little.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"size": size, "recorded": len(result.history), "peak_mb": peak * (1 if _in_bytes() else 1024) / 1e6}


def _in_bytes() -> bool:
    return sys.platform == "darwin"


if __name__ == "__main__":
    print(json.dumps(search(int(sys.argv[1]))))
