"""Problems that come with llmopt; each is found by name through the entry points ``llmopt.problems``."""
