"""The 24 noiseless functions of the suite bbob, computed by COCO itself (the package coco-experiment)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from llmopt.errors import InvalidInput, MissingExtra
from llmopt.problem import Optimum
from llmopt.problems.checks import number, whole
from llmopt.problems.formulas import Floats
from llmopt.problems.functions import UnknownFunction
from llmopt.space import Columns, Float, Vector

FUNCTIONS = 24
DIMENSIONS = (2, 3, 5, 10, 20, 40)
LAST_INSTANCE = 200_000
"""COCO seeds its generator, which is written for 31 bits, with 10,000 times the instance and a little more."""


class BBOB(UnknownFunction):
    """A function of the suite bbob of COCO: real variables x1 .. xd in [-5, 5], to be minimized.

    COCO: Hansen, Auger, Ros, Mersmann, Tusar and Brockhoff, COCO: a platform for comparing continuous optimizers in a
    black-box setting, Optimization Methods and Software 36 (2021) 114-144. The functions: Hansen, Finck, Ros and
    Auger, Real-parameter black-box optimization benchmarking 2009: noiseless functions definitions, INRIA RR-6829.

    Instance K is COCO's instance K + 1: instances 0 to 14 are the fifteen of the workshops of 2010. COCO moves the
    optimum and its value, and rotates where the function says so; it says both, so that the target is known. No
    observer is attached, and nothing is written. It needs ``pip install 'llmopt[bbob]'``.

    Parameters
    ----------
    function
        COCO's number of the function: 1 to 5 are separable, 6 to 9 have low or moderate conditioning, 10 to 14 high
        conditioning and one optimum, 15 to 19 many optima in a regular structure, 20 to 24 in a weak one.
    dim
        The number of variables: 2, 3, 5, 10, 20 or 40.
    tolerance
        How far above the minimum the target lies, 1e-9 (above rounding) to 1e9; 1e-8 is COCO's last target.
    instance
        Which place, value and rotation, and which start points, 0 to 200,000.

    Raises
    ------
    InvalidInput
        An argument is not legal.
    MissingExtra
        coco-experiment is not installed.

    Examples
    --------
    >>> from llmopt.problems.bbob import BBOB
    >>> problem = BBOB(function=1, dim=2)
    >>> problem.optimum.score, problem.evaluate({"x1": 1.0, "x2": 2.0})
    (79.48, 90.00369408)
    """

    def __init__(self, function: int, dim: int = 2, tolerance: float = 1e-8, instance: int = 0) -> None:
        # COCO ends the whole process where it does not know a function.
        self.function = whole("function", function, 1, FUNCTIONS)
        self.instance = whole("instance", instance, 0, LAST_INSTANCE)
        if dim not in DIMENSIONS:
            raise InvalidInput(f"dim={dim!r} is not legal; COCO has {', '.join(map(str, DIMENSIONS))}")
        self.space = Vector({f"x{i + 1}": Float(-5, 5) for i in range(int(dim))})
        place = dict(zip(self.space.variables, self._coco.best_parameter().tolist(), strict=True))
        self.optimum = Optimum(self._coco.best_value(), number("tolerance", tolerance, 1e-9), place)

    def evaluate_batch(self, columns: Columns) -> Floats:
        # COCO reads d numbers from where a point begins, and checks neither how many there are nor their order.
        points = np.ascontiguousarray(np.transpose([columns[name] for name in self.space.variables]))
        return np.asarray(self._coco(points))

    def identity(self) -> Mapping[str, Any]:
        return {"function": self.function, "instance": self.instance}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_coco"}

    @cached_property
    def _coco(self) -> Any:
        """COCO's function: a pointer of C, which is never pickled but made again where it is needed."""
        try:
            from cocoex import BareProblem
        except ImportError:
            raise MissingExtra("problem bbob needs COCO; install it with: pip install 'llmopt[bbob]'") from None
        return BareProblem("bbob", self.function, len(self.space.variables), self.instance + 1)
