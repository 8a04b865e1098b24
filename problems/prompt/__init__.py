"""Prompt optimization: which instruction makes a model answer best (OPRO, arXiv 2309.03409, sections 4 and 5)."""
