"""The parts of a data set: what instructions are searched on, what chooses among them, and what judges the choice."""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from llmopt.errors import InvalidInput
from llmopt.problems.prompt.examples import Dataset, Example
from llmopt.settings import unknown_name

Share = Literal["default", "paper"]

SMALLEST = 2
"""Examples of a part that is there at all."""
LARGEST_DEFAULT = 100
"""Examples of a part whose size nobody chose: each costs a call of the scorer for each instruction."""


@dataclass(frozen=True)
class Splits:
    """Three parts of a data set.

    Parameters
    ----------
    train
        What the search sees the scores of.
    validation
        What chooses among the instructions that the search has found; may be empty.
    test
        What nothing but the final report sees.
    dropped
        How many examples were left out because they ask the same as another one.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]
    dropped: int = 0

    @property
    def seen(self) -> set[str]:
        """The normalised inputs of training and validation, which a search knows."""
        return {normalised(example.input) for example in (*self.train, *self.validation)}

    @property
    def duplicates(self) -> int:
        """How many inputs, once normalised, are in the test and in another part; 0 for what :func:`split` gives."""
        return len(self.seen & {normalised(example.input) for example in self.test})

    @property
    def sha256(self) -> str:
        """A checksum of every question and answer of the three parts, in their order."""
        parts = [[[e.input, e.target] for e in part] for part in (self.train, self.validation, self.test)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def split(
    dataset: Dataset,
    *,
    seed: int,
    train: float | int | None = None,
    validation: float | int | None = None,
    test: float | int | None = None,
    share: Share = "default",
) -> Splits:
    """Divide a data set at random into parts that have no input in common.

    Below 1, a size is a share of the different examples, rounded down; from 1 on it is a number of them. Examples
    with the same input, once normalised (see :func:`normalised`), count as one: the first by its target stays. So no
    test item leaks, and none weighs double. What a data set brings as its test part is the test part; an example with
    an input of it is in no other.

    The parts depend on the examples, the seed and the sizes, not on the order of the examples in their file. With
    the same seed a larger training part contains the smaller one, and a test part of a chosen size stays the same.

    Parameters
    ----------
    dataset
        The examples.
    seed
        A whole number from 0 on.
    train, validation, test
        Sizes; None: what ``share`` says. A validation of 0 is none.
    share
        ``default``: 20 % for training and 20 % for validation, each at least 2 and at most 100. ``paper``: 3.5 % for
        training if the data set brings a test part, else 20 %, and no validation. In both the rest is for testing, or
        the whole of the test part that the data set brings.

    Raises
    ------
    InvalidInput
        The data set is empty, a size is not legal, the sizes add to more than there is, or a part would be smaller
        than 2.
    """
    if share not in get_args(Share):
        raise unknown_name("share", share, get_args(Share))
    if seed < 0:
        raise InvalidInput(f"seed={seed} is not legal; give a whole number from 0 on")
    if not dataset.examples:
        raise InvalidInput(f"the data set {dataset.name} is empty; give one with examples")
    own = _different(dataset.test)
    pool = _different(dataset.examples, but=own)
    dropped = len(dataset.examples) + len(dataset.test) - len(pool) - len(own)

    plan = _Plan(dataset.name, {"train": train, "validation": validation, "test": test}, share)
    counts = plan.counts(len(pool), len(own))
    order = np.random.default_rng([seed, 0]).permutation(len(pool))
    # From both ends, so that the size of one part does not change what is in the other.
    found_train, rest = order[: counts["train"]], order[counts["train"] :]
    found_validation = rest[: counts["validation"]]
    if own:
        tested = [own[i] for i in np.random.default_rng([seed, 1]).permutation(len(own))[: counts["test"]]]
    else:
        tested = [pool[i] for i in order[len(pool) - counts["test"] :]]
    return Splits(tuple(pool[i] for i in found_train), tuple(pool[i] for i in found_validation), tuple(tested), dropped)


def normalised(text: str) -> str:
    """Return a text without what does not make another question of it: case, white space, and how accents are coded."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())


def _different(examples: Iterable[Example], but: Sequence[Example] = ()) -> list[Example]:
    """Return the examples whose inputs differ, in an order that does not depend on theirs."""
    taken = {normalised(example.input) for example in but}
    found = []
    keyed = ((normalised(example.input), example.target, example.input, example) for example in examples)
    for key, _, _, example in sorted(keyed, key=lambda entry: entry[:3]):
        if key not in taken:
            taken.add(key)
            found.append(example)
    return found


@dataclass(frozen=True)
class _Plan:
    """Sizes as they were asked for."""

    name: str
    asked: dict[str, float | int | None]
    share: Share

    def counts(self, n: int, own: int) -> dict[str, int]:
        """Return how many of n examples each part gets; ``own`` is the size of the test part that is there already."""
        for part, size in self.asked.items():
            self._check(part, size)
        together = ("train", "validation") if own else ("train", "validation", "test")
        shares = [size for part in together if (size := self.asked[part]) is not None and size < 1]
        total = math.fsum(shares)
        if total > 1 + 1e-9:
            raise InvalidInput(f"{self._given(together)} add to more than 1; give shares that leave room for each part")

        counts = {part: self._size(part, n, own) for part in ("train", "validation")}
        left = n - sum(counts.values())
        everything = len(shares) == len(together) and total > 1 - 1e-9
        if self.asked["test"] is not None and not (everything and not own):
            counts["test"] = _absolute(self.asked["test"], own or n)
        else:
            # Rounding down leaves no example over where the shares are the whole.
            counts["test"] = own or left

        least = {part: SMALLEST if part != "validation" or counts[part] else 0 for part in counts}
        missing = [part for part in counts if counts[part] < least[part]]
        enough = left >= 0 and counts["test"] <= (own or left)
        if missing or not enough:
            raise InvalidInput(self._too_few(n, own, counts, missing))
        return counts

    def _size(self, part: str, n: int, own: int) -> int:
        size = self.asked[part]
        if size is not None:
            return _absolute(size, n)
        if self.share == "default":
            return min(LARGEST_DEFAULT, max(SMALLEST, _absolute(0.2, n)))
        if part == "validation":
            return 0
        return _absolute(0.035 if own else 0.2, n)

    def _check(self, part: str, size: float | int | None) -> None:
        if size is None:
            return
        whole = math.isfinite(size) and size >= 1 and size == int(size)
        if not (0 < size < 1 or whole or (size == 0 and part == "validation")):
            zero = ", or 0 for none" if part == "validation" else ""
            raise InvalidInput(f"{part}={size} is not legal; give a share below 1 or a whole number of examples{zero}")

    def _given(self, parts: Iterable[str]) -> str:
        return ", ".join(f"{part}={self.asked[part]}" for part in parts if self.asked[part] is not None)

    def _too_few(self, n: int, own: int, counts: dict[str, int], missing: list[str]) -> str:
        there = f"{n} different examples" + (f" and {own} for testing" if own else "")
        wanted = ", ".join(f"{part}={max(count, 0)}" for part, count in counts.items())
        why = f"{' and '.join(missing)} would be smaller than {SMALLEST}" if missing else "which is more than there is"
        return (
            f"the data set {self.name} has {there}; its parts would be {wanted}, {why}; set train, validation "
            "(0 for none) and test to sizes that fit, or give more examples"
        )


def _absolute(size: float | int, n: int) -> int:
    # 0.29 of 100 is 28.999999999999996 in floating point.
    return int(size) if size >= 1 else int(size * n + 1e-9)
