"""What the pictures of a study are, and how their order is drawn. No reader's side holds it: sealed until the study is closed."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ctmri_core.studies.protocol import Code
from ctmri_core.studies.trials import Block, Millimetres, Sha256, Token

REAL = "real"
"""The arm of what came from a scanner; every other arm is the name of a model."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Order(_Frozen):
    """What the order of trials must keep to (READER_STUDY D2). 0 asks for nothing.

    `longest_run`: trials of one class in a row; `pairs_apart`: trials between two pictures of one patient; `repeats_apart`:
    between a trial and its repetition. `may_relax`: where they cannot be kept, the nearest that can, on record; else set-up is
    refused. The synthetic one of two stands left and right equally often, give or take one, whatever is asked.
    """

    longest_run: int = Field(default=4, ge=0, le=100)
    pairs_apart: int = Field(default=15, ge=0, le=1000)
    repeats_apart: int = Field(default=20, ge=0, le=1000)
    may_relax: bool = False


class Plan(_Frozen):
    """`seed`: of all chance in the study, 64 hex digits. `proportion`: of synthetic pictures among those of the test. `repeats`:
    share of test trials shown again, for each reader's agreement with himself. `practice`: trials before, of other cases.
    `readers`: those who are asked when the study opens; who comes later is on record."""

    seed: Sha256
    proportion: float = Field(default=0.5, ge=0, le=1)
    repeats: float = Field(default=0.1, ge=0, le=0.5)
    practice: int = Field(default=6, ge=0, le=20)
    order: Order = Order()
    readers: tuple[Code, ...] = ()

    @field_validator("readers")
    @classmethod
    def _differ(cls, readers: tuple[str, ...]) -> tuple[str, ...]:
        if len({reader.casefold() for reader in readers}) < len(readers):
            raise ValueError("two readers have the same code, but for large and small letters, and would share one file")
        return readers


class Arm(_Frozen):
    """One kind of picture. `weights_sha256`: of the model, empty for the real ones; `licence`: of what it learnt from."""

    name: str = Field(min_length=1, max_length=100)
    weights_sha256: str = ""
    method: str = ""
    licence: str = ""

    @property
    def synthetic(self) -> bool:
        return self.name != REAL


class Reference(_Frozen):
    """Of a diagnostic task. `places`: of the finding, mm as of `Mark`; `radius`: within which a mark counts as on it."""

    present: bool
    places: tuple[Millimetres, ...] = ()
    radius: float = Field(default=10.0, gt=0)


class ItemTruth(_Frozen):
    """`case`, `patient`: salted keys; `source`: the file it came from, to open a recognised one later (the coordinator's own
    paths: never in a report), and `k` the slice of it that was shown, None of a volume; `origin`: LPS mm in it of the first
    voxel as shown, whose axes are the patient's, so that a mark is found again; `region`, `centre`: for subgroups."""

    token: Token
    arm: str
    case: str
    patient: str
    block: Block = "test"
    region: str = ""
    centre: str = ""
    source: str = ""
    k: int | None = None
    origin: Millimetres | None = None
    reference: Reference | None = None


class Exclusion(_Frozen):
    """A case that was offered and is not shown, and why: `trained_on`, `geometry`, `kind`, `chance` (more were there than asked
    for), `hand` (by the coordinator, with words), `failed`, `reference` (whether it has the finding is not known)."""

    case: str
    arm: str = ""
    reason: Literal["trained_on", "geometry", "kind", "chance", "hand", "failed", "reference"]
    words: str = Field(default="", max_length=400)


class Harmonised(_Frozen):
    """A difference between real and synthetic pictures that was taken away before anybody saw them, and by what."""

    feature: str
    step: str
    before: float
    after: float


class Truth(_Frozen):
    """`protocol`: the hash of the protocol it belongs to; `said`: when the study opened, of the leak audit."""

    protocol: Sha256
    plan: Plan
    arms: tuple[Arm, ...]
    items: tuple[ItemTruth, ...]
    exclusions: tuple[Exclusion, ...] = ()
    harmonised: tuple[Harmonised, ...] = ()
    said: dict[str, Any] = {}

    def of(self, token: Token) -> ItemTruth:
        """Raises `KeyError` for a token that is not of this study."""
        return {item.token: item for item in self.items}[token]
