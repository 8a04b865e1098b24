"""Spaces: the sets of legal solutions."""

from llmopt.space.base import Columns, Keys, Space, join, length, take
from llmopt.space.permutation import Permutation
from llmopt.space.text import Text
from llmopt.space.variables import Categorical, Float, Int, Variable
from llmopt.space.vector import Vector

__all__ = [
    "Categorical",
    "Columns",
    "Float",
    "Int",
    "Keys",
    "Permutation",
    "Space",
    "Text",
    "Variable",
    "Vector",
    "join",
    "length",
    "take",
]
