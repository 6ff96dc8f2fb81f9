"""From cases to prepared slices on disk: every case is read once, and never again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ctmri_core.data.case_body import BodyOutliner
from ctmri_core.data.case_check import CaseCheck, CheckReport, compared
from ctmri_core.data.case_preparation import CasePreparation
from ctmri_core.data.case_sources import CaseSource, find_cases, only_pairs
from ctmri_core.data.check_sheet import Thumbnail, write_sheet
from ctmri_core.data.dataset import DatasetCase, DatasetFolder, DatasetIndex, PreparedRecord, key_of
from ctmri_core.data.decisions import Decisions
from ctmri_core.data.diversity import limited
from ctmri_core.data.label_values import UNDECIDED
from ctmri_core.data.layouts.layout import CaseReference, Side
from ctmri_core.data.learnt_scale import with_learnt_scale
from ctmri_core.data.preparation_options import WITH_MASKS, PreparationOptions
from ctmri_core.data.prepared_slices import PreparedSlices
from ctmri_core.data.source_stamp import stamp_of
from ctmri_core.data.split import SplitPlan, split_cases, split_remarks
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import Stopped, TrainingFailed
from ctmri_core.events import Noted, Progress, StopSignal, Work
from ctmri_core.files import write_bytes
from ctmri_core.folder_lock import alone_in
from ctmri_core.model_card import TrainingData
from ctmri_core.preprocess.intensity import HuCurve, HuRange
from ctmri_core.preprocess.recipe import Recipe

_VERSION = 3  # of the files; raised when they change
_ALIKE = 1.25  # how much wider the slices of one domain may be than another's: a model has one field for what it is shown


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
    *, paired: bool = True, context: int = 1, domains: Sequence[Domain] = (), resume: bool = False,
) -> Work[PreparedData | None]:  # fmt: skip
    """The slices of `spec`: a folder that `prepare_dataset` made, or a source (see `find_cases`) that is prepared into `folder`
    where it is not there already. None when stopped.

    `paired`, `context`: as the method needs its batches; `domains`: whose slices it learns from, where not those of `direction`
    alone. A prepared folder keeps its own recipe and split; slices are padded to the recipe's `multiple` all the same. `resume`:
    what is in `folder` to its end is taken as it is, for a run goes on with what it began with; the source may be away. Raises
    `TrainingFailed` when nothing is left or a case cannot be used, `WriteFailed` when the disk is full.
    """
    prepared = prepared_folder(spec)
    if resume and prepared is None and DatasetFolder(folder).is_complete():
        prepared = DatasetFolder(folder)
    if prepared is None:
        prepared = DatasetFolder(folder)
        domains = tuple(domains) or (direction.source, direction.target)
        try:
            source = find_cases(spec, domains, recipe.spacing_mm or 1.0, stop=stop)
        except Stopped:
            return None
        if paired:
            source = only_pairs(source, domains)
        plan = SplitPlan(validation_share=validation_share, seed=seed)
        index = yield from prepare_dataset(source, domains, recipe, folder, plan, stop, made_from={"data": spec})
        if index is None:
            return None
    elif not prepared.read().complete:
        raise TrainingFailed(f"{prepared.path.name} is not prepared to its end. Run ctmri prepare again.")
    return open_dataset(prepared, spec, direction, multiple=recipe.multiple, paired=paired, context=context, domains=domains)


def prepared_folder(spec: str) -> DatasetFolder | None:
    """The folder that `spec` names where it holds prepared data, else None: a source."""
    folder = DatasetFolder(spec)
    return None if spec.startswith("phantom:") or not folder.exists() else folder


def open_dataset(
    folder: DatasetFolder, spec: str, direction: Direction, *, multiple: int = 1, paired: bool = True, context: int = 1,
    domains: Sequence[Domain] = (),
) -> PreparedData:  # fmt: skip
    """What is prepared in `folder`, for one direction (and, to learn from, all `domains`).

    Raises `TrainingFailed` when it does not hold what is asked for, `FileRefused` when something in it is damaged.
    """
    index = folder.read()
    domains = tuple(domains) or (direction.source, direction.target)
    missing = [domain.label for domain in domains if not any(domain in case.domains for case in index.cases)]
    if missing:
        there = ", ".join(each.value for each in index.domains if any(each in case.domains for case in index.cases))
        way = WITH_MASKS if Domain.MASK in domains else "Name another direction."
        raise TrainingFailed(f"The prepared data hold no {' and no '.join(missing)}; they hold {there}. {way}")
    recipe = _fitting(index.recipe, multiple)
    if direction.target is Domain.CT and isinstance(recipe.ct, HuCurve):
        raise TrainingFailed("These data were prepared for CT as the source (soft tissue curve). Prepare them without it.")
    train, validation = (index.files_of(side, folder.path) for side in ("train", "validation"))
    if context > 1 and (distances := [case.slice_mm for case in train if case.slice_mm is not None]):
        recipe = recipe.model_copy(update={"slice_mm": round(float(np.median(distances)), 4)})
    slices_of = partial(PreparedSlices, context=context, multiple=multiple, slice_mm=recipe.slice_mm)
    slices = slices_of(train, domains, paired=paired)
    recipe = recipe.model_copy(update={"field_mm": _field_mm(slices, recipe)})
    if not len(slices):
        both = "in both pictures of a patient" if paired else "in the pictures of each kind"
        raise TrainingFailed(f"The training cases hold no slice in which body is visible {both}.")
    held = slices_of(validation, domains)
    if not held.pairs:  # nobody was seen in all of more than two kinds
        held = slices_of(validation, (direction.source, direction.target))
    prints = tuple(case.fingerprint for case in index.cases if case.side == "train" and case.counted)
    facts = TrainingData(
        what=index.what, licence=index.licence, credit=index.credit, cases=index.patients("train"), phantom=index.phantom,
        salt=index.salt, fingerprints=prints,
    )  # fmt: skip
    return PreparedData(spec, direction, recipe, slices, held, facts)


def prepare_dataset(
    source: CaseSource, domains: Sequence[Domain], recipe: Recipe, folder: Path, plan: SplitPlan, stop: StopSignal,
    *, made_from: dict[str, str], options: PreparationOptions | None = None, outliner: BodyOutliner | None = None,
) -> Work[DatasetIndex | None]:  # fmt: skip
    """Prepares every case of `source` into `folder`, or finds it prepared there; the index, or None when stopped. What a person
    decided about cases is read from the folder (see `Decisions`).

    `made_from`: what tells this collection from others; `data` in it is hidden by the index. Cases are counted in the order of
    their names, which are said nowhere. Those whose files have changed are prepared anew. Slices without body are left out.
    Raises `TrainingFailed`; `WriteFailed` too while somebody else prepares into `folder`.
    """
    options = options or PreparationOptions(leave_out=False, check=False)
    decisions = Decisions.read(folder)
    used = decisions.kept(source.cases)
    sides = split_cases(used, plan)
    for remark in (*source.remarks, *_remarks_on_decisions(source, used), *split_remarks(used, sides, plan)):
        yield Noted(message=remark)
    with alone_in(folder):
        earlier = DatasetFolder(folder).remembered()
        learnt_from = [case for case in used if sides.get(case.patient) == "train"]
        learnt = yield from with_learnt_scale(recipe, domains, learnt_from, folder, made_from["data"], stop)
        if learnt is None:
            return None
        recipe = learnt
        if outliner is not None:
            made_from = {**made_from, "body": outliner.mark}
        if options.spread_ct_steps:
            made_from = {**made_from, "ct_steps": "spread"}
        index = _begun(source, domains, recipe, DatasetFolder(folder), plan, made_from, options)
        if earlier and not DatasetFolder(folder).remembered():
            yield Noted(message=f"{len(earlier)} cases that were prepared there in another way, or of other data, are removed.")
        preparation = CasePreparation(folder, index.domains, index, options, decisions, stop, outliner)
        found = yield from _prepared(source, index, preparation, sides)
        if found is None:
            return None
        records, checks = found
        cases = [
            case.numbered(number).model_copy(update={"side": sides.get(reference.patient, "")})
            for number, (reference, record) in enumerate(zip(source.cases, records, strict=True), 1)
            for case in record.cases
        ]
        if options.limit:
            cases = limited(cases, folder, options.limit, plan.seed)
        index = index.model_copy(update={"cases": tuple(cases), "complete": True})
        if options.check:
            yield from _told(CheckReport(cases=tuple(compared(checks))), index, folder)
        if not any(case.pictures for case in cases if case.side == "train"):
            raise TrainingFailed("No slice with body in it is left to learn from. See what is said of the cases above.")
        DatasetFolder(folder).finish(index)
    return index


def _remarks_on_decisions(source: CaseSource, used: Sequence[CaseReference]) -> list[str]:
    """What is to be said of cases that are left out by hand."""
    out = len(source.cases) - len(used)
    return [f"{out} of {len(source.cases)} cases {'is' if out == 1 else 'are'} left out by hand."] if out else []


def _begun(
    source: CaseSource, domains: Sequence[Domain], recipe: Recipe, folder: DatasetFolder, plan: SplitPlan,
    made_from: dict[str, str], options: PreparationOptions,
) -> DatasetIndex:  # fmt: skip
    """The index to fill. What lies in `folder` and was made otherwise is removed. Raises `WriteFailed`."""
    if source.ct_window is not None:  # more than that the pictures do not hold
        recipe = recipe.model_copy(update={"ct": HuRange(low=source.ct_window[0], high=source.ct_window[1])})
    made: dict[str, object] = {"version": _VERSION, **made_from, "layout": source.layout, "domains": [d.value for d in domains]}
    made |= {"recipe": recipe.model_dump(mode="json", exclude={"field_mm"})}  # which follows from the files
    index = DatasetIndex(
        made_from=made, salt=secrets.token_hex(8), recipe=recipe, domains=tuple(domains), what=options.what or source.what,
        licence=options.licence or source.licence, credit=options.credit, phantom=source.phantom, layout=source.layout,
        split=plan.model_dump(mode="json", exclude={"lists"}),
    )  # fmt: skip
    return folder.begin(index, made_from["data"])


def _prepared(
    source: CaseSource, index: DatasetIndex, preparation: CasePreparation, sides: Mapping[str, Side]
) -> Work[tuple[list[PreparedRecord], list[CaseCheck]] | None]:
    """A record of each case, without files for those that are left out; what was found of each. None when stopped. Raises
    `TrainingFailed` as soon as one scan has come under two names and the split put them on two `sides`."""
    options, decisions, dataset = preparation.options, preparation.decisions, DatasetFolder(preparation.folder)
    known, records, checks = dataset.remembered(), [], []
    seen: dict[str, tuple[int, Side]] = {}
    for number, reference in enumerate(source.cases, 1):
        if preparation.stop():
            return None
        key, stamp = key_of(reference.identifier, index.salt), stamp_of(reference) + decisions.mark(reference)
        if decisions.leaves_out(reference):
            records.append(PreparedRecord(key=key, stamp=stamp, cases=()))
            continue
        record = known.get(key)
        if record is None or record.stamp != stamp or not record.tells(options):
            message = f"preparing case {number}"
            yield Progress(done=number - 1, total=len(source.cases), unit="cases", message=message)
            result = yield from preparation.prepared(reference, key, number, len(source.cases))
            if result is None:
                return None
            record = PreparedRecord(key=key, stamp=stamp, cases=() if isinstance(result, CaseCheck) else tuple(result))
            if isinstance(result, CaseCheck):
                checks.append(result)
            else:
                dataset.remember(record)
        _raise_where_on_two_sides(seen, record.cases, number, sides.get(reference.patient, ""))
        records.append(record)
        checks += [check for case in record.cases[:1] if (check := case.numbered(number).check) is not None]
    return records, checks


def _raise_where_on_two_sides(
    seen: dict[str, tuple[int, Side]], cases: Sequence[DatasetCase], number: int, side: Side
) -> None:  # fmt: skip
    """Remembers the `cases` that the `number`-th has become in `seen`: (number, side) by fingerprint."""
    for case in cases:
        if case.pictures and side:
            other, there = seen.setdefault(case.fingerprint, (number, side))
            if there != side:
                message = f"Cases {other} and {number} are one scan under two names, in {there} and in {side}: scores would"
                raise TrainingFailed(f"{message} flatter. Take one of them out, or put both on one side with --split.")


def _told(report: CheckReport, index: DatasetIndex, folder: Path) -> Iterator[Noted]:
    """The check in words, in `check.json` and as a picture of all cases in `check.png`. Raises `WriteFailed`."""
    write_bytes(folder / "check.json", report.model_dump_json(indent=1).encode(), private=True)
    found = {check.number: check for check in report.cases}
    thumbnails = []
    for case in index.cases:
        if case.pictures and case.check is not None:
            check = found[case.check.number]
            planes = np.load(folder / case.file, mmap_mode="r", allow_pickle=False)[case.pictures // 2]
            shown = {domain: plane for domain, plane in zip(case.domains, planes, strict=False) if domain is not Domain.MASK}
            drawn = len(shown) < len(case.domains)
            mask = planes[case.domains.index(Domain.MASK)] if drawn else planes[-1]
            outlined, labels = np.asarray((mask > 0) & (mask < UNDECIDED)), tuple(domain.label for domain in shown)
            thumbnails.append(
                Thumbnail(check.number, tuple(shown.values()), outlined, labels, check.briefly, check.serious, drawn_in=drawn)
            )
    write_sheet(folder / "check.png", thumbnails)
    for sentence in report.sentences():
        yield Noted(message=sentence, serious=not report.good)


def _field_mm(slices: PreparedSlices, recipe: Recipe) -> tuple[float, float] | None:
    """(rows, columns) of the median case; None where the recipe has them, nobody knows, or the domains' differ much."""
    if recipe.size is not None or recipe.spacing_mm is None:
        return None
    shapes = [np.array(slices.shapes(domain)) for domain in slices.domains]
    if not all(map(len, shapes)):
        return None
    medians = np.array([np.median(each, 0) for each in shapes])
    if (medians.max(0) > _ALIKE * medians.min(0)).any():
        return None
    rows, columns = np.median(np.concatenate(shapes), 0) * recipe.spacing_mm
    return round(float(rows), 2), round(float(columns), 2)


def _fitting(recipe: Recipe, multiple: int) -> Recipe:
    """The recipe of the models made of it, which pad to what the networks need. Raises `TrainingFailed` for a fixed size that
    they do not take."""
    if recipe.size is not None and any(edge % multiple for edge in recipe.size):
        rows, columns = recipe.size
        raise TrainingFailed(f"The data have slices of {rows} x {columns} pixels; this method needs multiples of {multiple}.")
    return recipe.model_copy(update={"multiple": int(np.lcm(recipe.multiple, multiple))})
