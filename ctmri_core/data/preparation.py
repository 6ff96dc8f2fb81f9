"""From cases to prepared slices on disk: every case is read once, and never again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.case import Case, split_by_patient
from ctmri_core.data.case_sources import CaseReference, find_cases
from ctmri_core.data.paired_slices import PairedSlices
from ctmri_core.domain import Direction
from ctmri_core.errors import TrainingFailed
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.files import atomic_file, write_text
from ctmri_core.preprocess.recipe import Recipe

_LEAST_BODY = 0.01  # share of a slice; below it there is nothing to learn
_LAYOUT = 1  # of the files below; raised when they change


@dataclass(frozen=True)
class TrainingData:
    """Prepared pairs of one direction, split by patient; `fingerprints`: one hash per training case, salted."""

    direction: Direction
    recipe: Recipe
    train: PairedSlices
    validation: PairedSlices
    what: str
    licence: str
    fingerprints: tuple[str, ...]


def prepare_pairs(
    spec: str, direction: Direction, recipe: Recipe, folder: Path, validation_share: float, seed: int, stop: StopSignal
) -> Work[TrainingData | None]:
    """Prepares every case of `spec` (see `find_cases`) into `folder`, or finds it prepared there; None when stopped.

    Slices without body are left out. Raises `TrainingFailed` when nothing is left, `FileRefused` for a file that cannot be
    read, `WriteFailed` when the disk is full.
    """
    source = find_cases(spec, direction, recipe.spacing_mm or 1.0)
    train_names, validation_names = split_by_patient([case.identifier for case in source.cases], validation_share, seed)
    _forget_others(folder, {"layout": _LAYOUT, "data": spec, "direction": direction.name, "recipe": recipe.model_dump()})
    for done, case in enumerate(source.cases):
        if stop():
            return None
        if not _file(folder, case.identifier).exists():
            yield Progress(done=done, total=len(source.cases), unit="cases", message=f"preparing {case.identifier}")
            _prepare(case, direction, recipe, folder)
    train, validation = (_slices(folder, names) for names in (train_names, validation_names))
    if not len(train):
        raise TrainingFailed("The training cases hold no slice in which body is visible in both pictures.")
    fingerprints = tuple(_fingerprint(_file(folder, name), seed) for name in train_names)
    return TrainingData(direction, recipe, train, validation, source.what, source.licence, fingerprints)


def _prepare(reference: CaseReference, direction: Direction, recipe: Recipe, folder: Path) -> None:
    case = reference.load()
    source, target, mask = recipe.forward_pair(case[direction.source], case[direction.target])
    mask &= _given_mask(case, direction, recipe, mask)
    kept = mask.mean((1, 2)) >= _LEAST_BODY
    planes = np.stack([part[kept].astype(np.float16) for part in (source, target, mask)], 1)
    with atomic_file(_file(folder, reference.identifier)) as temporary, temporary.open("wb") as handle:
        np.save(handle, planes, allow_pickle=False)


def _given_mask(case: Case, direction: Direction, recipe: Recipe, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The case's own body mask on the prepared grid, where it lies on the source's grid; else everything."""
    source, given = case[direction.source], case.masks.get("body")
    if given is None or given.shape != source.geometry.shape:
        return np.ones_like(mask)
    grid = recipe.record_of(source).grid
    return grid.forward(grid.oriented(given.astype(np.float32)), 0.0) > 0.5


def _forget_others(folder: Path, key: dict[str, Any]) -> None:
    """Empties a cache that was made from something else."""
    text = json.dumps(key, indent=1, sort_keys=True)
    manifest = folder / "prepared.json"
    if not manifest.exists() or manifest.read_text("utf-8") != text:
        for stale in folder.glob("*.npy"):
            stale.unlink()
        write_text(manifest, text)


def _file(folder: Path, identifier: str) -> Path:
    """Folder names may hold anything; a digest cannot leave the cache's folder."""
    return folder / f"{hashlib.sha256(identifier.encode()).hexdigest()[:16]}.npy"


def _slices(folder: Path, names: Iterable[str]) -> PairedSlices:
    return PairedSlices([_file(folder, name) for name in names])


def _fingerprint(path: Path, salt: int) -> str:
    digest = hashlib.blake2b(digest_size=16, salt=salt.to_bytes(8, "little"))
    digest.update(path.read_bytes())
    return digest.hexdigest()
