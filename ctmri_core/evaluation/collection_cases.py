"""The cases of one side of a collection of scans: the original volumes, split as preparing them would."""

from __future__ import annotations

from dataclasses import dataclass

from ctmri_core.data.case_sources import find_cases, only_pairs
from ctmri_core.data.layouts.layout import CaseReference
from ctmri_core.data.source_stamp import place_of, stamp_of
from ctmri_core.data.split import split_cases, split_remarks
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError
from ctmri_core.evaluation.cases import FoundCase, FoundCases, OpenedCase, Placed, learnt_from_volumes, salted
from ctmri_core.evaluation.order import EvaluationOrder
from ctmri_core.evaluation.results import DataTold, Problem
from ctmri_core.events import StopSignal


def collection_cases(order: EvaluationOrder, direction: Direction, salt: str, stop: StopSignal) -> FoundCases:
    """Those with both domains. Raises `CtmriError` where there are none, `Stopped`."""
    domains = (direction.source, direction.target)
    found = find_cases(str(order.data), domains, layout=order.layout, options=order.layout_options, stop=stop)
    source = only_pairs(found, domains)
    sides = split_cases(found.cases, order.split)
    chosen = [case for case in source.cases if order.side in ("all", sides.get(case.patient))]
    if not chosen:
        counts: dict[str, int] = {}
        for side in sides.values():
            counts[side] = counts.get(side, 0) + 1
        there = ", ".join(f"{side} {count}" for side, count in sorted(counts.items()) if side)
        problem = f"Split in this way the data have no {order.side} patients with both pictures; they have {there}."
        raise CtmriError(f"{problem} Name another side, or keep some for it (--test-share 0.2).")
    window = source.ct_window
    problems = []
    if window is not None and Domain.CT in domains:
        message = f"CT comes as pictures of a display window ({window[0]:g} to {window[1]:g} HU): what is beyond is lost."
        problems.append(Problem(kind="windowed", message=message))
    told = DataTold(what=source.what, side=order.side, phantom=source.phantom, salt=salt)
    cases = tuple(_found(case, direction, salt, windowed=window is not None) for case in chosen)
    remarks = (*source.remarks, *split_remarks(found.cases, sides, order.split))
    return FoundCases(direction, told, cases, tuple(problems), remarks=remarks)


def _found(reference: CaseReference, direction: Direction, salt: str, *, windowed: bool) -> FoundCase:
    return FoundCase(
        key=salted(reference.identifier, salt), patient=salted(reference.patient, salt), name=reference.identifier,
        stamp=f"{stamp_of(reference)}-{salted(reference.identifier, salt)}", load=_Load(reference, direction, windowed),
        centre=reference.centre, known_to=learnt_from_volumes, place=place_of(reference, direction.target),
    )  # fmt: skip


@dataclass(frozen=True)
class _Load:
    reference: CaseReference
    direction: Direction
    windowed: bool

    def __call__(self) -> OpenedCase:
        """Raises `CtmriError`."""
        case = self.reference.load()
        source, target = self.direction.source, self.direction.target
        missing = [domain.label for domain in (source, target) if domain not in case.volumes]
        if missing:
            raise CtmriError(f"It has no {' and no '.join(missing)}.")
        volumes = [case.aligned(domain) if case.alignment else case[domain] for domain in (source, target)]
        given, first = case.masks.get("body"), case[case.domains[0]].geometry  # on the grid of the first volume
        body = Placed(given, first) if given is not None and given.shape == first.shape else None
        return OpenedCase(volumes[1], volumes[0], body, windowed=self.windowed, oriented=not self.reference.pictures)
