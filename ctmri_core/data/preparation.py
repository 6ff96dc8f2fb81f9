"""From cases to prepared slices on disk: every case is read once, and never again."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.case import Case, split_by_patient
from ctmri_core.data.case_sources import find_cases
from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.domain import Direction
from ctmri_core.errors import FileRefused, TrainingFailed, WrongInput
from ctmri_core.events import Noted, Progress, StopSignal, Work
from ctmri_core.files import atomic_file, write_text
from ctmri_core.model_card import TrainingData, case_fingerprint
from ctmri_core.preprocess.recipe import Recipe

_LEAST_BODY = 0.01  # share of a slice; below it there is nothing to learn
_LAYOUT = 1  # of the files below; raised when they change


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
    *, paired: bool = True, context: int = 1,
) -> Work[PreparedData | None]:  # fmt: skip
    """Prepares every case of `spec` (see `find_cases`) into `folder`, or finds it prepared there; None when stopped.

    `paired`, `context`: as the method needs its batches.

    Slices without body are left out. Cases are counted in the order of their names, which are said nowhere. Serious findings
    of their volumes are noted. Raises `TrainingFailed` when nothing is left or a case cannot be used, `WriteFailed` when the
    disk is full.
    """
    source = find_cases(spec, direction, recipe.spacing_mm or 1.0)
    train, validation = split_by_patient([case.identifier for case in source.cases], validation_share, seed)
    salt = _salt_of(folder, {"layout": _LAYOUT, "data": spec, "direction": direction.name, "recipe": recipe.model_dump()})
    for number, reference in enumerate(source.cases, 1):
        if stop():
            return None
        if _prepared(folder, reference.identifier):
            continue
        yield Progress(done=number - 1, total=len(source.cases), unit="cases", message=f"preparing case {number}")
        try:
            case = reference.load()
            yield from _checked(case, direction, number)
            _prepare(case, direction, recipe, folder / _key(reference.identifier), salt)
        except (FileRefused, WrongInput) as refusal:
            raise TrainingFailed(f"Case {number} of {len(source.cases)} cannot be used: {refusal}") from refusal
    domains = (direction.source, direction.target)
    train_cases, validation_cases = (
        [PreparedCase(file, domains) for file in _files(folder, names)] for names in (train, validation)
    )
    train_slices = PreparedSlices(train_cases, domains, paired=paired, context=context)
    validation_slices = PreparedSlices(validation_cases, domains, context=context)
    if not len(train_slices):
        raise TrainingFailed("The training cases hold no slice in which body is visible in both pictures.")
    prints = tuple(path.stem.split("-")[1] for path in train_slices.files)
    facts = TrainingData(
        what=source.what, licence=source.licence, cases=len(train), phantom=source.phantom, salt=salt, fingerprints=prints
    )
    return PreparedData(spec, direction, recipe, train_slices, validation_slices, facts)


def _checked(case: Case, direction: Direction, number: int) -> Iterator[Noted]:
    """Tells the serious findings of a case. Raises `WrongInput` for those that would teach what is not so.

    Values in another unit do; an unknown orientation does, unless both pictures share it.
    """
    for domain in (direction.source, direction.target):
        if domain not in case.volumes:
            raise WrongInput(f"it has no {domain.label}; it has {', '.join(known.label for known in case.domains)}.")
    source, target = case[direction.source], case[direction.target]
    for volume in (source, target):
        for finding in (finding for finding in volume.findings if finding.serious):
            if finding.kind == "not_hounsfield":
                raise WrongInput(f"{finding.message} Convert it to Hounsfield units, or take the case out.")
            if finding.kind == "missing_orientation" and not source.geometry.is_close(target.geometry):
                raise WrongInput(f"{finding.message} Resample one picture onto the other's grid, or take the case out.")
            yield Noted(message=f"Case {number}, {volume.domain.label}: {finding.message}", serious=True)


def _prepare(case: Case, direction: Direction, recipe: Recipe, stem: Path, salt: str) -> None:
    source, target, mask = recipe.forward_pair(case.aligned(direction.source), case.aligned(direction.target))
    mask = mask & _given_mask(case, direction, recipe, mask)
    kept = mask.mean((1, 2)) >= _LEAST_BODY
    planes = np.stack([part[kept].astype(np.float16) for part in (source, target, mask)], 1)
    fingerprint = case_fingerprint(case[direction.source].voxels.tobytes(), salt)
    with atomic_file(stem.with_name(f"{stem.name}-{fingerprint}.npy"), private=True) as temporary:
        np.save(temporary, planes, allow_pickle=False)


def _given_mask(case: Case, direction: Direction, recipe: Recipe, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The case's own body mask on the prepared grid, where it lies on the source's grid; else everything."""
    source, given = case[direction.source], case.masks.get("body")
    if given is None or given.shape != source.geometry.shape:
        return np.ones_like(mask)
    grid = recipe.record_of(source).grid
    inside: NDArray[np.bool_] = grid.forward(grid.oriented(given.astype(np.float32)), 0.0) > 0.5
    return inside


def _salt_of(folder: Path, key: dict[str, Any]) -> str:
    """The salt of this cache; a cache that was made from something else is emptied first."""
    manifest = folder / "prepared.json"
    if manifest.exists():
        known = json.loads(manifest.read_text("utf-8"))
        if known["key"] == json.loads(json.dumps(key)):
            return str(known["salt"])
    for stale in folder.glob("*.npy"):
        stale.unlink()
    salt = secrets.token_hex(8)
    write_text(manifest, json.dumps({"key": key, "salt": salt}, indent=1))
    return salt


def _prepared(folder: Path, identifier: str) -> list[Path]:
    return list(folder.glob(f"{_key(identifier)}-*.npy"))


def _files(folder: Path, identifiers: Iterable[str]) -> list[Path]:
    return [_prepared(folder, identifier)[0] for identifier in identifiers]


def _key(identifier: str) -> str:
    """Names of patients' folders stay out of file names."""
    return hashlib.sha256(identifier.encode()).hexdigest()[:16]
