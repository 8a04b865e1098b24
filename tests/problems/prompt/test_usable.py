"""A model counts as broken after enough answers of no use, and never after one of use."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from llmopt.problems.prompt.usable import ENOUGH, Usable


@given(st.lists(st.booleans(), max_size=2 * ENOUGH))
def test_only_answers_of_no_use_and_enough_of_them_tell(answers: list[bool]) -> None:
    usable = Usable()
    for answer in answers:
        usable.add(answer)
    assert usable.answers == len(answers)
    assert usable.never == (len(answers) >= ENOUGH and True not in answers)


def test_answers_are_counted_from_any_thread() -> None:
    usable = Usable()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(usable.add, [False] * 4_000))
    assert usable.answers == 4_000 and usable.never
