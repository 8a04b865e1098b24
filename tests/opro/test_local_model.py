"""OPRO with the real embedded model: its grammars are read by llama.cpp itself."""

from typing import Any

import pytest

from llmopt import (
    Budget,
    Categorical,
    Float,
    FunctionProblem,
    Int,
    Optimum,
    Permutation,
    Space,
    Text,
    Vector,
    run,
)
from llmopt.llm.local import LocalLLM
from llmopt.opro import OPRO

pytestmark = pytest.mark.model

MORE: list[Space[Any]] = [Permutation(5, symmetry="dihedral"), Permutation(12), Text(max_length=30, digits=False)]
SPACES = [
    Vector(w=Int(-50, 50), b=Int(-50, 50)),
    Vector(
        x=Float(-0.1, 0.1),
        rate=Float(1e-5, 1e-1, log=True),
        k=Int(0, 100, step=5),
        kind=Categorical("a b", 'c"\\d', True, None),
        deep=Categorical("yes", "no"),
    ),
    *(pytest.param(space, marks=pytest.mark.slow) for space in MORE),
]


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_every_reply_under_a_spaces_grammar_is_a_member(local_llm: LocalLLM, space: Space[Any]) -> None:
    problem = FunctionProblem(lambda s: float(len(str(s))), space)
    result = run(problem, OPRO(local_llm, samples=4), Budget(steps=2, evaluations=13), seed=1)
    assert not result.invalid
    assert result.nfev > 5
    assert result.spent["optimizer"].prompt_tokens > result.spent["optimizer"].completion_tokens > 0


@pytest.mark.slow
def test_the_embedded_model_finds_the_optimum_of_a_line(local_llm: LocalLLM) -> None:
    space = Vector(w=Int(-50, 50), b=Int(-50, 50))
    problem = FunctionProblem(lambda s: float((s["w"] - 12) ** 2 * 9 + (s["b"] - 16) ** 2), space, optimum=Optimum(0.0))
    starts = [{"w": w, "b": b} for w, b in [(18, 15), (10, 13), (16, 14), (17, 18), (15, 10)]]
    result = run(problem, OPRO(local_llm), Budget(steps=40), seed=0, starts=starts)
    assert result.success and result.x == {"w": 12, "b": 16}
    # 10,201 pairs; a uniform search would need thousands.
    assert result.nfev < 350
