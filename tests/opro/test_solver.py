"""OPRO: what is asked, how replies are read, what is counted."""

import itertools
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import (
    Budget,
    Categorical,
    FunctionProblem,
    Int,
    InvalidInput,
    OptimizeResult,
    Permutation,
    Space,
    Text,
    Vector,
    run,
)
from llmopt.llm.base import Reply, Request
from llmopt.opro import OPRO
from support.models import ABLE, FunctionLLM, obedient
from support.strategies import spaces

WB = Vector(w=Int(-50, 50), b=Int(-50, 50))
STARTS = [{"w": 18, "b": 15}, {"w": 10, "b": 13}, {"w": 16, "b": 14}]


def loss(s: dict[str, int]) -> float:
    return (s["w"] - 3) ** 2 + (s["b"] + 4) ** 2


def solve(solver: OPRO, steps: int = 3, seed: int = 0, direction: Any = "minimize", **settings: Any) -> OptimizeResult:
    sign = 1 if direction == "minimize" else -1
    problem = FunctionProblem(lambda s: sign * loss(s), WB, direction)
    return run(problem, solver, Budget(steps=steps, **settings), seed=seed, starts=STARTS)


def prompt_text(request: Request) -> str:
    return request.prompt if isinstance(request.prompt, str) else request.prompt[-1].content


def test_the_first_chat_prompt_shows_the_starts_worst_first_with_their_scores_and_the_request() -> None:
    llm = FunctionLLM(lambda r, i: f"[w={i}, b={i}]")
    solve(OPRO(llm, serializer="chat", hint="w is small"), steps=1)
    text = prompt_text(llm.requests[0])
    order = [text.index(line) for line in ("score: 586", "score: 493", "score: 338")]
    assert order == sorted(order)
    assert "[w=18 b=15] score: 586" in text
    assert "w is small" in text and "w: an integer from -50 to 50" in text and "[w=..., b=...]" in text
    assert llm.requests[0].n == 8 and llm.requests[0].sampling.temperature == 1.0


def test_a_continuation_prompt_is_a_pattern_that_ends_where_the_solution_begins() -> None:
    llm = obedient()
    solve(OPRO(llm, serializer="continuation", hint="w is\nsmall"), steps=1)
    # The first one is of hints and solutions.
    lines = prompt_text(llm.requests[2]).split("\n")
    assert lines[0] == "# w is small"
    assert lines[1:] == [
        "loss=1000 at w=18 b=15",
        "loss=714 at w=16 b=14",
        "loss=238 at w=10 b=13",
        "loss=0 at w=",
    ]
    assert prompt_text(llm.requests[1]).split("\n")[-1] == "loss=0 at b="


def test_oldest_first_a_prompt_goes_on_where_the_last_one_ended() -> None:
    llm = FunctionLLM(lambda r, i: f"[w={len(llm.requests) + i}, b={i}]")
    solve(OPRO(llm, serializer="chat", order="oldest", samples=2), steps=3)
    shown = [re.findall(r"\[.*\] score: \d+", prompt_text(request)) for request in llm.requests]
    assert [line.split("score: ")[1] for line in shown[0]] == [f"{loss(start):.0f}" for start in STARTS]
    for earlier, later in itertools.pairwise(shown):
        assert later[: len(earlier)] == earlier and len(later) > len(earlier)


@pytest.mark.parametrize(
    ("order", "lowered", "raised", "hidden"),
    [
        ("worst", ", and the highest comes first:", ", and the lowest comes first:", ", the best last:"),
        ("best", ", and the lowest comes first:", ", and the highest comes first:", ", the best first:"),
        ("oldest", ":", ":", ":"),
        ("random", ":", ":", ":"),
    ],
)
def test_a_chat_is_told_the_order_that_its_list_has_and_none_that_it_has_not(
    order: Any, lowered: str, raised: str, hidden: str
) -> None:
    def said(direction: str, scores: Any) -> tuple[str, list[float]]:
        llm = FunctionLLM(lambda r, i: f"[w={i}, b={i}]")
        solve(OPRO(llm, serializer="chat", order=order, scores=scores), steps=1, direction=direction)
        [line, shown] = re.findall(r"These solutions were tried.*|(?:\[w=.*\n?)+", prompt_text(llm.requests[0]))[:2]
        losses = [loss({"w": int(w), "b": int(b)}) for w, b in re.findall(r"\[w=(-?\d+) b=(-?\d+)\]", shown)]
        return line.removeprefix("These solutions were tried"), losses

    for direction, aim, ending in (("minimize", "lower", lowered), ("maximize", "higher", raised)):
        line, losses = said(direction, "rounded")
        assert line == f"; a {aim} score is better{ending}"
        assert "first" not in line or losses == sorted(losses, reverse=order == "worst")
        assert said(direction, "hidden") == (hidden, losses)


def test_a_chat_says_which_part_of_its_prompt_stays() -> None:
    llm = FunctionLLM(lambda r, i: f"[w={i}, b={i}]")
    solve(OPRO(llm, serializer="chat", hint="w is small"), steps=3)
    beginnings = set()
    for request in llm.requests:
        assert not isinstance(request.prompt, str)
        [message] = request.prompt
        beginnings.add(message.content[: message.stable])
    [beginning] = beginnings
    assert "w is small" in beginning and "These solutions" not in beginning


def test_a_maximized_score_is_shown_to_a_chat_in_the_users_sign() -> None:
    llm = FunctionLLM(lambda r, i: f"[w={i}, b={i}]")
    solve(OPRO(llm, serializer="chat"), steps=1, direction="maximize")
    text = prompt_text(llm.requests[0])
    assert "score: -586" in text and "higher score" in text
    assert text.index("-586") < text.index("-338")


@given(st.integers(0, 50))
def test_a_model_that_obeys_the_grammar_never_repeats_within_what_it_was_told(seed: int) -> None:
    result = solve(OPRO(obedient(), prompts=1, serializer="continuation"), seed=seed)
    # Samples of one step do not see each other; only those can coincide.
    assert not result.invalid
    assert result.duplicates <= 3


@given(spaces, st.integers(0, 20))
def test_every_space_can_be_searched(space: Space[Any], seed: int) -> None:
    columns = space.sample(1, np.random.default_rng(seed + 1))
    aim = space.key(space.row(columns, 0))
    problem = FunctionProblem(lambda s: float(space.key(s) != aim), space)
    result = run(problem, OPRO(obedient()), Budget(evaluations=25, steps=3), seed=seed)
    assert result.invalid.total() == 0
    assert result.nfev <= 25


@given(st.integers(0, 99))
def test_the_same_seed_gives_the_same_requests_and_history(seed: int) -> None:
    first, second = obedient(), obedient()
    a, b = solve(OPRO(first), seed=seed), solve(OPRO(second), seed=seed)
    assert first.requests == second.requests
    assert a.history.losses.tolist() == b.history.losses.tolist()


def test_no_two_requests_of_a_run_have_the_same_seed() -> None:
    llm = obedient()
    result = solve(OPRO(llm), steps=5)
    seeds = [r.seed for r in llm.requests]
    # Those that ask for a repeated proposal again among them.
    assert len(seeds) == len(set(seeds)) == result.proposals - len(STARTS) >= 40


@pytest.mark.parametrize("space", [Permutation(5), Text(max_length=5), Vector(a=Categorical("x", "y"), b=Int(1, 1))])
def test_moves_are_for_vectors_of_numbers(space: Space[Any]) -> None:
    with pytest.raises(InvalidInput, match="serializer=moves needs a vector"):
        run(FunctionProblem(lambda s: 0.0, space), OPRO(obedient(), serializer="moves"), Budget(steps=1))


def test_samples_are_divided_among_the_prompts() -> None:
    llm = obedient()
    solve(OPRO(llm, samples=8, prompts=3), steps=1)
    assert [r.n for r in llm.requests] == [3, 3, 2]


def test_a_reply_that_cannot_be_read_is_counted_with_its_reason_and_asked_for_again() -> None:
    replies = {0: "no idea", 1: "[w=99, b=1]"}
    llm = FunctionLLM(lambda r, i: replies.get(len(llm.requests) - 1, f"[w={i}, b=1]"))
    result = solve(OPRO(llm, serializer="chat", samples=2), steps=1)
    assert dict(result.invalid) == {"no solution in the reply": 2, "outside -50 .. 50": 2}
    assert len(llm.requests) == 3 and result.nfev == len(STARTS) + 2
    assert result.spent["optimizer"].calls == 3 and result.spent["optimizer"].completion_tokens == 30
    assert len({r.seed for r in llm.requests}) == 3


def test_a_model_that_never_answers_ends_as_stalled_and_nothing_is_made_up() -> None:
    llm = FunctionLLM(lambda r, i: "As an AI, I")
    result = run(FunctionProblem(loss, WB), OPRO(llm, serializer="chat"), Budget(evaluations=10), starts=STARTS)
    assert result.stop_reason == "stalled"
    assert result.nfev == len(STARTS)
    assert result.invalid["no solution in the reply"] > 200


def test_a_reply_cut_off_in_the_middle_of_a_number_is_not_a_solution() -> None:
    llm = FunctionLLM(lambda r, i: Reply("1 b=1", "length"))
    result = solve(OPRO(llm, serializer="continuation", retries=0), steps=1)
    assert dict(result.invalid) == {"cut off at the limit of tokens": 8}


def test_a_model_without_grammar_is_read_up_to_the_end_of_the_line() -> None:
    llm = FunctionLLM(lambda r, i: f"{i + 1} b={i}", replace(ABLE, grammar=False, schema=False))
    result = solve(OPRO(llm, serializer="continuation", prompts=1), steps=1)
    assert result.nfev == len(STARTS) + 8
    assert llm.requests[0].constraint is None and llm.requests[0].stop == ("\n",)


def test_a_long_history_shows_the_best_and_excludes_the_best_and_the_latest() -> None:
    fresh = iter(range(10_000))
    llm = FunctionLLM(lambda r, i: f"{(n := next(fresh)) % 40 - 20} b={n // 40 - 20}")
    solve(OPRO(llm, serializer="continuation", prompts=1, top_k=11), steps=120)
    last = llm.requests[-1]
    assert prompt_text(last).count("loss=") == 12
    assert last.constraint is not None and last.constraint.grammar is not None
    assert len(last.constraint.grammar) < 60_000


def test_shuffled_scores_are_the_same_ones_beside_other_solutions() -> None:
    lines = []
    for scores in ("rescaled", "shuffled"):
        llm = obedient()
        solve(OPRO(llm, serializer="continuation", scores=scores, prompts=1), steps=1)
        lines.append(re.findall("loss=(\\d+) at (.+)", str(llm.requests[0].prompt)))
    honest, shuffled = lines
    assert sorted(text for _, text in honest) == sorted(text for _, text in shuffled)
    assert sorted(honest) != sorted(shuffled)
    # In the order of the scores, which tells nothing of the solutions.
    assert [score for score, _ in honest] == [score for score, _ in shuffled]


@pytest.mark.parametrize(("scores", "words"), [("hidden", "higher score"), ("ranked", "lower rank")])
def test_a_maximized_problem_is_asked_for_in_one_direction(scores: Any, words: str) -> None:
    llm = FunctionLLM(lambda r, i: f"[w={i}, b={i}]")
    solve(OPRO(llm, serializer="chat", scores=scores), steps=1, direction="maximize")
    assert words in prompt_text(llm.requests[0])


def test_what_a_model_raises_ends_the_run_as_an_error_and_keeps_what_was_done() -> None:
    def reply(request: Request, i: int) -> str:
        raise ConnectionResetError("gone")

    result = solve(OPRO(FunctionLLM(reply)))
    assert result.stop_reason == "error" and "ConnectionResetError: gone" in result.message
    assert result.nfev == len(STARTS)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"samples": 0}, "samples"),
        ({"prompts": 9}, "more than samples"),
        ({"top_k": 0}, "top_k"),
        ({"temperature": -1}, "temperature"),
        ({"serializer": "poem"}, "auto, chat, continuation, moves or path"),
        ({"retries": -1}, "retries"),
        ({"resolution": 1}, "resolution"),
        ({"order": "shuffled"}, "worst or oldest"),
        ({"change": "all"}, "local or far"),
        ({"scores": "best"}, "auto or rounded or rescaled or ranked or shuffled or hidden, not 'best'"),
    ],
)
def test_an_illegal_setting_is_one_clear_error(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        OPRO(obedient(), **settings)


def test_a_model_that_cannot_chat_is_refused_before_anything_is_evaluated() -> None:
    calls: list[object] = []
    problem = FunctionProblem(calls.append, WB)
    with pytest.raises(InvalidInput, match="cannot answer a conversation; use serializer=continuation"):
        run(problem, OPRO(obedient(replace(ABLE, chat=False)), serializer="chat"), Budget(steps=1))
    assert not calls


def test_the_serializer_is_chosen_by_what_the_model_can_do() -> None:
    assert not OPRO(obedient()).serializer.chat
    assert OPRO(obedient(replace(ABLE, grammar=False))).serializer.chat
    assert OPRO(obedient(replace(ABLE, continuation=False))).serializer.chat


def test_texts_and_tours_are_searched_too() -> None:
    for space in (Text(40), Permutation(6, symmetry="dihedral")):
        result = run(
            FunctionProblem(lambda s: float(len(str(s))), space), OPRO(obedient()), Budget(evaluations=30), seed=1
        )
        assert result.nfev == 30 and not result.invalid


@pytest.mark.parametrize("serializer", ["moves", "continuation"])
def test_who_obeys_no_grammar_continues_a_pattern_up_to_the_end_of_its_line(serializer: Any) -> None:
    def goes_on(request: Request, i: int) -> str:
        other = {"w=": "b", "b=": "w"}[prompt_text(request)[-2:]]
        [stop] = request.stop
        return f" {i % 5} {other}={len(llm.requests)}\ngain=30 at w=1 b=2".split(stop)[0]

    llm = FunctionLLM(goes_on, replace(ABLE, grammar=False))
    result = solve(OPRO(llm, serializer=serializer), steps=1)
    assert result.nfev > len(STARTS) and result.invalid.total() == 0
    # A schema bounds an answer, and no text that is continued.
    assert all(request.constraint is None for request in llm.requests)
