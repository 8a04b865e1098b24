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


class LogError(LlmoptError, RuntimeError):
    """A run log could not be written or read; what was written before is kept. Exit code 1."""


class ReplayDiverged(LogError):
    """A run that is resumed proposes something else than its log holds; nothing was changed. Exit code 1."""


class WorkerError(LlmoptError, RuntimeError):
    """The workers that evaluate cannot go on; what was evaluated is kept. Exit code 1."""
