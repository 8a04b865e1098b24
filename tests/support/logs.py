"""Logs for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmopt import Budget, FunctionProblem, Int, Vector
from llmopt.llm.base import LLM
from llmopt.opro import OPRO
from llmopt.runlog import RunLog, Slot
from llmopt.runlog.replies import Logged

PROBLEM = FunctionProblem(lambda s: float(s["x"] ** 2), Vector(x=Int(-50, 50)))
BUDGET = Budget(evaluations=10)


@contextmanager
def recorded(folder: Path, llm: LLM) -> Iterator[Logged]:
    """Give a model whose replies are kept in the log of a folder, as those of a run's optimizer."""
    serializer = "chat" if llm.capabilities.chat else "continuation"
    with RunLog(folder) as log:
        slot = Slot(log, repeat=len(log.reader.runs()))
        solver = OPRO(llm, serializer=serializer)  # type: ignore[arg-type]
        yield Logged(llm, slot.open(PROBLEM, solver, BUDGET, 0, starts=None, target=None), "optimizer")
