"""Which graphics cards training could use, found without loading torch."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 10.0
_NO_CUDA = re.compile(r"^cuda\b[^=\n]*=\s*None\s*$", re.MULTILINE)


@dataclass(frozen=True)
class GraphicsCards:
    """`names`: of those that can be used; `reason`: why there are none, in a sentence."""

    names: tuple[str, ...] = ()
    reason: str = ""


def graphics_cards() -> GraphicsCards:
    """Asks the driver, which takes about a second at most. `CUDA_VISIBLE_DEVICES` hides cards as it does from torch."""
    if _works_on_processors_alone():
        return GraphicsCards(reason="This installation of torch computes on the processor alone.")
    names = _listed()
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if names and hidden is not None:
        shown = [part for part in hidden.split(",") if part.strip() not in ("", "-1")]
        names = names[: len(shown)]
        if not names:
            return GraphicsCards(reason="CUDA_VISIBLE_DEVICES hides every graphics card.")
    return GraphicsCards(names, "" if names else "No NVIDIA graphics card was found.")


def _works_on_processors_alone() -> bool:
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    try:
        return _NO_CUDA.search(Path(spec.origin).with_name("version.py").read_text("utf-8")) is not None
    except OSError:  # frozen into one file
        return False


def _listed() -> tuple[str, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        said = subprocess.run(
            [program, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, timeout=_SECONDS, check=False,
            stdin=subprocess.DEVNULL, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(line.strip() for line in said.stdout.splitlines() if line.strip()) if said.returncode == 0 else ()
