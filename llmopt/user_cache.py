"""Where things are kept between runs: model files, replies, shortest tours."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def user_cache() -> Path:
    """Return the folder: ``$LLMOPT_CACHE``, or the system's place for the user's caches."""
    named = os.environ.get("LLMOPT_CACHE")
    return Path(named) if named else platformdirs.user_cache_path("llmopt")
