"""``llmopt report``."""

import csv
import json
import sqlite3
from pathlib import Path

import pytest

from llmopt.benchmarks.perf.measurements import Measurements
from llmopt.benchmarks.perf.row import Row
from llmopt.report.page import gallery
from llmopt.runlog import RunLog
from support.commands import Here

MAKE = ("compare", "regression", "w_true=15", "b_true=14", "--solvers", "quadratic,random", "--repeats", "2")


@pytest.fixture
def results(here: Here) -> str:
    assert here(*MAKE, "--max-evaluations", "30", "--out", "results", "--quiet")[0] == 0
    return "results"


def test_the_page_is_put_into_the_folder(here: Here, results: str) -> None:
    code, out, error = here("report", results)
    assert (code, out, error) == (0, "report of 4 runs written to results/report.html\n", "")
    page = Path("results/report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n")
    # Made again it is the same: no time of its own is in it.
    assert here("report", results, "--out", "again.html")[0] == 0
    assert Path("again.html").read_text(encoding="utf-8") == page


def test_a_machine_is_told_where_it_is(here: Here, results: str) -> None:
    code, out, _ = here("report", results, "--json")
    assert (code, json.loads(out)) == (0, {"runs": 4, "format": "html", "written": "results/report.html"})


def test_csv_has_the_lines_of_the_folder(here: Here, results: str) -> None:
    code, out, _ = here("report", results, "--format", "csv")
    assert (code, out) == (0, Path("results/runs.csv").read_text(encoding="utf-8"))
    assert here("report", results, "--format", "csv", "--out", "runs.csv")[0] == 0
    assert Path("runs.csv").read_bytes() == Path("results/runs.csv").read_bytes()


def test_a_spreadsheet_is_given_no_formulas(here: Here) -> None:
    command = ("compare", "highest", "--solvers", "random", "--repeats", "1", "--max-evaluations", "5")
    assert here(*command, "--out", "results", "--quiet")[0] == 0
    with sqlite3.connect("results/run.sqlite") as connection:
        connection.execute("UPDATE runs SET record = json_set(record, '$.message', '=HYPERLINK(1)', '$.solver', '@x')")
    connection.close()
    _, out, _ = here("report", "results", "--format", "csv")
    [row] = csv.DictReader(out.splitlines())
    assert (row["message"], row["solver"]) == ("'=HYPERLINK(1)", "'@x")


def test_markdown_has_the_tables(here: Here, results: str) -> None:
    code, out, _ = here("report", results, "--format", "markdown")
    assert code == 0
    assert "**regression w_true=15 b_true=14: 2 repeats of each solver**" in out
    assert "| quadratic | scores | 2/2 |" in out
    assert "| problem | figure | quadratic | random | text-bison | gpt-3.5-turbo | gpt-4 |" in out


def test_the_figures_of_several_problems_are_of_all_together(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    # Pictures take most of the time.
    monkeypatch.setattr(gallery, "drawn", lambda *given: [])
    Path("mine.toml").write_text(
        """
        name = "mine"
        description = "Near and far."
        [[group]]
        problem = "regression"
        settings = [{ w_true = 15, b_true = 14 }, { w_true = 36, b_true = -1 }]
        repeats = 2
        solvers = ["quadratic", "gaussian:batch=4", "gaussian:batch=8"]
        budget = { evaluations = 150 }
        """
    )
    assert here("bench", "mine.toml", "--out", "suite", "--quiet")[0] == 0
    assert here("report", "suite")[0] == 0
    page = Path("suite/report.html").read_text(encoding="utf-8")
    _, text, _ = here("report", "suite", "--format", "markdown")
    for title in ("Steps to the target by the distance of the optimum", "Run-to-run spread by the samples of a step"):
        assert page.count(f"<figcaption>{title}") == text.count(f"**{title}") == 1
        assert page.index("Summary</h2>") < page.index(f"<figcaption>{title}") < page.index('id="problem-1"')


def measured(folder: str, *rows: Row) -> Measurements:
    found = Measurements(["python", "-m", "llmopt.benchmarks.perf"], {"CPUs": "2"}, False, list(rows))
    Path(folder).mkdir()
    found.write(Path(folder))
    return found


def test_a_folder_of_measurements_has_the_same_kinds_of_reports(here: Here) -> None:
    measured("speed", Row("=1+1", 3.0, "s", limit=2.0), Row("b", 1.0, "MB"))
    assert here("report", "speed") == (0, "report of 2 measurements written to speed/report.html\n", "")
    page = Path("speed/report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n")
    code, out, _ = here("report", "speed", "--json")
    assert (code, json.loads(out)["measurements"]) == (0, 2)
    _, out, _ = here("report", "speed", "--format", "markdown")
    assert "| =1+1 | 3 s | <= 2 s | NO | - | - |" in out and "| CPUs | 2 |" in out
    _, out, _ = here("report", "speed", "--format", "csv")
    lines = list(csv.DictReader(out.splitlines()))
    assert [(line["what"], line["value"], line["holds"]) for line in lines] == [
        ("'=1+1", "3.0", "False"),
        ("b", "1.0", ""),
    ]


def test_a_folder_with_runs_is_reported_by_them(here: Here) -> None:
    with RunLog("begun"):
        pass
    Path("begun/perf.json").write_text("damaged")
    assert "begun holds no run that has ended" in here("report", "begun")[2]


def test_a_foreign_file_of_measurements_is_one_line(here: Here) -> None:
    Path("speed").mkdir()
    Path("speed/perf.json").write_text('{"rows": []}')
    message = "llmopt: speed/perf.json is damaged, or not a file of 'python -m llmopt.benchmarks.perf': 'command'"
    for format in ("html", "markdown", "csv"):
        assert here("report", "speed", "--format", format) == (2, "", f"{message} is not a list\n")
    assert [path.name for path in Path("speed").iterdir()] == ["perf.json"]


def test_a_folder_in_which_runs_are_missing_says_so(here: Here, results: str) -> None:
    with sqlite3.connect("results/run.sqlite") as connection:
        connection.execute("UPDATE runs SET record = NULL, state = 'running' WHERE id > 1")
    connection.close()
    assert here("report", results)[1] == "report of 1 run written to results/report.html\n"
    page = Path("results/report.html").read_text(encoding="utf-8")
    assert "1 of 4 planned runs have ended; the others are not in this page." in page


def test_damage_is_told_here_and_in_the_page(here: Here, results: str) -> None:
    with sqlite3.connect("results/run.sqlite") as connection:
        connection.execute("UPDATE evaluations SET solution = CAST(x'FF3C62' AS TEXT) WHERE run = 2 AND call = 3")
    connection.close()
    code, _, error = here("report", results)
    assert code == 0
    assert error == "llmopt: results: run 2: 1 of its evaluations are damaged\n"
    page = Path("results/report.html").read_text(encoding="utf-8")
    assert "The log is damaged: run 2: 1 of its evaluations are damaged." in page


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("report empty", "empty is not the folder of a run: it holds no run.sqlite"),
        ("report nowhere", "nowhere is not the folder of a run: it holds no run.sqlite"),
        ("report begun", "begun holds no run that has ended; go on with it (the same command, or llmopt resume begun)"),
        ("report half", "cannot be read"),
        ("report results --format pdf", "'pdf' is not one of"),
        ("report results --format csv --json", "--json with --format csv needs --out FILE"),
        ("report results --out nowhere/page.html", "nowhere/page.html cannot be written: No such file or directory"),
        ("report results --out results", "results cannot be written: Is a directory"),
        ("report", "Missing argument 'DIR'"),
    ],
)
def test_bad_input_is_one_line(here: Here, results: str, line: str, message: str) -> None:
    Path("empty").mkdir()
    with RunLog("begun"):
        pass
    Path("half").mkdir()
    Path("half/run.sqlite").write_bytes(Path("results/run.sqlite").read_bytes()[:5_000])
    code, out, error = here(*line.split())
    assert (code, out) == (2, "")
    assert message in error
    assert error.startswith("llmopt: ") and error.count("\n") == 1
    assert not list(Path().glob("**/.*.part"))
