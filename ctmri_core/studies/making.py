"""Makes the pictures of a study from cases and models: patients drawn by lot, the synthetic ones translated here, none picked.

Cases come as those of an evaluation do (a prepared dataset, a collection, folders of finished pictures) and are looked at in the
same way; one that a model learnt from is never shown. What is not shown is listed with its reason.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator

from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError, NotComparable, Stopped
from ctmri_core.evaluation.cases import FoundCases
from ctmri_core.evaluation.evaluate import find_evaluated
from ctmri_core.evaluation.evaluated_models import Contender, contenders
from ctmri_core.evaluation.one_case import OneCase, OpenedScene
from ctmri_core.evaluation.order import EvaluationOrder
from ctmri_core.events import Progress, Started, StopSignal, Work, never
from ctmri_core.files import atomic_folder
from ctmri_core.geometry import Geometry, Triple
from ctmri_core.preprocess.slice_grid import plane_order
from ctmri_core.studies.arms import arms_of, practice_patients
from ctmri_core.studies.assignment import assign
from ctmri_core.studies.common_form import CT_WINDOW, CommonForm, extent_of, form_for, in_common_form
from ctmri_core.studies.pictures import write_picture
from ctmri_core.studies.protocol import Protocol
from ctmri_core.studies.record_errors import check_depth
from ctmri_core.studies.references import Lesion, lesions_in, read_references, reference_of
from ctmri_core.studies.study_folder import RECORD, StudyFolder, write_draft
from ctmri_core.studies.trials import Block, Item
from ctmri_core.studies.truth import REAL, Arm, Exclusion, ItemTruth, Plan, Reference, Truth
from ctmri_core.volume import Volume


@dataclass(frozen=True, eq=False)
class StudyOrder:
    """`evaluation`: which models and cases, as an evaluation names them; its `output` is where scores of finished pictures would
    go and is not used. `cases`: patients of the test; `paired`: each of them is shown real and synthetic, else one of both.
    `spacing` mm (k, j, i) of the pictures; `by_hand`: cases (names or keys) that are left out, and why.
    `findings`: of a diagnostic task, a list as `ctmri_core.studies.references` reads it; None takes them from label maps of the
    cases."""

    folder: Path
    protocol: Protocol
    plan: Plan
    evaluation: EvaluationOrder
    cases: int
    paired: bool = True
    spacing: Triple = (3.0, 1.0, 1.0)
    passphrase: str = ""
    by_hand: dict[str, str] = field(default_factory=dict)
    findings: Path | None = None


@dataclass(frozen=True, eq=False)
class _Chosen:
    """A case that is shown: which block and arms; `extent` (mm), `centre` (LPS mm) of its body; `lesions` of a diagnosis;
    `oriented`: whether its files say how the patient lies."""

    number: int
    block: Block
    arms: tuple[str, ...]
    extent: Triple
    centre: Triple
    lesions: tuple[Lesion, ...] = ()
    oriented: bool = True


def make_study(order: StudyOrder, stop: StopSignal = never) -> Work[StudyFolder | None]:
    """Writes the draft of a study into `order.folder`, whole or not at all; None when stopped.

    Raises `CtmriError` where cases are too few, or their order cannot be kept; `FileRefused`, `ModelRefused`, `WriteFailed`.
    """
    check_depth(order.folder / RECORD)  # here, and not when it is opened
    yield Progress(done=0, message="looking for cases")
    salt = hashlib.sha256(f"{order.plan.seed}\ncases".encode()).hexdigest()
    found = find_evaluated(order.evaluation, salt, stop)
    order = _shown_with_window(order, found.direction.target)
    models = _named_by_folder(contenders(order.evaluation, found.steps_done), order.evaluation.predictions)
    making = _Making(order, found, models, stop)
    chosen = yield from making.choose()
    if chosen is None:
        return None
    if not all(one.oriented for one in chosen):
        order = _shown(order, oriented=False)
    assign(order.protocol, order.plan, making.foreseen(chosen), "R")  # refuses now what could not be opened later
    try:
        with atomic_folder(order.folder) as folder:
            items, truths = yield from making.pictures(folder, chosen)
            truth = Truth(protocol=order.protocol.sha256, plan=order.plan, arms=making.arms, items=tuple(truths),
                          exclusions=tuple(making.exclusions))  # fmt: skip
            write_draft(folder, order.protocol, truth, items, order.passphrase)
    except Stopped:
        return None
    return StudyFolder(order.folder)


def _named_by_folder(models: Sequence[Contender], folders: Sequence[Path]) -> list[Contender]:
    """Finished pictures whose model nobody knows have the name of their folder, by which whoever makes the study knows them."""
    names, named = {REAL}, list[Contender]()
    for model in models:
        name = model.name
        if folders and model.maker is None:
            name = folders[model.number - 1].resolve().name[:90] or name
        if name in names:
            name = f"{name} ({model.number})"
        names.add(name)
        named.append(replace(model, name=name))
    return named


class _Making:
    def __init__(self, order: StudyOrder, found: FoundCases, models: list[Contender], stop: StopSignal) -> None:
        self.order, self.found, self.models, self.stop = order, found, models, stop
        self.exclusions: list[Exclusion] = []
        self.diagnosis = order.protocol.design == "diagnosis"
        self.lesions = read_references(order.findings) if self.diagnosis and order.findings is not None else None
        self.single = order.protocol.display.shown == "slice"
        seed = hashlib.sha256(f"{order.plan.seed}\nmaking".encode()).digest()
        self.chance = Generator(PCG64(int.from_bytes(seed[:16], "big")))

    @property
    def arms(self) -> tuple[Arm, ...]:
        made = [Arm(name=REAL)]
        for model in self.models:
            card = model.card
            facts = {} if card is None else {"weights_sha256": card.weights_sha256, "method": card.method,
                                             "licence": "; ".join(card.licences)}  # fmt: skip
            made.append(Arm(name=model.name, **facts))
        return tuple(made)

    def choose(self) -> Work[list[_Chosen] | None]:
        """The first patients by lot that can be shown: those of the test, then those of practice."""
        order = self.order
        names = [model.name for model in self.models]
        practice = practice_patients(order.protocol.design, order.plan, paired=order.paired)
        wanted = order.cases + practice
        lots = [int(place) for place in self.chance.permutation(len(self.found.cases))]
        arms = arms_of(order.protocol.design, names, order.cases, order.plan, paired=order.paired, chance=self.chance)
        arms += arms_of(order.protocol.design, names, practice, order.plan, paired=order.paired, chance=self.chance)
        yield Started(job="choosing cases", total=wanted, unit="cases")
        yield Progress(done=0, total=wanted, message="looking at cases")
        chosen: list[_Chosen] = []
        seen: set[str] = set()
        by_hand = self._left_out_by_hand()
        for place in lots:
            case = self.found.cases[place]
            if self.stop():
                return None
            if place in by_hand:  # whatever the lot says: it goes on record
                self._exclude(case.key, "hand", by_hand[place])
            elif case.patient in seen or len(chosen) == wanted:
                self._exclude(case.key, "chance", "drawn later than the last one that was needed, or of a patient who is shown")
            else:
                fit = self._fitting(place)
                if fit is not None:
                    seen.add(case.patient)
                    block: Block = "test" if len(chosen) < order.cases else "practice"
                    chosen.append(_Chosen(place, block, arms[len(chosen)], *fit))
                yield Progress(done=len(chosen), total=wanted, message="looking at cases")
        if len(chosen) < wanted:
            raise CtmriError(self._too_few(len(chosen), wanted))
        return chosen

    def _left_out_by_hand(self) -> dict[int, str]:
        """Why, by the places of cases; where no name is the one that was given, of all that are it but for large and small
        letters. Raises `CtmriError` for a case that there is not: who mistypes would show it."""
        places: dict[str, list[int]] = {}
        for place, case in enumerate(self.found.cases):
            for word in {case.key, case.name, case.name.lower()} - {""}:
                places.setdefault(word, []).append(place)
        meant = {word: places.get(word) or places.get(word.lower(), []) for word in self.order.by_hand}
        unknown = sum(not found for found in meant.values())
        if unknown:
            told = f"{unknown} of the cases to be left out are not among these data. Name them as the data do."
            raise CtmriError(f"{told} The numbers of cases that a study lists are others with another seed.")
        return {place: self.order.by_hand[word] for word, found in meant.items() for place in found}

    def pictures(self, folder: Path, chosen: Sequence[_Chosen]) -> Work[tuple[list[Item], list[ItemTruth]]]:
        """Translates, brings into the common form and writes. Raises `Stopped`, so that the folder is not kept."""
        extents = [one.extent for one in chosen]
        form = form_for(self.found.direction.target, extents, self.order.spacing, single_slice=self.single)
        items: list[Item] = []
        truths: list[ItemTruth] = []
        total = sum(len(one.arms) for one in chosen)
        yield Started(job="making the pictures", total=total, unit="pictures")
        for one in chosen:
            there = self._case(one.number).open()[0]
            if there is None:
                raise CtmriError("A case changed while the study was made. Make it anew.")
            centre, region = self._slice_of(one, form) if self.single else (one.centre, "")
            grid = form.grid(centre)
            for arm in one.arms:
                volume = there.opened.truth if arm == REAL else (yield from self._made(one, there, arm, grid))
                if volume is None or self.stop():
                    raise Stopped("The study was not made.")
                voxels = in_common_form(volume, there.scene.mask, there.scene.grid, form, centre)
                token = hashlib.sha256(f"{self.order.plan.seed}\n{one.number} {arm}".encode()).hexdigest()[:16]
                items.append(write_picture(folder, token, voxels, form.spacing))
                truths.append(self._truth(one, arm, token, grid, region, _slice_in(volume, grid) if self.single else None))
                yield Progress(done=len(items), total=total, message="making the pictures")
        return items, truths

    def foreseen(self, chosen: Sequence[_Chosen]) -> list[ItemTruth]:
        """What will be shown, under other tokens: to see whether it makes trials and can be put in order."""
        return [
            ItemTruth(token=f"{8 * number + place:016x}", arm=arm, case=f"{one.number}", patient=f"{one.number}", block=one.block,
                      reference=Reference(present=bool(one.lesions)) if self.diagnosis else None)
            for number, one in enumerate(chosen) for place, arm in enumerate(one.arms)
        ]  # fmt: skip

    def _truth(self, one: _Chosen, arm: str, token: str, grid: Geometry, region: str, k: int | None) -> ItemTruth:
        case = self.found.cases[one.number]
        reference = reference_of(one.lesions, grid) if self.diagnosis else None
        return ItemTruth(token=token, arm=arm, case=case.key, patient=case.patient, block=one.block, centre=case.centre,
                         region=region, k=k, source=str(case.place or case.name), origin=grid.origin if one.oriented else None,
                         reference=reference)  # fmt: skip

    def _made(self, one: _Chosen, there: OpenedScene, arm: str, grid: Geometry) -> Work[Volume | None]:
        """Of a single slice no other is translated."""
        model = next(model for model in self.models if model.name == arm)
        only = slices_for(grid, there.scene.grid) if self.single and model.loaded is not None else None
        answered = yield from self._case(one.number, only).answer(there, model)
        if answered is None:
            return None
        answer, problems = answered
        if answer is None:
            case, place = self.found.cases[one.number], f"{one.number + 1} of {len(self.found.cases)}"
            which = f"the case at place {place} in these data" if case.name else f"case {case.key}"  # the one name it has
            raise CtmriError(f"{model.name} makes nothing of {which}: {problems[-1].message} Leave the case out by hand.")
        return answer.volume

    def _slice_of(self, one: _Chosen, form: CommonForm) -> tuple[Triple, str]:
        """Somewhere in the middle half of the body, by lot, or through one of its findings, the same for all pictures of the
        case; and in which third of that half."""
        x, y, z = one.centre
        steps = int(one.extent[0] / 2 / form.spacing[0])
        up = (int(self.chance.integers(steps + 1)) - steps / 2) * form.spacing[0]
        if one.lesions:
            up = one.lesions[int(self.chance.integers(len(one.lesions)))].place[2] - z
        if not one.extent[0]:  # a case of one slice lies in no third
            return (x, y, z + up), ""
        share = up / one.extent[0] + 0.25
        return (x, y, z + up), "lower" if share < 1 / 6 else "middle" if share < 1 / 3 else "upper"

    def _fitting(self, place: int) -> tuple[Triple, Triple, tuple[Lesion, ...], bool] | None:
        """Size and centre of the body, findings, and whether files say how the patient lies, where the case can be shown; else
        why not is listed."""
        case = self.found.cases[place]
        there, problems = self._case(place).open()
        if there is None:
            told = next((problem for problem in problems if problem.left_out), None)
            self._exclude(case.key, "geometry" if told is not None and told.kind == "geometry" else "failed",
                          "" if told is None else told.message)  # fmt: skip
            return None
        learnt = [model.name for model in self.models if model.card is not None and case.known_to(model.card, there.opened)]
        if learnt:
            self._exclude(case.key, "trained_on", f"{', '.join(learnt)} learnt from it")
            return None
        lesions = self._lesions(place, there)
        if lesions is None:
            self._exclude(case.key, "reference", "where its finding is, or that it has none, is not known")
            return None
        try:
            return *extent_of(there.scene.mask, there.scene.grid), lesions, there.opened.oriented
        except NotComparable as error:
            self._exclude(case.key, "failed", str(error))
            return None

    def _lesions(self, place: int, there: OpenedScene) -> tuple[Lesion, ...] | None:
        """None where nobody says it."""
        if not self.diagnosis:
            return ()
        if self.lesions is not None:
            return self.lesions.get(self.found.cases[place].name.lower())
        return None if there.opened.labels is None else lesions_in(there.opened.labels)

    def _case(self, place: int, only: tuple[int, int] | None = None) -> OneCase:
        asked = self.order.evaluation
        if only is not None:
            asked = replace(asked, translation=replace(asked.translation, only=only))
        return OneCase(self.found.cases[place], place + 1, self.found.direction, asked, self.stop)

    def _exclude(self, case: str, reason: str, words: str) -> None:
        self.exclusions.append(Exclusion.model_validate({"case": case, "reason": reason, "words": words[:400]}))

    def _too_few(self, found: int, wanted: int) -> str:
        learnt = sum(one.reason == "trained_on" for one in self.exclusions)
        said = f" {learnt} were left out because a model learnt from them." if learnt else ""
        unknown = sum(one.reason == "reference" for one in self.exclusions)
        said += f" Of {unknown} it is not known whether they have the finding." if unknown else ""
        return f"{wanted} patients are needed, practice included, and {found} can be shown.{said} Ask for fewer, or add cases."


def _shown_with_window(order: StudyOrder, domain: Domain) -> StudyOrder:
    """CT with a window that shows tissue where none is named; MR on its whole range."""
    protocol = order.protocol
    if domain is not Domain.CT or protocol.display.window is not None:
        return order
    return _shown(order, window=CT_WINDOW)


def _shown(order: StudyOrder, **otherwise: Any) -> StudyOrder:
    display = order.protocol.display.model_copy(update=otherwise)
    return replace(order, protocol=order.protocol.model_copy(update={"display": display}))


def slices_for(grid: Geometry, of: Geometry) -> tuple[int, int]:
    """Which axial slices of a volume on `of`, counted upwards, are sampled for `grid`: from the first to before the second."""
    order, flips = plane_order(of, "axial")
    along, count = of.mm_to_index(grid.corners)[:, order[0]], of.shape[order[0]]
    low, high = max(0, math.floor(along.min()) - 1), min(count, math.ceil(along.max()) + 2)
    return (count - high, count - low) if flips[0] else (low, high)


def _slice_in(volume: Volume, grid: Geometry) -> int | None:
    """The stored slice that a picture of one slice shows; None where slices are not axial."""
    geometry = volume.geometry
    if plane_order(geometry, "axial")[0][0] != 0:
        return None
    return int(np.clip(round(float(geometry.mm_to_index(grid.centre)[0])), 0, geometry.shape[0] - 1))
