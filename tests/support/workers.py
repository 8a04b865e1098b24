"""What tests run in processes of their own; a spawned process must be able to import it."""

import sys
from pathlib import Path

from llmopt.llm import Request, catalog
from llmopt.llm.catalog import Weights
from llmopt.llm.local import LocalLLM


def locate_counting(weights: Weights, source: str, builds: str) -> None:
    sys.path.insert(0, source)
    build = catalog._build

    def noted(*arguments: object) -> None:
        with Path(builds).open("a") as file:
            file.write("built\n")
        build(*arguments)  # type: ignore[arg-type]

    catalog._build = noted  # type: ignore[assignment]
    catalog.locate(weights)


def answer_and_close(llm: LocalLLM, request: Request) -> list[str]:
    with llm:
        return [reply.text for reply in llm.generate([request])[0].replies]
