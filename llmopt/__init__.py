"""Black-box optimization in which a language model is one solver among many."""

from llmopt.budget import Budget
from llmopt.errors import (
    DecodeError,
    InvalidInput,
    LlmoptError,
    LogError,
    MissingExtra,
    ModelError,
    ReplayDiverged,
    WorkerError,
)
from llmopt.experiment import Experiment
from llmopt.history import Evaluation, Evaluations, History
from llmopt.objective import Objective, Proposals
from llmopt.optimize import maximize, minimize
from llmopt.problem import FunctionProblem, Infeasible, Optimum, Problem
from llmopt.result import OptimizeResult
from llmopt.resume import resume
from llmopt.run import run
from llmopt.solver import AskTellSolver, Solver, Task
from llmopt.space import Categorical, Float, Int, Permutation, Space, Text, Vector

__version__ = "0.1.0"

__all__ = [
    "AskTellSolver",
    "Budget",
    "Categorical",
    "DecodeError",
    "Evaluation",
    "Evaluations",
    "Experiment",
    "Float",
    "FunctionProblem",
    "History",
    "Infeasible",
    "Int",
    "InvalidInput",
    "LlmoptError",
    "LogError",
    "MissingExtra",
    "ModelError",
    "Objective",
    "OptimizeResult",
    "Optimum",
    "Permutation",
    "Problem",
    "Proposals",
    "ReplayDiverged",
    "Solver",
    "Space",
    "Task",
    "Text",
    "Vector",
    "WorkerError",
    "maximize",
    "minimize",
    "resume",
    "run",
]
