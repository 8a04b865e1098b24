"""The study of instructions for several tasks."""

from __future__ import annotations

from llmopt.benchmarks.record import Identity, of_nothing
from llmopt.benchmarks.studies.instructions import report


def test_a_task_that_was_not_tested_is_named_with_the_reason() -> None:
    failed = of_nothing(Identity("opro", "prompt", 0, 0, 0), "the model did not answer")
    assert report({"navigate": failed}).endswith("navigate was not tested: the model did not answer")
