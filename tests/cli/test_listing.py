"""``llmopt list``, ``llmopt models``, and help."""

import json
import subprocess
import sys

from support.commands import Here


def test_solvers(here: Here) -> None:
    code, out, _ = here("list", "solvers")
    assert code == 0
    assert "random [sees scores]: Uniform random search" in out
    assert "opro [sees scores, needs a language model]: A language model as an optimizer" in out
    assert "    batch=8  (whole number)\n" in out
    assert "gone: cannot be loaded: No module named 'llmopt_testkit_gone'\n" in out
    listed = {entry["name"]: entry for entry in json.loads(here("list", "solvers", "--json")[1])["solvers"]}
    assert listed["opro"]["needs_model"] is True
    assert listed["random"]["access"] == "scores"
    assert {"name": "word", "type": "text", "default": ""} in listed["wordy"]["settings"]


def test_problems(here: Here) -> None:
    code, out, _ = here("list", "problems")
    assert code == 0
    assert "slow: Every evaluation takes some time.\n    seconds=0.02  (number)\n" in out
    assert out.endswith("every problem:\n    instance=0  (whole number: which of its instances repeat 0 has)\n")
    assert "or a JSONL, JSON, CSV, TSV or Parquet file." in out
    listed = {entry["name"]: entry for entry in json.loads(here("list", "problems", "--json")[1])["problems"]}
    assert {"w_true", "b_true", "low", "high", "points", "noise"} <= {
        s["name"] for s in listed["regression"]["settings"]
    }


def test_suites(here: Here) -> None:
    assert here("list", "suites")[0] == 0
    assert isinstance(json.loads(here("list", "suites", "--json")[1])["suites"], list)


def test_models(here: Here) -> None:
    code, out, _ = here("models", "list")
    assert code == 0
    assert "local:gemma3-270m (253 MB, Gemma terms of use, the default of --llm local)" in out
    document = json.loads(here("models", "list", "--json")[1])
    assert {"local", "replay", "obedient"} <= set(document["schemes"])
    assert [model["default"] for model in document["models"]].count(True) == 1


def test_help_for_everything(here: Here) -> None:
    code, out, error = here()
    assert (code, error) == (0, "")
    for verb in ("compare", "solve", "list", "models", "demo"):
        assert f"  {verb}  " in out
        assert here(verb, "--help")[0] == 0
    assert here("--version")[1].startswith("llmopt ")


def test_help_loads_nothing_heavy() -> None:
    heavy = ["rich", "matplotlib", "optuna", "scipy", "httpx2", "xllamacpp", "llmopt.opro"]
    code = (
        "import sys; from llmopt.cli.app import execute; execute(['--help']); execute(['compare', '--help']); "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.endswith("[]\n")
