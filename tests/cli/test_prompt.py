"""The command line on prompt optimization, with models behind a real server."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmopt.cli.forecast import _asked
from llmopt.problems.prompt.problem import prompt
from llmopt.runlog import LogReader
from support.commands import Here, environment
from support.fault_server import FaultServer
from support.models import ABLE, FunctionLLM

EXAMPLES = 40
TRAIN, VALIDATION, TEST = 24, 6, 10
SOLVE = ("solve", "prompt", "dataset=own.jsonl", f"train={TRAIN}", f"validation={VALIDATION}", f"test={TEST}",
         "scorer=openai:scorer", "--llm", "openai:writer")  # fmt: skip
BUDGET = ("--max-evaluations", "12")


def prompt_of(body: dict[str, Any]) -> str:
    return "\n".join(message["content"] for message in body["messages"])


def reply(body: dict[str, Any], number: int) -> str:
    """A writer that writes good instructions and bad ones, and a scorer that answers by them; a judge that agrees."""
    text = prompt_of(body)
    if body["model"] == "writer":
        kind = "well" if number % 2 else "badly"
        return f"<INS>answer {kind} {'again ' * (number % 97)}</INS>"
    if body["model"] == "judge":
        return "yes"
    question = int(re.findall(r"question (\d+)", text)[-1])
    right = question % 3 == 0 if "badly" not in text else False
    return f"answer {question}" if right or "well" in text else "?"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LLMOPT_DATA", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    rows = [{"input": f"question {i}", "target": f"answer {i}"} for i in range(EXAMPLES)]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with FaultServer(reply=reply) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield server


def asked(server: FaultServer, model: str = "scorer") -> list[str]:
    return [prompt_of(body) for body in server.bodies if body["model"] == model]


def clean(text: str) -> list[dict[str, Any]]:
    return [{**run, "seconds": 0, "evaluation_seconds": 0} for run in json.loads(text)["runs"]]


def prices(folder: Path, server: FaultServer, dollars: float, *models: str) -> str:
    path = folder / "prices.json"
    path.write_text(json.dumps({f"openai:{m}@{server.url}": {"input": dollars, "output": dollars} for m in models}))
    return str(path)


def test_a_search_from_the_command_to_the_document(here: Here, server: FaultServer) -> None:
    code, out, error = here(*SOLVE, *BUDGET, "--json")
    assert code == 0
    [run] = json.loads(out)["runs"]
    assert run["instruction"] == run["solution"] and run["instruction"].startswith("answer well")
    assert run["train_accuracy"] == run["validation_accuracy"] == run["test_accuracy"] == run["best_score"] == 1.0
    assert run["test_examples"] == TEST and 0.7 < run["test_low"] < 0.75 and run["test_high"] == pytest.approx(1.0)
    assert 0.1 < run["empty_accuracy"] == run["step_accuracy"] < 0.6 and run["p_empty"] == run["p_step"] < 0.1
    assert 3 * TRAIN <= run["scorer_calls"] <= 12 * TRAIN
    assert run["dropped"] > 0 and run["llm_calls"] == len(server.bodies)
    assert {body["temperature"] for body in server.bodies if body["model"] == "scorer"} == {0.0}
    # Before anything was sent it was said what it may take.
    most = 12 * TRAIN + 5 * VALIDATION + 3 * TEST
    assert f"llmopt: at most {most:,} scorer calls (openai:scorer@{server.url}), about " in error
    assert "price unknown (--prices)" in error
    assert len(asked(server)) == len(set(asked(server))) <= most


def test_what_people_read(here: Here, server: FaultServer) -> None:
    code, out, _ = here(*SOLVE, *BUDGET, "--quiet")
    assert code == 0
    assert re.search(r'instruction +"answer well', out)
    assert f"openai:writer@{server.url}, openai:scorer@{server.url}: {len(server.bodies)} calls, " in out
    assert re.search(
        r"right answers +100\.0% of the training examples \(95 % .*\), 100\.0% of the validation examples \(95 % ", out
    )
    assert re.search(r"on the test +100\.0% of 10 \(95 % interval 72\.\d% to 100\.0%\)\n", out)
    assert re.search(r"no instruction +\d\d\.0% on the same test examples \(McNemar's exact test: p = 0\.0", out)


def test_what_the_scorer_costs_is_shown_where_the_solver_needs_no_model(
    here: Here, server: FaultServer, tmp_path: Path
) -> None:
    path = prices(tmp_path, server, 100, "scorer")
    code, out, _ = here(*SOLVE, *BUDGET, "--solver", "hand-written", "--prices", path, "--quiet")
    assert code == 0 and asked(server, "writer") == []
    assert re.search(rf"model +openai:scorer@{server.url}: {len(server.bodies)} calls, ", out)
    assert re.search(r"cost +\$\d*\.\d*[1-9]", out)


def test_solvers_share_the_answers_and_are_compared_in_a_folder(
    here: Here, server: FaultServer, tmp_path: Path
) -> None:
    arguments = ("compare", *SOLVE[1:], "--solvers", "opro,one-shot,hand-written", "--repeats", "1", *BUDGET)
    code, out, error = here(*arguments, "--out", "report", "--json")
    assert code == 0
    runs = json.loads(out)["runs"]
    assert [run["solver"] for run in runs] == ["opro", "one-shot", "hand-written"]
    assert [run["llm"] is None for run in runs] == [False, False, True]
    assert len({run["empty_accuracy"] for run in runs}) == 1
    # What one of them has asked the scorer, the others find in the cache.
    assert len(asked(server)) == len(set(asked(server)))
    assert runs[2]["llm_cached"] >= 3 * TRAIN
    assert f"at most {3 * (12 * TRAIN + 5 * VALIDATION + 3 * TEST):,} scorer calls" in error
    written = {path.name for path in (tmp_path / "report").iterdir()}
    assert {"runs.csv", "summary.md", "meta.json", "run.sqlite"} <= written
    assert "test_accuracy" in (tmp_path / "report" / "runs.csv").read_text().splitlines()[0]


def test_every_candidate_is_scored_whole_where_that_is_asked_for(here: Here, server: FaultServer) -> None:
    [run] = clean(here(*SOLVE, *BUDGET, "--json", "--full-evaluation")[1])
    assert run["dropped"] == 0 and run["scorer_calls"] == run["unique_pairs"] * TRAIN == 12 * TRAIN


def test_a_race_of_a_higher_level_drops_sooner_also_when_it_goes_on(here: Here, server: FaultServer) -> None:
    calls = []
    for level in ("0.0001", "0.2", "0.9"):
        more = ("--race-level", level) if level != "0.2" else ()
        [run] = clean(here(*SOLVE, *BUDGET, *more, "--out", f"level{level}", "--json")[1])
        calls.append(run["scorer_calls"])
    assert calls[0] >= calls[1] >= calls[2] < calls[0]
    code, _, error = here("resume", "level0.9", "--max-evaluations", "20", "--quiet")
    assert (code, error) == (0, "")


def test_scorer_calls_are_a_budget(here: Here, server: FaultServer) -> None:
    code, out, error = here(*SOLVE, "--max-scorer-calls", "100", "--json")
    [run] = clean(out)
    assert code == 0 and run["stop_reason"] == "scorer_calls"
    assert 3 * TRAIN <= run["scorer_calls"] <= 100
    assert f"at most {100 + 5 * VALIDATION + 3 * TEST} scorer calls" in error
    assert run["test_accuracy"] is not None


def test_without_a_bound_on_the_scorer_nothing_is_sent(here: Here, server: FaultServer) -> None:
    code, out, error = here(*SOLVE, "--max-steps", "3")
    assert (code, out) == (2, "") and "give --max-scorer-calls or --max-evaluations" in error
    assert server.bodies == []


def test_initial_instructions_come_from_a_file(here: Here, server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("answer well indeed\nanswer somehow\n")
    code, out, _ = here(*SOLVE, "--initial", "own.txt", "--max-evaluations", "2", "--json")
    [run] = clean(out)
    assert code == 0 and run["instruction"] == "answer well indeed" and run["unique_pairs"] == 2
    assert asked(server, "writer") == []
    code, out, error = here(*SOLVE, "--initial", "own.txt", "initial=own.txt", *BUDGET)
    assert (code, out) == (2, "") and "initial is given twice" in error


def test_starts_that_are_one_evaluation_are_paid_for_once(here: Here, server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("ANSWER  well.\nanswer well.\n")
    code, out, _ = here(*SOLVE, "--initial", "own.txt", "--max-scorer-calls", str(TRAIN), "--json")
    [run] = clean(out)
    assert code == 0 and run["unique_pairs"] == 1 and run["scorer_calls"] == TRAIN


def test_licence_and_canary_are_shown_and_the_data_come_from_a_folder(
    here: Here, server: FaultServer, tmp_path: Path
) -> None:
    path = tmp_path / "public" / "bbh" / "navigate.json"
    path.parent.mkdir(parents=True)
    examples = [{"input": f"question {i}\nOptions:\n- Yes\n- No", "target": "Yes"} for i in range(20)]
    path.write_text(json.dumps({"canary": "never train\x1b[2J on this", "examples": examples}))
    arguments = ("solve", "prompt", "dataset=bbh/navigate", "--data", "public", "scorer=openai:scorer",
                 "--solver", "hand-written", "--max-evaluations", "3")  # fmt: skip
    code, _, error = here(*arguments)
    assert code == 0
    assert "llmopt: bbh/navigate: licence MIT\n" in error
    assert "never train\\x1b[2J on this\n" in error and "\x1b" not in error
    assert here(*arguments, "--quiet")[2] == ""


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("metric=numeric", "input_column=input", "target_column=input"), "input_column and target_column are both"),
        (("train=99",), "train is given twice"),
        (("position=middle",), "position=middle is not legal; choose one of Q_begin, Q_end, A_begin, system"),
        (("answer=best",), "answer=best is not legal"),
        (("colour=red",), "unknown setting 'colour'"),
        (("template=missing.txt",), "template=missing.txt: there is no such file"),
        (("--initial", "missing.txt"), "initial=missing.txt: "),
        (("--max-scorer-calls", "0"), "the budget of scorer calls must be a whole number of at least 1"),
        (("--solver", "tpe"), "tpe works on"),
        (("--race-level", "1"), "the level of a race is a probability between 0 and 1, not 1"),
        (("--race-level", "0.2", "--full-evaluation"), "--race-level is for races, and --full-evaluation has none"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_sent(
    here: Here, server: FaultServer, more: tuple[str, ...], words: str
) -> None:
    code, out, error = here(*SOLVE, *BUDGET, *more)
    assert (code, out) == (2, "")
    assert error.startswith("llmopt: ") and words in error and error.count("\n") == 1
    assert server.bodies == []


class Terminal(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Any:
    def types(text: str) -> Terminal:
        terminal = Terminal(text)
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        return terminal

    return types


@pytest.mark.parametrize("answer", ["n\n", "", "maybe\n"])
@pytest.mark.parametrize("known", [True, False])
def test_an_expensive_run_asks_a_person_and_no_is_no(
    here: Here, server: FaultServer, person: Any, tmp_path: Path, answer: str, known: bool
) -> None:
    person(answer)
    more = ("--prices", prices(tmp_path, server, 1_000, "scorer", "writer")) if known else ()
    code, out, error = here(*SOLVE, *BUDGET, *more, "--out", "report")
    assert (code, out) == (2, "")
    assert "that may be more than $1" in error and "go on? [y/N]" in error and "nothing was sent" in error
    assert server.bodies == [] and not (tmp_path / "report" / "run.sqlite").exists()


def test_yes_goes_on_and_is_not_asked_again(here: Here, server: FaultServer, person: Any) -> None:
    person("y\n")
    code, _, error = here(*SOLVE, "--max-evaluations", "3", "--quiet")
    assert code == 0 and "go on? [y/N]" in error
    terminal = person("n\n")
    code, _, error = here(*SOLVE, "--max-evaluations", "3", "--quiet", "--yes")
    assert code == 0 and "go on?" not in error and terminal.read() == "n\n"


def test_what_is_cheap_asks_nobody(here: Here, server: FaultServer, person: Any, tmp_path: Path) -> None:
    terminal = person("n\n")
    cheap = prices(tmp_path, server, 0.001, "scorer", "writer")
    code, _, error = here(*SOLVE, "--max-evaluations", "3", "--prices", cheap, "--quiet")
    assert code == 0 and "go on?" not in error and terminal.read() == "n\n"


def test_nobody_is_asked_where_nobody_sits(here: Here, server: FaultServer, tmp_path: Path) -> None:
    dear = prices(tmp_path, server, 1_000, "scorer", "writer")
    code, _, error = here(*SOLVE, "--max-evaluations", "3", "--prices", dear)
    assert code == 0 and "$" in error and "go on?" not in error


def test_a_judge_is_part_of_the_estimate(here: Here, server: FaultServer, tmp_path: Path) -> None:
    def estimated(*judged: str) -> float:
        path = prices(tmp_path, server, 10, "scorer", "writer", "judge")
        code, _, error = here(*SOLVE, "--max-evaluations", "3", "--prices", path, *judged)
        assert code == 0 and ("judged by openai:judge" in error) == bool(judged)
        found = re.search(r"written: \$([\d.]+)", error)
        assert found is not None
        return float(found[1])

    assert estimated("judge=openai:judge") > 1.2 * estimated()
    assert len(asked(server, "judge")) > 0


def estimates(error: str) -> dict[str, float]:
    """The dollars of each line of an estimate, by the words in it that tell it from others."""
    words = ("replies of openai:writer", "scorer calls (openai:", "scorer calls of --transfer", "together")
    lines = [line for line in error.splitlines() if "$" in line]
    return {
        word: float(re.findall(r"\$([\d.,]+)", line)[-1].replace(",", ""))
        for word in words
        for line in lines
        if word in line
    }


def test_the_optimizer_is_part_of_the_estimate(here: Here, server: FaultServer, person: Any, tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    free, dear = {"input": 0, "output": 0}, {"input": 100_000, "output": 1_000_000}
    path.write_text(json.dumps({f"openai:scorer@{server.url}": free, f"openai:writer@{server.url}": dear}))
    person("n\n")
    code, _, error = here(*SOLVE, *BUDGET, "--prices", str(path))
    found = estimates(error)
    assert code == 2 and "go on? [y/N]" in error and server.bodies == []
    # Nine instructions beside the three to start with, each in a reply of up to 512 tokens.
    assert "about 9 replies of openai:writer" in error and "at most 4,608 written" in error
    assert found["replies of openai:writer"] > 4_608 and found["together"] == found["replies of openai:writer"]
    code, out, _ = here(*SOLVE, *BUDGET, "--prices", str(path), "--yes", "--json")
    assert code == 0 and 0 < json.loads(out)["runs"][0]["cost_usd"] < found["together"]


@pytest.mark.parametrize("solver", ["one-shot", "evolution", "paraphrase", "opro"])
@pytest.mark.parametrize("more", [(), ("--full-evaluation",)])
def test_the_estimate_bounds_what_a_search_asks(
    here: Here, server: FaultServer, tmp_path: Path, solver: str, more: tuple[str, ...]
) -> None:
    path = prices(tmp_path, server, 1_000, "scorer", "writer")
    command = (*SOLVE, "--max-scorer-calls", "200", "--solver", solver, "--prices", path, *more)
    code, out, error = here(*command, "--json")
    [run] = json.loads(out)["runs"]
    assert code == 0 and 0 < run["cost_usd"] < estimates(error)["together"]


def test_steps_bound_what_the_optimizer_writes(here: Here, server: FaultServer) -> None:
    error = here(*SOLVE, "--max-evaluations", "40", "--max-steps", "2", "--solver", "opro:samples=4")[2]
    assert "about 8 replies of openai:writer" in error


def test_going_on_is_estimated_and_asked_about_too(here: Here, server: FaultServer, person: Any) -> None:
    assert here(*SOLVE, "--max-scorer-calls", "100", "--out", "report", "--yes", "--quiet")[0] == 0
    person("n\n")
    begun = len(server.bodies)
    code, out, error = here("resume", "report", "--max-scorer-calls", "200")
    # What has been scored is not counted again.
    left = 200 + 5 * VALIDATION + 3 * TEST
    [calls] = re.findall(r"at most (\d+) scorer calls \(openai:scorer", error)
    assert left - 100 <= int(calls) <= left - 3 * TRAIN
    assert (code, out) == (2, "") and "go on? [y/N]" in error and len(server.bodies) == begun
    assert here("resume", "report", "--max-scorer-calls", "200", "--yes", "--quiet")[0] == 0
    assert len(server.bodies) > begun
    terminal = person("n\n")
    code, _, error = here("resume", "report", "--max-scorer-calls", "200")
    assert code == 0 and "scorer calls (" not in error and terminal.read() == "n\n"


def test_a_limit_that_a_run_has_not_reached_makes_it_go_no_further(
    here: Here, server: FaultServer, tmp_path: Path
) -> None:
    prices(tmp_path, server, 0.01, "scorer", "writer")
    code, found, _ = here(*SOLVE, "--max-scorer-calls", "100", "--max-calls", "1000", "--out", "report", "--json")
    assert code == 0
    begun = len(server.bodies)
    for more in (("--max-calls", "2000"), ("--max-evaluations", "500"), ("--max-cost", "5", "--max-tokens", "999999")):
        code, out, error = here("resume", "report", *more, "--prices", "prices.json", "--json")
        assert code == 0 and clean(out) == clean(found), more
        assert "calls (openai" not in error and "replies of" not in error and len(server.bodies) == begun


def test_what_was_written_is_not_counted_again(here: Here, server: FaultServer, person: Any) -> None:
    code, out, _ = here(*SOLVE, "--max-evaluations", "6", "--out", "report", "--json", "--yes")
    assert code == 0 and json.loads(out)["runs"][0]["unique_pairs"] == 6
    person("n\n")
    error = here("resume", "report", "--max-evaluations", "10")[2]
    assert "about 4 replies of openai:writer" in error


def test_what_an_assessment_has_scored_that_was_cut_short_is_not_counted_again(
    here: Here, server: FaultServer, tmp_path: Path
) -> None:
    command = (*SOLVE, "--solver", "hand-written", "--max-evaluations", "3", "--cache", "off")
    code, out, _ = here(*command, "--max-calls", str(3 * (TRAIN + VALIDATION) + 4), "--out", "report", "--json")
    assert code == 0 and json.loads(out)["runs"][0]["stop_reason"] == "calls"
    with LogReader(tmp_path / "report") as reader:
        [logged] = reader.runs()
        scored = len(reader.items(logged))
    assert scored == 3 * (TRAIN + VALIDATION)
    begun = len(server.bodies)
    code, out, error = here("resume", "report", "--max-calls", "2000", "--json")
    left = 3 * TRAIN + 5 * VALIDATION + 3 * TEST - scored
    assert code == 0 and json.loads(out)["runs"][0]["test_accuracy"] is not None
    assert f"at most {left} scorer calls" in error and 0 < len(server.bodies) - begun <= left


def test_a_budget_of_dollars_bounds_the_estimate(here: Here, server: FaultServer, person: Any, tmp_path: Path) -> None:
    terminal = person("n\n")
    path = prices(tmp_path, server, 1_000, "scorer", "writer")
    error = here(*SOLVE, *BUDGET, "--prices", path, "--max-cost", "0.5")[2]
    assert "llmopt: together at most $0.5 (--max-cost)\n" in error
    assert "go on?" not in error and terminal.read() == "n\n"


def test_what_is_asked_about_is_shown_to_whoever_is_asked(here: Here, server: FaultServer, person: Any) -> None:
    person("n\n")
    code, _, error = here(*SOLVE, *BUDGET, "--quiet")
    assert code == 2 and error.index("scorer calls (openai:scorer") < error.index("go on? [y/N]")


def test_a_dry_run_sends_nothing(here: Here, server: FaultServer) -> None:
    code, out, error = here(*SOLVE, *BUDGET, "--dry-run")
    assert code == 0 and server.bodies == []
    assert "Let's think step by step." in out and "Write one new instruction" in out
    assert out.endswith("nothing was sent to a model\n")
    assert "a dry run asks no scorer" in error


def test_a_recording_answers_in_place_of_the_writer(here: Here, server: FaultServer) -> None:
    code, first, _ = here(*SOLVE, *BUDGET, "--json", "--out", "report")
    assert code == 0
    calls = len(server.bodies)
    code, again, _ = here(*SOLVE[:-2], *BUDGET, "--llm", "replay:report", "--json")
    assert code == 0
    # The scorer's answers are in the cache, so that nobody is asked.
    assert len(server.bodies) == calls
    names = ("instruction", "train_accuracy", "validation_accuracy", "test_accuracy", "scorer_calls", "unique_pairs")
    assert [[run[name] for name in names] for run in clean(first)] == [
        [run[name] for name in names] for run in clean(again)
    ]


def test_an_interrupted_search_goes_on_and_pays_for_nothing_twice(
    here: Here, server: FaultServer, tmp_path: Path
) -> None:
    arguments = (*SOLVE, *BUDGET, "--cache", "off")
    server.delay = 0.05
    process = subprocess.Popen(
        [sys.executable, "-m", "llmopt.cli", *arguments, "--out", "report", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(),
    )
    until = time.monotonic() + 30
    while len(server.bodies) < 90 and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert process.returncode == 1 and "Traceback" not in error
    [run] = json.loads(out)["runs"]
    assert run["stop_reason"] == "interrupted" and run["test_accuracy"] is None
    with LogReader(tmp_path / "report") as reader:
        kept = len(list(reader.items(reader.runs()[0])))
    assert kept > 0
    before = len(asked(server))
    server.delay = 0
    code, resumed, _ = here("resume", "report", "--json", "--quiet")
    assert code == 0
    whole = len(asked(server))
    code, undisturbed, _ = here(*arguments, "--json", "--quiet")
    assert code == 0
    # What had come was not asked for again; what was on its way may have been.
    assert whole - before == len(asked(server)) - whole - kept
    [ours], [theirs] = clean(resumed), clean(undisturbed)
    assert ours["test_accuracy"] == theirs["test_accuracy"] == 1.0
    assert ours["unique_pairs"] == theirs["unique_pairs"] == 12


def write_sentiments(folder: Path) -> None:
    rows = [{"input": f"review {i}: it was {'good' if i % 2 else 'bad'}", "target": "good" if i % 2 else "bad"}
            for i in range(EXAMPLES)]  # fmt: skip
    (folder / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_likelihoods_of_a_provider_are_refused_before_anything_is_sent(
    here: Here, server: FaultServer, tmp_path: Path
) -> None:
    write_sentiments(tmp_path)
    code, out, error = here(*SOLVE, *BUDGET, "answer=likelihood")
    assert (code, out) == (2, "") and server.bodies == []
    [line] = error.splitlines()
    assert "answer=likelihood needs a model that says how likely a given reply is" in line
    assert "openai:scorer" in line and "use answer=options" in line


def test_the_estimate_counts_every_option(tmp_path: Path) -> None:
    write_sentiments(tmp_path)
    llm = FunctionLLM(lambda request, i: "", replace(ABLE, logprobs=True))
    dataset = str(tmp_path / "own.jsonl")
    free, likelihood = (
        prompt(dataset, answer=answer, open_model=lambda spec: llm) for answer in ("free", "likelihood")
    )
    [(_, ones)] = _asked(free, free.splits.train)
    [(_, all_)] = _asked(likelihood, likelihood.splits.train)
    # Two labels, each in small and capital letters.
    assert [request.prompt for request in all_] == [request.prompt for request in ones for _ in range(4)]
