"""Checks of a serializer."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from llmopt.opro.codec import Codec, codec_for
from llmopt.opro.serializer import Prompt, Serializer, View
from llmopt.space import Space
from llmopt.testing.checks import Checks, brief, fault
from llmopt.testing.strategies import members, permutations, texts, vectors


class SerializerChecks(Checks):
    """What every serializer keeps to.

    Examples
    --------
    >>> from llmopt.opro import Chat
    >>> class TestChat(SerializerChecks):
    ...     def make(self):
    ...         return Chat()
    >>> TestChat().test_no_solution_missing_in_the_prompt()
    """

    @abstractmethod
    def make(self) -> Serializer:
        """Return the serializer."""

    def spaces(self) -> SearchStrategy[Space[Any]]:
        """Return the spaces whose solutions it can show."""
        return st.one_of(vectors(), permutations(), texts())

    def codec(self, space: Space[Any]) -> Codec[Any]:
        """Return the codec that it shows solutions of a space with."""
        return codec_for(space)

    def views(self) -> SearchStrategy[View]:
        """Return what prompts are made from."""

        def view(space: Space[Any]) -> SearchStrategy[View]:
            codec = self.codec(space)
            return st.builds(
                lambda found, hint, maximize: View(
                    description=space.describe(),
                    hint=hint,
                    codec=codec,
                    solutions=[codec.encode(solution) for solution in found],
                    scores=[f"{1000 - 7 * i}" for i in range(len(found))],
                    target="3",
                    maximize=maximize,
                ),
                members(space),
                st.sampled_from(["", "w is small"]),
                st.booleans(),
            )

        return self.spaces().flatmap(view)

    def test_no_solution_missing_in_the_prompt(self) -> None:
        def check(view: View) -> None:
            text = _text(self.make().prompt(view))
            for solution, score in zip(view.solutions, view.scores, strict=True):
                if solution not in text:
                    fault(f"the prompt does not show the solution {brief(solution)}")
                if score not in text:
                    fault(f"the prompt does not show the score {score} of {brief(solution)}")

        self.for_all(check, view=self.views())

    def test_no_hint_missing_in_the_prompt(self) -> None:
        def check(view: View) -> None:
            if view.hint not in _text(self.make().prompt(view)):
                fault(f"the prompt does not hold the hint {view.hint!r}")

        self.for_all(check, view=self.views())

    def test_no_opening_that_the_prompt_does_not_end_with(self) -> None:
        def check(view: View) -> None:
            prompt = self.make().prompt(view)
            if not _text(prompt).endswith(prompt.opening):
                fault(f"the prompt ends with {_text(prompt)[-20:]!r}, and not with its opening {prompt.opening!r}")
            if prompt.opening not in ("", view.codec.lead):
                fault(f"the opening is {prompt.opening!r}; a codec knows {view.codec.lead!r} alone")

        self.for_all(check, view=self.views())

    def test_no_prompt_of_another_kind(self) -> None:
        def check(view: View) -> None:
            serializer = self.make()
            content = serializer.prompt(view).content
            if isinstance(content, str) == serializer.chat:
                fault(f"it says chat={serializer.chat}, and its prompt is {brief(content)}")

        self.for_all(check, view=self.views())

    def test_no_memory_of_an_earlier_prompt(self) -> None:
        def check(view: View, other: View) -> None:
            serializer = self.make()
            before = serializer.prompt(view)
            serializer.prompt(other)
            if serializer.prompt(view) != before:
                fault("the prompt of one and the same view changes once another was made")

        self.for_all(check, view=self.views(), other=self.views())

    def test_no_stable_part_beyond_its_message(self) -> None:
        def check(view: View) -> None:
            content = self.make().prompt(view).content
            for message in () if isinstance(content, str) else content:
                if not 0 <= message.stable <= len(message.content):
                    fault(f"a message of {len(message.content)} characters says that {message.stable} are stable")

        self.for_all(check, view=self.views())


def _text(prompt: Prompt) -> str:
    if isinstance(prompt.content, str):
        return prompt.content
    return "\n".join(message.content for message in prompt.content)
