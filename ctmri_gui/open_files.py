"""What is open is never written over: the scan behind a synthetic image may be the only copy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ctmri_core.files import same_file

KEPT = "{name} belongs to a scan that is open. Choose another name, so that the scan is kept."


def writes_over(target: Path, sources: Sequence[Path]) -> bool:
    """Whether writing to `target` would touch a file of `sources` (files and folders that were opened)."""
    if not target.exists():
        return False
    target = target.resolve()
    return any(
        same_file(target, source) or source.resolve().is_relative_to(target) or target.is_relative_to(source.resolve())
        for source in sources
    )
