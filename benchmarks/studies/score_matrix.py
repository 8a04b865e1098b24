"""Every instruction that a search has evaluated, on every example: the rows that the study of racing replays.

    python -P -m llmopt.benchmarks.studies.score_matrix --data DIR --runs DIR --out DIR --tasks a,b [--answer options] \
        [--items 100]

``--runs`` holds the runs of :mod:`llmopt.benchmarks.studies.instructions`. What was scored before comes from the reply
cache, so that this resumes where it ended. Each task gives TASK.csv: a row for each instruction in the order of its
evaluation, a column for each example, training examples first.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

import numpy as np

from llmopt.benchmarks.studies.command import errors_in_one_line
from llmopt.benchmarks.studies.instructions import task_problem
from llmopt.items import ItemScores
from llmopt.llm import connect
from llmopt.llm.ledger import Ledger
from llmopt.llm.terms import Models, Terms
from llmopt.problems.prompt.answer import Answer
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.runlog import LogReader


def instructions(folder: Path, problem: PromptProblem) -> list[str]:
    """Return what the latest run in a folder has evaluated, in order, dropped candidates too."""
    with LogReader(folder) as reader:
        history = reader.history(reader.runs()[-1], problem.space)
    return [str(text) for text in history.space.solutions(history.columns)]


def matrix(problem: PromptProblem, texts: list[str], items: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the scores of instructions on the first ``items`` examples, shape (instructions, items)."""
    with Models(Terms(cache="auto"), Ledger()) as models:
        scores = ItemScores(problem.bound(models.bind_scorer))
        # Example by example: the question stands first, and is read once for all instructions.
        pairs = [(text, item) for item in range(items) for text in texts]
        return scores.score(pairs).reshape(items, len(texts)).T


@errors_in_one_line()
def main(*arguments: str) -> None:
    """Write the matrices."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder with bbh/TASK.json")
    parser.add_argument("--runs", type=Path, required=True, help="the folder of the runs, one folder a task")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tasks", required=True)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--answer", choices=get_args(Answer), default="free", help="as in the runs")
    parser.add_argument("--scorer", default="local:qwen2.5-coder-1.5b")
    options = parser.parse_args(arguments or None)
    options.out.mkdir(parents=True, exist_ok=True)
    with connect(options.scorer) as llm:
        for task in options.tasks.split(","):
            problem = task_problem(task, options.data, llm, options.answer)
            texts = instructions(options.runs / task, problem)
            found = matrix(problem, texts, min(options.items, len(problem.examples_of_all)))
            np.savetxt(options.out / f"{task}.csv", found, fmt="%g", delimiter=",")
            print(f"{task}: {len(texts)} instructions, {found.shape[1]} examples, mean {found.mean():.3f}", flush=True)


if __name__ == "__main__":
    main()
