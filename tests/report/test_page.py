"""The page of a report: what is in it, and what is not."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from llmopt import Budget, FunctionProblem, Int, Vector
from llmopt.benchmarks.compare import Comparison, create_solvers
from llmopt.benchmarks.record import Identity, of_nothing
from llmopt.benchmarks.results import Results, Trace
from llmopt.benchmarks.targets import Targets, choose_targets
from llmopt.problems.regression import LinearRegression
from llmopt.registry import create_problem
from llmopt.report.page import runs, source
from llmopt.report.page.beside import beside
from llmopt.report.page.chart import Style, plain
from llmopt.report.page.convergence import convergence, course_of
from llmopt.report.page.embed import policy, script
from llmopt.report.page.page import render
from llmopt.report.page.reached import reached
from llmopt.report.page.source import Part, parts
from llmopt.report.page.statistics import expected, ranking, sentences
from llmopt.report.pictures import SEARCH
from llmopt.report.safe import lines
from llmopt.runlog import LogReader, RunLog
from llmopt.runlog.identity import absent
from support.planted import PAYLOADS, plant, spaces
from support.traces import trace

STYLES = {"a": Style(0), "b": Style(1), "c": Style(11)}


class Page(HTMLParser):
    """Tags with their attributes, scripts, and the text that is to be read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.tags[-1] if self.tags else ("", {})
        # What is in them comes as one piece, and what is between two tags as line breaks.
        if tag == "script" and data.strip():
            self.scripts.append((attributes, data))
        elif tag != "style":
            self.words += data

    def run(self, number: int) -> Any:
        """Return the data of the page of a run."""
        [text] = [text for attributes, text in self.scripts if attributes.get("id") == f"run-data-{number}"]
        return json.loads(zlib.decompress(base64.b64decode(text)))


def page_of(folder: Path) -> Page:
    with LogReader(folder) as reader:
        return Page(render(Results.read(folder), reader))


@pytest.fixture(scope="module", params=spaces())
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    plant(folder, spaces()[request.param])
    return folder


def part_of(traces: Sequence[Trace]) -> Part:
    return Part(1, "a problem", traces, None)


def compared(folder: Path, problem: str, settings: dict[str, str], *solvers: str, repeats: int = 2) -> Path:
    with RunLog(folder) as log:
        problems = [create_problem(problem, settings, instance=i) for i in range(repeats)]
        made = create_solvers(solvers, None)
        list(Comparison(problem, settings, problems, made, Budget(evaluations=40), log=log).runs())
    return folder


def test_nothing_planted_becomes_a_tag_or_an_attribute(planted: Path) -> None:
    page = page_of(planted)
    assert {tag for tag, _ in page.tags} & {"iframe", "base", "form", "object", "embed", "link"} == set()
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("href", "src"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,"))
    assert [attributes for attributes, _ in page.scripts if "type" not in attributes] == [{}, {}]
    for payload in (PAYLOADS[2], PAYLOADS[4], PAYLOADS[7]):
        assert payload in page.words


def test_the_policy_names_the_two_scripts_and_nothing_else(planted: Path) -> None:
    page = page_of(planted)
    [content] = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    own = [text for attributes, text in page.scripts if "type" not in attributes]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in own]
    assert content == policy(own)
    assert content is not None and all(f"'sha256-{digest}'" in content for digest in digests)
    directives = dict(part.strip().split(" ", 1) for part in content.split(";"))
    assert directives["default-src"] == "'none'" and "unsafe" not in directives["script-src"]
    assert "http" not in content


def test_data_mean_nothing_to_html(planted: Path) -> None:
    blocks = [text for attributes, text in page_of(planted).scripts if "type" in attributes]
    assert len(blocks) > 6
    assert all(re.fullmatch("[A-Za-z0-9+/=]+", text) for text in blocks)


def test_the_page_is_utf8_and_always_the_same(planted: Path) -> None:
    results = Results.read(planted)
    with LogReader(planted) as reader:
        first, second = render(results, reader), render(results, reader)
    assert first == second
    assert first.encode().decode() == first


def test_every_prompt_and_reply_is_there(tmp_path: Path) -> None:
    plant(tmp_path)
    page = page_of(tmp_path)
    with LogReader(tmp_path) as reader:
        asked = [run for run in reader.runs() if reader.requests(run)]
        assert asked
        for run in asked:
            logged = [request for listed in reader.requests(run).values() for request in listed]
            shown = page.run(run.id)["models"]
            assert [len(request.replies) for request in logged] == [len(request["replies"]) for request in shown]
            for request, told in zip(logged, shown, strict=True):
                assert [text for _, text in told["prompts"]] == [lines(request.texts["prompt"])]
                assert [reply["text"] for reply in told["replies"]] == [
                    lines(reply.text) for reply in request.replies.values()
                ]
            assert page.run(run.id)["left_out"] == 0


def test_what_does_not_fit_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path)
    number = 6
    with LogReader(tmp_path) as reader:
        found = next(each for each in Results.read(tmp_path).traces if each.run.id == number)
        whole = runs.page(reader, found, Style(0), 10**9)
        some = runs.page(reader, found, Style(0), 1_000)
        none = runs.page(reader, found, Style(0), 0)
    count = len(whole["models"])
    assert 0 < len(some["models"]) < count
    assert len(some["models"]) + some["left_out"] == none["left_out"] == count
    monkeypatch.setattr(runs, "_BYTES", 6_000)
    page = page_of(tmp_path)
    assert "of these runs have no page of their own here" in page.words


def test_a_text_is_shown_with_every_step(tmp_path: Path) -> None:
    plant(tmp_path, spaces()["texts"])
    page = page_of(tmp_path)
    [table] = page.run(3)["tables"]
    assert table["title"] == "Every instruction that was evaluated, by step"
    assert len(table["rows"]) == 35
    assert {row[3] for row in table["rows"]} >= {f"{PAYLOADS[0]} 30", f"{PAYLOADS[4]} 30"}
    assert "Instructions by step" in page.words


def test_headings_and_pictures_can_be_read_aloud(tmp_path: Path) -> None:
    page = page_of(compared(tmp_path, "regression", {"w_true": "15", "b_true": "14"}, "quadratic", "random"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    pictures = [attributes["alt"] for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) == 2
    assert all(alt and "quadratic solved it in 7 evaluations" in alt for alt in pictures)
    assert all(attributes.get("scope") for tag, attributes in page.tags if tag == "th")
    assert all(attributes.get("aria-label") for tag, attributes in page.tags if attributes.get("role") == "img")


def test_the_papers_figures_are_marked_columns(tmp_path: Path) -> None:
    folder = compared(tmp_path, "regression", {"w_true": "15", "b_true": "14"}, "quadratic", "random")
    [part] = parts(Results.read(folder))
    [(table, marked)] = beside([(part.name, part.problem, part.summaries)])
    assert [table.columns[j].heading for j in marked] == ["text-bison", "gpt-3.5-turbo", "gpt-4"]
    assert table.rows[0][1:] == [
        "steps",
        "2.0 (0.0)",
        ">= 5.0 (0.0)",
        "5.8 (2.6)",
        "7.6 (4.5)",
        "4.0 (1.5)",
    ]
    cells = [attributes.get("class") or "" for tag, attributes in page_of(folder).tags if tag in ("th", "td")]
    assert sum("published" in classes for classes in cells) == 3 * (1 + 2)


def test_tours_of_the_papers_sizes_are_beside_it() -> None:
    [(table, marked)] = beside(
        [("tsp n=10", create_problem("tsp", {"n": "10"}), []), ("other", LinearRegression(1, 2), []), ("x", None, [])]
    )
    assert len(marked) == 5
    assert [row[1] for row in table.rows] == ["gap to the optimum, %", "steps", "solved"]
    assert [table.rows[2][j] for j in marked] == ["-", "-", "5/5", "5/5", "5/5"]


def test_pictures_in_the_folder_are_taken(tmp_path: Path) -> None:
    folder = compared(tmp_path, "function", {"name": "branin"}, "random")
    (folder / SEARCH).write_bytes(b"of the folder")
    encoded = base64.b64encode(b"of the folder").decode()
    assert [a["src"] for tag, a in page_of(folder).tags if tag == "img"] == [f"data:image/png;base64,{encoded}"]


def test_a_problem_that_cannot_be_built_has_no_picture(tmp_path: Path) -> None:
    space = Vector(x=Int(0, 9), y=Int(0, 9))
    with RunLog(tmp_path) as log:
        problem = FunctionProblem(lambda s: float(s["x"]), space)
        solvers = create_solvers(["random"], None)
        list(Comparison("mine", {}, [problem], solvers, Budget(evaluations=5), log=log).runs())
    page = page_of(tmp_path)
    assert "There is no picture: the problem cannot be built anew from its settings." in page.words
    assert [tag for tag, _ in page.tags if tag == "img"] == []


def test_damaged_replies_are_told(tmp_path: Path) -> None:
    plant(tmp_path)
    with sqlite3.connect(tmp_path / "run.sqlite") as connection:
        connection.execute("UPDATE replies SET text = CAST(x'FFFE3C7363726970743E' AS TEXT) WHERE run = 6 AND step = 2")
    connection.close()
    page = page_of(tmp_path)
    assert "The log is damaged: run 6: a reply of step 2 is damaged." in page.words


def test_a_run_that_did_not_come_about_is_in_the_tables(tmp_path: Path) -> None:
    folder = compared(tmp_path, "function", {"name": "branin"}, "random", "powell")
    with LogReader(folder) as reader:
        run = reader.runs()[0]
    assert run.record is not None
    identity = absent(run.identity["asked"], run.seed, Budget(evaluations=1))
    record = of_nothing(Identity("random", "function", 0, 0, 0), "the problem could not be built").as_json()
    with sqlite3.connect(folder / "run.sqlite") as connection:
        connection.execute(
            "UPDATE runs SET identity = ?, record = ?, state = 'failed', stop_reason = 'error' WHERE id = 1",
            (json.dumps(identity), json.dumps(record)),
        )
        connection.execute("DELETE FROM evaluations WHERE run = 1")
    connection.close()
    page = page_of(folder)
    assert page.run(1)["message"] == "the problem could not be built"
    assert page.run(1)["figure"] is None
    assert "0/2, 1 failed" in page.words
    assert [tag for tag, _ in page.tags if tag == "img"]


def test_labels_are_texts_to_plotly() -> None:
    assert plain("<b>a</b>&lt;\n\x1b") == "&lt;b&gt;a&lt;/b&gt;&amp;lt;\\n\\x1b"
    assert len(plain("x" * 100)) == 40
    traces = [trace(PAYLOADS[4], [3.0, 1.0])]
    styles = {PAYLOADS[4]: Style(0)}
    figures: list[Callable[[], Any]] = [lambda: convergence(traces, styles), lambda: reached([part_of(traces)], styles)]
    for figure in figures:
        text = json.dumps(figure().plot)
        assert "<" not in text and "&lt;a href=" in text


def test_a_script_cannot_end_early() -> None:
    with pytest.raises(ValueError, match="end of a script"):
        script("'</SCRIPT>'")


def test_many_runs_are_shown_by_their_quartiles() -> None:
    few = [trace("a", [9.0, 1.0 + i], instance=i) for i in range(3)]
    many = [trace("a", [9.0, 1.0 + i], instance=i) for i in range(100)]
    figures = [convergence(traces, STYLES) for traces in (few, many)]
    assert [len(figure.plot["data"]) for figure in figures if figure is not None] == [4, 3]


def test_gaps_of_zero_lie_on_a_line_at_the_bottom() -> None:
    figure = convergence([trace("a", [8.0, 2.0, 0.0])], STYLES)
    assert figure is not None and figure.table is not None
    [line] = figure.plot["data"]
    assert (line["x"], line["y"], line["customdata"]) == ([1, 2, 3], [8, 2, 1], [8, 2, 0])
    assert figure.table.rows == [["a", "8", "0"]]
    assert figure.plot["layout"]["shapes"][0]["y0"] == 1


def test_scores_to_be_maximized_rise() -> None:
    runs_of = [trace("a", [-1.0, -5.0], optimum=None, maximize=True)]
    figure, course = convergence(runs_of, STYLES), course_of(runs_of[0], Style(0))
    assert figure is not None and course is not None
    assert figure.plot["data"][0]["y"] == course["data"][1]["y"] == [1, 5]


def test_runs_without_a_score_are_no_curves() -> None:
    nothing = [trace("a", [float("nan")]), trace("a", [], instance=1)]
    assert convergence(nothing, STYLES) is None
    assert course_of(nothing[0], Style(0)) is None
    assert reached([part_of([trace("a", [])])], STYLES) is None


def test_targets_are_chosen_once(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []

    def choose(traces: Sequence[Trace]) -> Targets:
        chosen.append(traces)
        return choose_targets(traces)

    monkeypatch.setattr(source, "choose_targets", choose)
    both = [part_of([trace("a", [9.0, 1.0]), trace("b", [])]), part_of([trace("a", [9.0, 0.0])])]
    alone = [reached([part], STYLES) for part in both]
    assert alone[0] is not None and alone[1] is not None and reached(both, STYLES) is not None
    assert [len(traces) for traces in chosen] == [1, 1]


def test_the_floor_is_what_every_run_counts_as_success() -> None:
    runs_of = [trace("a", [8.0, 0.3, 0.1], tolerance=tolerance, instance=i) for i, tolerance in enumerate((0.5, 0.2))]
    figure = convergence(runs_of, STYLES)
    assert figure is not None
    assert figure.plot["layout"]["shapes"][0]["y0"] == 0.2


def test_what_the_runs_show() -> None:
    traces = [
        trace(solver, [9.0] * count + [0.0], instance=i)
        for i in range(6)
        for solver, count in (("a", 1), ("b", 4 + i), ("c", 20))
    ]
    table = expected(traces)
    assert table is not None
    assert table.rows[0][:4] == ["a", "6/6", "100 (61.0 to 100)", "2 (2 to 2)"]
    found = ranking(traces)
    assert found is not None and found.result.ranks == (1.0, 2.0, 3.0)
    told = sentences(traces, found)
    assert told[1].startswith("a needs 10.5 times fewer evaluations than c (95 % interval 10.5 to 10.5")
    assert ranking(traces[:2]) is None
    without = [
        replace(
            each,
            run=replace(
                each.run, identity={**each.run.identity, "problem": {**each.run.identity["problem"], "optimum": None}}
            ),
            record=replace(each.record, optimum=None),
        )
        for each in traces
    ]
    assert expected(without) is None and sentences(without, ranking(without)) == []


def test_every_solver_has_a_look_of_its_own() -> None:
    looks = {(Style(i).colour, Style(i).dash) for i in range(40)}
    assert len(looks) == 40


def test_tours_are_drawn(tmp_path: Path) -> None:
    page = page_of(compared(tmp_path, "tsp", {"n": "6"}, "2-opt", "random", repeats=1))
    assert [attributes["alt"] for tag, attributes in page.tags if tag == "img"]
