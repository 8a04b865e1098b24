"""Instances: the same problem with other data, drawn from the number of the instance."""

from __future__ import annotations

import numpy as np

from llmopt.problems.checks import whole

LAST_INSTANCE = 10_000_000


def instance_number(value: object) -> int:
    """Return the number of an instance; the limit lets its seeds fit the 32 bits of NumPy's legacy generator."""
    return whole("instance", value, 0, LAST_INSTANCE)


def generator(purpose: str, instance: int) -> np.random.Generator:
    """Return the generator that draws ``purpose`` for an instance.

    The purpose is part of the seed: a solver that is seeded with the number of the instance must not draw the
    very numbers that placed the optimum.
    """
    return np.random.default_rng([*purpose.encode(), instance])
