"""Which targets a distribution of runtimes is about, for any problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmopt.benchmarks.results import Trace, by_problem
from llmopt.benchmarks.runtimes import hitting_times, runtime_profile

COUNT = 51
COCO_TOLERANCE = 1e-8
COCO = np.logspace(2, -8, COUNT)
"""The gaps of COCO's runtime profiles (cocopp, ``pprldmany_target_values``)."""
DECADES = 10
"""The gaps of a problem span at most so many, as COCO's do."""


@dataclass(frozen=True)
class Targets:
    """Gaps above a reference, which is a loss of its own on each instance of a problem.

    Attributes
    ----------
    gaps
        From easy to hard, shape (t,), in units of the loss.
    references
        The loss from which gaps are counted, by instance.
    optimal
        Whether every reference is the known optimum; else it is the best loss that any of the runs has seen, so that
        the targets depend on who took part.
    """

    gaps: NDArray[np.float64]
    references: Mapping[int, float]
    optimal: bool

    def losses(self, trace: Trace) -> NDArray[np.float64]:
        """Return the losses to be reached in a run, shape (t,): none lies below the target, at which a run ends."""
        losses = self.references[trace.record.instance] + self.gaps
        return losses if trace.target is None else np.maximum(losses, trace.target)

    def times(self, traces: Sequence[Trace]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the hitting times of r runs of this problem, shape (r, t), and what they spent in all, shape (r,)."""
        times = np.array([hitting_times(trace.losses, self.losses(trace)) for trace in traces])
        return times, np.array([len(trace.losses) for trace in traces], dtype=np.float64)

    def describe(self) -> str:
        """Say what the targets are."""
        seen = "the best loss that any of these runs has seen (the optimum is not known)"
        above = "the optimum" if self.optimal else seen
        return f"{len(self.gaps)} gaps from {self.gaps[0]:.3g} to {self.gaps[-1]:.3g} above {above}"


def choose_targets(traces: Sequence[Trace]) -> Targets:
    """Choose the targets of a problem, given all runs on it: of every solver, and of every one that is compared later.

    Gaps are counted from the optimum of the instance; where that is not known, from the best loss that any run on the
    instance has seen. The 51 targets are

    - those of COCO, 10^2 to 10^-8, where the tolerance of the problem's own target is COCO's 10^-8;
    - else spaced evenly on a logarithmic scale from the gap of the start points (the median over the runs of the median
      over a run's start points) to that tolerance;
    - where a finite space makes losses discrete, or no tolerance says how close is close enough: 50 so spaced down to
      the smallest gap above the tolerance that any run has seen (but over at most 10 decades), since below it all
      targets would be the same, and at last the problem's own.

    The tolerance is the largest over the instances.
    """
    # A run that evaluated nothing does not say what its optimum is.
    optimal = all(trace.optimum is not None for trace in traces if len(trace.losses))
    references = _references(traces, optimal)
    start = _start_gap(traces, references)
    largest = max(0.0, *(tolerance(trace, references[trace.record.instance]) for trace in traces))
    # The difference of optimum and target is rounded where the optimum is far from zero.
    if optimal and np.isclose(largest, COCO_TOLERANCE, rtol=1e-3, atol=0):
        return Targets(COCO, references, optimal)
    start = max(start, largest)
    if largest > 0 and traces[0].run.space.size is None:
        return Targets(np.geomspace(start, largest, COUNT), references, optimal)
    finest = _finest_gap(traces, references, max(largest, start / 10.0**DECADES))
    spaced = np.geomspace(start, min(finest, start), COUNT - 1) if start > 0 else np.zeros(COUNT - 1)
    return Targets(np.append(spaced, largest), references, optimal)


def tolerance(trace: Trace, reference: float) -> float:
    """Return the largest gap above a loss at which a run is a success; 0 where it has no target."""
    return 0.0 if trace.target is None or np.isinf(reference) else trace.target - reference


def profile(
    traces: Sequence[Trace], targets: Mapping[str, Targets], at: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the runtime profile of a solver over problems, see :func:`llmopt.benchmarks.runtimes.runtime_profile`.

    Parameters
    ----------
    traces
        The solver's runs, at least one on every problem: solvers are compared on the same ones.
    targets
        Those of each problem.
    at
        Numbers of evaluations, shape (e,).
    rng
        Draws the simulated restarts.

    Returns
    -------
    ndarray
        Shares of the pairs of a problem and a target, shape (e,).
    """
    runs = by_problem(traces)
    return runtime_profile([chosen.times(runs[problem]) for problem, chosen in targets.items()], at, rng)


def _references(traces: Sequence[Trace], optimal: bool) -> dict[int, float]:
    references: dict[int, float] = {}
    for trace in traces:
        instance = trace.record.instance
        best = float(np.fmin.reduce(trace.losses, initial=np.inf))
        seen = trace.optimum if optimal and trace.optimum is not None else best
        references[instance] = min(seen, references.get(instance, np.inf))
    # Nothing is reached on an instance on which nobody has a score.
    return {instance: loss if np.isfinite(loss) else -np.inf for instance, loss in references.items()}


def _start_gap(traces: Sequence[Trace], references: Mapping[int, float]) -> float:
    gaps = []
    for trace in traces:
        starts = trace.losses[trace.steps == 0]
        starts = starts[np.isfinite(starts)]
        if len(starts):
            gaps.append(float(np.median(starts)) - references[trace.record.instance])
    return max(float(np.median(gaps)), 0.0) if gaps else 0.0


def _finest_gap(traces: Sequence[Trace], references: Mapping[int, float], above: float) -> float:
    finest = np.inf
    for trace in traces:
        gaps = trace.losses - references[trace.record.instance]
        finest = min(finest, float(np.min(gaps, where=gaps > above, initial=np.inf)))
    return finest
