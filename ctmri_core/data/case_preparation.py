"""One case: looked at, registered where that is asked for, through the recipe, into its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.case import Case
from ctmri_core.data.case_alignment import laid, registered
from ctmri_core.data.case_body import BodyOutliner, Mask, given_body, given_mask
from ctmri_core.data.case_check import MISPLACED, CaseCheck, check_case, refused
from ctmri_core.data.ct_steps import spread_steps
from ctmri_core.data.dataset import DatasetCase, DatasetIndex, key_of
from ctmri_core.data.decisions import Decisions, Placement
from ctmri_core.data.label_values import given_labels, prepared_labels
from ctmri_core.data.layouts.layout import CaseReference
from ctmri_core.data.layouts.picture_files import is_picture
from ctmri_core.data.preparation_options import PreparationOptions
from ctmri_core.data.source_stamp import stamp_of
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, GeometryMismatch, TrainingFailed, WrongInput
from ctmri_core.events import Noted, StopSignal, Work
from ctmri_core.files import atomic_file
from ctmri_core.model_card import case_fingerprint
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.volume import Volume

_BESIDE = 6
"""Slices kept beyond the first and the last with body: a network that is shown neighbours sees them in use as well."""


@dataclass(frozen=True)
class CasePreparation:
    """How cases become files of `folder`. `decisions`: what a person decided about them; `outliner`: outlines the body of those
    that bring no mask of it, which is found where there is none."""

    folder: Path
    domains: tuple[Domain, ...]
    index: DatasetIndex
    options: PreparationOptions
    decisions: Decisions
    stop: StopSignal
    outliner: BodyOutliner | None = None

    def prepared(self, reference: CaseReference, key: str, number: int, count: int) -> Work[list[DatasetCase] | CaseCheck | None]:
        """The files of one case; what is wrong with it when it was left out; None when stopped.

        Raises `TrainingFailed` when it cannot be used and must not be left out, `WriteFailed`.
        """
        try:
            case = reference.load()
            yield from _checked(case, self._pictures, number)
            placements = yield from self._decided(case, reference, number)
            result = yield from self._laid(case, reference, placements, number)
            if result is None:
                return None
            case, together, check = result
            if self.options.leave_out_misaligned and check is not None and not placements:
                _raise_where_misaligned(check)
            there = tuple(domain for domain in self._pictures if domain in case.volumes)
            groups = [there] if together else [(domain,) for domain in there]
            written = []
            for place, group in enumerate(groups):
                body = None
                if self.outliner is not None and given_body(case, group[0]) is None:
                    body = yield from self.outliner.body_of(case, group, self.stop)
                    if self.stop():
                        return None
                written.append(self._written(case, group, body, key, place, reference, check, together=together))
            return written
        except (FileRefused, WrongInput, GeometryMismatch) as refusal:
            message = f"Case {number} of {count} cannot be used: {refusal}"
            if not self.options.leave_out:
                raise TrainingFailed(message) from refusal
            yield Noted(message=f"{message} It is left out.", serious=True)
            return refused(number, refusal)

    @property
    def _pictures(self) -> tuple[Domain, ...]:
        """The domains without what is outlined in them."""
        return tuple(domain for domain in self.domains if domain is not Domain.MASK)

    def _aligned(self, case: Case, together: bool, number: int) -> Work[tuple[Case, bool, CaseCheck | None] | None]:
        """The case, registered where that is asked for; whether its volumes lie in one space now; what was found of it."""
        options, several = self.options, len([domain for domain in self._pictures if domain in case.volumes]) > 1
        look = options.looks or options.align == "needed"
        check = check_case(case, self._pictures, number, paired=together, together=together) if look else None
        misplaced = not together or (check is not None and check.has("misaligned"))
        if several and (options.align == "all" or (options.align == "needed" and misplaced)):
            found = yield from registered(case, self._pictures, self.stop, options.align_kind)
            if found is None:
                return None
            case, problems = found
            together = not problems
            if look:
                check = check_case(case, self._pictures, number, paired=True, together=together)
                check = check.model_copy(update={"problems": (*check.problems, *problems)})
        return case, together, check

    def _decided(self, case: Case, reference: CaseReference, number: int) -> Work[tuple[Placement, ...]]:
        """Where a person has laid the case's pictures; nowhere, and said so, where that was of other files."""
        all_of_them = [each for each in self.decisions.placements(reference) if each.domain in case.volumes]
        first = next(domain for domain in self._pictures if domain in case.volumes)
        own = tuple(each for each in all_of_them if each.fixed is first and each.stamp == stamp_of(reference))
        if len(own) < len(all_of_them):
            message = f"Case {number}: a position was accepted for other files, or on another picture, and is not used."
            yield Noted(message=f"{message} Look at the case and accept it again.", serious=True)
        return own

    def _laid(
        self, case: Case, reference: CaseReference, placements: Sequence[Placement], number: int
    ) -> Work[tuple[Case, bool, CaseCheck | None] | None]:  # fmt: skip
        """As a person laid it, else as it is registered."""
        if placements:
            return self._as_decided(case, placements, number, together=reference.together)
        return (yield from self._aligned(case, reference.together, number))

    def _as_decided(
        self, case: Case, placements: Sequence[Placement], number: int, *, together: bool
    ) -> tuple[Case, bool, CaseCheck | None]:  # fmt: skip
        """The case as a person laid it, who had the last word: it is looked at, and nothing is registered."""
        case = laid(case, placements[0].fixed, {each.domain: (each.transform(), each.how) for each in placements})
        others = {domain for domain in self._pictures if domain in case.volumes} - {placements[0].fixed}
        together = together or others <= {each.domain for each in placements}
        look = self.options.looks
        return case, together, check_case(case, self._pictures, number, paired=True, together=together) if look else None

    def _written(
        self, case: Case, domains: tuple[Domain, ...], body: Mask | None, key: str, place: int, reference: CaseReference,
        check: CaseCheck | None, *, together: bool,
    ) -> DatasetCase:  # fmt: skip
        recipe, salt, first = self.index.recipe, self.index.salt, case[domains[0]]
        volumes = [case.aligned(domain) for domain in domains]
        if self.options.spread_ct_steps:
            volumes = [spread_steps(volume) for volume in volumes]
        slices, mask, backgrounds = recipe.forward_group(volumes, body)
        mask &= given_mask(case, domains[0], recipe, mask)
        stored, chosen = _stored(recipe, mask)
        labels = given_labels(case, domains[0], together=together) if Domain.MASK in self.domains else None
        if labels is not None:
            slices.append(prepared_labels(labels, recipe.grid_of(case.aligned(domains[0]).geometry)))
            domains, backgrounds = (*domains, Domain.MASK), (*backgrounds, 0.0)
        planes = np.stack([part[stored].astype(np.float16) for part in (*slices, mask)], 1)
        fingerprint = case_fingerprint(np.ascontiguousarray(first.voxels).data, salt)
        file = f"{key}{f'-{place}' if place else ''}-{fingerprint}.npy"
        with atomic_file(self.folder / file, private=True) as temporary:
            _save(temporary, planes)
        return DatasetCase(
            key=key, patient=key_of(reference.patient, salt), file=file, fingerprint=fingerprint, domains=domains,
            backgrounds=backgrounds, pictures=len(planes), slice_mm=_slice_mm(first, recipe),
            centre=reference.centre or case.centre, chosen=None if len(chosen) == len(planes) else chosen, check=check,
        )  # fmt: skip


def _raise_where_misaligned(check: CaseCheck) -> None:
    for problem in check.problems:
        if problem.kind in MISPLACED:
            raise WrongInput(problem.message)


def _slice_mm(volume: Volume, recipe: Recipe) -> float | None:
    """How far the volume's slices are apart; None for one slice, and for pictures, which do not say it."""
    grid = recipe.grid_of(volume.geometry)
    return None if grid.count == 1 or any(is_picture(path) for path in volume.files[:1]) else grid.slice_mm


def _stored(recipe: Recipe, mask: NDArray[np.bool_]) -> tuple[slice, tuple[int, ...]]:
    """Which of (n, h, w) slices are kept, without a gap, as neighbours need; which of those are learnt from."""
    kept = recipe.slices.kept(mask)
    if not len(kept):
        return slice(0, 0), ()
    start = max(int(kept[0]) - _BESIDE, 0)
    stored = slice(start, min(int(kept[-1]) + 1 + _BESIDE, len(mask)))
    return stored, tuple(int(kept[n]) - start for n in recipe.slices.chosen(len(kept)))


def _save(path: Path, planes: NDArray[Any]) -> None:
    """As `np.save`, which keeps to itself why a disk refused."""
    with path.open("wb") as handle:
        np.lib.format.write_array_header_1_0(handle, np.lib.format.header_data_from_array_1_0(planes))
        handle.write(np.ascontiguousarray(planes).data)


def _checked(case: Case, domains: Sequence[Domain], number: int) -> Iterator[Noted]:
    """Tells the serious findings of a case. Raises `WrongInput` for those that would teach what is not so.

    Values in another unit do; an unknown orientation does, unless all pictures share it.
    """
    there = [domain for domain in domains if domain in case.volumes]
    if not there:
        wanted = " and no ".join(domain.label for domain in domains)
        raise WrongInput(f"it has no {wanted}; it has {', '.join(known.label for known in case.domains)}.")
    grids = [case[domain].geometry for domain in there]
    for volume in (case[domain] for domain in there):
        for finding in (finding for finding in volume.findings if finding.serious):
            if finding.kind == "not_hounsfield":
                raise WrongInput(f"{finding.message} Convert it to Hounsfield units, or take the case out.")
            if finding.kind == "missing_orientation" and not all(grid.is_close(grids[0]) for grid in grids):
                raise WrongInput(f"{finding.message} Resample one picture onto the other's grid, or take the case out.")
            yield Noted(message=f"Case {number}, {volume.domain.label}: {finding.message}", serious=True)
