"""How far training accuracy runs ahead of test accuracy, and how much the wording of one instruction matters.

    python -P -m llmopt.benchmarks.studies.overfitting --data DIR --runs DIR --task TASK [--picture FILE]

Reads a run of :mod:`llmopt.benchmarks.studies.instructions`. Each incumbent of the search is scored on test examples,
which the search has not seen; then paraphrases of the last one, which a model writes without a look at scores.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from llmopt.baselines.paraphrase import rewording
from llmopt.benchmarks.studies.command import errors_in_one_line
from llmopt.benchmarks.studies.instructions import task_problem
from llmopt.history import History
from llmopt.items import ItemScores
from llmopt.llm import connect
from llmopt.llm.base import LLM, Message, Request, Sampling
from llmopt.llm.ledger import Ledger
from llmopt.llm.terms import Models, Terms
from llmopt.opro.instruction_text import CLOSE, reader
from llmopt.opro.query import Query, ask
from llmopt.problems.prompt.assessment import score
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.problems.prompt.significance import wilson
from llmopt.runlog import LogReader


def incumbents(history: History) -> list[tuple[int, str, float]]:
    """Return the evaluations that were better than all before: their number from 1, text and training accuracy."""
    best = np.inf
    found = []
    for row, loss in enumerate(history.losses.tolist()):
        if loss < best:
            best = loss
            found.append((row + 1, str(history[row].solution), -loss))
    return found


def paraphrases(llm: LLM, problem: PromptProblem, text: str, count: int, seed: int = 0) -> list[str]:
    """Return different wordings of an instruction that a model writes; fewer where it repeats itself."""
    request = Request(
        (Message("user", rewording(text)),), n=count, max_tokens=200, sampling=Sampling(1.0), stop=(CLOSE,)
    )
    found = ask(llm, [Query(request, reader(problem.space, chat=True), (seed, 0, 0))], retries=1).solutions
    return [wording for wording in dict.fromkeys(map(str, found)) if wording != text]


def draw(path: Path, along: Sequence[tuple[int, float, float]]) -> None:
    """Draw training and test accuracy of the incumbent along the evaluations."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for k, name in ((1, "training"), (2, "test")):
        axes.step([row[0] for row in along], [100 * row[k] for row in along], where="post", marker="o", label=name)
    axes.set_xlabel("evaluations (instructions)")
    axes.set_ylabel("right answers of the incumbent, %")
    axes.legend()
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


@errors_in_one_line()
def main(*arguments: str) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder with bbh/TASK.json")
    parser.add_argument("--runs", type=Path, required=True, help="the folder of the runs, one folder a task")
    parser.add_argument("--task", required=True)
    parser.add_argument("--paraphrases", type=int, default=8)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--scorer", default="local:qwen2.5-coder-1.5b")
    options = parser.parse_args(arguments or None)
    with connect(options.scorer) as llm, Models(Terms(cache="auto"), Ledger()) as models:
        problem = task_problem(options.task, options.data, llm, "free")
        with LogReader(options.runs / options.task) as log:
            history = log.history(log.runs()[-1], problem.space)
        scores = ItemScores(problem.bound(models.bind_scorer))
        along = []
        for number, text, train in incumbents(history):
            test = float(score(scores, text, problem.test_items).mean())
            along.append((number, train, test))
            print(f"evaluation {number}: training {train:.1%}, test {test:.1%}: {text!r}", flush=True)
        if options.picture is not None:
            draw(options.picture, along)
        last = incumbents(history)[-1][1]
        for wording in paraphrases(llm, problem, last, options.paraphrases) if options.paraphrases else []:
            found = score(scores, wording, problem.test_items)
            low, high = wilson(float(found.sum()), len(found))
            print(f"paraphrase: test {found.mean():.1%} ({low:.1%} to {high:.1%}): {wording!r}", flush=True)


if __name__ == "__main__":
    main()
