"""A run's record says what was spent, whatever became of the run."""

from __future__ import annotations

import json
from pathlib import Path

from llmopt import Budget
from llmopt.baselines.instruction_pool import HandWritten
from llmopt.benchmarks.execution import execute
from llmopt.benchmarks.record import Identity
from llmopt.llm.terms import Terms
from llmopt.problems.prompt.problem import prompt
from support.models import FunctionLLM


def test_what_a_run_has_spent_before_its_first_step_failed_is_in_its_record(tmp_path: Path) -> None:
    rows = [{"input": f"What is {i}?", "target": str(i)} for i in range(20)]
    data = tmp_path / "own.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    metric = tmp_path / "own.py"
    metric.write_text("def right(answer, target):\n    raise ValueError('no')\n")
    scorer = FunctionLLM(lambda request, i: "x")
    problem = prompt(str(data), metric=f"{metric}:right", train=5, open_model=lambda spec: scorer)
    found = execute(
        Identity("hand-written", "prompt", 0, 0, 0), problem, HandWritten(), Budget(scorer_calls=100), terms=Terms()
    )
    assert (found.record.stop_reason, found.record.evaluations) == ("error", 0)
    assert found.record.llm_calls > 0 and found.record.prompt_tokens == 100 * found.record.llm_calls
