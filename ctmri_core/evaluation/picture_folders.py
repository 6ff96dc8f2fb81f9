"""Folders of finished pictures, matched with the real ones by name: `p1_synthetic_ct.nii.gz` goes with `p1/ct.nii.gz`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ctmri_core.data.layouts.layout import assigned
from ctmri_core.data.layouts.names import says_mask
from ctmri_core.data.layouts.volume_files import stem_of
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError, FileRefused, shown_name
from ctmri_core.evaluation.cases import FoundCase, FoundCases, OpenedCase, Placed, learnt_from_volumes, salted
from ctmri_core.evaluation.order import EvaluationOrder
from ctmri_core.evaluation.patient_table import patients_of
from ctmri_core.evaluation.results import DataTold, Problem
from ctmri_core.events import StopSignal, until
from ctmri_core.io.dicom_scan import DICOM_SUFFIXES
from ctmri_core.io.domain_guess import domain_by_name
from ctmri_core.io.folder_files import FolderFiles
from ctmri_core.io.opening import open_volume
from ctmri_core.io.picture_headers import SUFFIXES as PICTURE_SUFFIXES
from ctmri_core.volume import Volume

_SAYS_WHAT = {
    "ct", "sct", "mr", "mri", "smr", "t1", "t1w", "t2", "t2w", "flair", "pd", "gd", "t1gd", "t1c", "synthetic", "synth", "syn",
    "fake", "real", "pred", "prediction", "predicted", "output", "truth", "gt", "target", "source", "input", "mask", "body",
    "seg", "segmentation", "label", "labels", "labelmap",
}  # fmt: skip
"""Words that tell what a picture is, not whose."""
_Files = dict[str, list[Path]]


def picture_cases(order: EvaluationOrder, salt: str, stop: StopSignal) -> FoundCases:
    """The cases that have a truth and at least one prediction. Raises `CtmriError`, `FileRefused`, `Stopped`."""
    assert order.truth is not None
    predictions = [_pictures(folder, stop) for folder in order.predictions]
    direction = order.direction or _direction(predictions)
    truths = _of_domain(_pictures(order.truth, stop), direction.target, order.truth)
    sources = _of_domain(_pictures(order.sources, stop), direction.source, order.sources) if order.sources else {}
    masks = _masks(order.masks, stop)
    labels = _masks(order.labels, stop)
    own_labels = [_masks(folder, stop) for folder in order.predicted_labels]
    made = [_of_domain(files, direction.target, folder) for files, folder in zip(predictions, order.predictions, strict=True)]
    keys = sorted(key for key in truths if any(key in files for files in made))
    if not keys:
        example = "p1_synthetic_ct.nii.gz goes with p1_ct.nii.gz, p1.nii.gz or p1/ct.nii.gz"
        raise CtmriError(f"No prediction has the name of a truth ({example}).")
    whose = patients_of(keys, order.patients)
    opened = _Open(direction, truths, sources, masks, labels)
    cases = tuple(
        FoundCase(
            key=salted(key, salt), patient=salted(whose[key].patient, salt), centre=whose[key].centre, name=key,
            known_to=learnt_from_volumes, load=partial(opened.case, key),
            stamp=_stamp(files[key] for files in (truths, sources, masks, labels) if key in files),
            place=truths[key].absolute(),
            predictions=tuple(partial(_volume, files[key], direction.target) if key in files else None for files in made),
            prediction_stamps=tuple(_stamp([files[key]]) if key in files else "" for files in made),
            predicted_labels=tuple(partial(open_volume, files[key]) if key in files else None for files in own_labels),
            predicted_label_stamps=tuple(_stamp([files[key]]) if key in files else "" for files in own_labels),
        )
        for key in keys
    )  # fmt: skip
    problems = tuple(_unmatched(truths, made, keys))
    data = DataTold(what="finished pictures", pictures=True, salt=salt)
    return FoundCases(direction, data, cases, problems, given_masks=bool(masks))


@dataclass(frozen=True)
class _Open:
    direction: Direction
    truths: Mapping[str, Path]
    sources: Mapping[str, Path]
    masks: Mapping[str, Path]
    labels: Mapping[str, Path]

    def case(self, key: str) -> OpenedCase:
        """Raises `FileRefused`."""
        truth = _volume(self.truths[key], self.direction.target)
        source = _volume(self.sources[key], self.direction.source) if key in self.sources else None
        body = labels = None
        if key in self.masks:
            mask = open_volume(self.masks[key])
            body = Placed(mask.voxels > 0, mask.geometry)
        if key in self.labels:
            labels = placed_labels(open_volume(self.labels[key]), self.labels[key])
        oriented = not any(finding.kind == "missing_orientation" for finding in truth.findings)
        return OpenedCase(truth, source, body, labels=labels, oriented=oriented)


def placed_labels(volume: Volume, path: Path | None = None) -> Placed:
    """A label map. Raises `FileRefused` where it is none."""
    if float(volume.voxels.min()) < 0 or (volume.voxels != volume.voxels.round()).any():
        problem = "is no label map: it holds other than whole numbers of 0 or more."
        raise FileRefused(path or volume.path or Path("labels"), problem, "Choose the folder of label maps.")
    return Placed(volume.voxels.astype("int32"), volume.geometry)


def _volume(path: Path, domain: Domain) -> Volume:
    """The domain is as was said, unless the file itself says another one."""
    volume = open_volume(path)
    guessed = any(finding.kind == "guessed_domain" for finding in volume.findings)
    known = volume.domain is not Domain.UNKNOWN and not guessed
    if known and volume.domain.modality != domain.modality:
        raise FileRefused(path, f"is {volume.domain.label}, but {domain.label} is wanted.", "Look whether folders are exchanged.")
    return replace(volume, domain=domain)


def _direction(predictions: list[_Files]) -> Direction:
    """From what the predictions and sources say of themselves. Raises `CtmriError` where they do not."""
    first = next((paths[0] for files in predictions for paths in files.values()), None)
    if first is None:
        raise CtmriError("The folders of predictions hold no volumes.")
    target = domain_by_name(stem_of(first) or first.name)
    if target in (Domain.UNKNOWN, Domain.MR):
        target = open_volume(first).domain
    if target is Domain.UNKNOWN:
        raise CtmriError("The predictions do not say whether they are CT or MR. Say --direction, such as mr_t1_to_ct.")
    return Direction(Domain.MR if target is Domain.CT else Domain.CT, target)


def _pictures(folder: Path, stop: StopSignal) -> _Files:
    """Volumes and folders of slices by the name that they share with others of their case, without masks."""
    found = {key: [path for path in paths if not says_mask(_name(path))] for key, paths in _all(folder, stop).items()}
    return {key: paths for key, paths in found.items() if paths}


def _labels(folder: Path, stop: StopSignal) -> _Files:
    """Those that are called so; all, where none is."""
    found = _all(folder, stop)
    called = {key: [path for path in paths if says_mask(_name(path))] for key, paths in found.items()}
    return {key: paths for key, paths in called.items() if paths} or found


def _masks(folder: Path | None, stop: StopSignal) -> dict[str, Path]:
    return _single(_labels(folder, stop)) if folder else {}


def _all(folder: Path, stop: StopSignal) -> _Files:
    if not folder.is_dir():
        raise FileRefused(folder, "is no folder.", "Name the folder of the pictures.")
    found: _Files = {}
    stacks: dict[Path, None] = {}
    for path in until(stop, FolderFiles(folder)):
        suffix = path.suffix.lower()
        if suffix in DICOM_SUFFIXES or suffix in PICTURE_SUFFIXES:
            stacks[path.parent] = None
        elif stem_of(path):
            found.setdefault(_key(path.relative_to(folder), stem_of(path)), []).append(path)
    for stack in stacks:
        if stack != folder:
            found.setdefault(_key(stack.relative_to(folder), stack.name), []).append(stack)
    return {key: sorted(paths) for key, paths in found.items()}


def _name(path: Path) -> str:
    return stem_of(path) or path.name


def _key(place: Path, stem: str) -> str:
    parts = [_without_words(part) for part in (*place.parts[:-1], stem)]
    return "/".join(part for part in parts if part) or stem.lower()


def _without_words(name: str) -> str:
    words = [word for word in re.split(r"[_. ]+", name.lower()) if word]
    return "_".join(word for word in words if word not in _SAYS_WHAT)


def _of_domain(found: _Files, domain: Domain, folder: Path | None) -> dict[str, Path]:
    """One picture for each case: the only one, or the one that says it is of `domain`. Raises `FileRefused`."""
    chosen: dict[str, Path] = {}
    for key, paths in found.items():
        said = [(domain_by_name(_name(path)), path) for path in paths]
        fitting = assigned([one for one in said if one[0] is not Domain.UNKNOWN], [domain]).get(domain)
        if fitting is None and domain.is_mr:
            fitting = next((path for kind, path in said if kind.is_mr), None)
        if fitting is None and len(paths) == 1 and said[0][0] in (Domain.UNKNOWN, domain):
            fitting = paths[0]
        if fitting is None and len(paths) > 1:
            problem = f"holds several pictures of one case, and none says that it is {domain.label}."
            raise FileRefused(folder or paths[0], problem, "Name them by what they show, such as p1_ct.nii.gz.")
        if fitting is not None:
            chosen[key] = fitting
    return chosen


def _single(found: _Files) -> dict[str, Path]:
    for paths in found.values():
        if len(paths) > 1:
            raise FileRefused(paths[1], "is the second of one case by its name.", f"Beside it lies {shown_name(paths[0])}.")
    return {key: paths[0] for key, paths in found.items()}


def _stamp(places: Iterable[Path]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for place in places:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        for path in files:
            status = path.stat()
            digest.update(f"{path.name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _unmatched(truths: Mapping[str, Path], made: list[dict[str, Path]], keys: list[str]) -> list[Problem]:
    problems = []
    if without := len(truths) - len(keys):
        message = f"{without} of {len(truths)} truths have no prediction at all and are not used."
        problems.append(Problem(kind="missing", message=message))
    for number, files in enumerate(made, 1):
        if extra := len(set(files) - set(truths)):
            message = f"{extra} of {len(files)} predictions have no truth of their name and are not scored."
            problems.append(Problem(kind="missing", message=message, model=number, serious=False))
    return problems
