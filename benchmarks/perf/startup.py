"""The time until the package is imported, and until the command line has shown its help."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from llmopt.benchmarks.perf.row import Row, alternate


@dataclass(frozen=True)
class StartupCost:
    """Seconds of whole processes, each the median of several."""

    import_llmopt: float
    import_numpy: float
    show_help: float

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        return [
            Row("import llmopt", self.import_llmopt, "s", self.import_numpy, "import numpy", "difference", limit=0.2),
            Row("llmopt --help", self.show_help, "s", limit=0.5),
        ]


def measure(*, quick: bool = False) -> StartupCost:
    """Time fresh processes in turn, after one of each that warms the disk's cache and is not counted."""
    script = Path(sys.executable).with_name("llmopt")
    program = [str(script)] if script.exists() else [sys.executable, "-P", "-m", "llmopt.cli"]
    commands = [
        [sys.executable, "-P", "-c", "import llmopt"],
        [sys.executable, "-P", "-c", "import numpy"],
        [*program, "--help"],
    ]
    sides = [partial(_seconds, command) for command in commands]
    alternate(sides, 1)
    return StartupCost(*map(statistics.median, alternate(sides, 1 if quick else 15)))


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
