"""Optimization by prompting: serializers, codecs and the solver."""

from llmopt.opro.codec import Codec, Decoded, codec_for
from llmopt.opro.serializer import Chat, Continuation, Prompt, Serializer, View
from llmopt.opro.solver import OPRO

__all__ = ["OPRO", "Chat", "Codec", "Continuation", "Decoded", "Prompt", "Serializer", "View", "codec_for"]
