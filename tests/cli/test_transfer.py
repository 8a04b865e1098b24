"""What a transfer costs, what it obeys, and what is kept of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from llmopt.benchmarks.compare import create_problems
from llmopt.cli.transfer import elsewhere, unseen
from llmopt.llm import connect
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.problems.prompt.splits import normalised
from llmopt.settings import parse_pairs
from support.commands import Here
from support.fault_server import FaultServer
from support.instruction_server import serving

TEST = 8
SOLVE = ("solve", "prompt", "dataset=own.jsonl", "train=12", "validation=4", f"test={TEST}", "scorer=openai:scorer",
         "--llm", "openai:writer", "start=answer well", "--max-evaluations", "1", "--cache", "off")  # fmt: skip
TO_DEAR = ("--transfer", "scorer=openai:dear")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    with serving(tmp_path, monkeypatch) as server:
        yield server


@pytest.fixture
def prices(server: FaultServer, tmp_path: Path) -> tuple[str, str]:
    """A writer and a scorer that are cheap, and a scorer that is dear."""
    dollars = {"writer": 0.01, "scorer": 0.01, "dear": 1_000}
    listed = {f"openai:{m}@{server.url}": {"input": value, "output": value} for m, value in dollars.items()}
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(listed))
    return "--prices", str(path)


def asked(server: FaultServer, model: str) -> int:
    return sum(body["model"] == model for body in server.bodies)


def test_a_transfer_on_the_same_data_tests_nothing_that_its_search_has_seen(here: Here, server: FaultServer) -> None:
    settings = parse_pairs([*SOLVE[2:7], "instance=3"], "problem prompt")
    searched, _ = create_problems("prompt", settings, 3)
    others = elsewhere("prompt", settings, ["scorer=openai:dear"], 3, connect)
    for problem, other in zip(searched, others, strict=True):
        assert isinstance(problem, PromptProblem) and problem.splits == other.splits
    assert searched[0].splits != searched[1].splits  # type: ignore[attr-defined]


def inputs(examples: Sequence[Example]) -> set[str]:
    return {example.input for example in examples}


@pytest.mark.parametrize(
    "pairs",
    [("instance=1",), ("test=0.5", "validation=0", "train=4"), ("dataset=file", "data=again.jsonl", "instance=2")],
)
def test_what_a_search_has_seen_is_left_out_of_the_test_of_its_transfer(
    here: Here, server: FaultServer, tmp_path: Path, pairs: tuple[str, ...]
) -> None:
    # The same questions, written in another way.
    rows = [{"input": f"  question {i} ", "target": f"answer {i}"} for i in range(24)]
    (tmp_path / "again.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = parse_pairs(SOLVE[2:7], "problem prompt")
    searched, _ = create_problems("prompt", settings, 2)
    others = elsewhere("prompt", settings, pairs, 2, connect)
    for repeat, (problem, other, found) in enumerate(zip(searched, others, unseen(others, searched), strict=True), 1):
        assert isinstance(problem, PromptProblem)
        seen = {normalised(text) for text in inputs((*problem.splits.train, *problem.splits.validation))}
        left_out = {text for text in inputs(other.splits.test) if normalised(text) in seen}
        assert inputs(found.splits.test) == inputs(other.splits.test) - left_out != set()
        assert found.splits.train == other.splits.train and len(found.test_items) == len(found.splits.test)
        assert left_out and found.examples_of_all[found.test_items.start :] == found.splits.test
        said = f"--transfer, repeat {repeat}: {len(left_out)} of {len(other.splits.test)} test examples are training or"
        assert found.notices[-1].startswith(said)
    command = ("compare", *SOLVE[1:], "--solvers", "hand-written", "--repeats", "2")
    code, out, error = here(*command, *(f"--transfer={pair}" for pair in pairs), "--json")
    assert code == 0 and error.count("test examples are training or validation examples of its search") == 2
    counted = [row["test_examples"] for row in json.loads(out)["transfer"]]
    assert counted == [len(found.splits.test) for found in unseen(others, searched)]


def test_a_transfer_that_would_test_only_what_its_search_has_seen_is_refused(
    here: Here, server: FaultServer, tmp_path: Path
) -> None:
    settings = parse_pairs(SOLVE[2:7], "problem prompt")
    [searched], _ = create_problems("prompt", settings, 1)
    assert isinstance(searched, PromptProblem)
    rows = [{"input": e.input, "target": e.target} for e in (*searched.splits.train, *searched.splits.validation)]
    (tmp_path / "seen.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    to = ("--transfer", "dataset=seen.jsonl", "--transfer", "train=2", "--transfer", "validation=0")
    code, out, error = here(*SOLVE, *to)
    assert (code, out) == (2, "") and server.bodies == []
    assert f"--transfer dataset=seen.jsonl train=2 validation=0: all {TEST} test examples of repeat 1 are" in error


def test_a_transfer_keeps_the_budget_of_its_search(here: Here, server: FaultServer, prices: tuple[str, str]) -> None:
    code, out, _ = here(*SOLVE, *prices, *TO_DEAR, "--max-cost", "0.5", "--json", "--quiet")
    document = json.loads(out)
    [run], [row] = document["runs"], document["transfer"]
    assert code == 0 and run["test_accuracy"] == 1.0
    assert row["stop_reason"] == "cost" and "the budget of 0.5 dollars is spent" in row["message"]
    assert "test_accuracy" not in row and run["cost_usd"] + row["cost_usd"] <= 0.5
    code, out, _ = here(*SOLVE, *prices, *TO_DEAR, "--max-cost", "0.5", "--quiet")
    assert code == 0 and "opro, repeat 1: not scored: the budget of 0.5 dollars is spent" in out


@pytest.mark.parametrize(("option", "reason"), [("--max-calls", "calls"), ("--max-tokens", "tokens")])
def test_a_transfer_gets_what_its_search_has_left_of_calls_and_tokens(
    here: Here, server: FaultServer, option: str, reason: str
) -> None:
    [run] = json.loads(here(*SOLVE, "--json", "--quiet")[1])["runs"]
    used = run["llm_calls"] if reason == "calls" else run["prompt_tokens"] + run["completion_tokens"]
    # Before it is sent, a call counts with the longest answer that it may have.
    most = used + 4 if reason == "calls" else used + 20_000
    code, out, _ = here(*SOLVE, *TO_DEAR, "--transfer", "max_tokens=4000", option, str(most), "--json", "--quiet")
    [row] = json.loads(out)["transfer"]
    assert code == 0 and row["stop_reason"] == reason
    assert asked(server, "dear") <= 4


def test_a_transfer_is_part_of_the_estimate(here: Here, server: FaultServer, prices: tuple[str, str]) -> None:
    code, out, error = here(*SOLVE, *prices, *TO_DEAR, "--json")
    found = re.search(
        rf"at most {3 * TEST} scorer calls of --transfer \(openai:dear@{server.url}\), .* written: \$([\d.]+)", error
    )
    [row] = json.loads(out)["transfer"]
    assert code == 0 and found is not None and 0 < row["cost_usd"] < float(found[1])


def test_what_a_transfer_cost_is_said(here: Here, server: FaultServer, prices: tuple[str, str]) -> None:
    code, out, _ = here(*SOLVE, *prices, *TO_DEAR, "--json", "--quiet")
    [row] = json.loads(out)["transfer"]
    assert code == 0 and row["llm_calls"] == asked(server, "dear") == 3 * TEST
    assert row["cost_usd"] == pytest.approx(1e-3 * (row["prompt_tokens"] + row["completion_tokens"]))
    code, out, _ = here(*SOLVE, *prices, *TO_DEAR, "--quiet")
    assert re.search(rf"cost of the transfer: \$[\d.]+, {3 * TEST} calls\n", out)


def test_a_budget_of_dollars_needs_the_price_of_the_other_scorer(
    here: Here, server: FaultServer, prices: tuple[str, str]
) -> None:
    code, out, error = here(*SOLVE, *prices, "--transfer", "scorer=openai:unknown", "--max-cost", "0.5", "--quiet")
    assert (code, out) == (2, "") and "needs the price of openai:unknown" in error
    assert server.bodies == []


def test_a_transfer_is_saved_and_a_finished_run_asks_for_it_no_more(
    here: Here, server: FaultServer, tmp_path: Path
) -> None:
    code, out, error = here(*SOLVE, *TO_DEAR, "--out", "found", "--json")
    rows = json.loads(out)["transfer"]
    assert code == 0 and "transfer.json" in error
    saved = json.loads((tmp_path / "found" / "transfer.json").read_text())
    assert saved["settings"] == ["scorer=openai:dear"]
    [row] = saved["rows"]
    assert row == rows[0] | {"llm": "openai:writer", "scorer": "openai:scorer"}
    before = len(server.bodies)
    code, out, _ = here("resume", "found", "--json", "--quiet")
    assert code == 0 and json.loads(out)["transfer"] == rows
    assert len(server.bodies) == before
    assert json.loads((tmp_path / "found" / "transfer.json").read_text()) == saved


def test_a_transfer_that_a_budget_ended_goes_on_with_a_larger_one(
    here: Here, server: FaultServer, prices: tuple[str, str]
) -> None:
    assert here(*SOLVE, *prices, *TO_DEAR, "--max-cost", "0.5", "--out", "found", "--quiet")[0] == 0
    code, out, _ = here("resume", "found", "--max-cost", "500", "--json", "--quiet")
    [row] = json.loads(out)["transfer"]
    assert code == 0 and row["test_accuracy"] == 1.0


def test_solvers_that_found_the_same_pay_for_its_transfer_once(here: Here, server: FaultServer) -> None:
    command = ("compare", *SOLVE[1:], "--solvers", "hand-written,optuna-pool", "--repeats", "1")
    code, out, _ = here(*command, *TO_DEAR, "--json", "--quiet")
    rows = json.loads(out)["transfer"]
    assert code == 0 and {row["instruction"] for row in rows} == {"answer well"}
    assert [row["llm_calls"] for row in rows] == [3 * TEST, 0] and asked(server, "dear") == 3 * TEST


def test_a_transfer_that_fails_is_named_and_what_was_found_is_shown(here: Here, server: FaultServer) -> None:
    assert here(*SOLVE, "--quiet")[0] == 0
    server.schedule[:] = ["ok"] * len(server.bodies) + ["401"] * 50
    code, out, error = here(*SOLVE, *TO_DEAR, "--json", "--quiet")
    document = json.loads(out)
    assert code == 1 and document["runs"][0]["test_accuracy"] == 1.0
    assert document["transfer"][0]["stop_reason"] == "error" and "llmopt: --transfer: opro, repeat 1: " in error
