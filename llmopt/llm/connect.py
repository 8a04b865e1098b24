"""From a SPEC, as the command line takes it, to a model."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM


def connect(spec: str | LLM) -> LLM:
    """Return the model that a SPEC denotes; a model is returned as it is.

    Parameters
    ----------
    spec
        ``local``, ``local:PATH.gguf``, ``local:CATALOG-NAME``, ``replay:PATH``, or ``SCHEME:REST`` of a
        package that adds an entry point to the group ``llmopt.models`` (a callable from REST to an LLM).

    Raises
    ------
    InvalidInput
        The scheme is unknown, or what follows it is not legal.
    MissingExtra
        The model needs a package that is not installed; the message says how to install it.
    """
    if isinstance(spec, LLM):
        return spec
    model = scheme_of(spec).load()(spec.partition(":")[2])
    if not isinstance(model, LLM):
        raise InvalidInput(f"model {spec!r}: its entry point returned {type(model).__name__}, not an LLM")
    return model


def scheme_of(spec: str) -> EntryPoint:
    """Return the entry point of a SPEC's scheme; nothing is opened.

    Raises
    ------
    InvalidInput
        The scheme is unknown.
    """
    schemes = {point.name: point for point in entry_points(group="llmopt.models")}
    scheme = spec.partition(":")[0]
    if scheme not in schemes:
        legal = ", ".join(sorted(schemes)) or "none: llmopt is not installed in this environment"
        raise InvalidInput(f"unknown model {spec!r}: what comes before the first ':' must be one of {legal}")
    return schemes[scheme]
