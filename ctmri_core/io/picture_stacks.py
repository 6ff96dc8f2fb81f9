"""Which pictures of a folder are one stack, in which order, and what their names and headers leave in doubt."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctmri_core.errors import FileRefused, GeometryMismatch
from ctmri_core.geometry import Geometry, Triple
from ctmri_core.io.domain_guess import known_words
from ctmri_core.io.picture_headers import SUFFIXES, PictureHeader, read_header
from ctmri_core.io.series import ESTIMATED_SPACING
from ctmri_core.volume import Finding

_MOST_PLACES = 3
_MOST_NEIGHBOURS = 10_000
_L, _P, _S, _I = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
PLANES = {"axial": (_S, _P, _L), "coronal": (_P, _I, _L), "sagittal": (_L, _I, _P)}
"""Directions of k, j and i that are customary for pictures of a plane."""


class SliceRecord(BaseModel):
    """What this program wrote into a PNG of its own; see `png_slices`."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    version: int = Field(ge=1, le=1)
    mark: str
    k: int = Field(ge=0)
    count: int = Field(ge=1)
    rows: int
    columns: int
    slope: float
    intercept: float
    spacing: Triple
    origin: Triple
    direction: tuple[Triple, Triple, Triple]
    note: str = ""


@dataclass(frozen=True)
class Stack:
    """Pictures that form one volume: `files` in slice order, or one file of several pages. `lost`: pictures of the stack that
    cannot be read. `record`: of the first slice, where the pictures are or were this program's own.
    """

    files: tuple[Path, ...]
    header: PictureHeader
    record: SliceRecord | None = None
    lost: tuple[FileRefused, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        pages, rows, columns = self.header.upright
        return (pages * len(self.files), rows, columns)

    @property
    def own(self) -> SliceRecord | None:
        """`record`, where the pictures are still as this program wrote them."""
        return self.record if self.record is not None and _describes(self.record, self.header) else None


def stacks(files: Iterable[Path]) -> tuple[list[Stack], list[FileRefused]]:
    """(stacks, refusals of files that belong to none of them): one stack are the files whose names differ by their last number
    alone, of one kind, size and depth, in natural order; every file of several pages is a stack of its own.
    """
    groups: dict[object, list[tuple[Path, PictureHeader, SliceRecord | None]]] = defaultdict(list)
    lost: dict[object, list[FileRefused]] = defaultdict(list)
    for file in sorted(files, key=lambda file: natural(file.name)):
        family = without_number(file.stem).lower(), SUFFIXES.get(file.suffix.lower(), "")
        try:
            header = read_header(file)
        except FileRefused as refusal:
            lost[family].append(refusal)
            continue
        record = own_record(header)
        common = record.model_copy(update={"k": 0}) if record else None
        single = file if header.shape[0] > 1 else None
        groups[family, header.kind, header.upright, header.code, header.slope, header.intercept, common, single].append(
            (file, header, record)
        )
    found = []
    for key, group in groups.items():
        assert isinstance(key, tuple)
        ordered = sorted(group, key=lambda entry: entry[2].k if entry[2] and _describes(entry[2], entry[1]) else 0)
        refusals = tuple(lost.pop(key[0], ()))
        header = replace(ordered[0][1], pages=())  # to be read again when loading, and no weight until then
        found.append(Stack(tuple(file for file, _, _ in ordered), header, ordered[0][2], refusals))
    return found, [refusal for refusals in lost.values() for refusal in refusals]


def own_record(header: PictureHeader) -> SliceRecord | None:
    """The record in a picture of our own; None in any other."""
    if not header.record:
        return None
    try:
        return SliceRecord.model_validate_json(header.record)
    except (ValidationError, RecursionError):
        return None


def _describes(record: SliceRecord, header: PictureHeader) -> bool:
    """False where the picture was cropped, resized, turned or brought to other grey levels since it was written."""
    return header.code == "u2" and header.orientation == 1 and header.shape[1:] == (record.rows, record.columns)


def own_geometry(stack: Stack) -> tuple[Geometry, tuple[Finding, ...]]:
    """The grid of this program's own slices, from the first that is there on. Raises `FileRefused` when one is missing."""
    record = stack.own
    assert record is not None
    numbers = [found.k if (found := own_record(read_header(file))) else -1 for file in stack.files]
    folder = stack.files[0].parent if len(stack.files) > 1 else stack.files[0]
    if numbers != list(range(record.k, record.k + len(numbers))):
        raise FileRefused(folder, "is not complete: slices are missing or doubled.", "Copy the folder or save the volume again.")
    try:
        size = (max(record.count, record.k + len(numbers)), *stack.shape[1:])
        whole = Geometry(size, record.spacing, record.origin, record.direction)
    except GeometryMismatch as error:
        raise FileRefused(folder, f"its record gives no usable grid: {error}", "Save the volume again.") from None
    findings = []
    if len(numbers) < record.count:
        first, last = record.k + 1, record.k + len(numbers)
        which = f"slice {first}" if first == last else f"slices {first} to {last}"
        findings.append(Finding("part", f"This is {which} of a volume of {record.count} slices.", serious=len(numbers) > 1))
    if record.note:
        findings.append(Finding("rounded", "The values were rounded to fit into 16-bit pictures."))
    return whole.cropped((record.k, 0, 0), stack.shape), tuple(findings)


def guessed_geometry(stack: Stack) -> tuple[Geometry, tuple[Finding, ...]]:
    """The customary grid for pictures, and what of it is a guess."""
    words = re.split(r"[\W_]+", stack.files[0].stem.lower())
    plane = next((name for name in PLANES if name in words), "axial")
    message = f"Pictures do not say how the patient lies; taken for {plane} slices."
    findings = [Finding("missing_orientation", message, serious=True)]
    spacing = stack.header.spacing
    if spacing is None:
        message = "Pictures have no voxel size; 1 mm is assumed, so lengths are not real."
        findings.append(Finding(ESTIMATED_SPACING, message, serious=True))
    elif not spacing[0]:
        message = "The picture does not say how thick its slices are; 1 mm is assumed, so lengths across them are not real."
        findings.append(Finding(ESTIMATED_SPACING, message, serious=True))
    between, row, column = spacing or (1.0, 1.0, 1.0)
    return Geometry(stack.shape, (between or 1.0, row, column), direction=PLANES[plane]), tuple(findings)


def doubts(stack: Stack) -> tuple[Finding, ...]:
    """What else is to be known about the pictures: gaps, what cannot be read, what was lost or turned."""
    findings = []
    if stack.lost:
        what = "One picture of this stack" if len(stack.lost) == 1 else f"{len(stack.lost)} pictures of this stack"
        message = f"{what} cannot be read, so slices are missing: {stack.lost[0].problem}"
        findings.append(Finding("left_out", message, serious=True))
    if stack.own is None:
        findings += _gaps(stack.files)
        if stack.record is not None:
            message = "This program made the pictures and something changed their size or depth since: place and scale are lost."
            findings.append(Finding("edited", message, serious=True))
    if stack.header.called:
        message = f"The file calls its pages {stack.header.called}, not slices; they were taken for slices."
        findings.append(Finding("pages", message, serious=True))
    if stack.header.indexed:
        findings.append(Finding("indexed", "The pictures name colours by number: the numbers were taken, as those of labels."))
    if stack.header.kind == "jpeg":
        message = "JPEG pictures are compressed with loss: values and fine detail are not the original ones."
        findings.append(Finding("lossy", message))
    if stack.header.orientation != 1:
        findings.append(Finding("turned", "The picture asks to be shown turned or mirrored, which was done."))
    return tuple(findings)


def has_neighbours(file: Path) -> bool:
    """Whether the folder of a picture holds others whose names differ from its name by the last number alone."""
    family = without_number(file.stem)
    if family == file.stem:
        return False
    try:
        others = list(islice(file.parent.iterdir(), _MOST_NEIGHBOURS))
    except OSError:  # a folder that may be entered and not listed
        return False
    alike = (other for other in others if other.suffix == file.suffix and without_number(other.stem) == family)
    return any(other.name != file.name for other in alike)


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts `2.png` before `10.png`."""
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"([0-9]+)", name)]


def without_number(stem: str) -> str:
    """`stem` with its last number replaced."""
    found = _last_number(stem)
    return stem if found is None else f"{stem[: found.start()]}#{stem[found.end() :]}"


def last_number(stem: str) -> int | None:
    """The last number in a name; that in `t1` and other words for what a picture shows is none."""
    found = _last_number(stem)
    return None if found is None else int(found[0])


def _last_number(stem: str) -> re.Match[str] | None:
    for word in reversed(list(re.finditer(r"[^\W_]*[0-9][^\W_]*", stem))):
        if not known_words(word[0]):
            return list(re.compile(r"[0-9]+").finditer(stem, word.start(), word.end()))[-1]
    return None


def _gaps(files: Sequence[Path]) -> Iterator[Finding]:
    """Whether the numbers of a stack go up in even steps. What is missing at its ends cannot be known."""
    numbers = [last_number(file.stem) for file in files]
    steps = [(before, after) for before, after in pairwise(numbers) if before is not None and after is not None]
    widths = {after - before for before, after in steps}
    if not steps or widths == {1} or (len(widths) == 1 and len(steps) > 1):
        return
    usual = 1 if len(steps) == 1 else max(min(widths), 1)
    odd = [f"{before} and {after}" for before, after in steps if after - before != usual]
    more = f" and in {len(odd) - _MOST_PLACES} more places" if len(odd) > _MOST_PLACES else ""
    message = (
        f"The numbers of the pictures do not go up evenly, between {', '.join(odd[:_MOST_PLACES])}{more}: slices are missing "
        "there or doubled, so lengths across them are wrong."
    )
    yield Finding("gap", message, serious=True)
