"""Whether cases are fit to learn from: what is wrong with each, in words, before hours are spent on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ctmri_core.alignment import LEAST_INFORMATION, Alignment, alignment_of, looks_mirrored
from ctmri_core.case import Case
from ctmri_core.data.layouts.picture_files import WINDOWED
from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.slice_grid import slice_order
from ctmri_core.recognition.hounsfield import looks_like_hounsfield
from ctmri_core.volume import Volume

Kind = Literal[
    "unreadable", "unpaired", "misaligned", "mirrored", "registration", "spacing", "empty", "modality", "synthetic", "finding"
]  # fmt: skip
_WORDS: dict[Kind, str] = {
    "unreadable": "cannot be read", "unpaired": "lack a kind of picture", "misaligned": "do not lie on each other",
    "mirrored": "are mirrored", "registration": "could not be registered", "spacing": "have odd voxels", "empty": "show no body",
    "modality": "show another kind of picture than they should", "synthetic": "were made by a model", "finding": "are doubtful",
}  # fmt: skip
_RENAME = "Name the files by what they show, convert CT to HU, or take the case out."
_ADD_IT = "Add it, or train a method that needs no pairs."
_BRIEFLY: dict[Kind, str] = {
    "unreadable": "unreadable", "unpaired": "a picture lacks", "misaligned": "not aligned", "mirrored": "mirrored",
    "registration": "not registered", "spacing": "odd voxels", "empty": "no body", "modality": "another kind",
    "synthetic": "made by a model", "finding": "doubtful",
}  # fmt: skip
MISPLACED: tuple[Kind, ...] = ("misaligned", "mirrored", "registration")
"""Problems of pictures that do not lie on each other."""
_FINEST_MM, _COARSEST_MM, _THICKEST_MM = 0.2, 3.0, 8.0
_MOST_ANISOTROPY = 1.1  # of a pixel
_FAR_FROM_OTHERS = 1.8
_LEAST_BODY = 0.02
_MOST_EMPTY = 0.6  # share of the slices


class Problem(BaseModel):
    """Something wrong with one case. `serious`: it teaches what is not so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    message: str = Field(max_length=2000)
    serious: bool = True

    @property
    def misplaced(self) -> bool:
        """Whether it is that pictures do not lie on each other."""
        return self.kind in MISPLACED


class CaseCheck(BaseModel):
    """What was found of one case, the `number`-th by name. `spacing`: mm (k, j, i) by domain; None what was not measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    domains: tuple[Domain, ...] = ()
    problems: tuple[Problem, ...] = ()
    spacing: dict[str, tuple[float, float, float]] = {}
    outline_dice: float | None = None
    mutual_information: float | None = None

    def has(self, *kinds: Kind) -> bool:
        return any(problem.kind in kinds for problem in self.problems)

    @property
    def misplaced(self) -> bool:
        """Whether its pictures do not lie on each other."""
        return self.has(*MISPLACED)

    @property
    def briefly(self) -> str:
        """The kinds of its problems in a few words, "" when there are none."""
        return ", ".join(dict.fromkeys(_BRIEFLY[problem.kind] for problem in self.problems))

    @property
    def serious(self) -> bool:
        return any(problem.serious for problem in self.problems)


class CheckReport(BaseModel):
    """What was found of a collection. `cases` in the order of their names, which are said nowhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cases: tuple[CaseCheck, ...]

    @property
    def good(self) -> bool:
        """Whether nothing serious was found."""
        return not any(case.serious for case in self.cases)

    def sentences(self) -> list[str]:
        """A line for each kind of problem, the most frequent first; one line when there is none."""
        numbers: dict[Kind, list[int]] = {}
        for case in self.cases:
            for kind in dict.fromkeys(problem.kind for problem in case.problems):
                numbers.setdefault(kind, []).append(case.number)
        lines = []
        for kind, found in sorted(numbers.items(), key=lambda entry: -len(entry[1])):
            listed = ", ".join(map(str, found[:12])) + (", ..." if len(found) > 12 else "")
            first = next(problem for case in self.cases for problem in case.problems if problem.kind == kind)
            lines.append(f"{len(found)} of {len(self.cases)} cases {_WORDS[kind]} (number {listed}). The first: {first.message}")
        return lines or [f"Nothing is wrong with the {len(self.cases)} cases."]


def refused(number: int, refusal: CtmriError) -> CaseCheck:
    """The check of a case that cannot be used."""
    return CaseCheck(number=number, problems=(Problem(kind="unreadable", message=str(refusal)),))


def check_case(case: Case, domains: Sequence[Domain], number: int, *, paired: bool, together: bool = True) -> CaseCheck:
    """What is wrong with one case. `together`: whether its volumes should lie on each other."""
    there = [domain for domain in domains if domain in case.volumes]
    problems = list(_missing(there, domains)) if paired else []
    for domain in there:
        problems += _of_volume(case[domain])
    dice = information = None
    if together and len(there) > 1 and not any(problem.kind == "empty" and problem.serious for problem in problems):
        alignments = [alignment_of(case[there[0]], case.aligned(domain)) for domain in there[1:]]
        worst = min(alignments, key=lambda alignment: (alignment.good, alignment.mutual_information))
        dice, information = worst.outline_dice, worst.mutual_information
        for domain, alignment in zip(there[1:], alignments, strict=True):
            problems += _of_alignment(case[there[0]], case.aligned(domain), alignment)
    return CaseCheck(
        number=number, domains=tuple(there), problems=tuple(problems),
        spacing={domain.value: case[domain].geometry.spacing for domain in there},
        outline_dice=dice, mutual_information=information,
    )  # fmt: skip


def compared(checks: Sequence[CaseCheck]) -> Iterator[CaseCheck]:
    """The checks with what only shows beside the others: voxels of quite another size."""
    usual: dict[str, float] = {}
    for domain in {name for check in checks for name in check.spacing}:
        usual[domain] = float(np.median([check.spacing[domain][2] for check in checks if domain in check.spacing]))
    for check in checks:
        odd = [
            f"Pixels of {size[2]:.2g} mm, where {usual[name]:.2g} mm is usual here. Look whether the file is right."
            for name, size in check.spacing.items()
            if not check.has("spacing") and not 1 / _FAR_FROM_OTHERS < size[2] / usual[name] < _FAR_FROM_OTHERS
        ]
        problems = [Problem(kind="spacing", serious=False, message=message) for message in odd]
        yield check.model_copy(update={"problems": (*check.problems, *problems)}) if odd else check


def _missing(there: Sequence[Domain], domains: Iterable[Domain]) -> Iterator[Problem]:
    missing = [domain.label for domain in domains if domain not in there]
    if missing:
        yield Problem(kind="unpaired", message=f"There is no {' and no '.join(missing)}. {_ADD_IT}")


def _of_alignment(fixed: Volume, other: Volume, alignment: Alignment) -> Iterator[Problem]:
    both = f"{fixed.domain.label} and {other.domain.label}"
    if alignment.state == "no overlap":
        message = f"{both} show different parts of space. Register them (--align needed), or take the case out."
        yield Problem(kind="misaligned", message=message)
    elif looks_mirrored(fixed, other, alignment):
        message = f"The {other.domain.label} fits the {fixed.domain.label} better with left and right exchanged: one of them is"
        yield Problem(kind="mirrored", message=f"{message} mirrored. Export it anew, or take the case out.")
    elif not alignment.good:
        message = f"{both} do not lie on each other ({alignment.numbers}). Register them (--align needed), or take the case out:"
        yield Problem(kind="misaligned", message=f"{message} they may be of two patients or mirrored.")
    elif alignment.mutual_information < LEAST_INFORMATION and WINDOWED not in fixed.history + other.history:
        message = f"{both} have little in common ({alignment.numbers}). Look whether they are of one patient and one place."
        yield Problem(kind="finding", message=message, serious=False)


def _of_volume(volume: Volume) -> Iterator[Problem]:
    said = set()
    for finding in volume.findings:
        if finding.serious:
            said.add(finding.kind)
            kind: Kind = "modality" if finding.kind in ("not_hounsfield", "guessed_domain") else "finding"
            yield Problem(kind=kind, message=f"{volume.domain.label}: {finding.message}")
    if volume.synthetic is not None:
        yield Problem(kind="synthetic", message=f"The {volume.domain.label} was made by a model; take it out.")
    if not said & {"not_hounsfield", "guessed_domain"}:
        yield from _modality(volume)
    yield from _spacing(volume)
    yield from _body(volume)


def _modality(volume: Volume) -> Iterator[Problem]:
    if volume.domain.is_mr and looks_like_hounsfield(volume.voxels):
        yield Problem(kind="modality", message=f"The {volume.domain.label} has the values of a CT. {_RENAME}")
    elif volume.domain is Domain.CT and float(volume.voxels.min()) > -100:
        message = (
            f"The lowest value of the CT is {float(volume.voxels.min()):g}, air is near -1000 HU: it may be no CT, or no HU."
            f" {_RENAME}"
        )
        yield Problem(kind="modality", message=message)


def _spacing(volume: Volume) -> Iterator[Problem]:
    """Of axial slices: what they are cut into."""
    order, flips = slice_order(volume.geometry)
    between, row, column = volume.geometry.permuted(order, flips).spacing
    several = volume.geometry.permuted(order, flips).shape[0] > 1
    size = f"{between:.3g} x {row:.3g} x {column:.3g} mm" if several else f"{row:.3g} x {column:.3g} mm"
    label = volume.domain.label
    if max(row, column) / min(row, column) > _MOST_ANISOTROPY:
        message = f"The {label} has oblong pixels in axial slices ({size}); resampling makes them square and blurs one way."
        yield Problem(kind="spacing", message=message, serious=False)
    elif not _FINEST_MM <= column <= _COARSEST_MM or (several and between > _THICKEST_MM):
        message = f"The {label} has voxels of {size}. Correct what the file says of them, or take the case out."
        yield Problem(kind="spacing", message=message)


def _body(volume: Volume) -> Iterator[Problem]:
    mask = body_mask(volume)
    order, _ = slice_order(volume.geometry)
    empty = float(np.mean(mask.transpose(order).mean((1, 2)) < _LEAST_BODY))
    if empty == 1.0:
        yield Problem(kind="empty", message=f"No body is seen in the {volume.domain.label}. Take the case out.")
    elif empty > _MOST_EMPTY:
        message = f"{empty:.0%} of the slices of the {volume.domain.label} show no body; they are left out."
        yield Problem(kind="empty", message=message, serious=False)
