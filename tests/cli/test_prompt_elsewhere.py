"""What is done with an instruction that was found: exported, scored elsewhere, compared between models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.commands import Here
from support.fault_server import FaultServer

SIZES = ("train=12", "validation=4", "test=8")
SEARCH = ("--max-evaluations", "8", "--quiet")


def reply(body: dict[str, Any], number: int) -> str:
    """Writers that write, and scorers of which one is right where it is told so, and the other never."""
    text = "\n".join(message["content"] for message in body["messages"])
    if body["model"].startswith("writer"):
        return f"<INS>answer well {'again ' * (number % 97)}</INS>"
    question = int(re.findall(r"question (\d+)", text)[-1])
    return f"answer {question}" if "well" in text and body["model"] == "scorer" else "?"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    for name, first in (("own", 0), ("other", 100)):
        rows = [{"input": f"question {i}", "target": f"answer {i}"} for i in range(first, first + 24)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with FaultServer(reply=reply) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield server


def test_an_instruction_is_exported_as_text_and_for_both_sdks(here: Here, server: FaultServer, tmp_path: Path) -> None:
    command = ("solve", "prompt", "dataset=own.jsonl", *SIZES, "position=system", "scorer=openai:scorer")
    code, out, _ = here(*command, "--llm", "openai:writer", *SEARCH, "--json", "--out", "found")
    [run] = json.loads(out)["runs"]
    assert code == 0
    text = (tmp_path / "found/instructions/opro-repeat-0.txt").read_text()
    assert text == run["instruction"] + "\n"
    exported = json.loads((tmp_path / "found/instructions/opro-repeat-0.json").read_text())
    question = {"role": "user", "content": "{input}"}
    assert exported["anthropic"] == {"system": run["instruction"], "messages": [question]}
    assert exported["openai"]["messages"] == [{"role": "system", "content": run["instruction"]}, question]


def test_solvers_whose_names_look_alike_keep_their_own_instructions(
    here: Here, server: FaultServer, tmp_path: Path
) -> None:
    pools = {"p\u00f6ol.txt": "answer well", "p\u00e4ol.txt": "answer well indeed"}
    for name, text in pools.items():
        (tmp_path / name).write_text(text + "\n")
    solvers = ",".join(f"hand-written:pool={name}" for name in pools)
    command = ("compare", "prompt", "dataset=own.jsonl", *SIZES, "scorer=openai:scorer", "--solvers", solvers)
    assert here(*command, "--repeats", "1", "start=nothing", *SEARCH, "--out", "found")[0] == 0
    texts = [path.read_text().strip() for path in (tmp_path / "found" / "instructions").glob("*.txt")]
    assert sorted(texts) == sorted(pools.values())
    assert len(list((tmp_path / "found" / "instructions").glob("*.json"))) == 2


def test_what_was_found_is_scored_on_other_data_and_with_another_model(here: Here, server: FaultServer) -> None:
    command = ("solve", "prompt", "dataset=own.jsonl", *SIZES, "scorer=openai:scorer", "--llm", "openai:writer")
    code, out, _ = here(*command, *SEARCH, "--json", "--transfer", "dataset=other.jsonl")
    document = json.loads(out)
    assert code == 0 and document["runs"][0]["test_accuracy"] == 1.0
    [row] = document["transfer"]
    assert row["instruction"] == document["runs"][0]["instruction"]
    assert (row["test_accuracy"], row["test_examples"]) == (1.0, 8)
    assert [other["test_accuracy"] for other in row["compared"]] == [0.0, 0.0]
    assert all(other["p_value"] < 0.01 for other in row["compared"])
    code, out, _ = here(*command, *SEARCH, "--transfer", "scorer=openai:stubborn")
    assert code == 0
    assert "transferred to scorer=openai:stubborn:\n  opro, repeat 1: 0.0% of 8 (95 % interval 0.0% to 32.4%)" in out


@pytest.mark.parametrize("setting", ["dataset=nowhere.jsonl", "colour=red", "dataset"])
def test_a_transfer_that_is_not_possible_is_said_before_anything_is_sent(
    here: Here, server: FaultServer, setting: str
) -> None:
    command = ("solve", "prompt", "dataset=own.jsonl", *SIZES, "scorer=openai:scorer", "--llm", "openai:writer")
    code, _, error = here(*command, *SEARCH, "--transfer", setting)
    assert code == 2 and setting.partition("=")[0] in error
    assert not server.bodies


@pytest.fixture
def columns(tmp_path: Path) -> Path:
    """A file with columns of its own."""
    path = tmp_path / "columns.jsonl"
    rows = [{"q": f"question {i}", "a": f"answer {i}", "more": "x"} for i in range(24)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    "first",
    [
        ("dataset=columns.jsonl", "input_column=q", "target_column=a"),
        ("dataset=file", "--data", "columns.jsonl", "input_column=q", "target_column=a"),
        ("dataset=own.jsonl", "metric=labels"),
    ],
)
def test_a_transfer_to_other_data_leaves_behind_what_belongs_to_the_first(
    here: Here, server: FaultServer, columns: Path, first: tuple[str, ...]
) -> None:
    command = ("solve", "prompt", *first, *SIZES, "scorer=openai:scorer", "--llm", "openai:writer")
    code, out, _ = here(*command, *SEARCH, "--json", "--transfer", "dataset=other.jsonl")
    assert code == 0
    assert json.loads(out)["transfer"][0]["test_accuracy"] == 1.0


def test_the_licence_of_the_other_data_is_shown(here: Here, server: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "public" / "bbh" / "navigate.json"
    path.parent.mkdir(parents=True)
    examples = [{"input": f"question {i}\nOptions:\n- Yes\n- No", "target": "Yes"} for i in range(24)]
    path.write_text(json.dumps({"canary": "never train on this", "examples": examples}))
    command = ("solve", "prompt", "dataset=own.jsonl", *SIZES, "scorer=openai:scorer", "--llm", "openai:writer")
    to = ("--transfer", "dataset=bbh/navigate", "--transfer", "data=public")
    code, _, error = here(*command, "--max-evaluations", "3", *to)
    assert code == 0 and "llmopt: bbh/navigate: licence MIT\n" in error and "never train on this\n" in error


def test_a_transfer_starts_nothing(here: Here, server: FaultServer, tmp_path: Path) -> None:
    rows = [{"input": f"question {i}", "target": str(i)} for i in range(24)]
    (tmp_path / "numbers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ("solve", "prompt", "dataset=own.jsonl", *SIZES, "scorer=openai:scorer", "--llm", "openai:writer")
    code, out, _ = here(
        *command, "start=answer well in 3 words", *SEARCH, "--json", "--transfer", "dataset=numbers.jsonl"
    )
    assert code == 0 and json.loads(out)["transfer"][0]["test_examples"] == 8


def test_a_transfer_to_another_scorer_keeps_the_data(here: Here, server: FaultServer, columns: Path) -> None:
    command = ("solve", "prompt", "dataset=columns.jsonl", "input_column=q", "target_column=a", *SIZES)
    models = ("scorer=openai:stubborn", "--llm", "openai:writer", "start=answer well")
    code, out, _ = here(*command, *models, *SEARCH, "--json", "--transfer", "scorer=openai:scorer")
    assert code == 0 and json.loads(out)["transfer"][0]["test_accuracy"] == 1.0


def test_every_pair_of_models_has_a_row(here: Here, server: FaultServer, tmp_path: Path) -> None:
    models = ("scorer=openai:scorer,openai:stubborn", "--llm", "openai:writer,openai:writer-two")
    command = ("compare", "prompt", "dataset=own.jsonl", *SIZES, *models, "--solvers", "opro", "--repeats", "1")
    code, out, _ = here(*command, *SEARCH, "--out", "pairs")
    assert code == 0
    table = out[out.index("every pair of models") :]
    rows = [re.split(r"\s{2,}", line.strip()) for line in table.splitlines() if line.strip().startswith("openai:")]
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("openai:writer", "openai:scorer", "100.0"),
        ("openai:writer", "openai:stubborn", "0.0"),
        ("openai:writer-two", "openai:scorer", "100.0"),
        ("openai:writer-two", "openai:stubborn", "0.0"),
    ]
    assert sorted(path.name for path in (tmp_path / "pairs").iterdir()) == [f"pair-{i}" for i in (1, 2, 3, 4)]
    code, out, _ = here(*command, *SEARCH, "--json")
    runs = json.loads(out)["runs"]
    assert [(run["llm"].split("@")[0], run["scorer"].split("@")[0]) for run in runs] == [
        (f"openai:{writer}", f"openai:{scorer}")
        for writer in ("writer", "writer-two")
        for scorer in ("scorer", "stubborn")
    ]
    assert here(*command, "--dry-run")[0] == 2
    assert here(*command[:3], "scorer=openai:a,openai:a", *command[4:])[0] == 2
