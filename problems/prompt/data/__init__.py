"""The examples that instructions are scored on: public data sets, and a user's own files."""

from llmopt.problems.prompt.data.named import load, names, published_checksum
from llmopt.problems.prompt.data.public import Source

__all__ = ["Source", "load", "names", "published_checksum"]
