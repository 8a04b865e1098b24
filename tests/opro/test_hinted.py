"""How a base model is shown a user's hint."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Budget, Categorical, Float, FunctionProblem, Int, Vector, run
from llmopt.llm.base import Request
from llmopt.llm.local import LocalLLM
from llmopt.opro import OPRO
from llmopt.opro.codec import codec_for
from llmopt.opro.hinted import TEMPERATURE, Hinted, due
from llmopt.opro.serializer import View
from support.models import obedient

SPACE = Vector(x=Float(-5, 5), k=Int(0, 9), kind=Categorical("a", "b"))
HINT = "the best has k near 7,\nand x is small"


def prompts(hint: str, steps: int = 4, **settings: Any) -> list[list[Request]]:
    """Return the requests of each step of a run."""
    llm = obedient()
    run(FunctionProblem(lambda s: s["x"] ** 2, SPACE), OPRO(llm, hint=hint, **settings), Budget(steps=steps), seed=1)
    return [llm.requests[8 * step : 8 * step + 8] for step in range(steps)]


def test_solutions_stand_behind_hints_that_name_them_and_the_users_hint_is_last() -> None:
    codec = codec_for(SPACE)
    solutions = [{"x": 1.234, "k": 3, "kind": "a"}, {"x": -0.5, "k": 9, "kind": "b"}]
    view = View("", HINT, codec, [codec.encode(s) for s in solutions], ["9", "1"], "0", maximize=False)
    prompt = Hinted().prompt(view)
    assert prompt.content == (
        "# near x = 1.2 and k = 3 and kind = a\nx=1.23 k=3 kind=a\n"
        "# the best values are about x=-0.5, k=9, kind=b\nx=-0.50 k=9 kind=b\n"
        "# the best has k near 7, and x is small\nx"
    )
    assert (prompt.opening, prompt.ending) == ("x", "\n")


@given(st.text(max_size=9), st.sampled_from(["\n", "\r\n", "\nw=9 gain=1", "\n\n"]), st.text(max_size=9))
def test_a_choice_with_several_lines_stands_on_one(before: str, broken: str, after: str) -> None:
    codec = codec_for(Vector(c=Categorical(before + broken + after, "two words"), w=Int(-50, 50)))
    texts = [codec.encode({"c": choice, "w": 3}) for choice in (before + broken + after, "two words")]
    lines = str(Hinted().prompt(View("", HINT, codec, texts, ["9", "1"], "0", maximize=False)).content).split("\n")
    assert [line.startswith("# ") for line in lines] == [True, False, True, False, True, False]
    assert lines[1] == texts[0] and lines[2:4] == ["# the best values are about c=two words, w=3", texts[1]]


def test_it_is_the_first_prompt_of_steps_1_2_and_4_and_the_hint_stands_above_the_others() -> None:
    for step, requests in enumerate(prompts(HINT), 1):
        reads = [str(request.prompt).split("\n")[-2].startswith("# the best has k near 7") for request in requests]
        assert reads == [step in (1, 2, 4), *[False] * 7]
        assert all("# the best has k near 7, and x is small" in str(request.prompt) for request in requests)
        assert all((r.sampling.temperature == TEMPERATURE) == read for r, read in zip(requests, reads, strict=True))
    assert [step for step in range(1, 20) if due(step)] == [1, 2, 4, 8, 16]


def test_a_users_lower_temperature_holds() -> None:
    assert prompts(HINT, 1, temperature=0.1)[0][0].sampling.temperature == 0.1


def test_without_a_hint_there_is_none() -> None:
    assert not any("#" in str(request.prompt) for requests in prompts("") for request in requests)


@pytest.mark.model
def test_the_embedded_model_reads_where_the_optimum_is(local_llm: LocalLLM) -> None:
    space = Vector(x=Float(-5, 5), y=Float(-5, 5))
    problem = FunctionProblem(lambda s: (s["x"] - 3.1) ** 2 + (s["y"] + 1.7) ** 2, space)
    hint = "the minimum is near x = 3.1 and y = -1.7"
    solver = OPRO(local_llm, hint=hint, samples=4, prompts=1)
    assert run(problem, solver, Budget(steps=1), seed=1).fun < 0.1
