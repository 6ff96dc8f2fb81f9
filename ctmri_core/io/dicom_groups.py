"""Which DICOM slices belong together: by what they say they are of, and where places are taken twice, by what tells them apart.

A series that falls apart says so: slices of another matrix, orientation or frame of reference cannot be part of its volume.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import FloatArray
from ctmri_core.io.dicom_agreement import completeness
from ctmri_core.io.dicom_labels import told_apart
from ctmri_core.io.dicom_slice import SliceHeader
from ctmri_core.io.series_judgement import heights, same_place, slice_axes
from ctmri_core.volume import Finding

_SAME_ORIENTATION = 1e-3
_FEW_SLICES = 5
_STRAYS_SHARE = 0.2
_END_STEPS = 1.5
_BESIDE = 0.1  # of the step: nearer, it is the same place
_CROSSING = 0.5  # cosine: planes of a scout cross each other, stacks laid through discs of a spine hardly do
_MOST_PLANES = 8
_TURNING = "its {} pictures are turned against each other, as with projections that go round the body, so they are no volume."


@dataclass(frozen=True)
class Group:
    """Slices of one volume to be. `told`: by what they differ from others of their series, for the label. `findings`: what became
    of the rest of it. `problem`: why they are none, for a refusal.
    """

    headers: list[SliceHeader]
    localizer: bool
    findings: tuple[Finding, ...]
    problem: str = ""
    told: str = ""


def groups(headers: Sequence[SliceHeader], whole: bool) -> Iterator[Group]:
    """Slices that belong together, in no order. `whole`: whether all images of a series are expected among `headers`."""
    patients = list(dict.fromkeys(header.patient for header in headers if header.patient != b""))
    beside: tuple[Finding, ...] = ()
    if len(patients) > 1:
        said = f"There are images of {len(patients)} patients here; see that this is the right one."
        beside = (Finding("several_patients", said),)
    for series in split(headers, lambda header: header.series_uid):
        sources = split(series, lambda header: (header.patient, header.study_uid, header.modality))
        mixed = _mixed(sources)
        for source in sources:
            lacking = completeness(source) if whole and source[0].series_uid else ()
            for group in split(source, lambda header: "LOCALIZER" in header.image_type):
                for part in _of_one_kind(group):
                    findings = (*mixed, *(() if part.localizer else lacking), *part.findings, *beside)
                    whose = _whose(source[0].patient, patients)
                    yield replace(part, findings=findings, told=", ".join(filter(None, (whose, part.told))))


def _whose(patient: bytes, patients: Sequence[bytes]) -> str:
    """`patient 2 of 4`, counted as they come: which series belong together is told, and whose they are is not."""
    return f"patient {patients.index(patient) + 1} of {len(patients)}" if len(patients) > 1 and patient in patients else ""


def split(headers: Sequence[SliceHeader], key: Callable[[SliceHeader], Hashable]) -> list[list[SliceHeader]]:
    """In the order in which the keys first come."""
    found: dict[Hashable, list[SliceHeader]] = defaultdict(list)
    for header in headers:
        found[key(header)].append(header)
    return list(found.values())


def _mixed(sources: Sequence[Sequence[SliceHeader]]) -> tuple[Finding, ...]:
    """What is to be said when one SeriesInstanceUID stands for several series."""
    firsts = [source[0] for source in sources]
    for what, count in (
        ("patients", len({first.patient for first in firsts})),
        ("studies", len({first.study_uid for first in firsts})),
        ("modalities", len({first.modality for first in firsts})),
    ):
        if count > 1:
            message = f"Images of {count} {what} carry one SeriesInstanceUID. They were separated; see whose picture this is."
            return (Finding("mixed_series", message, serious=what != "modalities"),)
    return ()


def _of_one_kind(headers: list[SliceHeader]) -> Iterator[Group]:
    planes = _by_orientation(headers)
    if len(planes) > _MOST_PLANES and len(headers) <= 2 * len(planes):
        yield Group(headers, False, (), _TURNING.format(len(headers)))
        return
    frames = {header.frame_of_reference for header in headers} - {None}
    only_frame = frames.pop() if len(frames) == 1 else None  # who says nothing belongs to the only one there is

    def matrix_and_frame(header: SliceHeader) -> Hashable:
        return header.pixels.rows, header.pixels.columns, header.frame_of_reference or only_frame, header.stack

    parts = [part for matched in split(headers, matrix_and_frame) for part in _by_orientation(matched)]
    few = all(len(part) <= _FEW_SLICES for part in parts)
    scout = "LOCALIZER" in headers[0].image_type or (few and _cross([plane[0] for plane in planes]))
    for part in parts:
        findings = () if scout else _torn(part, [other for other in parts if other is not part])
        volumes = _by_acquisition(part)
        numbers = len({volume[0].series_number for volume in volumes})
        if numbers > 1:
            message = f"Images of {numbers} series numbers carry one SeriesInstanceUID; they were separated by number."
            findings = (*findings, Finding("mixed_series", message))
        if len(volumes) == 1:
            volumes, told = _by_number(part)
            findings += told
        for volume, name in zip(volumes, told_apart(volumes), strict=True):
            yield Group(volume, scout, findings, told=name)


def _cross(firsts: Sequence[SliceHeader]) -> bool:
    """Whether any two of these slices stand upon each other rather than lie along each other."""
    normals = [np.cross(np.clip(each.orientation[:3], -9, 9), np.clip(each.orientation[3:], -9, 9)) for each in firsts]
    return any(abs(float(one @ other)) < _CROSSING for one, other in combinations(normals, 2))


def _by_orientation(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    found: list[list[SliceHeader]] = []
    for header in headers:
        for group in found:
            if _apart(header.orientation, group[0].orientation) <= _SAME_ORIENTATION:
                group.append(header)
                break
        else:
            found.append([header])
    return found


def _apart(one: Sequence[float], other: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _torn(part: list[SliceHeader], others: Sequence[list[SliceHeader]]) -> tuple[Finding, ...]:
    """What a part of a series says about its other parts: serious where they are strays that lie where its own slices should."""
    found = []
    for other in others:
        are = "is" if len(other) == 1 else "are"
        what = f"{_counted(len(other))} of this series {are} {_difference(part[0], other[0])}"
        if _strays(part, other):
            message = f"{what} and cannot be part of the volume, so it lacks what {'it shows' if are == 'is' else 'they show'}."
            found.append(Finding("torn", message, serious=True))
        else:
            found.append(Finding("torn", f"{what} and listed as a volume apart."))
    return tuple(found[:3])


def _counted(count: int) -> str:
    return "1 slice" if count == 1 else f"{count} slices"


def _difference(one: SliceHeader, other: SliceHeader) -> str:
    sizes = [(each.pixels.rows, each.pixels.columns) for each in (one, other)]
    if sizes[0] != sizes[1]:
        return f"of {sizes[1][0]} x {sizes[1][1]} pixels instead of {sizes[0][0]} x {sizes[0][1]} (Rows, Columns)"
    if _apart(one.orientation, other.orientation) > _SAME_ORIENTATION:
        return "of another orientation (ImageOrientationPatient)"
    if one.stack != other.stack:
        return "of another stack (StackID)"
    return "in another frame of reference (FrameOfReferenceUID)"


def _strays(part: Sequence[SliceHeader], other: Sequence[SliceHeader]) -> bool:
    """Whether `other` are a few slices within or next to the stack of `part`, or parallel ones between many of its slices."""
    few = len(other) <= max(1, _STRAYS_SHARE * len(part))
    parallel = _apart(part[0].orientation, other[0].orientation) <= _SAME_ORIENTATION
    if len(part) < 2 or not (few or parallel):
        return False
    try:
        axes = slice_axes(Path(), part[0].orientation)
    except FileRefused:
        return False
    along = np.sort(heights(axes, [header.position for header in part]))
    step = float(np.median(np.diff(along)))
    places = heights(axes, [header.position for header in other])
    if few:
        return bool(places.min() > along[0] - _END_STEPS * step and places.max() < along[-1] + _END_STEPS * step)
    beside = np.abs(places[:, None] - along).min(axis=1) > _BESIDE * step
    between = places[beside & (places > along[0]) & (places < along[-1])]
    return len(set(np.searchsorted(along, between).tolist())) > max(1, _STRAYS_SHARE * len(part))


def _by_acquisition(headers: list[SliceHeader]) -> list[list[SliceHeader]]:
    """Splits echoes, phases and kinds of picture that share places; leaves slices together that are merely repeated."""
    try:
        axes = slice_axes(headers[0].path, headers[0].orientation)
    except FileRefused:
        return [headers]
    most = _most_at_one_place(axes, headers)
    if most == 1:
        return [headers]
    keys: tuple[Callable[[SliceHeader], Hashable], ...] = (
        lambda header: header.series_number,
        lambda header: header.timing.echo,
        lambda header: header.timing.inversion,
        lambda header: header.image_type,
        lambda header: header.acquisition[1],
        lambda header: header.acquisition[0],
        lambda header: header.b_value,
        lambda header: header.timing.words,
        lambda header: header.instance_uid if header.frame else None,
        *(partial(_dimension, n) for n in range(max(len(header.dimensions) for header in headers))),
        lambda header: (header.timing.echo, header.image_type, header.acquisition, header.b_value, header.dimensions),
    )
    for key in keys:
        parts = split(headers, key)
        # A scanner that counts every single picture tells nothing apart.
        if 1 < len(parts) <= 2 * most and all(_most_at_one_place(axes, part) == 1 for part in parts):
            return parts
    return [headers]


def _most_at_one_place(axes: FloatArray, headers: Sequence[SliceHeader]) -> int:
    """How many slices lie at one place; files whose headers are copies of each other count once."""
    distinct = headers
    if same_place(axes, [header.position for header in headers]):
        apart = {replace(each, path=Path(), pixels=replace(each.pixels, offset=0)): each for each in headers}
        distinct = list(apart.values())
    return max(map(len, same_place(axes, [header.position for header in distinct])), default=1)


def _dimension(n: int, header: SliceHeader) -> Hashable:
    return header.dimensions[n : n + 1]


def _by_number(headers: list[SliceHeader]) -> tuple[list[list[SliceHeader]], tuple[Finding, ...]]:
    """Pictures of the same places that nothing but their numbers tells apart: stacks one after the other, whole or in part, or
    all pictures of a place one after the other. Left together where the numbers follow neither order.
    """
    numbers = {(header.instance_number or 0, header.frame): header for header in headers}
    unnumbered = any(header.instance_number is None and not header.frame for header in headers)
    places = _places(headers)
    count = max(map(len, places))
    if count == 1 or len(places) == 1 or unnumbered or len(numbers) < len(headers):
        return [headers], ()
    place_of = {id(header): n for n, place in enumerate(places) for header in place}
    ordered = [numbers[number] for number in sorted(numbers)]
    stacks = _following(ordered, place_of)
    even = len(headers) == count * len(places)
    by = "the number of the frame" if headers[0].frame else "InstanceNumber"
    told = f"This series shows each place {count} times, which only {by} tells apart"
    if len(stacks) == count and even:
        return stacks, (Finding("repeated_places", f"{told}: the stacks follow each other."),)
    if len(stacks) == count and len(stacks[0]) == len(places):
        again = sum(len(place) > 1 for place in places)
        message = (
            f"{again} of the {len(places)} places of this series were imaged again later, by {by}. The first pictures"
            " and the later ones are volumes apart; see which of them are good."
        )
        return stacks, (Finding("repeated_places", message, serious=True),)
    in_turn = [ordered[n::count] for n in range(count)]
    if even and all(len({place_of[id(each)] for each in ordered[n : n + count]}) == 1 for n in range(0, len(ordered), count)):
        message = f"{told}: place by place. Look through the slices for some that belong to another of its volumes."
        return in_turn, (Finding("repeated_places", message, serious=True),)
    return [headers], ()


def _following(ordered: Sequence[SliceHeader], place_of: Mapping[int, int]) -> list[list[SliceHeader]]:
    """Cut wherever a place comes again. `place_of`: by the identity of the slice."""
    stacks: list[list[SliceHeader]] = []
    taken: set[int] = set()
    for header in ordered:
        place = place_of[id(header)]
        if not stacks or place in taken:
            stacks.append([])
            taken = set()
        stacks[-1].append(header)
        taken.add(place)
    return stacks


def _places(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Parallel slices by their places."""
    try:
        axes = slice_axes(Path(), headers[0].orientation)
    except FileRefused:
        return [list(headers)]
    taken = same_place(axes, [header.position for header in headers])
    alone = set(range(len(headers))) - {n for group in taken for n in group}
    return [[headers[n] for n in group] for group in (*taken, *((n,) for n in sorted(alone)))]
