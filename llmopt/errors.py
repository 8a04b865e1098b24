"""The errors a user can act on: one line each, naming the input, what is legal and what to do."""


class LlmoptError(Exception):
    """Base of every error that is meant for a user; the command line prints it without a traceback."""


class InvalidInput(LlmoptError, ValueError):
    """An argument, option or file is not legal; nothing was evaluated. Exit code 2."""


class MissingExtra(LlmoptError, ImportError):
    """An optional dependency is not installed; the message holds the command that installs it. Exit code 2."""


class ModelError(LlmoptError, RuntimeError):
    """A language model could not answer; what was evaluated before is kept. Exit code 1."""


class DecodeError(LlmoptError, ValueError):
    """A text does not denote a solution; the message is the reason that is counted."""
