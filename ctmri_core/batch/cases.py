"""The cases that lie in folders and files: what is to be translated, what is left out and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ctmri_core.batch.fingerprints import files_of
from ctmri_core.batch.order import BatchOrder
from ctmri_core.data.layouts.names import says_mask
from ctmri_core.errors import FileRefused, printable, shown_name
from ctmri_core.events import StopSignal
from ctmri_core.io.folder_files import FolderFiles
from ctmri_core.io.formats import FILE_SUFFIXES, VOLUME_SUFFIXES
from ctmri_core.io.opening import scan, survey
from ctmri_core.io.series import Series, straightened, with_spacing

_OF_ALL = ("several_patients",)
"""Kinds of findings that are told of every series in a folder, and say nothing of one that was meant by itself."""
_SUFFIXES = (".nii.gz", ".mgh.gz", ".hdr.gz", ".img.gz", ".zip", ".gz")


@dataclass(frozen=True)
class FoundCase:
    """`place`: where it lies below what was given, which tells it from all others; `name`: for people and for its results,
    several cases may suggest one name. `files`: all that it is read from. `series`: None where `refusal` says why it cannot be
    opened; `left_out`: why nobody would want it translated; `remark`: what was said of other files
    beside it, once for all of them.
    """

    place: str
    name: str
    files: tuple[Path, ...]
    series: Series | None = None
    refusal: str = ""
    left_out: str = ""
    remark: str = ""


def find_cases(order: BatchOrder, stop: StopSignal) -> tuple[FoundCase, ...]:
    """All that lies in the inputs of `order`. Raises `FileRefused` where an input itself cannot be read, and `Stopped`."""
    found: list[FoundCase] = []
    for root, within in roots_of(order.inputs):
        if root.is_dir():
            results = results_within(root, order)
            files = [path for path in FolderFiles(root) if not path.is_relative_to(results)] if results else None
            found += cases_in(root, within, order, stop, files)
        else:
            found += cases_in(root, within, order, stop)
    return tuple(found)


def roots_of(inputs: Sequence[Path]) -> list[tuple[Path, str]]:
    """The inputs, each with what places within it begin with: nothing where it is the only one, else its name."""
    if len(inputs) == 1:
        return [(inputs[0], "")]
    names: Counter[str] = Counter()
    roots = []
    for path in inputs:
        name = shown_name(path)
        names[name] += 1
        roots.append((path, f"{name}/" if names[name] == 1 else f"{name}-{names[name]}/"))
    return roots


def scan_at(inputs: Sequence[Path], place: str) -> Path | None:
    """What a person opens to see the scan at `place`: its file, or the folder of its slices; None where it is gone."""
    place = re.sub(r"#\d+$", "", place)
    for root, within in reversed(roots_of(inputs)):
        if place.startswith(within):
            path = root if root.is_file() else root / place.removeprefix(within)
            if path.is_file():
                is_volume = path.name.lower().endswith((*FILE_SUFFIXES, *VOLUME_SUFFIXES, ".zip"))
                return path if is_volume or path == root else path.parent
    return None


def results_within(root: Path, order: BatchOrder) -> Path | None:
    """The folder of the results, where it lies in `root`: what is in there is not looked at."""
    output, top = order.output.resolve(), root.resolve()
    return root / output.relative_to(top) if output.is_relative_to(top) else None


def cases_in(
    root: Path, within: str, order: BatchOrder, stop: StopSignal, files: Sequence[Path] | None = None
) -> list[FoundCase]:  # fmt: skip
    """The cases in one file or folder; `files`: all there is to look at in the folder. Raises as `find_cases` does."""
    if root.is_dir():
        seen = survey(root, stop, files)
        listed, refusals = seen.series, seen.refusals
    else:
        try:
            listed, refusals = scan(root, stop), ()
        except FileRefused as problem:
            listed, refusals = (), (problem,)
    top = root if root.is_dir() else root.parent
    counts: Counter[str] = Counter()
    cases = []
    for series in listed:
        source = _source(series)
        place = within + _below(top, source)
        counts[place] += 1
        place = place if counts[place] == 1 else f"{place}#{counts[place]}"
        cases.append(_case(place, within + _name(top, series, source), series, order))
    for refusal in refusals:
        place = within + _below(top, refusal.path)
        name = within + _without_suffix(_below(top, refusal.path))
        cases.append(FoundCase(place, name, _existing(refusal.path), refusal=str(refusal)))
    return cases


def _case(place: str, name: str, series: Series, order: BatchOrder) -> FoundCase:
    left_out = ""
    if series.localizer:
        left_out = "It is a localizer, or a picture beside the scans."
    elif series.synthetic:
        left_out = "It is synthetic already."
    elif series.path.is_file() and says_mask(_without_suffix(series.path.name)):
        left_out = "Its name says that it is a mask."
    if order.spacing is not None:
        series = with_spacing(series, order.spacing)
    series = straightened(series) if order.straighten else series
    remarks = [finding for finding in series.findings if finding.kind == "left_out" and not finding.serious]
    others = tuple(finding for finding in series.findings if finding not in remarks and finding.kind not in _OF_ALL)
    series = replace(series, findings=others)
    remark = " ".join(finding.message for finding in remarks)
    return FoundCase(place, name, files_of(series), series, series.refusal or "", left_out, remark)


def _source(series: Series) -> Path:
    """The file that stands for a series: what was opened, or the first of many."""
    return series.path if series.path.is_file() else min(series.files, default=series.path)


def _name(top: Path, series: Series, source: Path) -> str:
    """Of a single file its own name, of many that of the folder they lie in."""
    if series.path.is_file() or len(series.files) == 1:
        return _without_suffix(_below(top, source))
    return _below(top, _common(path.parent for path in series.files))


def _common(folders: Iterable[Path]) -> Path:
    first, *others = dict.fromkeys(folders)
    while not all(folder.is_relative_to(first) for folder in others):
        first = first.parent
    return first


def _below(top: Path, path: Path) -> str:
    inside = path.relative_to(top).as_posix() if path.is_relative_to(top) else path.name
    return printable(inside if inside != "." else shown_name(top))


def _without_suffix(place: str) -> str:
    folder, slash, name = place.rpartition("/")
    lower = name.lower()
    packed = next((suffix for suffix in _SUFFIXES if lower.endswith(suffix)), None)
    stem = name[: -len(packed)] if packed else name.rpartition(".")[0]
    return f"{folder}{slash}{stem or name}"


def _existing(path: Path) -> tuple[Path, ...]:
    return (path,) if path.is_file() else ()
