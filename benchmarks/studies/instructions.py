"""Are instructions that a search has found better than those that people write? Several tasks, one correction.

    python -P -m llmopt.benchmarks.studies.instructions --data DIR --out DIR [--tasks a,b] [--answer options] \
        [--max-scorer-calls 1000] [--search]

For each task of BIG-Bench Hard: the accuracy of the empty instruction on the training examples alone, from which one
may choose tasks; with ``--search``, a search and its test beside the empty instruction and "Let's think step by step.",
with McNemar's p-values corrected for the tasks by Holm's method. Every run resumes where it ended.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

import numpy as np

from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.record import Record
from llmopt.benchmarks.studies.command import errors_in_one_line
from llmopt.budget import Budget
from llmopt.llm import connect
from llmopt.llm.base import LLM
from llmopt.llm.ledger import Ledger
from llmopt.llm.terms import Models, Terms
from llmopt.problems.prompt.answer import Answer
from llmopt.problems.prompt.problem import PromptProblem, prompt
from llmopt.problems.prompt.significance import holm
from llmopt.registry import create_solver
from llmopt.runlog import RunLog

TASKS = ("object_counting", "dyck_languages", "word_sorting", "boolean_expressions")
TRAINING, VALIDATION = 60, 40
"""Examples for each."""
TOKENS = 32
"""Of an answer, whatever the instruction."""


def task_problem(task: str, data: Path, scorer: LLM, answer: Answer) -> PromptProblem:
    """Return the problem of a task: the instruction stands behind the question, where a local model reads a question
    once for all instructions; answers in the scorer's own words are short."""
    return prompt(
        f"bbh/{task}",
        "Q_end",
        answer=answer,
        max_tokens=TOKENS,
        data=data,
        train=TRAINING,
        validation=VALIDATION,
        open_model=lambda spec: scorer,
    )


def empty_accuracy(problem: PromptProblem) -> float:
    """Return the accuracy of the empty instruction on the training examples."""
    with Models(Terms(cache="auto"), Ledger()) as models:
        return problem.bound(models.bind_scorer).evaluate("")


def search(
    task: str, answer: Answer, problem: PromptProblem, solver: str, llm: LLM, budget: Budget, out: Path
) -> Record:
    """Return the record of a search; one that is logged in ``out`` goes on where it ended."""
    with RunLog(out / task) as log:
        comparison = Comparison(
            "prompt",
            {"dataset": f"bbh/{task}", "answer": answer},
            [problem],
            {solver: create_solver(solver, llm=llm)},
            budget,
            terms=Terms(cache="auto"),
            log=log,
        )
        [run] = comparison.runs()
    return run.record


def report(found: dict[str, Record]) -> str:
    """Return the table of several tasks as Markdown; p-values are Holm's, over the tasks."""
    tested = {task: record for task, record in found.items() if record.test_accuracy is not None}
    lines = [
        "| task | found, test % (95 % interval) | empty % | step by step % | p over empty | p over step by step | "
        "scorer calls | candidates, dropped | instruction |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    p_empty, p_step = (
        holm(np.array([getattr(record, name) for record in tested.values()])) for name in ("p_empty", "p_step")
    )
    for (task, record), a, b in zip(tested.items(), p_empty, p_step, strict=True):
        assert record.test_accuracy is not None and record.test_low is not None and record.test_high is not None
        assert record.empty_accuracy is not None and record.step_accuracy is not None
        interval = f"{100 * record.test_low:.0f} to {100 * record.test_high:.0f}"
        lines.append(
            f"| {task} | {100 * record.test_accuracy:.1f} ({interval}) | {100 * record.empty_accuracy:.1f} | "
            f"{100 * record.step_accuracy:.1f} | {a:.3g} | {b:.3g} | {record.scorer_calls} | {record.unique_pairs}, "
            f"{record.dropped} | {(record.instruction or '(none)').replace('|', '/')} |"
        )
    lines += [
        f"\n{task} was not tested: {record.message}" for task, record in found.items() if record.test_accuracy is None
    ]
    return "\n".join(lines)


@errors_in_one_line()
def main(*arguments: str) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder with bbh/TASK.json")
    parser.add_argument("--out", type=Path, required=True, help="where the runs are kept")
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--answer", choices=get_args(Answer), default="free")
    parser.add_argument("--scorer", default="local:qwen2.5-coder-1.5b")
    parser.add_argument("--llm", default="local:qwen2.5-coder-1.5b")
    parser.add_argument("--solver", default="opro")
    parser.add_argument("--max-scorer-calls", type=int, default=1_000)
    parser.add_argument("--search", action="store_true", help="search, and not only score the empty instruction")
    options = parser.parse_args(arguments or None)
    with ExitStack() as stack:
        opened = {spec: stack.enter_context(connect(spec)) for spec in {options.scorer, options.llm}}
        found: dict[str, Record] = {}
        for task in options.tasks.split(","):
            problem = task_problem(task, options.data, opened[options.scorer], options.answer)
            if not options.search:
                print(
                    f"{task}: the empty instruction answers {empty_accuracy(problem):.0%} of {problem.items}",
                    flush=True,
                )
                continue
            budget = Budget(scorer_calls=options.max_scorer_calls)
            found[task] = search(
                task, options.answer, problem, options.solver, opened[options.llm], budget, options.out
            )
            print(report(found), flush=True)


if __name__ == "__main__":
    main()
