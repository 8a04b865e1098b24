"""Checks of a language model."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from llmopt.errors import LlmoptError
from llmopt.llm.base import LLM, Constraint, Message, Reply, Request, Response, Sampling, Usage
from llmopt.testing.checks import Checks, brief, fault
from llmopt.testing.gbnf import Grammar

DIGITS = Constraint("root ::= [0-9] [0-9]\n", {"type": "integer", "minimum": 10, "maximum": 99})


class ModelChecks(Checks):
    """What every model keeps to.

    Attributes
    ----------
    repeatable
        Whether it claims that a request with a seed has one answer.
    fixed
        Whether it answers the requests of ``requests`` alone, such as a replay.

    Examples
    --------
    >>> from llmopt.llm import LLM, Capabilities, ModelInfo, Reply, Response, Usage
    >>> class Parrot(LLM):
    ...     info = ModelInfo("parrot")
    ...     capabilities = Capabilities(continuation=True)
    ...     def generate(self, requests):
    ...         return [Response((Reply("hello"),) * r.n, Usage(1, 3, 0, r.n)) for r in requests]
    >>> class TestParrot(ModelChecks):
    ...     def make(self):
    ...         return Parrot()
    >>> TestParrot().test_no_other_number_of_replies()
    """

    repeatable: bool = False
    fixed: bool = False

    @abstractmethod
    def make(self) -> LLM:
        """Return the model, open; each check closes the one that it was given."""

    def requests(self) -> SearchStrategy[Request]:
        """Return requests that the model can answer; by default short ones within its capabilities."""
        with self.make() as llm:
            able = llm.capabilities
        prompts: list[SearchStrategy[str | tuple[Message, ...]]] = []
        words = st.sampled_from(["1 2 3", "a b a b", "Say a number."])
        if able.continuation:
            prompts.append(words)
        if able.chat:
            prompts.append(words.map(lambda text: (Message("user", text),)))
        return st.builds(
            Request,
            st.one_of(prompts),
            n=st.integers(1, 3),
            max_tokens=st.integers(4, 8),
            sampling=st.builds(Sampling, st.sampled_from([1.0, 0.0])),
            seed=st.none() | st.integers(0, 99),
        )

    def test_no_other_number_of_replies(self) -> None:
        def check(requests: list[Request]) -> None:
            responses = self._answers(requests)
            if len(responses) != len(requests):
                fault(f"{len(requests)} requests have {len(responses)} responses")
            for request, response in zip(requests, responses, strict=True):
                if len(response.replies) != request.n:
                    fault(f"n={request.n} gives {len(response.replies)} replies")
                for reply in response.replies:
                    if not isinstance(reply, Reply) or not isinstance(reply.text, str):
                        fault(f"a reply is {brief(reply)}")

        self.for_all(check, requests=self._lists())

    def test_no_usage_that_cannot_be(self) -> None:
        def check(requests: list[Request]) -> None:
            for request, response in zip(requests, self._answers(requests), strict=False):
                usage = response.usage
                for name, value in usage._asdict().items():
                    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                        fault(f"{name} is {value!r}")
                if usage.cached_tokens > usage.prompt_tokens:
                    fault(f"{usage.cached_tokens} tokens of a prompt of {usage.prompt_tokens} come from the cache")
                if usage.completion_tokens == 0 and any(reply.text for reply in response.replies):
                    fault(f"{brief(response.replies)} are said to have cost no tokens")
                if request.prompt and usage.calls and usage.prompt_tokens == 0:
                    fault(f"to read {brief(request.prompt)} is said to have cost no tokens")

        self.for_all(check, requests=self._lists())

    def test_no_delivered_part_that_does_not_add_up(self) -> None:
        def check(requests: list[Request]) -> None:
            parts: list[tuple[int, int, Response]] = []
            with self.make() as llm:
                whole = llm.deliver(requests, lambda i, first, part: parts.append((i, first, part)))
            for i, response in enumerate(whole):
                own = sorted(((first, part) for place, first, part in parts if place == i), key=lambda pair: pair[0])
                replies = [reply for _, part in own for reply in part.replies]
                if replies != list(response.replies):
                    fault(
                        f"request {i} was delivered the replies {brief(replies)}, and given {brief(response.replies)}"
                    )
                total = Usage()
                for _, part in own:
                    total = total.plus(part.usage)
                if total != response.usage:
                    fault(f"the delivered parts of request {i} cost {total}, and the whole {response.usage}")

        self.for_all(check, requests=self._lists())

    def test_no_answer_that_depends_on_the_company(self) -> None:
        if not self.repeatable:
            pytest.skip("it does not claim that a request with a seed has one answer")

        def check(requests: list[Request]) -> None:
            seeded = [request for request in requests if request.seed is not None]
            if not self.fixed:
                seeded = [replace(request, seed=request.seed or 7) for request in requests]
            hypothesis.assume(len(seeded) > 1)
            together = [response.replies for response in self._answers(seeded)]
            for request, replies in zip(seeded, together, strict=True):
                [alone] = self._answers([request])
                if alone.replies != replies:
                    fault(
                        f"{brief(request)} is answered {brief(alone.replies)} alone and {brief(replies)} among others"
                    )

        self.for_all(check, requests=self._lists())

    def test_no_stop_text_in_a_reply(self) -> None:
        def check(request: Request) -> None:
            [free] = self._answers([request])
            text = free.replies[0].text
            hypothesis.assume(len(text) > 1 and request.seed is not None)
            stop = text[len(text) // 2]
            [stopped] = self._answers([replace(request, stop=(stop,))])
            for reply in stopped.replies:
                if stop in reply.text:
                    fault(f"the reply {brief(reply.text)} holds the text {stop!r} that was to end it")

        self._needs_free_requests()
        self.for_all(check, request=self.requests())

    def test_no_text_beyond_the_grammar(self) -> None:
        with self.make() as llm:
            if not llm.capabilities.grammar:
                pytest.skip("it does not claim to obey grammars")
        self._needs_free_requests()
        assert DIGITS.grammar is not None
        grammar = Grammar(DIGITS.grammar)

        def check(request: Request) -> None:
            [response] = self._answers([replace(request, constraint=DIGITS)])
            for reply in response.replies:
                if reply.finish_reason == "stop" and not grammar.allows(reply.text):
                    fault(f"the grammar {DIGITS.grammar!r} is answered with {brief(reply.text)}")

        self.for_all(check, request=self.requests())

    def test_no_given_reply_that_is_changed_or_of_no_likelihood(self) -> None:
        with self.make() as llm:
            if not llm.capabilities.logprobs:
                pytest.skip("it does not claim to say how likely a given reply is")
        self._needs_free_requests()

        def check(request: Request, given: str) -> None:
            [response] = self._answers([replace(request, given=given)])
            for reply in response.replies:
                if reply.text != given or reply.finish_reason != "stop":
                    fault(f"the given reply {given!r} comes back as {brief(reply)}")
                if reply.logprob is None or not -math.inf < reply.logprob <= 0.0:
                    fault(f"the given reply {given!r} has the log-probability {reply.logprob!r}")

        self.for_all(check, request=self.requests(), given=st.sampled_from([" 1", " a b", "x"]))

    def test_no_untyped_error(self) -> None:
        """A request beyond what the model can do is answered, or refused by an error that a user can read."""

        def check(request: Request) -> None:
            try:
                self._answers([request])
            except LlmoptError as error:
                if not str(error).strip() or "\n" in str(error).strip():
                    fault(f"the error must be one line that says what to do, not {str(error)!r}")
            except Exception as error:
                raise AssertionError(f"it raises {type(error).__name__}, which is no LlmoptError: {error}") from error

        self.for_all(check, request=self.odd_requests())

    def odd_requests(self) -> SearchStrategy[Request]:
        """Return requests that a model may refuse."""
        prompts = ["", "x", "x " * 20_000, (Message("user", "hello"),), (Message("assistant", ""),), ()]
        return st.builds(
            Request,
            st.sampled_from(prompts),
            n=st.integers(1, 2),
            max_tokens=st.integers(1, 4),
            constraint=st.sampled_from([None, DIGITS, Constraint("this is no grammar"), Constraint(None, {"type": 7})]),
            stop=st.sampled_from([(), ("a", "b", "c", "d", "e")]),
        )

    def test_no_error_when_it_is_closed_twice(self) -> None:
        llm = self.make()
        llm.close()
        llm.close()

    def test_no_change_of_its_identity(self) -> None:
        with self.make() as one, self.make() as other:
            if one.info != other.info or one.capabilities != other.capabilities:
                fault(f"two models that are made alike say that they are {one.info} and {other.info}")
            if not one.info.spec.strip():
                fault("it does not say which model it is")

    def _needs_free_requests(self) -> None:
        if self.fixed:
            pytest.skip("it answers fixed requests alone")

    def _answers(self, requests: Sequence[Request]) -> list[Response]:
        with self.make() as llm:
            return llm.generate(requests)

    def _lists(self) -> SearchStrategy[list[Request]]:
        return st.lists(self.requests(), min_size=1, max_size=3)
