"""What becomes of a file when it is opened as the program opens it, and whether that is what had to become of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from ctmri_core.errors import FileRefused
from ctmri_core.events import finish
from ctmri_core.io.opening import load, preview, scan
from ctmri_core.io.series import Series
from ctmri_core.volume import Finding, Volume
from tests.hostile.kinds import OUTSIDE, SECRET, SPACING, Kind

PATIENT = ("Doe", "Jane", "4711", "2.25.1234")
"""What stands in the headers of the kinds about the patient and must never be said."""
MOST_SECONDS = 15.0
"""Of work; whoever waits for nothing runs into the limit of a test."""
_MOST_SERIES = 4


@dataclass
class Verdict:
    """`outcome`: opened, refused, or the name of an exception that must not be. `message`: the refusal."""

    outcome: str
    seconds: float
    message: str = ""
    series: tuple[Series, ...] = ()
    volumes: list[Volume] = field(default_factory=list)

    @property
    def findings(self) -> set[str]:
        return {finding.kind for finding in self._findings()}

    @property
    def said(self) -> list[str]:
        """Everything that would be shown."""
        return [self.message, *(each.label for each in self.series), *(finding.message for finding in self._findings())]

    def _findings(self) -> list[Finding]:
        return [finding for holder in (*self.series, *self.volumes) for finding in holder.findings]


def verdict_on(path: Path) -> Verdict:
    """Scans, previews and loads as the window does."""
    start = worked()
    verdict = Verdict("opened", 0.0)
    refusals = []
    try:
        verdict.series = scan(path)
        for series in verdict.series[:_MOST_SERIES]:
            try:
                preview(series)
                volume = finish(load(series))
                assert volume is not None
                verdict.volumes.append(volume)
            except FileRefused as refusal:
                refusals.append(refusal)
    except FileRefused as refusal:
        refusals.append(refusal)
    except Exception as error:  # noqa: BLE001  # the very thing that is looked for
        verdict.outcome, verdict.message = _where(error), repr(error)[:300]
    if verdict.outcome == "opened" and not verdict.volumes:
        verdict.outcome, verdict.message = "refused", str(refusals[0]) if refusals else "nothing found"
    verdict.seconds = worked() - start
    return verdict


def worked() -> float:
    """Seconds of a processor that this process and those it started have had: a clock would count what others had meanwhile."""
    me = psutil.Process()
    total = sum(me.cpu_times()[:4])  # with those of children that have ended
    for child in me.children(recursive=True):
        with suppress(psutil.Error):
            total += sum(child.cpu_times()[:4])
    return total


def _where(error: BaseException) -> str:
    """The exception's type and the line of ours that let it through, which together make a kind of defect."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "ctmri_core" in code.co_filename:
            place = f"{Path(code.co_filename).name}:{code.co_name}"
        trace = trace.tb_next
    return f"{type(error).__name__} in {place}"


def faults(kind: Kind, path: Path, verdict: Verdict) -> list[str]:
    """What is wrong with `verdict`; empty when it is as it had to be."""
    expected, found = kind.expectation, general_faults(path, verdict)
    if found:
        return found
    if verdict.outcome == "refused":
        if expected.outcome == "opens":
            found.append(f"refused: {verdict.message}")
        elif expected.word.lower() not in verdict.message.lower():
            found.append(f"{expected.word!r} is not named: {verdict.message}")
        return found
    if expected.outcome == "refused":
        return [f"opened with {sorted(verdict.findings)}"]
    if expected.finding and expected.finding not in verdict.findings:
        found.append(f"no finding {expected.finding!r} but {sorted(verdict.findings)}")
    if expected.truth is not None and not any(_equal(volume, expected.truth) for volume in verdict.volumes):
        found.append("other voxels than the file holds")
    return found


def general_faults(path: Path, verdict: Verdict) -> list[str]:
    """What no file may bring about."""
    if verdict.outcome not in ("opened", "refused"):
        return [f"{verdict.outcome}: {verdict.message}"]
    found = []
    if verdict.seconds > MOST_SECONDS:
        found.append(f"took {verdict.seconds:.1f} s")
    folder = str(path.parent.parent)
    for text in verdict.said:
        if any(word in text for word in PATIENT) or (len(folder) > 4 and folder in text):
            found.append(f"tells of patient or place: {text[:200]!r}")
        if any(ord(character) < 32 for character in text):
            found.append(f"says control characters: {text[:200]!r}")
        if len(text) > 1500:
            found.append(f"says {len(text)} characters")
    for volume in verdict.volumes:
        if not np.isfinite(volume.voxels).all() or not np.isfinite(volume.geometry.affine).all():
            found.append("lets numbers through that are not finite")
        if OUTSIDE not in path.parts and (volume.voxels == SECRET).all():
            found.append("shows what lies outside")
    return found


def _equal(volume: Volume, truth: Any) -> bool:
    whole = volume.voxels.shape == truth.shape and np.array_equal(volume.voxels, truth)
    return whole or (volume.voxels.shape == truth.shape and np.array_equal(volume.voxels[::-1], truth))


def has_common_spacing(volume: Volume) -> bool:
    return bool(np.allclose(volume.geometry.spacing, SPACING))


_recording: list[str] | None = None
_hooked = False


@contextmanager
def opened_paths() -> Iterator[list[str]]:
    """The names of the files and folders that this process opens meanwhile (not those of the reader process)."""
    global _recording, _hooked
    if not _hooked:
        sys.addaudithook(_hear)
        _hooked = True
    _recording = []
    try:
        yield _recording
    finally:
        _recording = None


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _recording is None or event not in ("open", "os.listdir", "os.scandir"):
        return
    if isinstance(arguments[0], str | bytes | os.PathLike):
        _recording.append(os.fsdecode(arguments[0]))


def looked_outside(paths: list[str], root: Path) -> list[str]:
    """Those of `paths` that lead to the folder beside the kinds, however they are written."""
    outside = (root / OUTSIDE).resolve()
    return [path for path in paths if "\0" not in path and Path(path).resolve().is_relative_to(outside)]


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file below `folder`, to see whether something was written."""
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in sorted(folder.rglob("*"))}
