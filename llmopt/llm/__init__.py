"""Language models: what they are to the rest of the project, and how to get one."""

from llmopt.llm.base import (
    LLM,
    Capabilities,
    Constraint,
    Message,
    ModelInfo,
    Reply,
    Request,
    Response,
    Sampling,
    Usage,
)
from llmopt.llm.connect import connect

__all__ = [
    "LLM",
    "Capabilities",
    "Constraint",
    "Message",
    "ModelInfo",
    "Reply",
    "Request",
    "Response",
    "Sampling",
    "Usage",
    "connect",
]
