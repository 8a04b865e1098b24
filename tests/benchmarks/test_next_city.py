"""The study of the next city."""

from llmopt.benchmarks.studies.next_city import CITIES, Form, ask, questions
from llmopt.llm.base import Request
from llmopt.problems.tsp import GRID, on_grid
from support.models import FunctionLLM, obedient


def test_a_model_that_names_the_nearest_city_has_rank_zero_and_a_random_one_a_half() -> None:
    asked = list(questions(range(700, 704)))
    assert [question.good for question in asked] == [False, True] * 4

    def nearest(request: Request, i: int) -> str:
        number = len(llm.requests) and [r.prompt for r in llm.requests].index(request.prompt)
        question = asked[number]
        labels = on_grid(question.problem.points, 10_000)  # type: ignore[arg-type]
        ways = question.problem.structure.matrix[question.tour[-1]]
        return " " + labels[min(question.tour[1:-2], key=lambda city: float(ways[city]))]

    llm = FunctionLLM(nearest)
    found = ask(llm, Form(10_000, 0, 2, 1.0), asked)
    assert (found.rank, found.near, found.different) == (0.0, 1.0, 1.0)
    assert found.chance == 3 / (CITIES - 3)
    assert 0.3 < ask(obedient(), Form(GRID, 2, 2, 1.0), asked).rank < 0.7
