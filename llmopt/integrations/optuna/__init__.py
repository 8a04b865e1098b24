"""A sampler for studies of Optuna whose proposals come from a language model."""

from llmopt.integrations.optuna.counts import Counts, tally
from llmopt.integrations.optuna.sampler import LLMSampler

__all__ = ["Counts", "LLMSampler", "tally"]
