"""Tables, files and pictures."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from llmopt import Budget, Categorical, Float, FunctionProblem, Int, Permutation, Problem, Vector
from llmopt.benchmarks.compare import Comparison, create_solvers
from llmopt.benchmarks.execution import Run
from llmopt.benchmarks.summary import Moments
from llmopt.problems.tsp import TSP
from llmopt.report import pictures
from llmopt.report.folder import Folder
from llmopt.report.safe import cell, lines, one_line, portable
from llmopt.report.table import Column, Table, markdown, mean_std


def ran(problem: Problem, *solvers: str, evaluations: int = 30, repeats: int = 2) -> tuple[Comparison, list[Run]]:
    comparison = Comparison("test", {}, [problem] * repeats, create_solvers(solvers, None), Budget(evaluations))
    return comparison, list(comparison.runs())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_texts_that_a_spreadsheet_would_run(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("value", [-1, -1.5, 0.0, "tpe:batch=8", "a-b", ""])
def test_cells_that_stay_as_they_are(value: object) -> None:
    assert cell(value) is value


def test_cells_without_a_value() -> None:
    assert (cell(None), cell(math.nan)) == ("", "")


def test_terminals_are_not_given_orders() -> None:
    assert one_line("a\x1b[2J\nb\u202ec\x07é漢") == "a\\x1b[2J\\nb\\u202ec\\x07é漢"
    assert lines("a\n\tb\r\x1b") == "a\n\tb\\r\\x1b"


@pytest.mark.parametrize(
    ("word", "without"),
    [
        ("w_true=15", "w_true=15"),
        ("tpe,random:batch=1", "tpe,random:batch=1"),
        ("/home/someone/report", "report"),
        ("data=/home/someone/table.csv", "data=table.csv"),
        ("local:/home/someone/model.gguf", "local:model.gguf"),
        ("--out=/home/someone/report", "--out=report"),
        ("other:model@http://user:password@host:80/v1", "other:model"),
        ("--hint=y is about 3/4 of x", "--hint=y is about 3/4 of x"),
    ],
)
def test_commands_are_kept_without_places(word: str, without: str) -> None:
    assert portable(word) == without


@pytest.mark.parametrize(
    ("moments", "text"),
    [
        (None, "-"),
        (Moments(17.25, None), "17.2"),
        (Moments(17.25, 4.04), "17.2 (4.0)"),
        (Moments(0.0, 0.0), "0.0 (0.0)"),
        (Moments(12345.6, 7.8), "12,346 (8)"),
        (Moments(0.25, 0.031), "0.25 (0.03)"),
        (Moments(1.5e-7, 2e-8), "1.5e-07 (2e-08)"),
        (Moments(-2.5e12, None), "-2.5e+12"),
    ],
)
def test_numbers_of_a_table(moments: Moments | None, text: str) -> None:
    assert mean_std(moments) == text
    if moments is not None:
        assert mean_std(moments, bounded=True) == f">= {text}"


def test_markdown() -> None:
    table = Table("t", [Column("solver", number=False), Column("a", "b")], [["x|y", "1"]], ["note"])
    assert markdown(table) == "**t**\n\n| solver | a b |\n| --- | ---: |\n| x\\|y | 1 |\n\nnote\n"


def test_the_folder_holds_every_evaluation(tmp_path: Path) -> None:
    problem = FunctionProblem(
        lambda s: s["k"] if s["kind"] != "=1+1" else math.nan, Vector(k=Int(-9, 9), kind=Categorical("=1+1", "b", None))
    )
    _, runs = ran(problem, "random")
    folder = Folder(tmp_path / "a" / "b")
    folder.begin({})
    folder.add(runs[0])
    folder.complete(runs)
    folder.complete(runs)
    files = sorted((folder.path / "evaluations").iterdir())
    assert [file.name for file in files] == ["001-random-repeat-0.csv", "002-random-repeat-1.csv"]
    for run, file in zip(runs, files, strict=True):
        with file.open(newline="") as text:
            rows = list(csv.DictReader(text))
        assert [int(row["k"]) for row in rows] == run.history.columns["k"].tolist()
        assert {row["kind"] for row in rows} <= {"'=1+1", "b", ""}
        assert all((row["score"] == "") == (row["kind"] == "'=1+1") == (row["reason"] != "") for row in rows)
    assert len((folder.path / "runs.csv").read_text().splitlines()) == 3
    _, runs = ran(FunctionProblem(lambda s: float(s[0]), Permutation(4)), "random", evaluations=9)
    folder = Folder(tmp_path / "tour")
    folder.begin({})
    folder.complete(runs)
    first = next((folder.path / "evaluations").iterdir()).read_text().splitlines()[1]
    assert first.startswith('1,"[')


def bowl(solution: dict[str, float]) -> float:
    x, y = solution.values()
    return (x - 1) ** 2 + (y - 2) ** 2


SPACES = {
    "floats": (Vector(x=Float(-5, 5), y=Float(-5, 5)), True),
    "logarithmic": (Vector(x=Float(1e-3, 10, log=True), y=Int(1, 1000, log=True)), True),
    "whole numbers": (Vector(x=Int(-3, 3), y=Int(0, 1)), True),
    "steps": (Vector(x=Float(0, 1, step=0.25), y=Float(0, 3)), True),
    "one value": (Vector(x=Int(1, 1), y=Int(0, 99)), False),
    "choices": (Vector(x=Categorical(1, 2), y=Int(0, 99)), False),
    "three": (Vector(x=Float(0, 1), y=Float(0, 1), z=Float(0, 1)), False),
}


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_pictures_of_every_kind_of_space(tmp_path: Path, name: str, direction: str) -> None:
    space, has_landscape = SPACES[name]
    sign = 1 if direction == "minimize" else -1
    fun = bowl if name != "three" else lambda s: s["z"]
    problem = FunctionProblem(lambda s: sign * fun(s), space, direction)  # type: ignore[arg-type]
    comparison, runs = ran(problem, "random", "random:batch=1", evaluations=14)
    folder = Folder(tmp_path)
    folder.begin({})
    names = pictures.draw(comparison, runs, folder)
    assert ("search.png" in names) == has_landscape
    assert "progress.png" in names
    for picture in names:
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("score", [0.0, math.nan])
def test_pictures_of_what_has_no_shape(tmp_path: Path, score: float) -> None:
    comparison, runs = ran(FunctionProblem(lambda s: score, Vector(x=Float(0, 1), y=Float(0, 1))), "random")
    folder = Folder(tmp_path)
    folder.begin({})
    names = pictures.draw(comparison, runs, folder)
    assert ("progress.png" in names) == (score == 0.0)


def test_the_landscape_is_the_problem_and_is_not_charged() -> None:
    problem = FunctionProblem(bowl, Vector(x=Int(-4, 4), y=Int(-4, 4)))
    land = pictures.landscape(problem)
    assert land.excess.shape == (9, 9)
    i, j = np.unravel_index(np.argmin(land.excess), land.excess.shape)
    assert (land.x[j], land.y[i]) == (1, 2)
    assert land.excess[0, 0] == bowl({"x": -4, "y": -4})


def test_a_landscape_that_would_take_long_is_left_out() -> None:
    import time

    calls = []

    def slow(solution: dict[str, float]) -> float:
        calls.append(solution)
        time.sleep(0.01)
        return bowl(solution)

    land = pictures.landscape(FunctionProblem(slow, Vector(x=Float(0, 1), y=Float(0, 1))))
    assert np.isnan(land.excess).all()
    assert land.levels is None
    assert len(calls) < 10


@pytest.mark.parametrize("matrix", [True, False])
def test_tours_are_drawn_where_cities_have_coordinates(tmp_path: Path, matrix: bool) -> None:
    points = [(0, 0), (0, 1), (1, 1), (1, 0), (2, 0)]
    problem = TSP(np.ones((5, 5))) if matrix else TSP(points=points)
    comparison, runs = ran(problem, "random", "2-opt-blind", evaluations=9)
    folder = Folder(tmp_path)
    folder.begin({})
    names = pictures.draw(comparison, runs, folder)
    assert ("tours.png" in names) is not matrix
    for picture in names:
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
