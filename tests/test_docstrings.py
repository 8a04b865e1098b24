"""The examples in docstrings."""

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import llmopt


def modules() -> list[str]:
    return sorted(m.name for m in pkgutil.walk_packages(llmopt.__path__, "llmopt.") if "__main__" not in m.name)


def has_examples(module: ModuleType) -> bool:
    return any(test.examples for test in doctest.DocTestFinder().find(module, module.__name__))


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_give_what_they_show(name: str) -> None:
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.failed == 0
    assert bool(result.attempted) == has_examples(module)
