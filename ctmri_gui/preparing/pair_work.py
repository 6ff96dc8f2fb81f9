"""The work on single cases before they are prepared, imported when it is run: read, laid on each other, shown.

Every function is a generator of events to be given to a `Job`; its return value is None when it was stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.aligning.by_hand import Nudge
from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError, WrongInput
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.preprocess.spatial_transform import SpatialTransform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctmri_core.aligning.kinds import Kind
    from ctmri_core.alignment import Alignment
    from ctmri_core.case import Case
    from ctmri_core.data.case_check import CaseCheck
    from ctmri_core.data.decisions import Placement
    from ctmri_core.data.layouts.layout import CaseReference
    from ctmri_core.preprocess.recipe import Recipe
    from ctmri_core.volume import Volume

_AS_FILED = "as the files say"
_CT_GREY = (-160.0, 320.0)  # HU: bone, soft tissue and the outline of the body can be told apart
_MR_GREY = (1.0, 99.5)  # percentiles
_COARSE_MM = 3.0
_BENT_LEAST_MM = 0.05


@dataclass(frozen=True, eq=False)
class LoadedCase:
    """The `number`-th case. `case`: None where it cannot be used; `check` says why. `domains`: of its pictures, the first is what
    others are laid on. `levels`: values that are black and white, by domain."""

    number: int
    reference: CaseReference
    check: CaseCheck
    case: Case | None = None
    domains: tuple[Domain, ...] = ()
    levels: dict[Domain, tuple[float, float]] = field(default_factory=dict)

    def volume(self, domain: Domain) -> Volume:
        """As its file has it. Only of a case that can be used."""
        assert self.case is not None
        return self.case[domain]

    def as_filed(self, domain: Domain) -> SpatialTransform:
        """Where the files, or a record beside them, say that it lies."""
        known = self.case.alignment if self.case is not None else {}
        return SpatialTransform(np.asarray(np.linalg.inv(known[domain]) if domain in known else np.eye(4), np.float64))


@dataclass(frozen=True, eq=False)
class Position:
    """Where the picture of `domain` lies: `base`, found or as the files say, and `nudge`, by hand, on top of it. `before`,
    `after`: how well. `problem`: why it was not found, "" otherwise."""

    domain: Domain
    base: SpatialTransform
    how: str
    before: Alignment
    after: Alignment
    middle: tuple[float, float, float]
    nudge: Nudge = field(default_factory=Nudge)
    problem: str = ""

    @cached_property
    def transform(self) -> SpatialTransform:
        """With what was done by hand."""
        return self.nudge.on(self.base, np.asarray(self.middle)) if self.nudge else self.base

    def lies_as(self, other: SpatialTransform) -> bool:
        """Whether it lies where `other` puts it."""
        own = self.transform
        return own.spline is None and other.spline is None and np.allclose(own.matrix, other.matrix)

    @property
    def record(self) -> str:
        """How it was found, for the record."""
        return ", then moved ".join(part for part in (self.how, str(self.nudge)) if part)

    def told(self, volume: Volume) -> str:
        """The transform in words."""
        full, words = self.transform, []
        if not np.allclose(full.matrix, np.eye(4)):
            words.append(f"turned by {full.turned_degrees:.1f}°, middle moved by {full.moved_mm(volume.geometry):.1f} mm")
        least, most = full.stretches
        if max(abs(least - 1), abs(most - 1)) > 1e-3:
            words.append(f"lengths by {least:.3f} to {most:.3f}")
        if full.spline is not None and (bent := float(np.abs(full.spline.coefficients).max())) > _BENT_LEAST_MM:
            words.append(f"bent by at most {bent:.1f} mm")
        return ", ".join(words) or _AS_FILED


@dataclass(frozen=True, eq=False)
class Planes:
    """Grey values of one axial slice, all (rows, columns) on the grid of the first picture: that one, the other as its file says,
    and where it is laid. `pixel_mm`: (rows, columns)."""

    first: NDArray[np.uint8]
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    pixel_mm: tuple[float, float]
    slices: int
    shown: int


@dataclass(frozen=True, eq=False)
class Preview:
    """Grey values (n, rows, columns) of each domain: as the files say, and as a network will see them. `words`: what became of
    them; `kept`: which slices are learnt from."""

    domains: tuple[Domain, ...]
    before: tuple[NDArray[np.uint8], ...]
    after: tuple[NDArray[np.uint8], ...]
    words: str
    kept: tuple[int, ...]


def load(number: int, reference: CaseReference, domains: Sequence[Domain], stop: StopSignal) -> Work[LoadedCase | None]:
    """One case, read and looked at; what cannot be read is said in its check."""
    yield Progress(done=0, message=f"reading case {number}")
    from ctmri_core.data.case_check import check_case, refused

    try:
        case = reference.load()
        pictures = tuple(domain for domain in domains if domain is not Domain.MASK)
        there = tuple(domain for domain in pictures if domain in case.volumes)
        if not there:
            raise WrongInput("It holds none of the pictures that are to be prepared.")
        if stop():
            return None
        check = check_case(case, pictures, number, paired=reference.together, together=reference.together)
    except CtmriError as error:
        return LoadedCase(number, reference, refused(number, error))
    levels: dict[Domain, tuple[float, float]] = {domain: _levels(case[domain]) for domain in there}
    return None if stop() else LoadedCase(number, reference, check, case, there, levels)


def look_at(number: int, reference: CaseReference, domains: Sequence[Domain], stop: StopSignal) -> Work[CaseCheck | None]:
    """Only what is found of one case."""
    loaded = yield from load(number, reference, domains, stop)
    return None if loaded is None else loaded.check


def as_filed(loaded: LoadedCase, domain: Domain, stop: StopSignal) -> Work[Position | None]:
    """Nothing moved yet."""
    return (yield from laid(loaded, domain, loaded.as_filed(domain), "", stop))


def accepted(loaded: LoadedCase, placement: Placement, stop: StopSignal) -> Work[Position | None]:
    """Where a person has laid it before."""
    return (yield from laid(loaded, placement.domain, placement.transform(), placement.how, stop))


def laid(
    loaded: LoadedCase, domain: Domain, transform: SpatialTransform, how: str, stop: StopSignal, nudge: Nudge | None = None,
    before: Alignment | None = None,
) -> Work[Position | None]:  # fmt: skip
    """How well the picture of `domain` lies by `transform` and `nudge`. `before`: how it lies as filed, where that is known."""
    yield Progress(done=0, message="looking how the pictures lie")
    from ctmri_core.aligning.align import lies

    fixed, moving = _pair(loaded, domain)
    middle = _middle(moving, transform)
    full = nudge.on(transform, np.asarray(middle)) if nudge else transform
    filed = loaded.as_filed(domain)
    before = lies(fixed, moving, filed) if before is None else before
    after = before if np.array_equal(full.matrix, filed.matrix) and full.spline is None else lies(fixed, moving, full)
    return None if stop() else Position(domain, transform, how, before, after, middle, nudge or Nudge())


def register(loaded: LoadedCase, domain: Domain, kind: Kind, stop: StopSignal) -> Work[Position | None]:
    """Where registration puts it; as its file says, with a `problem`, where that failed."""
    from ctmri_core.aligning.align import align

    fixed, moving = _pair(loaded, domain)
    found = yield from align(fixed, moving, kind, stop)
    if found is None:
        return None
    if found.problem:
        unmoved = loaded.as_filed(domain)
        return Position(domain, unmoved, "", found.before, found.before, _middle(moving, unmoved), problem=found.problem)
    return Position(domain, found.transform, found.how, found.before, found.after, _middle(moving, found.transform))


def planes(
    loaded: LoadedCase, domain: Domain, transform: SpatialTransform, number: int | None, _stop: StopSignal
) -> Work[Planes]:  # fmt: skip
    """The `number`-th axial slice of the first picture, feet first, the middle one for None, and the other one there."""
    yield Progress(done=0, message="cutting a slice")
    from ctmri_core.preprocess.slice_grid import slice_order

    fixed, moving = _pair(loaded, domain)
    order, flips = slice_order(fixed.geometry)
    grid = fixed.geometry.permuted(order, flips)
    count = grid.shape[0]
    shown = count // 2 if number is None else min(max(number, 0), count - 1)
    plane = grid.cropped((shown, 0, 0), (1, *grid.shape[1:]))
    levels = loaded.levels
    first = _grey(_cut(fixed, SpatialTransform(np.eye(4)), plane), levels[fixed.domain])
    before, after = (_grey(_cut(moving, way, plane), levels[domain]) for way in (loaded.as_filed(domain), transform))
    return Planes(first, before, after, (grid.spacing[1], grid.spacing[2]), count, shown)


def preview(
    loaded: LoadedCase, placements: Sequence[Placement], recipe: Recipe, body_model: str, stop: StopSignal
) -> Work[Preview | None]:  # fmt: skip
    """One case as a network will see it, beside what the files hold. `body_model`: what outlines the body, "" for nothing.

    Raises `WrongInput` where the recipe does not fit it, `ModelRefused`.
    """
    from ctmri_core.body_models import body_model as outliner_named
    from ctmri_core.data.case_alignment import laid as laid_case
    from ctmri_core.data.case_body import given_body
    from ctmri_core.preprocess.recipe import Recipe as AnyRecipe

    assert loaded.case is not None
    yield Progress(done=0, message="preparing slices as they are")
    volumes = [loaded.case.aligned(domain) for domain in loaded.domains]
    plain, _, _ = AnyRecipe(spacing_mm=None, multiple=1).forward_group(volumes)
    before = tuple(_as_seen(part, loaded, domain) for domain, part in zip(loaded.domains, plain, strict=True))
    if stop():
        return None
    yield Progress(done=0, message="preparing slices by the recipe")
    ways = {each.domain: (each.transform(), each.how) for each in placements}
    case = laid_case(loaded.case, loaded.domains[0], ways) if ways else loaded.case
    body = None
    if body_model and given_body(case, loaded.domains[0]) is None:
        body = yield from outliner_named(body_model, loaded.domains).body_of(case, loaded.domains, stop)
        if stop():
            return None
    slices, mask, _ = recipe.forward_group([case.aligned(domain) for domain in loaded.domains], body)
    stored = recipe.slices.kept(mask)
    kept = tuple(int(stored[n]) for n in recipe.slices.chosen(len(stored)))
    after = tuple(_unit_grey(part) for part in slices)
    rows, columns = after[0].shape[1:]
    spacing = f" of {recipe.spacing_mm:g} mm" if recipe.spacing_mm else ""
    words = f"{rows} × {columns} pixels{spacing}; {len(kept)} of {len(mask)} slices are learnt from"
    return None if stop() else Preview(loaded.domains, before, after, words, kept)


def _pair(loaded: LoadedCase, domain: Domain) -> tuple[Volume, Volume]:
    return loaded.volume(loaded.domains[0]), loaded.volume(domain)


def _middle(moving: Volume, transform: SpatialTransform) -> tuple[float, float, float]:
    """Where the middle of the moving volume lies in the fixed one's space."""
    x, y, z = transform.backward[:3, :3] @ moving.geometry.centre + transform.backward[:3, 3]
    return float(x), float(y), float(z)


def _cut(volume: Volume, transform: SpatialTransform, plane: Any) -> NDArray[Any]:
    """(rows, columns) of `volume`, laid by `transform`, on `plane`."""
    from ctmri_core.aligning.placed import placed_coarsely
    from ctmri_core.preprocess.resample import sample_plane

    if transform.rigid:
        return sample_plane(placed_coarsely(volume, volume, transform), plane)
    flat: NDArray[Any] = transform.resampled(volume, plane)[0]
    return flat


def _levels(volume: Volume) -> tuple[float, float]:
    from ctmri_core.preprocess.resample import coarsened

    if volume.domain is Domain.CT:
        return _CT_GREY
    low, high = np.nanpercentile(coarsened(volume, _COARSE_MM).voxels, _MR_GREY)
    return float(low), float(max(high, low + 1e-3))


def _as_seen(slices: NDArray[Any], loaded: LoadedCase, domain: Domain) -> NDArray[np.uint8]:
    """Slices of a plain recipe in grey, CT in the window of soft tissue."""
    from ctmri_core.preprocess.recipe import Recipe as AnyRecipe

    if domain is not Domain.CT:
        return _unit_grey(slices)
    return _grey(AnyRecipe().to_nominal(slices, domain), loaded.levels[domain])


def _unit_grey(slices: NDArray[Any]) -> NDArray[np.uint8]:
    return _grey(slices, (-1.0, 1.0))


def _grey(values: NDArray[Any], levels: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = levels
    share = np.nan_to_num((values.astype(np.float32) - low) / (high - low))
    grey: NDArray[np.uint8] = np.round(np.clip(share, 0, 1) * 255).astype(np.uint8)
    return grey
