"""One run of a benchmark, which a process of its own can do: what it is, and how it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llmopt.benchmarks.execution import execute
from llmopt.benchmarks.record import Identity, Record
from llmopt.benchmarks.results import label
from llmopt.budget import Budget
from llmopt.llm.base import LLM
from llmopt.llm.terms import Terms
from llmopt.registry import create_problem, create_solver, needs_model
from llmopt.runlog import Slot


@dataclass(frozen=True, slots=True)
class Cell:
    """A run that is to be done; a name and a repeat tell it from others.

    Attributes
    ----------
    problem, settings
        A registered name, and settings as text.
    solver
        As it is typed: ``NAME:key=value``.
    repeat, instance, seed
        Which repeat this is, on which instance of the problem, with which seed.
    budget
        What it may spend.
    """

    problem: str
    settings: Mapping[str, str]
    solver: str
    repeat: int
    instance: int
    seed: int
    budget: Budget

    @property
    def name(self) -> str:
        """The problem with its settings, and the solver."""
        return f"{self.identity.problem}: {self.solver}"

    @property
    def identity(self) -> Identity:
        """What its record says it is."""
        problem = label(self.problem, self.settings)
        return Identity(self.solver, problem, self.instance, self.repeat, self.seed)

    def asked(self, llm: str) -> dict[str, Any]:
        """Return what a log says of what was typed."""
        return {
            "problem": self.problem,
            "settings": dict(self.settings),
            "solver": self.solver,
            "llm": llm,
            "hint": "",
            "instance": self.instance,
        }


def run_cell(cell: Cell, slot: Slot, terms: Terms, open_model: Callable[[str], LLM], llm: str) -> Record:
    """Do a run, and return its record; whatever goes wrong is in the record.

    Parameters
    ----------
    cell
        What is run.
    slot
        Where its evaluations and replies are kept.
    terms
        Prices and the reply cache of models.
    open_model
        Returns the model of a SPEC.
    llm
        The SPEC of the solver's model.
    """
    problem = create_problem(cell.problem, cell.settings, instance=cell.instance, open_model=open_model)
    given = {"llm": open_model(llm)} if needs_model(cell.solver) else {}
    solver = create_solver(cell.solver, **given)
    return execute(cell.identity, problem, solver, cell.budget, terms=terms, log=slot).record
