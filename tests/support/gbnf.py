"""The kit's reader of grammars, by the name that tests have for it."""

from llmopt.testing.gbnf import Grammar

__all__ = ["Grammar"]
