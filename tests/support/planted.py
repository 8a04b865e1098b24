"""Results in which everything that comes from outside tries to run as a program, or to break the page."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from llmopt import AskTellSolver, Budget, Float, Permutation, Problem, Proposals, Space, Text, Vector
from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.execution import Run
from llmopt.opro import OPRO
from llmopt.runlog import RunLog
from support.models import FunctionLLM

MARK = "planted"
"""A name of the window that every planted script would set."""

PAYLOADS = (
    f"<script>window.{MARK}=1</script>",
    f"</script><script>window.{MARK}=2</script>",
    f'<img src="missing.png" onerror="window.{MARK}=3">',
    f'"><svg onload="window.{MARK}=4">',
    f'<a href="javascript:window.{MARK}=5">here</a><br><b>bold</b> %{{y}} $x$',
    f"</textarea></title></style><iframe srcdoc='<script>parent.{MARK}=6</script>'>",
    '<img src="http://192.0.2.1/x.png"><style>*{display:none}</style><!--',
    '=HYPERLINK("http://192.0.2.1/")',
    "half \udcff\ud800 characters, \x00\x1b[2J\u202e\u2028\u2029 and [bold]markup[/bold] &lt; &#60;",
)


class Planted(Problem):
    """A problem whose words are payloads; ``space`` is what the test wants."""

    def __init__(self, space: Space[Any]) -> None:
        self.space = space

    def evaluate(self, solution: Any) -> float:
        if isinstance(solution, dict) and solution["x"] > 4:
            raise ValueError(PAYLOADS[0])
        return float(solution["x"] ** 2 + solution["y"] ** 2) if isinstance(solution, dict) else float(len(solution))

    def describe(self) -> str:
        return " ".join(PAYLOADS[:6])


class Says(AskTellSolver):
    """Proposes every payload as a solution."""

    def ask(self, n: int) -> Proposals:
        return Proposals(self.task.space.pack([f"{text} {len(self.task.history)}" for text in PAYLOADS[:5]]))


class Draws(AskTellSolver):
    """Proposes anything."""

    def ask(self, n: int) -> Proposals:
        return Proposals(self.task.space.sample(n, self.rng))


def plant(folder: Path, space: Space[Any] | None = None, *, repeats: int = 2) -> list[Run]:
    """Make results: on numbers with a model by default, else on the given space without."""
    space = space or Vector(x=Float(-5, 5), y=Float(-5, 5))
    said = count()
    model = FunctionLLM(lambda request, i: f"x=0.{i} y=0.5 {PAYLOADS[next(said) % len(PAYLOADS)]}")
    solvers = {
        PAYLOADS[2]: Draws(),
        PAYLOADS[4]: Says() if isinstance(space, Text) else Draws(batch=5),
        PAYLOADS[7]: OPRO(model, hint=PAYLOADS[1]) if isinstance(space, Vector) else Draws(batch=3),
    }
    problems = [Planted(space)] * repeats
    with RunLog(folder) as log:
        settings = {PAYLOADS[0]: PAYLOADS[3]}
        comparison = Comparison(PAYLOADS[0], settings, problems, solvers, Budget(evaluations=40, steps=6), log=log)
        log.set_meta("meta", {"command": ["llmopt", *PAYLOADS]})
        return list(comparison.runs())


def spaces() -> dict[str, Space[Any]]:
    """Return the kinds of spaces whose pages differ."""
    return {"numbers": Vector(x=Float(-5, 5), y=Float(-5, 5)), "texts": Text(max_length=400), "tours": Permutation(5)}
