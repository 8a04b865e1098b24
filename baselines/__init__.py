"""Solvers without a language model: exhaustive, random, Optuna's, SciPy's, and model-free controls."""
