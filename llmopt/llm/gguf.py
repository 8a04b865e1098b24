"""What is read from a GGUF file before it is given to llama.cpp."""

from __future__ import annotations

import hashlib
import mmap
import struct
from pathlib import Path

from llmopt.errors import InvalidInput

_TEMPLATE_KEY = b"tokenizer.chat_template"
_METADATA_LIMIT = 64 * 2**20


def check(path: Path) -> None:
    """Refuse a file that cannot be a model.

    Raises
    ------
    InvalidInput
        The file is missing, unreadable or does not start as a GGUF file does.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError:
        raise InvalidInput(f"model file {path} does not exist") from None
    except OSError as error:
        raise InvalidInput(f"model file {path} cannot be read: {error.strerror}") from None
    if magic != b"GGUF":
        raise InvalidInput(f"model file {path} is not a GGUF file (it starts with {magic!r}, not b'GGUF')")


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, which tells its weights from others of the same name."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def has_chat_template(path: Path) -> bool:
    """Return whether the model brings a chat template, that is, whether it was trained to converse.

    llama.cpp invents one where there is none, so its own answer does not tell.
    """
    key = struct.pack("<Q", len(_TEMPLATE_KEY)) + _TEMPLATE_KEY
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(key, 0, _METADATA_LIMIT) >= 0
