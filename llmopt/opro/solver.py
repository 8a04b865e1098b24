"""Optimization by prompting: a language model proposes the next solutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM, Request
from llmopt.objective import Proposals
from llmopt.opro import moves
from llmopt.opro.codec import Codec, codec_for
from llmopt.opro.hinted import TEMPERATURE as HINT_TEMPERATURE
from llmopt.opro.hinted import Hinted, due
from llmopt.opro.instructions import BUCKETS, Choice, InstructionPrompts
from llmopt.opro.joins import Change
from llmopt.opro.known import Repeats
from llmopt.opro.move_codec import is_moved
from llmopt.opro.moves import MovePrompts
from llmopt.opro.path import PathPrompts
from llmopt.opro.permutation_codec import PermutationCodec
from llmopt.opro.query import Query, ask
from llmopt.opro.scores import LEVELS, ScoreForm
from llmopt.opro.serializer import Chat, Continuation, Serializer
from llmopt.opro.solution_prompts import SolutionPrompts
from llmopt.opro.trajectory import Order, trajectory
from llmopt.opro.vector_codec import VectorCodec
from llmopt.problem import Problem
from llmopt.settings import check_whole
from llmopt.solver import AskTellSolver, Task
from llmopt.space import Permutation, Space, Vector

TEMPERATURE, PATH_TEMPERATURE = 1.0, 0.5
TOP_K, SHOWN = 20, 10

_ROLE = "optimizer"

SerializerName = Literal["auto", "chat", "continuation", "moves", "path"]


class OPRO(AskTellSolver):
    """A language model as an optimizer (OPRO, arXiv 2309.03409, section 2).

    Every step shows the model some of the best solutions with their scores, worst first, and asks for better
    ones. Replies are decoded under the space's grammar where the model can, else read tolerantly; what cannot
    be read is counted with its reason and asked for again at most ``retries`` times. Nothing is made up in
    place of a reply.

    Parameters
    ----------
    llm
        The model.
    serializer
        ``"chat"`` (the paper's meta-prompt), ``"continuation"`` (a pattern of solutions to continue; for small base
        models), ``"moves"`` (for vectors with numbers: a pattern of moves between good solutions, see
        :class:`llmopt.opro.moves.MovePrompts`; a continuation while there is none), ``"path"`` (for permutations whose
        entries have labels: the model names the next entry of a good order, see
        :class:`llmopt.opro.path.PathPrompts`), ``"auto"`` (where the model can both continue text and obey a grammar:
        moves for vectors with numbers, path where there are labels, else continuation; elsewhere chat), or a
        :class:`llmopt.opro.serializer.Serializer`.
    samples
        Replies per step (8 in the paper, section 5.1).
    prompts
        Different prompts per step among which the samples are divided; by default 1 for a chat, half as many as
        samples for a continuation (a prompt costs more time than a sample), as many for moves and paths. With
        several, each shows a random ``shown`` of the best ``top_k``, and every second one writes the variables in the
        opposite order, so that the samples differ; with one, it shows the best ``top_k`` (the paper's form).
    top_k
        How many of the best solutions are candidates for a prompt: 20 by default (paper, section 3.1); for moves, four
        for each number, from 8 to 100.
    shown
        Solutions in a prompt where ``prompts`` is above 1, 10 by default; of moves, 5.
    order
        Which solution a prompt shows first: ``"worst"`` (the paper's); ``"oldest"``, so that a prompt begins as the
        one before it and a model that remembers prompts reads less again; ``"best"`` or ``"random"``, which the paper
        finds worse (section 5.3).
    scores, digits, levels
        How scores are written, see :func:`llmopt.opro.scores.shown_losses`; ``"auto"``: rounded in a chat (to
        whole numbers where the spread is that large, as in the paper), rescaled in a continuation (to 1,000 levels by
        default, gains of moves to 9). ``"shuffled"`` is the control that shows them in their order and deals the
        solutions to them: does the model use them at all?
    temperature
        By default 1.0, which the paper finds best (section 5.4), 0.6 for moves and 0.5 for a path.
    exclude_known
        Take the best 256 and the latest 128 evaluated vectors (64 and 32 where there are endlessly many) out of
        the grammar, so that no sample repeats them. The grammars of permutations and texts cannot do that.
    retries
        How often a step asks again where no reply of a request could be read, and with moves, where none led to a new
        solution: the grammar cannot know where two prompts of a step meet, or what a bound of the space stops.
    max_tokens
        Upper bound on the tokens of a free reply; a constrained one is bounded by its grammar.
    resolution
        See :func:`llmopt.opro.codec.codec_for`.
    hint
        What the user knows of the problem, in words; becomes part of the prompt. A base model is shown it besides at
        the end of a pattern of hints (:class:`llmopt.opro.hinted.Hinted`), in the first prompt of steps 1, 2, 4, 8 and
        so on.
    codec
        In place of the space's own text form.
    change
        What a path's answer does to the rest of an order, see :func:`llmopt.opro.joins.joins`.
    exemplars, exemplar_choice, failures
        Of a search for an instruction: how many training examples a prompt shows, which ones, and how many that the
        best instruction fails; see :class:`llmopt.opro.instructions.InstructionPrompts`.

    Attributes
    ----------
    note
        What another solver that asks through this one has found out, in words; it may change from step to step and
        becomes part of the prompt, where that shows solutions.
    """

    def __init__(
        self,
        llm: LLM,
        *,
        serializer: SerializerName | Serializer = "auto",
        samples: int = 8,
        prompts: int | None = None,
        top_k: int | None = None,
        shown: int | None = None,
        order: Order = "worst",
        scores: ScoreForm | Literal["auto"] = "auto",
        digits: int | None = None,
        levels: int | None = None,
        temperature: float | None = None,
        exclude_known: bool = True,
        retries: int = 2,
        max_tokens: int = 512,
        resolution: int = 1_000,
        hint: str = "",
        codec: Codec[Any] | None = None,
        change: Change = "local",
        exemplars: int = 3,
        exemplar_choice: Choice = "random",
        failures: int = 0,
    ) -> None:
        if not isinstance(llm, LLM):
            raise InvalidInput(f"opro: llm must be a model, such as connect('local'), not {llm!r}")
        self._asked = serializer
        self.serializer = _chosen(serializer, llm)
        self.prompts = prompts
        for name, value, least in [
            ("prompts", prompts, 1),
            ("top_k", top_k, 1),
            ("shown", shown, 1),
            ("samples", samples, 1),
            ("digits", digits or 0, 0),
            ("levels", levels, 2),
            ("retries", retries, 0),
            ("max_tokens", max_tokens, 1),
            ("resolution", resolution, 10),
            ("exemplars", exemplars, 0),
            ("failures", failures, 0),
        ]:
            if value is None and name in ("prompts", "top_k", "shown", "levels"):
                continue
            check_whole(f"opro: {name}", value, least)
        super().__init__(samples)
        if prompts is not None and prompts > samples:
            raise InvalidInput(f"opro: prompts={prompts} is more than samples={samples}")
        if temperature is not None and not 0 <= temperature <= 5:
            raise InvalidInput(f"opro: temperature must be from 0 to 5, not {temperature!r}")
        if order not in get_args(Order):
            raise InvalidInput(f"opro: order must be {' or '.join(get_args(Order))}, not {order!r}")
        if scores not in (forms := ("auto", *get_args(ScoreForm))):
            raise InvalidInput(f"opro: scores must be {' or '.join(forms)}, not {scores!r}")
        if change not in get_args(Change):
            raise InvalidInput(f"opro: change must be {' or '.join(get_args(Change))}, not {change!r}")
        if exemplar_choice not in get_args(Choice):
            raise InvalidInput(
                f"opro: exemplar_choice must be {' or '.join(get_args(Choice))}, not {exemplar_choice!r}"
            )
        self.llm = llm
        self.exemplars = exemplars
        self.exemplar_choice: Choice = exemplar_choice
        self.failures = failures
        self.order = order
        self.top_k = top_k
        self.shown = shown
        self.scores: ScoreForm = ("rounded" if self.serializer.chat else "rescaled") if scores == "auto" else scores
        self.digits = digits
        self.levels = levels
        self.temperature = temperature
        self.exclude_known = exclude_known
        self.retries = retries
        self.max_tokens = max_tokens
        self.resolution = resolution
        self.hint = hint
        self.note = ""
        self._codec = codec
        self.change = change

    @property
    def models(self) -> Mapping[str, LLM]:
        return {_ROLE: self.llm}

    def check_problem(self, problem: Problem, budget: Budget) -> None:
        super().check_problem(problem, budget)
        if self._asked == "path" and problem.labels is None:
            raise InvalidInput(
                "opro: serializer=path needs a permutation whose entries have labels, such as tsp with points; use "
                "serializer=continuation or chat here"
            )

    def check(self, space: Space[Any], budget: Budget) -> None:
        self._codec or codec_for(space, self.resolution)
        if self._asked == "moves" and not _moves_in(space):
            raise InvalidInput(
                "opro: serializer=moves needs a vector with a number that has more than one value, and ranges from "
                "1e-150 to 1e150; use serializer=continuation or chat here"
            )
        able = self.llm.capabilities.chat if self.serializer.chat else self.llm.capabilities.continuation
        if not able:
            kind = "answer a conversation" if self.serializer.chat else "continue a text"
            other = "continuation" if self.serializer.chat else "chat"
            raise InvalidInput(
                f"opro: the model {self.llm.info.spec} cannot {kind}; use serializer={other} or another model"
            )

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        self._llm = task.models.get(_ROLE, self.llm)
        self._step = 0
        self.note = ""
        self._paths: PathPrompts | None = None
        self._moves: MovePrompts | None = None
        self._instructions = self._instruction_prompts(task)
        if self._instructions is not None:
            return
        if self._asks_for_paths(task):
            warmth = PATH_TEMPERATURE if self.temperature is None else self.temperature
            self._paths = PathPrompts(
                task, candidates=self.top_k or TOP_K, temperature=warmth, hint=self.hint, change=self.change
            )
            return
        if self._asks_for_moves(task.space):
            self._moves = MovePrompts(
                task,
                top_k=self.top_k,
                shown=self.shown or moves.SHOWN,
                order=self.order,
                scores=self.scores,
                digits=self.digits,
                levels=self.levels or moves.LEVELS,
                temperature=moves.TEMPERATURE if self.temperature is None else self.temperature,
                exclude_known=self.exclude_known,
                hint=self.hint,
            )
        codecs = self.codecs(task.space)
        self._hint_readable = isinstance(self.serializer, Continuation) and isinstance(codecs[0], VectorCodec)
        self._solutions = SolutionPrompts(
            task,
            codecs,
            scores=self.scores,
            digits=self.digits,
            levels=self.levels or LEVELS,
            exclude_known=self.exclude_known,
            max_tokens=self.max_tokens,
            hint=self.hint,
            order=self.order,
        )

    def _instruction_prompts(self, task: Task) -> InstructionPrompts | None:
        if not task.exemplars or self._codec is not None or isinstance(self._asked, Serializer):
            return None
        able = self.llm.capabilities
        return InstructionPrompts(
            task,
            # A model that can do both follows the request of a chat better than a list of instructions.
            chat=able.chat if self._asked == "auto" else self.serializer.chat,
            top_k=self.top_k or TOP_K,
            order=self.order,
            scores=self.scores,
            buckets=min(self.levels or LEVELS, BUCKETS),
            exemplars=self.exemplars,
            choice=self.exemplar_choice,
            failures=self.failures,
            temperature=TEMPERATURE if self.temperature is None else self.temperature,
            max_tokens=self.max_tokens,
            hint=self.hint,
        )

    def _asks_for_paths(self, task: Task) -> bool:
        if self._asked == "auto":
            return task.labels is not None and not self.serializer.chat and self._codec is None
        return self._asked == "path"

    def _asks_for_moves(self, space: Space[Any]) -> bool:
        if self._asked == "auto":
            return not self.serializer.chat and self._codec is None and _moves_in(space)
        return self._asked == "moves"

    def codecs(self, space: Space[Any]) -> list[Codec[Any]]:
        """Return the text forms of solutions, which the prompts of a step take in turn."""
        if self._codec is not None:
            codec = self._codec
        elif isinstance(space, Permutation):
            codec = PermutationCodec(space, letters=not self.serializer.chat)
        else:
            codec = codec_for(space, self.resolution)
        return [codec, codec.reversed()] if isinstance(codec, VectorCodec) else [codec]

    def requests(self, n: int | None = None) -> list[Request]:
        """Return the requests of the next step, as ``ask`` sends them first; by default for ``samples`` proposals."""
        return [query.seeded(attempt=0) for query in self._queries(n or self.batch)]

    def ask(self, n: int) -> Proposals:
        queries = self._queries(n)
        self._step += 1
        repeats = Repeats(self.task.history) if self._moves is not None else None
        found = ask(self._llm, queries, self.retries, repeats)
        return Proposals(self.task.space.pack(found.solutions), found.reasons, found.repaired, repeated=found.repeated)

    def _queries(self, n: int) -> list[Query]:
        if self._instructions is not None:
            return self._instructions.queries(n, self._step, self.rng, self.prompts or 1)
        if self._paths is not None:
            return self._paths.queries(n, self._step, self.rng, able=self.llm.capabilities)
        prompts = min(n, self._prompt_count())
        each, more = divmod(n, prompts)
        samples = [each + (i < more) for i in range(prompts)]
        hinted = int(self._reads_hint())
        queries = self._below_solutions(samples[:hinted], Hinted(), HINT_TEMPERATURE) if hinted else []
        if self._moves is None or not self._moves.any_gain:
            return queries + self._below_solutions(samples[hinted:], self.serializer, TEMPERATURE, first=hinted)
        return queries + self._moves.queries(
            samples[hinted:], self._step, self.rng, able=self.llm.capabilities, note=self.note, first=hinted
        )

    def _prompt_count(self) -> int:
        if self.prompts is not None:
            return self.prompts
        if self._moves is not None:
            return self.batch
        return 1 if self.serializer.chat else max(1, self.batch // 2)

    def _below_solutions(
        self, samples: Sequence[int], serializer: Serializer, temperature: float, first: int = 0
    ) -> list[Query]:
        return self._solutions.queries(
            samples,
            self._step,
            self.rng,
            serializer,
            self.candidates(),
            shown=(self.shown or SHOWN) if self._prompt_count() > 1 else None,
            temperature=temperature if self.temperature is None else self.temperature,
            able=self.llm.capabilities,
            note=self.note,
            first=first,
        )

    def candidates(self) -> NDArray[np.int64]:
        """Return the rows of the history that this step's prompts choose from, as they are ordered in a prompt."""
        return trajectory(self.task.history, self.top_k or TOP_K, self.order, self.rng)

    def _reads_hint(self) -> bool:
        """Return whether the first prompt of this step is one of hints and solutions; its first step is number 0."""
        return (
            bool(self.hint) and self._hint_readable and self.task.history.incumbent is not None and due(self._step + 1)
        )


def _moves_in(space: Space[Any]) -> bool:
    if not isinstance(space, Vector):
        return False
    spans = [np.ptp(variable.box) for variable in space.variables.values() if is_moved(variable)]
    # Products of others overflow, or vanish.
    return bool(spans) and all(1e-150 <= span <= 1e150 for span in spans)


def _chosen(serializer: SerializerName | Serializer, llm: LLM) -> Serializer:
    if isinstance(serializer, Serializer):
        return serializer
    if serializer == "auto":
        able = llm.capabilities
        serializer = "continuation" if able.continuation and able.grammar else "chat"
    if serializer not in get_args(SerializerName):
        raise InvalidInput(f"opro: serializer must be auto, chat, continuation, moves or path, not {serializer!r}")
    return Chat() if serializer == "chat" else Continuation()
