"""The study of prompts compares designs on the same frozen histories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmopt import AskTellSolver, Vector
from llmopt.benchmarks.studies import command, presentation
from llmopt.benchmarks.studies.designs import DEFAULT, DESIGNS, Spaced, ValueLast
from llmopt.benchmarks.studies.frozen import frozen
from llmopt.benchmarks.studies.presentation import difference, main, propose
from llmopt.opro import OPRO
from llmopt.opro.codec import codec_for
from llmopt.opro.serializer import View
from llmopt.space import Int
from support.models import obedient

CODEC = codec_for(Vector(w=Int(0, 99), b=Int(0, 99)))
VIEW = View("", "", CODEC, ["w=1 b=2", "w=3 b=4", "w=5 b=6"], ["1000", "200", "30"], "0", maximize=False)


def test_histories_are_the_same_at_every_call_and_none_is_solved() -> None:
    first, again = list(frozen(2)), list(frozen(2))
    assert [given.history.losses.tolist() for given in first] == [given.history.losses.tolist() for given in again]
    for given in first:
        optimum = given.problem.optimum
        assert optimum is not None
        assert given.history.losses.min() > optimum.score + optimum.tolerance
    assert len(list(frozen())) >= 35


def test_further_rounds_come_behind_the_first_and_are_of_other_problems() -> None:
    found = list(frozen())
    first = [given.seed for given in found[:41]]
    assert len(found) >= 100 and set(first) <= set(range(7_000, 7_024)) and found[41].seed >= 7_024
    described = [(given.problem.describe(), given.history.losses.tolist()) for given in found]
    assert all(described.count(each) == 1 for each in described)


def test_so_many_histories_are_taken_as_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, design = str(tmp_path / "found.csv"), "no model: lines of the prompt"
    monkeypatch.setattr(presentation, "DEFAULT", design)
    main(file, "--histories", "3", design)
    assert capsys.readouterr().out.startswith("3 histories of 2 problems, local\n")
    for count, why in (("2", "histories=3, not of study=presentation,model=local,histories=2"), ("0", "at least 1")):
        with pytest.raises(SystemExit):
            main(file, "--histories", count, design)
        assert why in capsys.readouterr().err


def test_other_serializers_show_the_same_solutions() -> None:
    assert ValueLast().prompt(VIEW).content == "w=1 b=2 loss=1000\nw=3 b=4 loss=200\nw=5 b=6 loss=30\nw="
    assert str(Spaced().prompt(VIEW).content).startswith("loss=1 0 0 0 at w=1 b=2\n")


@pytest.mark.parametrize("name", list(DESIGNS))
def test_every_design_proposes(name: str) -> None:
    given = next(iter(frozen(1)))
    improving, closed = propose(DESIGNS[name](obedient()), given)
    assert 0 <= improving <= 1 and 0 <= closed <= 1 and (improving > 0) == (closed > 0)


class Fixed(AskTellSolver):
    """Proposes what it is given."""

    def __init__(self, solutions: list[Any]) -> None:
        super().__init__()
        self.solutions = solutions

    def ask(self, n: int) -> list[Any]:
        return self.solutions


def test_a_share_counts_what_is_new_and_better() -> None:
    given = next(iter(frozen(1)))
    optimum, known = given.problem.optimum, [e.solution for e in given.history]
    assert optimum is not None
    assert propose(Fixed(known), given) == (0, 0)
    assert propose(Fixed([*known[:3], optimum.solution]), given) == (1 / 8, 1)


def test_a_design_does_not_differ_from_itself_and_a_better_one_does() -> None:
    rng = np.random.default_rng(0)
    one = rng.integers(0, 5, 40) / 8
    groups = np.arange(40) // 4
    assert difference(one, one, groups) == (0.0, 0.0, 0.0)
    mean, low, high = difference(one + 0.25, one, groups)
    assert low == mean == high == 0.25


def test_what_is_in_the_file_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = list(frozen(1))[:2]
    monkeypatch.setattr(presentation, "frozen", lambda: iter(some))
    monkeypatch.setattr(command, "connect", lambda spec: obedient())
    monkeypatch.setattr(
        presentation, "DESIGNS", {DEFAULT: lambda llm: OPRO(llm), "hidden": lambda llm: OPRO(llm, scores="hidden")}
    )
    main(str(tmp_path / "found.csv"), DEFAULT)
    assert "| hidden |" not in capsys.readouterr().out
    main(str(tmp_path / "found.csv"))
    table = capsys.readouterr().out
    assert all(f"| {name} |" in table for name in (DEFAULT, "hidden", "gaussian"))
    with pytest.raises(SystemExit):
        main(str(tmp_path / "found.csv"), "hiden")
    assert "unknown design 'hiden'" in capsys.readouterr().err

    def never(*arguments: object) -> tuple[float, float]:
        raise AssertionError("it is known")

    monkeypatch.setattr(presentation, "propose", never)
    main(str(tmp_path / "found.csv"))
    assert capsys.readouterr().out == table
