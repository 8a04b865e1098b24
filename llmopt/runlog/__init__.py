"""The run log: every evaluation and every model reply of a folder's runs; to resume is to replay."""

from llmopt.runlog.log import RunLog, Slot
from llmopt.runlog.logged_run import LoggedRun
from llmopt.runlog.reader import LogReader

__all__ = ["LogReader", "LoggedRun", "RunLog", "Slot"]
