"""Every planted mistake is caught by the check that names it, and by no other, with an example that one can read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from llmopt import Problem, Solver, Space, Vector
from llmopt.llm.base import LLM
from llmopt.opro import Chat, Codec, Serializer
from llmopt.testing import (
    Checks,
    CodecChecks,
    ModelChecks,
    ProblemChecks,
    SerializerChecks,
    SolverChecks,
    SpaceChecks,
)
from support import faulty_models, faulty_problems, faulty_solvers, faulty_spaces


@dataclass(frozen=True)
class Planted:
    """A mistake, the check that names it, and parts of what that says."""

    made: Any
    check: str
    says: tuple[str, ...]

    @property
    def checks(self) -> Checks:
        found: Checks = next(kind for base, kind in KINDS.items() if issubclass(self.made, base))()
        if not isinstance(found, Hashing):
            vars(found)["made"] = self.made
        # That the first of equals goes first is no mistake of those that do not claim otherwise.
        if self.made is faulty_solvers.FirstOfEquals:
            vars(found)["ties_in_any_order"] = True
        return found

    def __str__(self) -> str:
        return f"{self.made.__module__.rpartition('_')[2]}.{self.made.__name__}"


class Solvers(SolverChecks):
    made: Any = faulty_solvers.Sound
    patience = 0.5

    def make(self) -> Solver:
        solver: Solver = self.made()
        return solver


class Hashing(SolverChecks):
    """By itself, since another process must find it."""

    def make(self) -> Solver:
        return faulty_solvers.ByHash()


class Problems(ProblemChecks):
    made: Any = faulty_problems.Squares

    def make(self) -> Problem:
        problem: Problem = self.made()
        return problem


class Spaces(SpaceChecks):
    made: Any = faulty_spaces.Grid

    def make(self) -> Space[Any]:
        space: Space[Any] = self.made(5) if self.made is faulty_spaces.View else self.made()
        return space


class Codecs(CodecChecks):
    made: Any = faulty_spaces.Sound

    def make(self) -> Codec[Any]:
        codec: Codec[Any] = self.made()
        return codec

    def space(self) -> Vector:
        return faulty_spaces.WB


class Models(ModelChecks):
    made: Any = faulty_models.Sound
    repeatable = True

    def make(self) -> LLM:
        llm: LLM = self.made()
        return llm


class Serializers(SerializerChecks):
    made: Any = Chat

    def make(self) -> Serializer:
        serializer: Serializer = self.made()
        return serializer


KINDS: dict[type[Any], Any] = {
    faulty_solvers.ByHash: Hashing,
    Solver: Solvers,
    Problem: Problems,
    Space: Spaces,
    Codec: Codecs,
    LLM: Models,
    Serializer: Serializers,
}

_S, _P, _R, _M = faulty_solvers, faulty_problems, faulty_spaces, faulty_models
PLANTED = [
    Planted(_S.Unclipped, "test_no_proposal_outside_the_space", ("{'x1': 1000.", "problem = Landscape(Vector(x1=")),
    Planted(_S.Unbooked, "test_no_evaluation_over_the_budget", ("evaluations were made and", "counted", "limit = ")),
    Planted(_S.Unstoppable, "test_no_step_after_the_stop", ("goes on for 1 steps after it was stopped (evaluations)",)),
    Planted(_S.Sorting, "test_no_change_of_the_history", ("evaluation 1 was of {'x1': ", "the history now says")),
    Planted(_S.Forgetful, "test_no_loss_of_the_incumbent", ("the best loss was", "and then", "seed = 0")),
    Planted(_S.Unseeded, "test_no_chance_beyond_the_seed", ("same seed differ: evaluation 6 is of {'x1': ",)),
    Planted(_S.Remembering, "test_no_memory_of_an_earlier_run", ("has run before proposes something else",)),
    Planted(_S.ByHash, "test_no_difference_in_a_fresh_process", ("another process differs: evaluation 6 is of",)),
    Planted(_S.MoreForWorkers, "test_no_difference_by_order_of_completion", ("has the step 1 instead of 2",)),
    Planted(_S.OwnCheckpoint, "test_no_difference_after_a_resume", ("a run that was interrupted", "crash = ")),
    Planted(_S.NoNaN, "test_no_end_by_evaluations_without_a_score", ("fails where scores are NaN: ValueError",)),
    Planted(_S.BySpread, "test_no_end_by_constant_scores", ("scores are the same: ZeroDivisionError",)),
    Planted(_S.Squaring, "test_no_end_by_huge_scores", ("scores are huge: OverflowError",)),
    Planted(_S.Swallowing, "test_no_swallowing_of_exceptions", ("the exception of evaluation 6 was to go through",)),
    Planted(_S.Minimizing, "test_no_preference_for_a_direction", ("is another run: evaluation 6 is of",)),
    Planted(_S.FirstOfEquals, "test_no_difference_by_order_of_equal_scores", ("opposite order", "evaluation 1 is of")),
    Planted(_S.Distinct, "test_no_hang_in_an_exhausted_space", ("in a space of 12 solutions", "x=Int(low=0, high=3")),
    Planted(_P.Beaten, "test_no_score_beyond_the_optimum", ("{'x': 0, 'y': 0} has the score 0.0, which is better",)),
    Planted(_P.Missed, "test_no_optimum_that_its_own_solution_misses", ("the optimum's score 0.0, and has 9.0",)),
    Planted(_P.Unlike, "test_no_difference_between_batch_and_single", ("by itself and", "in a batch", "solutions = [")),
    Planted(_P.Nameless, "test_no_variable_missing_in_the_description", ("names the variable y",)),
    Planted(_P.Telling, "test_no_optimum_in_the_description", ("gives away the optimum, {'x': 0, 'y': 0}",)),
    Planted(_P.Counting, "test_no_second_score_for_a_solution", ("and then", "is not noisy", "solutions = [{'x': ")),
    Planted(_P.Clipping, "test_no_change_of_its_argument", ("changes its argument from {'x': -",)),
    Planted(_P.Worded, "test_no_score_that_is_no_number", ("which is no number",)),
    Planted(_P.Astray, "test_no_start_outside_the_space", ("the start point {'x': 0, 'y': ", "seed = 0")),
    Planted(_R.OffByOne, "test_no_sample_outside_the_space", ("a: 4 is outside [0, 3]", "count = ")),
    Planted(_R.OwnChance, "test_no_sample_beyond_its_generator", ("the same generator differ", "seed = 0")),
    Planted(_R.NeverLast, "test_no_solution_that_is_never_sampled", ("{'a': 3, 'b': -2} does not come among",)),
    Planted(_R.SinglePrecision, "test_no_loss_in_columns", ("becomes {'x': ", "solutions = [{'x': ")),
    Planted(_R.View, "test_no_row_that_changes_its_columns", ("changes the columns",)),
    Planted(_R.Rounding, "test_no_loss_in_json", ("by way of the JSON text",)),
    Planted(_R.Backwards, "test_no_difference_between_json_of_rows_and_of_one", ("rows_to_json gives [{'a': ",)),
    Planted(_R.Trusting, "test_no_json_that_is_no_member", ("from_json takes {", "which is not legal")),
    Planted(_R.Choosy, "test_no_object_that_violation_fails_on", ("TypeError", "value = <object object")),
    Planted(_R.TwoKeys, "test_no_difference_between_keys_of_rows_and_of_one", ("by itself and", "among others")),
    Planted(_R.OneKey, "test_no_key_for_two_solutions", ("{'a': 0, 'b': -2} and {'a': 0, 'b': -1} have the same key",)),
    Planted(_R.Short, "test_no_solution_left_out_by_the_enumeration", ("has 20 solutions, and enumerates 19",)),
    Planted(_R.Unchunked, "test_no_enumeration_beyond_its_chunk", ("enumerate(1) yields 20 rows at once",)),
    Planted(_R.Silent, "test_no_variable_missing_in_the_description", ("does not name the variable b",)),
    Planted(_R.Unequal, "test_no_difference_between_spaces_made_alike", ("are not equal",)),
    Planted(_R.Wide, "test_no_grammar_text_that_is_not_read", ("the grammar allows 'w=", "outside -50 .. 50")),
    Planted(_R.Narrow, "test_no_solution_that_the_grammar_excludes", ("does not allow 'w=", "b=-")),
    Planted(_R.Unbounded, "test_no_mutated_text_that_is_misread", ("is read as {'w': ", "which is not legal")),
    Planted(_R.Fragile, "test_no_reply_that_decode_fails_on", ("decode fails on ''",)),
    Planted(_R.Quoting, "test_no_words_of_the_reply_in_the_reason", ("'jjjjjj'",)),
    Planted(_R.Greedy, "test_no_unknown_solution_that_goes_with_the_known", ("known the grammar does not allow",)),
    Planted(_R.Schematic, "test_no_solution_that_the_schema_refuses", ("does not allow {'w': ",)),
    Planted(_R.WideSchema, "test_no_schema_text_that_is_not_read", ("""the schema allows '{"w": 0, "b": 51}'""",)),
    Planted(_R.Brief, "test_no_text_of_another_form", ("characters, and longest says 9",)),
    Planted(_R.Dropping, "test_no_loss_in_text", ("{'w': ", "which is read as")),
    Planted(_M.OneReply, "test_no_other_number_of_replies", ("n=2 gives 1 replies",)),
    Planted(_M.Negative, "test_no_usage_that_cannot_be", ("14 tokens of a prompt of 10 come from the cache",)),
    Planted(_M.TwiceCounted, "test_no_delivered_part_that_does_not_add_up", ("the delivered parts of request 0 cost",)),
    Planted(_M.Endless, "test_no_stop_text_in_a_reply", ("that was to end it", "request = Request(prompt='1 2 3'")),
    Planted(_M.Free, "test_no_text_beyond_the_grammar", ("is answered with '",)),
    Planted(
        _M.Probable,
        "test_no_given_reply_that_is_changed_or_of_no_likelihood",
        ("the given reply ' 1' has the log-probability 0.5",),
    ),
    Planted(_M.Bare, "test_no_untyped_error", ("it raises KeyError, which is no LlmoptError", "prompt=''")),
    Planted(_M.Sociable, "test_no_answer_that_depends_on_the_company", ("alone and", "among others")),
    Planted(_M.ClosedOnce, "test_no_error_when_it_is_closed_twice", ("closed already",)),
    Planted(_M.Renamed, "test_no_change_of_its_identity", ("made alike say that they are",)),
    Planted(_M.Truncating, "test_no_solution_missing_in_the_prompt", ("the prompt does not show the solution",)),
    Planted(_M.Hintless, "test_no_hint_missing_in_the_prompt", ("does not hold the hint 'w is small'",)),
    Planted(_M.Unopened, "test_no_opening_that_the_prompt_does_not_end_with", ("and not with its opening",)),
    Planted(_M.Mislabelled, "test_no_prompt_of_another_kind", ("it says chat=False",)),
    Planted(_M.Adding, "test_no_memory_of_an_earlier_prompt", ("changes once another was made",)),
    Planted(_M.Overlong, "test_no_stable_part_beyond_its_message", ("1000000 are stable",)),
]
SOUND = [
    *(faulty_solvers.Sound, faulty_problems.Squares, faulty_spaces.Grid, faulty_spaces.Reals, faulty_spaces.Sound),
    *(faulty_models.Sound, Chat),
]


def names(checks: Checks) -> list[str]:
    return [name for name in dir(checks) if name.startswith("test_")]


def failure(checks: Checks, name: str) -> str | None:
    """Return what a check says, None where it finds no fault."""
    try:
        getattr(checks, name)()
    except pytest.skip.Exception:
        return None
    except Exception as error:
        return str(error)
    return None


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))])
@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_planted_mistake_is_caught_by_the_check_that_names_it(planted: Planted, seed: int) -> None:
    checks = planted.checks
    checks.hypothesis_seed = seed
    said = failure(checks, planted.check)
    assert said is not None, f"{planted.check} finds nothing"
    for part in planted.says:
        assert part in said
    assert len(said) < 1_200 and len(said.splitlines()) <= 6


@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_no_other_check_finds_fault_with_a_planted_mistake(planted: Planted) -> None:
    checks = planted.checks
    checks.hypothesis_seed = 0
    checks.examples = 2
    vars(checks)["evaluations"] = 12
    others = {name: failure(checks, name) for name in names(checks) if name != planted.check}
    assert {name: said for name, said in others.items() if said} == {}


@pytest.mark.parametrize("kind", SOUND, ids=lambda kind: f"{kind.__module__.rpartition('_')[2]}.{kind.__name__}")
def test_what_has_no_mistake_passes(kind: Any) -> None:
    checks = Planted(kind, "", ()).checks
    assert {name: said for name in names(checks) if (said := failure(checks, name))} == {}


def test_every_check_has_a_mistake_that_it_alone_finds() -> None:
    without_space = {"test_no_loss_in_plain_text"}  # the kinds of spaces that can be rebuilt from text are our own
    for kind in set(KINDS.values()) - {Hashing}:
        caught = {planted.check for planted in PLANTED if issubclass(kind, type(planted.checks).__mro__[1])}
        assert set(names(kind())) - caught <= without_space
