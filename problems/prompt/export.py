"""A found instruction in the forms in which it is used."""

from __future__ import annotations

from typing import Any

from llmopt.problems.prompt.template import Template

INPUT = "{input}"
"""Stands where the user's own question goes, unless the instruction holds the same text."""

_ELSEWHERE = "\0"
"""A question that no mark has a part in."""


def messages(template: Template, instruction: str) -> dict[str, Any]:
    """Return an instruction as arguments of both SDKs, with a mark in place of the question.

    Returns
    -------
    dict
        ``openai``: arguments of ``chat.completions.create``; ``anthropic``: of ``messages.create``; without the model
        and its settings. ``input``: the mark, which stands nowhere else: ``{input}``, or ``{input_}`` and so on where
        the instruction holds that itself.

    Examples
    --------
    >>> found = messages(Template.at("system"), "Answer with one word.")
    >>> found["anthropic"]
    {'system': 'Answer with one word.', 'messages': [{'role': 'user', 'content': '{input}'}]}
    >>> messages(Template.at("A_begin"), "Fill in {input}.")["anthropic"]["messages"][0]["content"]
    'Q: {input_}\\nA: Fill in {input}.'
    """
    mark = _mark(template, instruction)
    turns = [{"role": turn.role, "content": turn.content} for turn in template.messages(instruction, mark)]
    system = "\n\n".join(turn["content"] for turn in turns if turn["role"] == "system")
    rest = [turn for turn in turns if turn["role"] != "system"]
    anthropic: dict[str, Any] = {"system": system} if system else {}
    return {"input": mark, "openai": {"messages": turns}, "anthropic": {**anthropic, "messages": rest}}


def _mark(template: Template, instruction: str) -> str:
    """Return a mark that stands nowhere but in the question's place."""
    others = [turn.content for turn in template.messages(instruction, _ELSEWHERE)]
    mark = INPUT
    while any(mark in text for text in others):
        mark = f"{mark[:-1]}_}}"
    return mark
