"""What a person decided about cases before they are prepared: where their pictures lie, and which are left out.

Kept in a file of the prepared folder, which the window and `ctmri prepare` read alike. Cases go by salted hashes of their names.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctmri_core.data.dataset import key_of
from ctmri_core.data.layouts.layout import CaseReference
from ctmri_core.data.source_stamp import stamp_of
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, GeometryMismatch
from ctmri_core.files import write_bytes
from ctmri_core.io import preflight
from ctmri_core.preprocess.spatial_transform import SpatialTransform, itk_spline, spline_from

DECISIONS = "decisions.json"
_MOST_BYTES = 256 << 20
_Key = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
_OTHERWISE = "Correct the file, or delete it and decide again."


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Placement(_Frozen):
    """Where the picture of `domain` lies on that of `fixed`, as a person accepted it; a `SpatialTransform` in numbers.

    `matrix`: (4, 4), row by row; `spline_grid`, `spline`: ITK's fixed and other parameters of its field, where there is one.
    `stamp`: of the files that it was found for. `how`: for the record.
    """

    domain: Domain
    fixed: Domain
    stamp: str = Field(max_length=64)
    matrix: tuple[float, ...] = Field(min_length=16, max_length=16)
    spline_grid: tuple[float, ...] = Field(default=(), max_length=18)
    spline: tuple[float, ...] = Field(default=(), max_length=1_000_000)
    how: str = Field(default="", max_length=500)

    @classmethod
    def of(cls, domain: Domain, fixed: Domain, transform: SpatialTransform, how: str, reference: CaseReference) -> Placement:
        """`transform` carries a point of the fixed picture's space to the same place in the other's."""
        grid: tuple[float, ...] = ()
        numbers: tuple[float, ...] = ()
        if transform.spline is not None:
            bent = itk_spline(transform.spline)
            grid, numbers = tuple(bent.GetFixedParameters()), tuple(bent.GetParameters())
        return cls(
            domain=domain, fixed=fixed, stamp=stamp_of(reference), matrix=tuple(transform.matrix.ravel().tolist()),
            spline_grid=grid, spline=numbers, how=how[:500],
        )  # fmt: skip

    def transform(self) -> SpatialTransform:
        """Raises `ValueError` or `GeometryMismatch` where the numbers are no transform."""
        matrix = np.asarray(self.matrix, np.float64).reshape(4, 4)
        if not np.array_equal(matrix[3], (0, 0, 0, 1)) or not np.linalg.det(matrix[:3, :3]) > 0:
            raise ValueError("no transform of places")
        return SpatialTransform(matrix, spline_from(self.spline_grid, self.spline) if self.spline else None)


class Decisions(_Frozen):
    """`left_out`: cases that are not prepared; `placed`: where pictures of others lie."""

    format: Literal["ctmri-decisions-1"] = "ctmri-decisions-1"
    salt: str = Field(default_factory=lambda: secrets.token_hex(8), min_length=1, max_length=64)
    left_out: frozenset[_Key] = frozenset()
    placed: dict[_Key, tuple[Placement, ...]] = {}

    @classmethod
    def read(cls, folder: Path) -> Decisions:
        """Those kept in `folder`, or none. Raises `FileRefused` where the file is damaged."""
        path = folder / DECISIONS
        if not path.exists():
            return cls()
        if preflight.regular_file(path) > _MOST_BYTES:
            raise FileRefused(path, "is too large for decisions about cases.", _OTHERWISE)
        try:
            found = cls.model_validate_json(path.read_bytes())
            for placement in (each for several in found.placed.values() for each in several):
                placement.transform()
        except (OSError, ValidationError, ValueError, GeometryMismatch):
            raise FileRefused(path, "does not hold decisions about cases that can be read.", _OTHERWISE) from None
        return found

    def write(self, folder: Path) -> None:
        """Raises `WriteFailed`."""
        write_bytes(folder / DECISIONS, self.model_dump_json(indent=1).encode(), private=True)

    def key(self, reference: CaseReference) -> str:
        return key_of(reference.identifier, self.salt)

    def kept(self, cases: Iterable[CaseReference]) -> list[CaseReference]:
        """Those that are not left out."""
        return [case for case in cases if not self.leaves_out(case)]

    def leaves_out(self, reference: CaseReference) -> bool:
        return self.key(reference) in self.left_out

    def placements(self, reference: CaseReference) -> tuple[Placement, ...]:
        """Of the pictures of one case; none of one that was not looked at."""
        return self.placed.get(self.key(reference), ())

    def mark(self, reference: CaseReference) -> str:
        """"" without placements, else 17 signs that change when they do."""
        told = "".join(placement.model_dump_json() for placement in self.placements(reference))
        return f"-{hashlib.blake2b(told.encode(), digest_size=8).hexdigest()}" if told else ""

    def placing(self, reference: CaseReference, placements: Sequence[Placement]) -> Decisions:
        """With `placements` in place of those of that case; none takes them back."""
        others = {key: each for key, each in self.placed.items() if key != self.key(reference)}
        own = {self.key(reference): tuple(placements)} if placements else {}
        return self.model_copy(update={"placed": {**others, **own}})

    def leaving_out(self, keys: Iterable[str], *, out: bool = True) -> Decisions:
        """With those cases left out, or taken back."""
        return self.model_copy(update={"left_out": self.left_out | set(keys) if out else self.left_out - set(keys)})
