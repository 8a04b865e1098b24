"""What a user gets wrong: one clear line on stderr, nothing on stdout, exit code 2, nothing evaluated."""

from pathlib import Path

import pytest

from support.commands import Command, Here

CASES = [
    ("foo", "No such command 'foo'"),
    ("compare", "Missing argument 'PROBLEM'"),
    ("compare nosuch", "unknown problem 'nosuch'; legal: "),
    ("compare regresion", "did you mean 'regression'?"),
    ("compare regression w_tru=1", "did you mean 'w_true'?"),
    ("compare regression colour=1", "integer, low, high, instance"),
    ("compare regression w_true=x --solvers random", "w_true=x is not legal; give a finite number"),
    ("compare regression w_true --solvers random", "'w_true' is not of the form key=value"),
    ("compare regression w_true=1 w_true=2", "w_true is given twice"),
    ("compare regression low=5 high=3", "the space is empty"),
    ("compare regression instance=-1 --solvers random", "instance=-1 is not legal"),
    ("compare regression instance=x --solvers random", "instance=x is not legal"),
    ("compare function --solvers random", "the setting name is missing"),
    ("compare regression --repeats x", "Invalid value for '--repeats'"),
    ("compare regression --repeats 0", "the number of repeats must be at least 1"),
    ("compare regression --seed -1", "--seed must be at least 0"),
    ("compare regression --solvers rando", "did you mean 'random'?"),
    ("compare regression --solvers random,,tpe", "give names with commas between them"),
    ("compare regression --solvers random,random", "the solver random is given twice"),
    ("compare regression --solvers random:btch=1", "did you mean 'batch'?"),
    ("compare regression --solvers random:batch=0", "batch must be a whole number of at least 1"),
    ("compare regression --solvers random:batch", "'batch' is not of the form key=value"),
    ("compare regression --max-evaluations 0", "the budget of evaluations must be"),
    ("compare regression --max-steps -3", "the budget of steps must be"),
    ("compare regression --max-seconds nan", "the budget of seconds must be a positive number"),
    ("compare regression --max-seconds inf", "the budget of seconds must be a positive number that is finite, not inf"),
    ("compare regression --solvers random --hint w=3", "--hint is for solvers with a language model, and random would"),
    ("solve regression --solver random --max-scorer-calls 5", "--max-scorer-calls: only for problems whose score is"),
    ("solve regression --solver random --full-evaluation --race-level 0.1", "--full-evaluation, --race-level: only"),
    ("compare regression --nope", "No such option: --nope"),
    ("compare regression --solvers opro --llm nope", "unknown model 'nope'"),
    ("compare regression --solvers opro --llm local:/missing.gguf", "/missing.gguf does not exist"),
    ("compare regression --solvers opro --llm replay:missing", "missing is not the folder of a run"),
    ("compare regression --solvers opro:top_k=0 --llm obedient", "top_k must be a whole number"),
    ("compare regression --solvers opro:scores=x --llm obedient", "rounded, rescaled, ranked, shuffled, hidden, auto"),
    ("compare regression --solvers hybrid:samples=0 --llm obedient", "samples must be a whole number of at least 1"),
    ("compare tour --solvers gaussian", "gaussian"),
    ("solve regression --solver exhaustive --max-evaluations 10", "the space has 10,201 solutions"),
    ("solve regression --solver nope", "unknown solver 'nope'"),
    ("list foo", "'problems', 'solvers', 'suites'"),
    ("models foo", "No such command 'foo'"),
]


@pytest.mark.parametrize(("line", "message"), CASES, ids=[line for line, _ in CASES])
def test_bad_input_is_one_line(here: Here, line: str, message: str) -> None:
    code, out, error = here(*line.split())
    assert (code, out) == (2, "")
    assert error.startswith("llmopt: ")
    assert error.count("\n") == 1
    assert message in error


@pytest.mark.parametrize("out", ["file", "file/below", "/proc/none"])
def test_out_that_cannot_be_written(here: Here, tmp_path: Path, out: str) -> None:
    (tmp_path / "file").write_text("mine")
    code, printed, error = here("compare", "slow", "--solvers", "random", "--out", out)
    assert (code, printed, error.count("\n")) == (2, "", 1)
    assert f"--out {out} cannot be written" in error
    assert (tmp_path / "file").read_text() == "mine"


def test_out_that_holds_a_comparison(here: Here, tmp_path: Path) -> None:
    arguments = ["solve", "highest", "--solver", "random", "--out", "report"]
    assert here(*arguments)[0] == 0
    (tmp_path / "report" / "notes.txt").write_text("mine")
    before = (tmp_path / "report" / "runs.csv").read_bytes()
    code, _, error = here(*arguments)
    assert code == 2
    assert "holds a comparison already" in error
    assert (tmp_path / "report" / "runs.csv").read_bytes() == before
    assert here(*arguments, "--overwrite")[0] == 0
    assert (tmp_path / "report" / "notes.txt").read_text() == "mine"


def test_what_terminals_obey_is_written_out(here: Here) -> None:
    code, _, error = here("compare", "\x1b[2Jx\ny[bold]", "--solvers", "random")
    assert code == 2
    assert error.count("\n") == 1
    assert "\x1b" not in error
    assert "\\x1b[2Jx\\ny[bold]" in error


def test_the_process_ends_with_the_code(llmopt: Command) -> None:
    done = llmopt("compare", "regression", "--solvers", "nope")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_a_model_that_fails_at_once(here: Here) -> None:
    code, out, error = here("solve", "regression", "--llm", "broken")
    assert code == 1
    assert "not solved: [red]the model is gone[/red]\\x1b[2J\\nsecond line" in out
    assert "\x1b" not in out + error
    assert "Traceback" not in error
