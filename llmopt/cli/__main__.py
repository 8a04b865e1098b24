"""``python -m llmopt.cli``."""

from llmopt.cli import main

main()
