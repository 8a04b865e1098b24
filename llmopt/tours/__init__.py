"""Round trips: their lengths, exact methods and local search, for problems, baselines and hybrid solvers alike."""

from llmopt.tours.distances import Distances

__all__ = ["Distances"]
