"""What became of a model's replies, kept in the study that they were for."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.study import Study

PREFIX = "llm_sampler:"
"""What the study's user attributes begin with; each sampler writes one of its own, so that none is overwritten."""


@dataclass
class Counts:
    """The counts of one sampler in one study, or of several together.

    Parameters
    ----------
    steps
        Rounds of requests to the model.
    proposals
        Proposals that were read from its replies; each is handed out to one trial.
    invalid
        Replies that could not be read, by reason.
    duplicates
        Trials with proposals of the model whose parameters are those of an earlier trial.
    repeated
        Proposals that the study had already, or that the same round proposed, so that others were asked for.
    random
        Times that a round gave nothing to read, and the trial's parameters were drawn at random.
    altered
        Trials, other than failed ones, that have something else than was proposed: they did not ask for every
        parameter, or one was fixed by the user, or lies outside a range that changed.
    prompt_tokens, completion_tokens
        What the sampler has spent, in all its studies.
    models
        The models that were asked.
    """

    steps: int = 0
    proposals: int = 0
    invalid: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    repeated: int = 0
    random: int = 0
    altered: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    models: list[str] = field(default_factory=list)

    def attribute(self) -> dict[str, Any]:
        """Return the counts as JSON."""
        return {**asdict(self), "invalid": dict(self.invalid)}


def tally(study: Study) -> Counts:
    """Return what all samplers together have counted in a study.

    Examples
    --------
    >>> import optuna
    >>> tally(optuna.create_study()).duplicates
    0
    """
    together = Counts()
    for name, value in study.user_attrs.items():
        if name.startswith(PREFIX):
            counts = Counts(**{**value, "invalid": Counter(value["invalid"])})
            for each, number in vars(counts).items():
                if each != "models":
                    setattr(together, each, getattr(together, each) + number)
            together.models += [model for model in counts.models if model not in together.models]
    return together
