"""Problems of a log, built anew where that needs nothing but their settings."""

from __future__ import annotations

import warnings

from llmopt.benchmarks.results import Trace
from llmopt.errors import LlmoptError
from llmopt.problem import Problem
from llmopt.registry import create_problem
from llmopt.space import Permutation, Vector


def rebuilt(trace: Trace) -> Problem | None:
    """Return the problem of a run; None where it cannot be built, or where that may need a model or the network.

    It may not be the same: the user's files may have changed, or be gone. It is the same where its space is.
    """
    asked = trace.run.identity["asked"]
    try:
        space = trace.space
        if "problem" not in asked or not isinstance(space, Vector | Permutation):
            return None
        with warnings.catch_warnings():
            # What there is to say of a problem was said when it was solved.
            warnings.simplefilter("ignore")
            problem = create_problem(asked["problem"], asked.get("settings", {}), instance=trace.record.instance)
        return problem if problem.space == space and problem.describe() == _description(trace) else None
    except (LlmoptError, OSError, ValueError, TypeError, KeyError):
        return None


def _description(trace: Trace) -> str:
    return str(trace.run.identity["problem"]["description"])
