"""From cases to prepared slices on disk: every case is read once, and never again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctmri_core.case import Case
from ctmri_core.data.case_alignment import registered
from ctmri_core.data.case_check import CaseCheck, CheckReport, check_case, compared, refused
from ctmri_core.data.case_sources import CaseSource, find_cases, only_pairs
from ctmri_core.data.check_sheet import Thumbnail, write_sheet
from ctmri_core.data.dataset import DatasetCase, DatasetFolder, DatasetIndex, key_of
from ctmri_core.data.diversity import most_different, thumbnail
from ctmri_core.data.layouts.layout import CaseReference
from ctmri_core.data.preparation_options import PreparationOptions
from ctmri_core.data.prepared_slices import PreparedSlices
from ctmri_core.data.split import SplitPlan, split_cases
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import FileRefused, GeometryMismatch, TrainingFailed, WrongInput
from ctmri_core.events import Noted, Progress, StopSignal, Work
from ctmri_core.files import atomic_file, write_bytes
from ctmri_core.model_card import TrainingData, case_fingerprint
from ctmri_core.preprocess.intensity import HuCurve, HuRange
from ctmri_core.preprocess.recipe import Recipe

_VERSION = 2  # of the files; raised when they change


@dataclass(frozen=True)
class PreparedData:
    """Prepared slices of one direction, split by patient. `spec`: where they come from; `facts`: for the model card."""

    spec: str
    direction: Direction
    recipe: Recipe
    train: PreparedSlices
    validation: PreparedSlices
    facts: TrainingData


def prepare_slices(
    spec: str, direction: Direction, recipe: Recipe, folder: Path, validation_share: float, seed: int, stop: StopSignal,
    *, paired: bool = True, context: int = 1, domains: Sequence[Domain] = (),
) -> Work[PreparedData | None]:  # fmt: skip
    """The slices of `spec`: a folder that `prepare_dataset` made, or a source (see `find_cases`) that is prepared into `folder`
    where it is not there already. None when stopped.

    `paired`, `context`: as the method needs its batches; `domains`: whose slices it learns from, where not those of `direction`
    alone. A prepared folder keeps its own recipe and split; slices are padded to the recipe's `multiple` all the same. Raises
    `TrainingFailed` when nothing is left or a case cannot be used, `WriteFailed` when the disk is full.
    """
    prepared = DatasetFolder(spec) if not spec.startswith("phantom:") else None
    if prepared is None or not prepared.exists():
        prepared = DatasetFolder(folder)
        domains = tuple(domains) or (direction.source, direction.target)
        source = find_cases(spec, domains, recipe.spacing_mm or 1.0)
        if paired:
            source = only_pairs(source, domains)
        plan = SplitPlan(validation_share=validation_share, seed=seed)
        index = yield from prepare_dataset(source, domains, recipe, folder, plan, stop, made_from={"data": spec})
        if index is None:
            return None
    elif not prepared.read().complete:
        raise TrainingFailed(f"{prepared.path.name} is not prepared to its end. Run ctmri prepare again.")
    return open_dataset(prepared, spec, direction, multiple=recipe.multiple, paired=paired, context=context, domains=domains)


def open_dataset(
    folder: DatasetFolder, spec: str, direction: Direction, *, multiple: int = 1, paired: bool = True, context: int = 1,
    domains: Sequence[Domain] = (),
) -> PreparedData:  # fmt: skip
    """What is prepared in `folder`, for one direction (and, to learn from, all `domains`).

    Raises `TrainingFailed` when it does not hold what is asked for.
    """
    index = folder.read()
    domains = tuple(domains) or (direction.source, direction.target)
    missing = [domain.label for domain in domains if not any(domain in case.domains for case in index.cases)]
    if missing:
        there = ", ".join(domain.value for domain in index.domains)
        raise TrainingFailed(f"The prepared data hold no {' and no '.join(missing)}; they hold {there}. Name another direction.")
    recipe = _fitting(index.recipe, multiple)
    if direction.target is Domain.CT and isinstance(recipe.ct, HuCurve):
        raise TrainingFailed("These data were prepared for CT as the source (soft tissue curve). Prepare them without it.")
    train, validation = (index.files_of(side, folder.path) for side in ("train", "validation"))
    slices = PreparedSlices(train, domains, paired=paired, context=context, multiple=multiple)
    if not len(slices):
        both = "in both pictures of a patient" if paired else "in the pictures of each kind"
        raise TrainingFailed(f"The training cases hold no slice in which body is visible {both}.")
    held = PreparedSlices(validation, (direction.source, direction.target), context=context, multiple=multiple)
    prints = tuple(case.fingerprint for case in index.cases if case.side == "train")
    facts = TrainingData(
        what=index.what, licence=index.licence, cases=index.patients("train"), phantom=index.phantom, salt=index.salt,
        fingerprints=prints,
    )  # fmt: skip
    return PreparedData(spec, direction, recipe, slices, held, facts)


def prepare_dataset(
    source: CaseSource, domains: Sequence[Domain], recipe: Recipe, folder: Path, plan: SplitPlan, stop: StopSignal,
    *, made_from: dict[str, str], options: PreparationOptions | None = None,
) -> Work[DatasetIndex | None]:  # fmt: skip
    """Prepares every case of `source` into `folder`, or finds it prepared there; the index, or None when stopped.

    `made_from`: what tells this collection from others. Cases are counted in the order of their names, which are said nowhere.
    Serious findings of their volumes are noted. Slices without body are left out.
    """
    options = options or PreparationOptions(leave_out=False, check=False)
    folder_ = DatasetFolder(folder)
    sides = split_cases(source.cases, plan)
    if source.ct_window is not None:  # more than that the pictures do not hold
        recipe = recipe.model_copy(update={"ct": HuRange(low=source.ct_window[0], high=source.ct_window[1])})
    made: dict[str, object] = {"version": _VERSION, **made_from, "layout": source.layout, "domains": [d.value for d in domains]}
    made |= {"recipe": recipe.model_dump(mode="json")}
    index = folder_.begin(
        DatasetIndex(
            made_from=made, salt=secrets.token_hex(8), recipe=recipe, domains=tuple(domains), what=options.what or source.what,
            licence=options.licence or source.licence, phantom=source.phantom, layout=source.layout,
            split=plan.model_dump(mode="json", exclude={"lists"}),
        )
    )  # fmt: skip
    for remark in source.remarks:
        yield Noted(message=remark)
    preparation = _Preparation(folder, tuple(domains), index, options, stop)
    known, cases, checks = folder_.remembered(), [], []
    for number, reference in enumerate(source.cases, 1):
        if stop():
            return None
        key = key_of(reference.identifier, index.salt)
        if key not in known:
            message = f"preparing case {number}"
            yield Progress(done=number - 1, total=len(source.cases), unit="cases", message=message)
            result = yield from preparation.prepared(reference, key, number, len(source.cases))
            if result is None:
                return None
            known[key], check = result
            folder_.remember(known[key])
        else:
            check = known[key][0].check
        checks += [check.model_copy(update={"number": number})] if check else []
        cases += [case.model_copy(update={"side": sides.get(reference.patient, "")}) for case in known[key]]
    if options.limit:
        cases = _limited(cases, folder, options.limit, plan.seed)
    index = index.model_copy(update={"cases": tuple(cases), "complete": True})
    folder_.write(index)
    if options.check:
        yield from _told(CheckReport(cases=tuple(compared(checks))), index, folder)
    if not any(case.pictures for case in cases if case.side == "train"):
        raise TrainingFailed("No slice with body in it is left to learn from. See what is said of the cases above.")
    return index


def _told(report: CheckReport, index: DatasetIndex, folder: Path) -> Iterator[Noted]:
    """The check in words, in `check.json` and as a picture of all cases in `check.png`. Raises `WriteFailed`."""
    write_bytes(folder / "check.json", report.model_dump_json(indent=1).encode(), private=True)
    wrong = {case.number for case in report.cases if case.problems}
    thumbnails = []
    for case in index.cases:
        if case.pictures and case.check is not None:
            planes = np.load(folder / case.file, mmap_mode="r", allow_pickle=False)[case.pictures // 2]
            body = np.asarray(planes[-1] > 0)
            thumbnails.append(Thumbnail(case.check.number, tuple(planes[:-1]), body, case.check.number in wrong))
    write_sheet(folder / "check.png", thumbnails)
    for sentence in report.sentences():
        yield Noted(message=sentence, serious=not report.good)


@dataclass(frozen=True)
class _Preparation:
    folder: Path
    domains: tuple[Domain, ...]
    index: DatasetIndex
    options: PreparationOptions
    stop: StopSignal

    def prepared(
        self, reference: CaseReference, key: str, number: int, count: int
    ) -> Work[tuple[list[DatasetCase], CaseCheck | None] | None]:
        """The files of one case, none when it was left out, and what was found of it. None when stopped.

        Raises `TrainingFailed` when it cannot be used and must not be left out.
        """
        try:
            case = reference.load()
            yield from _checked(case, self.domains, number)
            result = yield from self._aligned(case, reference.together, number)
            if result is None:
                return None
            case, together, check = result
            if self.options.leave_out_misaligned and check is not None:
                _raise_where_misaligned(check)
            there = tuple(domain for domain in self.domains if domain in case.volumes)
            groups = [there] if together else [(domain,) for domain in there]
            return [self._written(case, group, key, n, reference, check) for n, group in enumerate(groups)], check
        except (FileRefused, WrongInput, GeometryMismatch) as refusal:
            message = f"Case {number} of {count} cannot be used: {refusal}"
            if not self.options.leave_out:
                raise TrainingFailed(message) from refusal
            yield Noted(message=f"{message} It is left out.", serious=True)
            return [], refused(number, refusal)

    def _aligned(self, case: Case, together: bool, number: int) -> Work[tuple[Case, bool, CaseCheck | None] | None]:
        """The case, registered where that is asked for; whether its volumes lie in one space now; what was found of it."""
        options, several = self.options, len([domain for domain in self.domains if domain in case.volumes]) > 1
        look = options.check or options.align == "needed"
        check = check_case(case, self.domains, number, paired=together, together=together) if look else None
        misplaced = not together or (check is not None and check.has("misaligned"))
        if several and (options.align == "all" or (options.align == "needed" and misplaced)):
            found = yield from registered(case, self.domains, self.stop)
            if found is None:
                return None
            case, problems = found
            together = not problems
            if look:
                check = check_case(case, self.domains, number, paired=True, together=together)
                check = check.model_copy(update={"problems": (*check.problems, *problems)})
        return case, together, check

    def _written(
        self, case: Case, domains: tuple[Domain, ...], key: str, place: int, reference: CaseReference,
        check: CaseCheck | None,
    ) -> DatasetCase:  # fmt: skip
        recipe, salt = self.index.recipe, self.index.salt
        slices, mask, backgrounds = recipe.forward_group([case.aligned(domain) for domain in domains])
        mask &= _given_mask(case, domains[0], recipe, mask)
        kept = recipe.slices.kept(mask)
        planes = np.stack([part[kept].astype(np.float16) for part in (*slices, mask)], 1)
        fingerprint = case_fingerprint(case[domains[0]].voxels.tobytes(), salt)
        file = f"{key}{f'-{place}' if place else ''}-{fingerprint}.npy"
        with atomic_file(self.folder / file, private=True) as temporary:
            np.save(temporary, planes, allow_pickle=False)
        chosen = recipe.slices.chosen(len(kept))
        return DatasetCase(
            key=key, patient=key_of(reference.patient, salt), file=file, fingerprint=fingerprint, domains=domains,
            backgrounds=backgrounds, pictures=len(kept), centre=reference.centre or case.centre,
            chosen=None if len(chosen) == len(kept) else chosen, check=check,
        )  # fmt: skip


def _raise_where_misaligned(check: CaseCheck) -> None:
    for problem in check.problems:
        if problem.kind in ("misaligned", "registration"):
            raise WrongInput(problem.message)


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


def _given_mask(case: Case, domain: Domain, recipe: Recipe, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The case's own body mask on the prepared grid, where it lies on the grid of `domain`; else everything."""
    volume, given = case[domain], case.masks.get("body")
    if given is None or given.shape != volume.geometry.shape:
        return np.ones_like(mask)
    grid = recipe.grid_of(volume.geometry)
    inside: NDArray[np.bool_] = grid.forward(grid.oriented(given.astype(np.float32)), 0.0) > 0.5
    return inside


def _fitting(recipe: Recipe, multiple: int) -> Recipe:
    """The recipe of the models made of it, which pad to what the networks need. Raises `TrainingFailed` for a fixed size that
    they do not take."""
    if recipe.size is not None and any(edge % multiple for edge in recipe.size):
        rows, columns = recipe.size
        raise TrainingFailed(f"The data have slices of {rows} x {columns} pixels; this method needs multiples of {multiple}.")
    return recipe.model_copy(update={"multiple": int(np.lcm(recipe.multiple, multiple))})


def _limited(cases: Sequence[DatasetCase], folder: Path, limit: int, seed: int) -> list[DatasetCase]:
    """The training cases with the `limit` slices chosen that differ most; all others as they are."""
    thumbnails: dict[int, list[NDArray[np.float32]]] = {}
    groups: dict[tuple[Domain, ...], list[tuple[int, int]]] = {}
    for number, case in enumerate(cases):
        if case.side == "train":
            planes = np.load(folder / case.file, mmap_mode="r", allow_pickle=False)
            wanted = range(case.pictures) if case.chosen is None else case.chosen
            thumbnails[number] = [thumbnail(planes[n, :-1]) for n in wanted]
            groups.setdefault(case.domains, []).extend((number, n) for n in wanted)
    chosen: dict[int, list[int]] = {number: [] for number in thumbnails}
    for places in groups.values():  # slices of one kind with each other, so many of each kind
        vectors = [vector for number in dict.fromkeys(number for number, _ in places) for vector in thumbnails[number]]
        for n in most_different(vectors, limit, seed):
            chosen[places[n][0]].append(places[n][1])
    return [
        case.model_copy(update={"chosen": tuple(chosen[number])}) if number in chosen else case
        for number, case in enumerate(cases)
    ]
