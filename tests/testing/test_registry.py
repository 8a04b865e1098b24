"""The conformance kit over everything that is registered: what is added to the registry is checked with no more words.

What needs settings, or problems of its own, is said in the tables.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import llmopt.opro
import llmopt.space
from llmopt import Categorical, Float, Int, Permutation, Problem, Solver, Space, Text, Vector
from llmopt.llm import connect
from llmopt.llm.base import LLM, Request
from llmopt.opro import Chat, Codec, Continuation, Serializer, codec_for
from llmopt.opro.permutation_codec import PermutationCodec
from llmopt.opro.vector_codec import VectorCodec
from llmopt.problems.functions import FunctionName
from llmopt.registry import create_problem, create_solver, load, names, needs_model
from llmopt.runlog import LogReader
from llmopt.testing import (
    CodecChecks,
    ModelChecks,
    ProblemChecks,
    SerializerChecks,
    SolverChecks,
    SpaceChecks,
)
from llmopt.testing.strategies import Landscape, landscapes
from llmopt.tours import Distances
from support.examined import Cities, Letters, rugged_tours, tours, writer
from support.fault_server import FaultServer
from support.logs import recorded
from support.models import FunctionLLM, obedient

MIXED = Vector(
    x=Float(-5, 5),
    rate=Float(1e-4, 1, log=True),
    share=Float(0, 1, step=0.1),
    k=Int(1, 9),
    width=Int(1, 1000, log=True),
    percent=Int(0, 100, step=5),
    kind=Categorical("a", "b c", None, True, 1.5),
    fixed=Int(3, 3),
)
SMALL_TOURS = [Cities(n, 1, form) for n in (3, 4) for form in ("plane", "directed")]
GRIDS = st.sampled_from([Vector(a=Int(0, 4), b=Int(0, 4)), Vector(a=Int(0, 2), b=Categorical(*"xyz"), c=Int(0, 1))])

ON_TOURS: dict[str, Any] = {"problems": tours, "small": SMALL_TOURS}
LOOKING_INTO: dict[str, Any] = {"problems": rugged_tours, "small": SMALL_TOURS, "evaluations": 8, "endless": False}
ON_INSTRUCTIONS: dict[str, Any] = {"problems": lambda: st.builds(Letters), "small": [], "evaluations": 12}
SOLVERS: dict[str, dict[str, Any]] = {
    "opro": {"make": lambda: load("llmopt.solvers", "opro")(obedient()), "mirrored": False, "examples": 1},
    "hybrid": {"make": lambda: load("llmopt.solvers", "hybrid")(obedient()), "mirrored": False, "examples": 1},
    "exhaustive": {"problems": lambda: landscapes(GRIDS), "ties_in_any_order": True, "evaluations": 30},
    "random": {"ties_in_any_order": True},
    "qmc": {"ties_in_any_order": True, "examples": 1},
    "optuna-random": {"ties_in_any_order": True},
    "gp": {"needs": "torch", "evaluations": 14},
    **{name: {"examples": 1} for name in ("tpe", "cma-es", "direct", "basin-hopping", "cobyqa")},
    "shgo": {"examples": 1, "evaluations": 12},
    "lkh": {"needs": "elkai"},
    "2-opt": {"examples": 1},
    "iterated-2-opt": {"examples": 1},
    "held-karp": {"problems": tours},
    "simulated-annealing": {"examples": 1, "evaluations": 6},
    "milp": {"problems": tours, "examples": 1},
    "2-opt-blind": ON_TOURS,
    "genetic": ON_TOURS,
    "random-legs": ON_TOURS,
    "leg-regression": ON_TOURS,
    "hand-written": ON_INSTRUCTIONS,
    "optuna-pool": ON_INSTRUCTIONS,
    "one-shot": ON_INSTRUCTIONS,
    "paraphrase": ON_INSTRUCTIONS,
    "evolution": ON_INSTRUCTIONS,
}


class TestSolvers(SolverChecks):
    examples = 2
    evaluations = 16
    name: str

    @pytest.fixture(autouse=True, params=names("llmopt.solvers"))
    def _one(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param
        needs = SOLVERS.get(self.name, {}).get("needs")
        if needs and importlib.util.find_spec(needs) is None:
            pytest.skip(f"{needs} is not installed")
        special = self._special
        for name in ("examples", "evaluations", "endless", "mirrored", "ties_in_any_order"):
            setattr(self, name, special.get(name, getattr(type(self), name)))

    def make(self) -> Solver:
        if found := SOLVERS.get(self.name, {}).get("make"):
            made: Solver = found()
            return made
        return create_solver(self.name, **({"llm": writer()} if needs_model(self.name) else {}))

    def problems(self) -> SearchStrategy[Problem]:
        # The first example is always the one with a variable of every kind.
        found: SearchStrategy[Problem] = (
            self._special["problems"]()
            if "problems" in self._special
            else st.one_of(st.just(Landscape(MIXED)), landscapes())
        )
        return found

    def small_problems(self) -> Sequence[Problem]:
        found: Sequence[Problem] = self._special.get("small", super().small_problems())
        return found

    @property
    def _special(self) -> Mapping[str, Any]:
        special = SOLVERS.get(self.name, {})
        return LOOKING_INTO | special if self.make().structure is Distances else special


@pytest.mark.slow
class TestSolversAtLength(TestSolvers):
    evaluations = SolverChecks.evaluations

    @pytest.fixture(autouse=True)
    def _more(self, _one: None) -> None:
        self.examples = SolverChecks.examples


class TestHybridOnVectors(SolverChecks):
    """Under its name alone, `hybrid` is tried on tours."""

    examples = 1
    evaluations = 24
    mirrored = False

    def make(self) -> Solver:
        made: Solver = load("llmopt.solvers", "hybrid")(obedient())
        return made

    def problems(self) -> SearchStrategy[Problem]:
        return st.one_of(st.just(Landscape(MIXED)), landscapes())


PROBLEMS: dict[str, list[dict[str, str]]] = {
    "function": [{"name": name} for name in FunctionName.__args__]  # type: ignore[attr-defined]
    + [{"name": "rosenbrock", "dim": "3", "instance": "3", "rotated": "true"}],
    "bbob": [{"function": "1"}, {"function": "21", "dim": "3", "instance": "4"}],
    "tsp": [{}, {"n": "5", "instance": "2"}],
    "regression": [{}, {"w_true": "36", "b_true": "-1", "instance": "2"}],
}
PROMPTS = ("prompt",)


class TestProblems(ProblemChecks):
    examples = 5
    name: str

    @pytest.fixture(
        autouse=True,
        params=[(name, settings) for name in names("llmopt.problems") for settings in PROBLEMS.get(name, [{}])],
        ids=lambda pair: " ".join([pair[0], *pair[1].values()]),
    )
    def _one(self, request: pytest.FixtureRequest) -> None:
        self.name, self.settings = request.param
        if self.name in PROMPTS:
            self.samples = 100

    def make(self) -> Problem:
        return Letters() if self.name in PROMPTS else create_problem(self.name, self.settings)


SPACES: list[Space[Any]] = [
    MIXED,
    Vector(w=Int(-5, 5), b=Int(0, 3), kind=Categorical("a", "b")),
    Vector(share=Float(0, 1, step=0.35), flag=Categorical(True, False)),
    Vector(x=Float(-1, 1)),
    *(Permutation(n, symmetry) for n in (1, 4, 6) for symmetry in ("none", "rotation", "dihedral")),
    Permutation(12),
    Text(60, digits=False),
    Text(4, min_length=0),
]


class TestSpaces(SpaceChecks):
    @pytest.fixture(autouse=True, params=SPACES, ids=lambda space: repr(space)[:60])
    def _one(self, request: pytest.FixtureRequest) -> None:
        self._space: Space[Any] = request.param

    def make(self) -> Space[Any]:
        return self._space


CODECS: list[Callable[[], Codec[Any]]] = [
    *(lambda space=space: codec_for(space) for space in SPACES if getattr(space, "symmetry", "none") == "none"),
    lambda: VectorCodec(MIXED).reversed(),
    lambda: PermutationCodec(Permutation(7), letters=True),
]


class TestCodecs(CodecChecks):
    examples = 8

    @pytest.fixture(autouse=True, params=CODECS, ids=lambda make: type(make()).__name__)
    def _one(self, request: pytest.FixtureRequest) -> None:
        self._codec: Any = request.param()

    def make(self) -> Codec[Any]:
        codec: Codec[Any] = self._codec
        return codec

    def space(self) -> Space[Any]:
        space: Space[Any] = self._codec.space
        return space

    def schema_value(self, solution: Any) -> Any:
        letters = isinstance(self._codec, PermutationCodec) and self._codec.form().startswith("the letters")
        return self._codec.encode(solution).split() if letters else super().schema_value(solution)


class TestSerializers(SerializerChecks):
    @pytest.fixture(autouse=True, params=[Chat, Continuation])
    def _one(self, request: pytest.FixtureRequest) -> None:
        self._kind: type[Serializer] = request.param

    def make(self) -> Serializer:
        return self._kind()


@pytest.fixture(scope="session")
def server() -> Iterator[FaultServer]:
    with FaultServer() as found:
        yield found


@pytest.fixture(scope="session")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Request]]:
    """A log of a model's replies, and the requests in it."""
    folder = tmp_path_factory.mktemp("replayed")
    asked = [Request("1 2 3", n=2, seed=5), Request("a b", n=1, max_tokens=9)]
    with recorded(folder, FunctionLLM(lambda request, i: f"{request.prompt} {i}")) as llm:
        llm.generate(asked)
    with LogReader(folder):
        return str(folder), asked


class TestModels(ModelChecks):
    examples = 5

    @pytest.fixture(
        autouse=True,
        params=[
            pytest.param(name, marks=[pytest.mark.slow, pytest.mark.model] if name == "local" else [])
            for name in names("llmopt.models")
        ],
    )
    def _one(
        self,
        request: pytest.FixtureRequest,
        server: FaultServer,
        replayed: tuple[str, list[Request]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.name = request.param
        for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
            monkeypatch.setenv(name, "k")
        self.specs = {
            "openai": f"openai:gpt-4o@{server.url}/v1",
            "anthropic": f"anthropic:claude-sonnet-5@{server.url}",
            "replay": f"replay:{replayed[0]}",
        }
        self.fixed = self.name == "replay"
        self._asked = replayed[1]

    def make(self) -> LLM:
        return connect(self.specs.get(self.name, self.name))

    def requests(self) -> SearchStrategy[Request]:
        return st.sampled_from(self._asked) if self.fixed else super().requests()


def test_every_kind_of_space_and_every_serializer_is_in_the_list() -> None:
    kinds = [found for name in llmopt.space.__all__ if isinstance(found := getattr(llmopt.space, name), type)]
    missing = {kind for kind in kinds if issubclass(kind, Space) and kind is not Space} - set(map(type, SPACES))
    assert not missing
    assert {Chat, Continuation} == set(Serializer.__subclasses__()) & {
        getattr(llmopt.opro, name) for name in llmopt.opro.__all__
    }


def test_a_table_names_nothing_that_is_not_registered() -> None:
    assert set(SOLVERS) <= set(names("llmopt.solvers"))
    assert {*PROBLEMS, *PROMPTS} == set(names("llmopt.problems"))


def test_a_landscape_says_what_it_is() -> None:
    assert repr(Landscape(Vector(x=Int(0, 1)))).startswith("Landscape(Vector(x=Int(")
