"""Where the labelled data of the evaluations is: it is not part of the project, and without it they are skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("AIOPS_EVAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
"""The folder that AIOPS_EVAL_DATA names, else `../shared/data` beside the checkout."""


def skipped_without(found: list[str] | list[Path]) -> pytest.MarkDecorator:
    """Skips what has no data, and says where it would be looked for."""
    reason = "no evaluation data: neither does AIOPS_EVAL_DATA name its folder, nor is it in ../shared/data"
    return pytest.mark.skipif(not found, reason=reason)
