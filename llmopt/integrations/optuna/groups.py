"""Which parameters of a study occur together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from optuna.distributions import BaseDistribution

Item: TypeAlias = tuple[str, str]
"""A parameter: its name and its distribution as text, since not every distribution can be hashed."""

Group: TypeAlias = frozenset[Item]


class Groups:
    """A partition of the parameters of a study into those that occurred in the same trials, made finer by each trial.

    So the parameters of one branch of a conditional search space are proposed together, and only where a trial takes
    that branch. A parameter whose range changed is another one. Parameters with a single value are left out.

    Examples
    --------
    >>> from optuna.distributions import CategoricalDistribution, FloatDistribution
    >>> kind, x = CategoricalDistribution(["svm", "forest"]), FloatDistribution(0, 1)
    >>> groups = Groups()
    >>> groups.add({"kind": kind, "C": x, "gamma": x})
    >>> groups.add({"kind": kind, "depth": x})
    >>> list(groups.common())
    ['kind']
    >>> sorted(name for name, _ in groups.of(item("gamma", x)))
    ['C', 'gamma']
    """

    def __init__(self) -> None:
        self._of: dict[Item, Group] = {}
        self._distributions: dict[Item, BaseDistribution] = {}
        self._common: Group | None = None
        self._latest: Group = frozenset()

    def add(self, distributions: Mapping[str, BaseDistribution]) -> None:
        """Take in the parameters of a finished trial."""
        named = {item(name, d): d for name, d in distributions.items() if not d.single()}
        trial = frozenset(named)
        self._common = trial if self._common is None else self._common & trial
        if trial == self._latest:
            return
        self._latest = trial
        self._distributions |= named
        fresh = trial.difference(self._of)
        for group in set(self._of.values()):
            if group & trial and group - trial:
                self._put(group & trial)
                self._put(group - trial)
        self._put(fresh)

    def _put(self, group: Group) -> None:
        self._of.update(dict.fromkeys(group, group))

    @property
    def single(self) -> bool:
        """Whether every trial had the same parameters."""
        return len(set(self._of.values())) == 1

    def common(self) -> dict[str, BaseDistribution]:
        """Return the parameters that every trial had: Optuna's intersection search space."""
        return self.distributions(self._common or ())

    def of(self, parameter: Item) -> Group:
        """Return the group of a parameter; empty where it is not known."""
        return self._of.get(parameter, frozenset())

    def parts(self, items: Group) -> list[Group]:
        """Return the known ones among some parameters, divided into what lies in the same group."""
        found = {self._of[each] for each in items if each in self._of}
        return sorted((group & items for group in found), key=sorted)

    def distributions(self, items: Iterable[Item]) -> dict[str, BaseDistribution]:
        """Return the distributions of parameters, in the order of their names."""
        return {each[0]: self._distributions[each] for each in sorted(items)}


def item(name: str, distribution: BaseDistribution) -> Item:
    """Return what identifies a parameter."""
    return name, repr(distribution)
