"""The figures of distances and spreads: a point for each run or solver, failures where they can be seen."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Budget
from llmopt.benchmarks.compare import Comparison, create_problems, create_solvers
from llmopt.benchmarks.results import Results
from llmopt.report.page import gallery, reach
from llmopt.report.page.chart import Figure, Style, layout, up_to
from llmopt.report.page.page import render
from llmopt.report.page.plain import markdown
from llmopt.report.page.reach import distance, spread
from llmopt.report.page.source import styles
from llmopt.runlog import LogReader, RunLog
from support.planted import PAYLOADS
from support.traces import trace

FORM = layout("x", "y")
STYLES = {name: Style(i) for i, name in enumerate(("a", "a:batch=2", "a:batch=4", "b", "b:batch=2"))}
heights = st.lists(st.floats(0, 1e6) | st.just(math.inf), min_size=1, max_size=9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    settings = {"w_true": "36", "b_true": "-1"}
    problems, instance = create_problems("regression", settings, 3)
    solvers = create_solvers(["quadratic", "gaussian", "gaussian:batch=2", "random"], None)
    with RunLog(folder) as log:
        list(Comparison("regression", settings, problems, solvers, Budget(150), instance, log=log).runs())
    return folder


def distance_of(results: Results) -> Figure | None:
    with LogReader(results.folder) as reader:
        return distance(results.traces, styles(results), lambda each: reader.history(each.run))


def test_every_run_is_a_point_and_one_that_failed_a_cross_above_all_others(folder: Path) -> None:
    results = Results.read(folder)
    figure = distance_of(results)
    assert figure is not None and figure.table is not None
    assert [plot["name"] for plot in figure.plot["data"]] == results.solvers
    points = [
        (success, symbol, height)
        for name, plot in zip(results.solvers, figure.plot["data"], strict=True)
        for success, symbol, height in zip(
            [each.record.success for each in results.traces if each.record.solver == name],
            plot["marker"]["symbol"],
            plot["y"],
            strict=True,
        )
    ]
    assert len(points) == len(results.traces) == 12
    assert {symbol for success, symbol, _ in points if success} == {"circle"}
    assert {symbol for success, symbol, _ in points if not success} == {"x-thin"}
    line = figure.plot["layout"]["shapes"][0]["y0"]
    assert all((height < line) == success for success, _, height in points)
    assert figure.plot["layout"]["annotations"][0]["text"] == "target not reached"
    assert [row[0] for row in figure.table.rows] == results.solvers
    assert figure.table.rows[0][1:] == ["2 (1/1)"] * 3
    assert figure.table.rows[3][1:] == ["inf (0/1)"] * 3


def test_one_distance_shows_nothing(folder: Path) -> None:
    results = Results.read(folder)
    with LogReader(folder) as reader:
        alone = [each for each in results.traces if each.record.repeat == 0]
        assert distance(alone, styles(results), lambda each: reader.history(each.run)) is None


def test_of_many_runs_some_are_drawn_and_that_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "_RUNS", 6)
    figure = distance_of(Results.read(folder))
    assert figure is not None and figure.table is not None
    assert sum(len(plot["x"]) for plot in figure.plot["data"]) == 6
    assert "6 of 12 runs, drawn by chance" in figure.title and "6 of 12 runs" in figure.table.notes[0]


def test_a_line_joins_the_solvers_of_a_method() -> None:
    traces = [
        trace(solver, [5.0] * (n - 1) + [0.0], instance=n, batch=batch)
        for solver, batch in (("a", 8), ("a:batch=2", 2), ("a:batch=4", 4), ("b", 8))
        for n in (2, 3, 4)
    ]
    figure = spread(traces, STYLES)
    assert figure is not None and figure.table is not None
    line, *points = figure.plot["data"]
    assert (line["mode"], line["x"], line["y"]) == ("lines", [2, 4, 8], [1, 1, 1])
    assert [(plot["name"], plot["meta"], plot["x"]) for plot in points] == [
        ("a", 0, [8]),
        ("a:batch=2", 1, [2]),
        ("a:batch=4", 2, [4]),
    ]
    assert figure.table.rows[0] == ["a:batch=2", "function", "2", "3/3", "1", "1", "1", "1"]


def test_a_spread_that_a_failure_makes_infinite_is_a_cross() -> None:
    traces = [trace("a", [5.0] * n + [0.0], instance=n, batch=8) for n in (1, 2, 5)]
    traces += [trace("a:batch=2", [5.0, 5.0], instance=n, batch=2) for n in (1, 2, 5)]
    figure = spread(traces, STYLES)
    assert figure is not None and figure.table is not None
    _, good, bad = figure.plot["data"]
    assert (good["marker"]["symbol"], bad["marker"]["symbol"]) == (["circle"], ["x-thin"])
    assert good["y"][0] < figure.plot["layout"]["shapes"][0]["y0"] < bad["y"][0]
    assert figure.table.rows[0][3:] == ["0/3", "inf", "inf", "inf", "inf"]


@pytest.mark.parametrize("kind", ["one size", "one run each", "no target", "no batch", "all failed"])
def test_there_is_no_spread_without_its_data(kind: str) -> None:
    batches = {"a": 8, "a:batch=2": 8 if kind == "one size" else 2}
    traces = [
        trace(
            solver,
            [5.0] * n + ([] if kind == "all failed" else [0.0]),
            instance=n,
            batch=None if kind == "no batch" else batch,
            optimum=None if kind == "no target" else 0.0,
        )
        for solver, batch in batches.items()
        for n in ((2,) if kind == "one run each" else (2, 3))
    ]
    assert spread(traces, STYLES) is None


def test_labels_are_texts_to_plotly() -> None:
    names = PAYLOADS[0], f"{PAYLOADS[0]}:batch=2"
    traces = [
        trace(name, [5.0] * n + [0.0], instance=n, batch=batch, problem=PAYLOADS[2])
        for name, batch in zip(names, (4, 2), strict=True)
        for n in (1, 2)
    ]
    figure = spread(traces, {name: Style(i) for i, name in enumerate(names)})
    assert figure is not None
    texts = [text for plot in figure.plot["data"] for text in (plot.get("name", ""), *plot.get("text", []))]
    assert any("&lt;img" in text for text in texts)
    assert all("<" not in text.replace("<br>", "") for text in texts)


@given(heights, st.data())
def test_what_is_infinite_lies_above_a_line_in_lanes_of_its_own(values: list[float], data: st.DataObject) -> None:
    lanes = data.draw(st.lists(st.integers(0, 5), min_size=len(values), max_size=len(values)))
    drawn, form = up_to(values, lanes, "failed", FORM)
    infinite = np.isinf(values)
    logarithmic = form["yaxis"].get("type") == "log"
    least = 0.5 if logarithmic else 0.0
    assert np.isfinite(drawn).all()
    assert drawn[~infinite].tolist() == [max(value, least) for value in values if math.isfinite(value)]
    assert ("shapes" in form) == infinite.any()
    if infinite.any():
        line = form["shapes"][0]["y0"]
        assert (drawn[infinite] > line).all() and (drawn[~infinite] < line).all()
        assert form["annotations"][0]["y"] == (math.log10(line) if logarithmic else line)
        assert len(set(drawn[infinite])) == len(set(np.array(lanes)[infinite]))


def test_the_page_and_the_markdown_have_both(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Pictures take most of the time.
    monkeypatch.setattr(gallery, "drawn", lambda *given: [])
    results = Results.read(folder)
    with LogReader(folder) as reader:
        page, text = render(results, reader), markdown(results, reader)
    for title in ("Steps to the target by the distance of the optimum", "Run-to-run spread by the samples of a step"):
        assert page.count(f"<figcaption>{title}") == 1
        assert text.count(f"**{title}") == 1
