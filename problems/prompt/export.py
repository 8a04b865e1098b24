"""A found instruction in the forms in which it is used."""

from __future__ import annotations

from typing import Any

from llmopt.problems.prompt.template import Template

INPUT = "{input}"
"""Stands where the user's own question goes."""


def messages(template: Template, instruction: str) -> dict[str, Any]:
    """Return an instruction as arguments of both SDKs; ``{input}`` stands for the question.

    Returns
    -------
    dict
        ``openai``: arguments of ``chat.completions.create``; ``anthropic``: of ``messages.create``; without the model
        and its settings.

    Examples
    --------
    >>> found = messages(Template.at("system"), "Answer with one word.")
    >>> found["anthropic"]
    {'system': 'Answer with one word.', 'messages': [{'role': 'user', 'content': '{input}'}]}
    """
    turns = [{"role": turn.role, "content": turn.content} for turn in template.messages(instruction, INPUT)]
    system = "\n\n".join(turn["content"] for turn in turns if turn["role"] == "system")
    rest = [turn for turn in turns if turn["role"] != "system"]
    anthropic: dict[str, Any] = {"system": system} if system else {}
    return {"openai": {"messages": turns}, "anthropic": {**anthropic, "messages": rest}}
