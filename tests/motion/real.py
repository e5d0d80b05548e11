"""The folder of real clips that EMBODIED_MOTIONS names; tests that read them skip where it is unset."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def real_clips(pattern: str) -> list[Path]:
    """Files by a pattern below that folder, in order; skips the test where there is no such folder."""
    if not (folder := os.environ.get("EMBODIED_MOTIONS")):
        pytest.skip("EMBODIED_MOTIONS names no folder of motion clips")
    found = sorted(Path(folder).glob(pattern))
    if not found:
        pytest.skip(f"there is no {pattern} in {folder}, which EMBODIED_MOTIONS names")
    return found
