"""Where training cases come from: a collection on disk, or digital heads made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ctmri_core.data.layouts.collection import Place, located, what_is_there
from ctmri_core.data.layouts.heeding import heeding
from ctmri_core.data.layouts.known import LAYOUTS, layout_named
from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, folders
from ctmri_core.data.layouts.phantoms import phantom_cases, told_heads
from ctmri_core.data.layouts.picture_files import WINDOWED
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, TrainingFailed, shown_name
from ctmri_core.events import StopSignal, never


@dataclass(frozen=True)
class CaseSource:
    """`what` and `licence`: one line each for the model card. `cases`: in a fixed order. `layout`: the name of the one they were
    found by; `remarks`: what is to be said of all of them. `ct_window`: the HU that pictures of CT hold, where it is not all.
    """

    what: str
    licence: str
    phantom: bool
    cases: tuple[CaseReference, ...]
    layout: str = ""
    remarks: tuple[str, ...] = ()
    ct_window: tuple[float, float] | None = None


def find_cases(
    spec: str | Path, domains: Sequence[Domain], voxel_mm: float = 1.0, *, layout: str = "", options: LayoutOptions | None = None,
    stop: StopSignal = never,
) -> CaseSource:  # fmt: skip
    """The cases that `spec` names, with the volumes of `domains` that they have.

    `phantom:COUNT[:SEED]` makes COUNT digital heads with voxels near `voxel_mm`, seeds from SEED (0) on. Anything else is a
    folder in one of the known layouts, `layout` or the one it looks like. Raises `TrainingFailed` saying what is missing, and
    `Stopped` when asked to end.
    """
    with heeding(stop):
        return _found(str(spec), domains, voxel_mm, layout, options or LayoutOptions())


def _found(spec: str, domains: Sequence[Domain], voxel_mm: float, layout: str, options: LayoutOptions) -> CaseSource:
    if spec.startswith("phantom:"):
        cases = phantom_cases(spec, voxel_mm)
        return CaseSource(told_heads(cases), "Apache-2.0, as the program", True, cases, "phantom")
    folder = Path(spec)
    if not folder.is_dir():
        problem = "is a file, no folder. Unpack it" if folder.is_file() else "does not exist. Name a folder of patients"
        raise TrainingFailed(f"The data folder {shown_name(folder)} {problem}, or say phantom:COUNT.")
    asked = layout_named(layout) if layout else None
    found = located(folder, asked)
    if found is None and asked is None:
        message = f"{shown_name(folder)} looks like none of the known layouts. {what_is_there(folder)}"
        raise TrainingFailed(f"{message} All layouts: ctmri prepare --help.")
    known, places = found or (asked, [Place(folder)])
    assert known is not None
    cases = tuple(case for place in places for case in place.cases(known, domains, options))
    if not cases:
        wanted = " or ".join(domain.label for domain in domains)
        name = shown_name(folder)
        raise TrainingFailed(f"{name} ({known.name}: {known.looks}) holds no {wanted}. Name the domains that it has.")
    _check_names(cases)
    window = _window(cases, options)
    remarks = _remarks(known.name, places, cases, options, window is not None)
    return CaseSource("scans of origin not stated", "not stated", False, cases, known.name, remarks, window)


def _check_names(cases: Sequence[CaseReference]) -> None:
    seen: set[str] = set()
    for number, case in enumerate(cases, 1):
        if case.identifier in seen:
            raise TrainingFailed(
                f"Case {number} of {len(cases)} has the name of another one. Give every patient a name of its own."
            )
        seen.add(case.identifier)


def only_pairs(source: CaseSource, domains: Sequence[Domain]) -> CaseSource:
    """The cases that have all `domains` in one space, or may have. Raises `TrainingFailed` when there are none."""
    kept = tuple(case for case in source.cases if case.together and (case.domains is None or set(domains) <= set(case.domains)))
    if kept:
        return replace(source, cases=kept)
    looks = next((layout.looks for layout in LAYOUTS if layout.name == source.layout), source.what)
    both = " and ".join(domain.label for domain in domains)
    raise TrainingFailed(
        f"No case has {both} of one patient in one place, and this method needs such pairs. The data were taken for {looks}."
        " Names of a pair must be equal but for what they say of CT and MR. If pictures of equal names are pairs, prepare them"
        " with --pair-by-name; if they must be registered, with --align needed."
    )


def _window(cases: Sequence[CaseReference], options: LayoutOptions) -> tuple[float, float] | None:
    """The window of CT pictures, as the first one that can be read shows; None where they hold HU, or there are none."""
    for case in cases:
        if case.pictures and case.domains is not None and Domain.CT in case.domains:
            try:
                volume = case.load()[Domain.CT]
            except FileRefused:
                continue
            return (options.ct_window_low, options.ct_window_high) if WINDOWED in volume.history else None
    return None


def _passed_over(places: Sequence[Place], cases: Sequence[CaseReference]) -> list[str]:
    """What is to be said of folders beside those of patients that gave no case."""
    there = {path.name for place in places for path in folders(place.folder)}
    used = {word for case in cases for word in (case.patient, *case.identifier.split("/"))}
    if not used & there or used >= there:
        return []
    return [f"{len(there - used)} of {len(there)} folders hold nothing that was asked for in this layout and are not used."]


def _remarks(
    layout: str, places: Sequence[Place], cases: Sequence[CaseReference], options: LayoutOptions, windowed: bool
) -> tuple[str, ...]:
    remarks = []
    if any(place.centre for place in places):
        remarks.append(f"{len(places)} folders were taken for centres. Patients of one name in several count as one patient.")
    remarks += _passed_over(places, cases)
    if labels := next((case.labels for case in cases if case.labels), ()):
        remarks.append(f"Labels by number: {', '.join(f'{number} {name}' for number, name in enumerate(labels, 1))}.")
    pictures = [case for case in cases if case.pictures]
    if not pictures:
        return tuple(remarks)
    remarks.append(f"Pictures do not say how large a pixel is: {options.pixel_mm:g} mm is taken (--pixel-mm).")
    if windowed:
        low, high = options.ct_window_low, options.ct_window_high
        remarks.append(
            f"The pictures of CT hold grey levels, not HU: black is taken for {low:g} HU and white for {high:g} HU"
            " (--ct-window-low, --ct-window-high). What lies beyond is lost."
        )
    if len({case.patient for case in pictures}) == len(pictures) > 1 and layout in ("aligned", "train_ab", "domain_folders"):
        remarks.append(
            "The names do not tell which pictures are of one patient, so a split is by picture: scores on pictures of a"
            " patient that was learnt from flatter. Begin the names with the patient (p12_034.png), or sort them by patient."
        )
    return tuple(remarks)
