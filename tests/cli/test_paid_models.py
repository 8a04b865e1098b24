"""The command line with a model that costs money: keys, budgets, prices, and replies that are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.commands import Here
from support.fault_server import FaultServer, solution

KEY = "sk-never-shown-0123456789"
SOLVE = ("solve", "regression", "w_true=15", "b_true=14", "--llm", "openai:m", "--max-steps", "3")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with FaultServer(["429", "500"], solution) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield server


@pytest.fixture
def prices(server: FaultServer, tmp_path: Path) -> str:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({f"openai:m@{server.url}": {"input": 100, "output": 200}}))
    return str(path)


def test_the_key_is_in_nothing_that_a_run_writes_or_prints(here: Here, server: FaultServer, tmp_path: Path) -> None:
    server.schedule += ["ok"] * 30 + ["401"] * 20
    code, out, error = here(*SOLVE, "--max-steps", "9", "--out", "report")
    assert code == 1 and "401" in error
    assert server.keys == {KEY}
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"replies.sqlite", "run.sqlite", "runs.csv", "meta.json"} <= {path.name for path in written}
    assert not [path for path in written if KEY.encode() in path.read_bytes()]
    assert KEY not in out + error


def test_a_repeated_run_is_free_unless_the_cache_is_off(here: Here, server: FaultServer, prices: str) -> None:
    runs, calls = [], []
    for more in ((), (), ("--cache", "off"), ("--cache", "own.sqlite"), ("--cache", "own.sqlite")):
        code, out, _ = here(*SOLVE, "--prices", prices, "--json", *more)
        assert code == 0
        runs += json.loads(out)["runs"]
        calls.append(len(server.bodies))
    assert calls[0] == calls[1] < calls[2] < calls[3] == calls[4]
    assert [run["cost_usd"] > 0 for run in runs] == [True, False, True, True, False]
    assert [run["llm_retries"] for run in runs] == [2, 0, 0, 0, 0]
    assert runs[1]["llm_cached"] == runs[0]["llm_calls"] - runs[0]["llm_retries"] > 0
    assert runs[1]["best_score"] == runs[0]["best_score"]


def test_budgets_of_models_end_a_run_well(here: Here, server: FaultServer, prices: str) -> None:
    for option, limit, reason in (
        ("--max-calls", "14", "calls"),
        ("--max-tokens", "30000", "tokens"),
        ("--max-cost", "4.0", "cost"),
    ):
        code, out, _ = here(*SOLVE, "--max-steps", "50", "--prices", prices, "--cache", "off", "--json", option, limit)
        assert code == 0
        document = json.loads(out)
        [run] = document["runs"]
        assert run["stop_reason"] == reason and "is spent" in run["message"]
        assert document["problem"]["budget"][reason] == float(limit)
        assert run["llm_calls"] > 0


def test_the_cost_is_shown_and_an_unknown_one_is_called_unknown(here: Here, server: FaultServer, prices: str) -> None:
    assert "unknown: no price" in here(*SOLVE, "--cache", "off")[1]
    assert "$" in here(*SOLVE, "--cache", "off", "--prices", prices)[1]
    compare = ("compare", *SOLVE[1:], "--solvers", "opro,random", "--repeats", "1", "--cache", "off")
    assert "cost unknown" in " ".join(here(*compare)[1].split())
    assert "unknown" not in here(*compare, "--prices", prices)[1]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--max-cost", "1"), "a budget of dollars needs the price of openai:m@http"),
        (("--max-cost", "-1"), "the budget of dollars must be a positive number"),
        (("--max-tokens", "0"), "the budget of tokens must be a whole number of at least 1"),
        (("--prices", "missing.json"), "price file missing.json cannot be read"),
        (("--cache", "."), "reply cache"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_sent(
    here: Here, server: FaultServer, more: tuple[str, ...], words: str
) -> None:
    code, out, error = here(*SOLVE, *more)
    assert (code, out) == (2, "")
    assert error.startswith("llmopt: ") and words in error and error.count("\n") == 1
    assert server.bodies == []


def test_the_list_of_models_says_what_is_missing(
    here: Here, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "the server of OPENAI_BASE_URL, with the key of OPENAI_API_KEY" in here("models", "list")[1]
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("ANTHROPIC_API_KEY_FILE", "missing")
    document = json.loads(here("models", "list", "--json")[1])
    reasons = {entry["provider"]: (entry["works"], entry["reason"]) for entry in document["providers"]}
    assert not reasons["openai"][0] and "set OPENAI_API_KEY" in reasons["openai"][1]
    assert not reasons["anthropic"][0] and "key file missing" in reasons["anthropic"][1]
