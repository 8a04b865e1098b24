"""Suites from the command line: what is typed, what is seen, what is written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from llmopt.baselines.new_solutions import draw_new
from llmopt.baselines.quadratic import Quadratic
from support.commands import Here
from support.instruction_server import serving

SMALL = ("bench", "paper-regression", "--smoke", "--solvers", "quadratic,random", "--max-evaluations", "20")
OPRO = ("functions", "--smoke", "--solvers", "opro")


def test_a_suite_is_run_once_and_shown_again(here: Here, tmp_path: Path) -> None:
    code, out, err = here(*SMALL, "--out", "a")
    assert code == 0
    assert "All problems together" in out
    assert "Beside the paper" in out
    assert "8 runs done" in err
    code, again, err = here(*SMALL, "--out", "a")
    assert code == 0
    assert again == out
    assert "0 runs done; 8 were done already" in err
    with (tmp_path / "a" / "runs.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 8
    assert (tmp_path / "a" / "summary.md").read_text().startswith("**All problems together**")
    assert json.loads((tmp_path / "a" / "meta.json").read_text())["suite"] == "paper-regression"


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_ends_a_suite_and_the_same_command_goes_on(here: Here, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'name = "own"\n[[group]]\nproblem = "fatal"\nsettings = { mark = "mark", name = "SIGINT" }\nrepeats = 4\n'
        'solvers = ["random:batch=1"]\nbudget = { evaluations = 6 }\n'
    )
    code, out, err = here("bench", "own.toml", "--out", "a")
    assert code == 1
    assert "0/2, 1 interrupted" in out
    assert err.endswith("llmopt: interrupted; the same command goes on in a\n")
    code, out, err = here("bench", "own.toml", "--out", "a")
    assert code == 0
    assert "interrupted" not in out
    assert "3 runs done; 1 were done already" in err


def test_the_document_for_machines_has_every_run(here: Here) -> None:
    code, out, _ = here(*SMALL, "--json", "--quiet")
    assert code == 0
    document = json.loads(out)
    assert document["suite"]["name"] == "paper-regression"
    assert {run["settings"]["w_true"] for run in document["runs"]} == {"15", "36"}
    assert len(document["runs"]) == 8


def test_two_results_of_a_suite_are_shown_side_by_side(here: Here) -> None:
    assert here(*SMALL, "--out", "a")[0] == here(*SMALL, "--out", "b")[0] == 0
    code, out, _ = here("bench", "compare", "a", "b")
    assert code == 0
    assert out.count("no difference shown") == 6
    code, out, _ = here("bench", "compare", "a", "b", "--json")
    assert {change["p_value"] for change in json.loads(out)["changes"]} == {1.0}


def test_what_became_worse_is_found(here: Here) -> None:
    # The same problems, seeds and budget, with a version that draws at random.
    more = ("bench", "paper-regression", "--smoke", "--solvers", "quadratic", "--repeats", "10")
    assert here(*more, "--max-evaluations", "20", "--out", "a")[0] == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Quadratic, "propose", lambda self, n, *_: draw_new(self.task.history, n, self.rng))
        assert here(*more, "--max-evaluations", "20", "--out", "b")[0] == 0
    code, out, _ = here("bench", "compare", "a", "b")
    assert code == 1
    assert "worse" in out
    code, out, _ = here("bench", "compare", "b", "a")
    assert code == 0
    assert "better" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("paper-regresion",), "did you mean 'paper-regression'"),
        (("paper-regression", "--solvers", "nothing"), "unknown solver 'nothing'"),
        (("paper-regression", "--repeats", "0"), "the number of repeats must be at least 1, not 0"),
        (("paper-regression", "--workers", "0"), "--workers must be at least 1"),
        (("paper-regression", "--workers", "2", "--scheduler", "tcp://a:1"), "give one of them"),
        (
            ("functions", "--scheduler", "tcp://[::1"),
            "tcp://[::1 is not the address of a scheduler; give tcp://HOST:PORT",
        ),
        (("functions", "--scheduler", "nonsense"), "nonsense is not the address of a scheduler"),
        (("functions", "--scheduler", "tls://127.0.0.1:9"), "tls://127.0.0.1:9 needs certificates"),
        (("functions", "--smoke", "--max-scorer-calls", "5"), "the suite functions has none; leave it out"),
        (("gone.toml",), "gone.toml: cannot be read"),
        (("compare", "a"), "give two folders"),
        (("compare", "a", "b"), "holds no run.sqlite"),
        (("paper-regression", "out"), "one word too many"),
        ((*OPRO, "--llm", "nosuch:foo"), "unknown model 'nosuch:foo'"),
        ((*OPRO, "--llm", "local,copier"), "names several models, and a suite has one for all of its solvers"),
        ((*OPRO, "--llm", "openai:gpt-5-mini"), "set OPENAI_API_KEY"),
        ((*OPRO, "--llm", "nosuch:foo", "--workers", "2"), "unknown model 'nosuch:foo'"),
        ((*OPRO, "--llm", "nosuch:foo", "--scheduler", "tcp://far.invalid:1"), "unknown model 'nosuch:foo'"),
        ((*OPRO, "--llm", "obedient", "--max-cost", "1"), "a budget of dollars needs the price"),
        ((*OPRO, "--llm", "copier"), "the model copier cannot answer a conversation"),
        ((*OPRO, "--llm", "copier", "--max-tokens", "0"), "the budget of tokens must be"),
        (("functions", "--smoke", "--solvers", "opro:sample=2", "--llm", "copier"), "unknown setting 'sample'"),
    ],
)
def test_what_is_not_legal_is_one_line(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_API_KEY_FILE", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "cache"))
    code, out, err = here("bench", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not list(tmp_path.rglob("run.sqlite"))


def test_where_no_scheduler_answers_nothing_is_written(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(address: str, **_: object) -> None:
        raise TimeoutError("Timed out")

    monkeypatch.setattr("distributed.Client", silent)
    code, _, err = here("bench", "functions", "--smoke", "--scheduler", "tcp://127.0.0.1:9", "--out", "a")
    assert code == 2 and "the scheduler tcp://127.0.0.1:9 cannot be reached" in err
    assert not (tmp_path / "a").exists()


def test_a_model_is_needed_by_what_is_missing_alone(here: Here) -> None:
    command = ("bench", *OPRO, "--llm", "broken:1000", "--max-evaluations", "12", "--out", "a")
    assert here(*command)[0] == 0
    # What is done is shown without it.
    opened = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("llmopt_testkit.Broken.__init__", lambda self, rest: opened.append(rest))
        assert here(*command)[0] == 0
    assert opened == []


def test_limits_of_models_hold_for_each_run(here: Here) -> None:
    command = ("bench", *OPRO[:-1], "opro:serializer=moves", "--llm", "copier", "--repeats", "1", "--quiet", "--json")
    code, out, _ = here(*command, "--max-calls", "20", "--max-cost", "5")
    assert code == 0
    runs = json.loads(out)["runs"]
    assert {run["stop_reason"] for run in runs} == {"calls"}
    assert all(0 < run["llm_calls"] <= 20 for run in runs)


def test_failed_runs_say_why_once_for_each_reason(here: Here, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'name = "own"\n[[group]]\nproblem = "picky"\nsettings = { mark = "mark" }\nrepeats = 2\n'
        'solvers = ["random", "wordy"]\nbudget = { evaluations = 6 }\n[[group]]\nproblem = "picky"\nrepeats = 1\n'
        'settings = { mark = "mark" }\nsolvers = ["crash"]\nbudget = { evaluations = 40 }\n'
    )
    code, out, err = here("bench", "own.toml", "--out", "a", "--quiet")
    assert code == 1
    assert err == (
        "llmopt: 2 runs failed: OSError: the data are gone\n"
        "llmopt: 1 run failed: ZeroDivisionError: [bold]oh\\x1b[2J\\nno[/bold]\n"
    )
    for text in (out, (tmp_path / "a" / "summary.md").read_text()):
        assert "failed: OSError: the data are gone (random, wordy)" in text
        # No model was asked, and none needs a price.
        assert "cost" not in text
    code, out, err = here("bench", "own.toml", "--out", "a", "--quiet", "--json")
    assert code == 1 and err.count("\n") == 2


def test_a_problem_of_anybody_that_asks_a_model_is_built_with_one(here: Here, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'name = "own"\n[[group]]\nproblem = "judged"\nrepeats = 2\nsolvers = ["random"]\nbudget = { evaluations = 6 }\n'
    )
    code, _, err = here("bench", "own.toml", "--out", "a")
    assert code == 0 and "2 runs done" in err


def test_what_a_suite_may_take_is_said_before_it_begins(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.toml").write_text(
        'name = "own"\n[[group]]\nproblem = "prompt"\nrepeats = 2\nsolvers = ["opro", "hand-written"]\n'
        'settings = { dataset = "own.jsonl", scorer = "openai:scorer", train = 12, validation = 4, test = 8 }\n'
        "budget = { evaluations = 4 }\n"
    )
    command = ("bench", "own.toml", "--llm", "openai:writer", "--out", "a", "--cache", "off")
    with serving(tmp_path, monkeypatch) as server:
        code, out, err = here(*command, "--max-scorer-calls", "20")
        assert (code, out) == (2, "")
        assert "own.jsonl" in err and "start with take 3 x 12 training examples" in err
        assert server.bodies == []
        code, _, err = here(*command)
        scored, written, *_ = err.splitlines()
        # Four searches: 4 instructions on 12 examples, and for the report 5 on 4 and 3 on 8.
        assert "at most 368 scorer calls (openai:scorer" in scored and "price unknown" in scored
        assert "about 2 replies of openai:writer" in written
        assert code == 0
        assert "at most" not in here(*command)[2]


def test_results_of_different_suites_are_not_compared(here: Here) -> None:
    assert here(*SMALL, "--out", "a")[0] == 0
    assert here("bench", "functions", "--smoke", "--solvers", "random", "--out", "b", "--quiet")[0] == 0
    code, _, err = here("bench", "compare", "a", "b")
    assert code == 2
    assert "different suites: a of paper-regression (--smoke) and b of functions (--smoke)" in err
    code, _, err = here("bench", "functions", "--smoke", "--out", "a")
    assert code == 2
    assert "holds suite paper-regression" in err


def test_results_within_different_budgets_are_not_compared(here: Here) -> None:
    suite = ("bench", "paper-regression", "--smoke", "--solvers", "random", "--repeats", "1", "--quiet")
    assert here(*suite, "--max-evaluations", "20", "--out", "a")[0] == 0
    assert here(*suite, "--max-evaluations", "5", "--out", "b")[0] == 0
    code, out, err = here("bench", "compare", "a", "b")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "have different budgets (20 evaluations; 5 evaluations), and cannot be compared; name folders of the" in err


def test_runs_with_other_seeds_are_not_paired(here: Here, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 5)):
        (tmp_path / f"{name}.toml").write_text(
            f'name = "own"\n[[group]]\nproblem = "regression"\nseed = {seed}\nsolvers = ["random"]\n'
            "budget = { evaluations = 6 }\n"
        )
        assert here("bench", f"{name}.toml", "--out", name, "--quiet")[0] == 0
    code, _, err = here("bench", "compare", "a", "b")
    assert code == 2
    assert "a and b have no run in common: other solvers, problems or seeds" in err


def test_resume_names_the_command_that_goes_on(here: Here) -> None:
    assert here(*SMALL, "--out", "a")[0] == 0
    code, _, err = here("resume", "a")
    assert code == 2
    assert "a holds the runs of a suite; the command that began them goes on: llmopt" in err
