"""The one error of a method that cannot work on a kind of space."""

import pytest

from llmopt import Float, InvalidInput, Permutation, Text, Vector, minimize
from llmopt.baselines.works_on import works_on


def test_other_spaces_are_refused_in_one_line_in_the_name_of_the_method() -> None:
    class CmaEs:
        pass

    works_on(Vector, Vector(x=Float(0, 1)), CmaEs())
    with pytest.raises(InvalidInput, match=r"^cma-es works on vectors of numbers and choices, not on permutations;"):
        works_on(Vector, Permutation(5), CmaEs())
    with pytest.raises(InvalidInput, match="not on texts"):
        works_on(Vector, Text(5), CmaEs())
    with pytest.raises(InvalidInput, match=r"^2-opt-blind works on permutations, not on vectors;"):
        minimize(lambda s: 0.0, Vector(x=Float(0, 1)), solver="2-opt-blind")
