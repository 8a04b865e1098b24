"""From a SPEC to a model."""

from __future__ import annotations

import subprocess
import sys

import pytest

from llmopt.errors import InvalidInput
from llmopt.llm import LLM, connect


def test_an_unknown_scheme_names_the_legal_ones() -> None:
    with pytest.raises(InvalidInput, match=r"unknown model 'nonsense:x'.*local.*replay"):
        connect("nonsense:x")


def test_an_unknown_catalog_name_names_the_legal_ones() -> None:
    with pytest.raises(InvalidInput, match=r"unknown local model 'nonsense'.*gemma3-270m"):
        connect("local:nonsense")


def test_replay_needs_a_file() -> None:
    with pytest.raises(InvalidInput, match="replay:PATH"):
        connect("replay:")


def test_a_model_is_returned_as_it_is() -> None:
    class Model(LLM):
        info = capabilities = generate = None  # type: ignore[assignment]

    model = Model()
    assert connect(model) is model


def test_importing_the_package_imports_no_runtime() -> None:
    code = "import sys, llmopt.llm; print([m for m in ('httpx2', 'xllamacpp', 'openai') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
