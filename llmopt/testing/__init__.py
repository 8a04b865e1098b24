"""The conformance kit: subclass one class, and pytest checks your solver, problem, space, codec or model.

    from llmopt.testing import SolverChecks

    class TestMine(SolverChecks):
        def make(self):
            return Mine()

Every check is a test whose name says the fault that it looks for, and a failing one shows the smallest example that was
found. It needs ``pip install 'llmopt[testing]'``; nothing else in llmopt imports this package.
"""

from importlib.util import find_spec

from llmopt.errors import MissingExtra

if missing := [name for name in ("pytest", "hypothesis", "jsonschema") if not find_spec(name)]:
    raise MissingExtra(f"llmopt.testing needs {', '.join(missing)}; install with: pip install 'llmopt[testing]'")

from llmopt.testing.checks import Checks
from llmopt.testing.codecs import CodecChecks
from llmopt.testing.models import ModelChecks
from llmopt.testing.problems import ProblemChecks
from llmopt.testing.serializers import SerializerChecks
from llmopt.testing.solvers import SolverChecks
from llmopt.testing.spaces import SpaceChecks

__all__ = [
    "Checks",
    "CodecChecks",
    "ModelChecks",
    "ProblemChecks",
    "SerializerChecks",
    "SolverChecks",
    "SpaceChecks",
]
