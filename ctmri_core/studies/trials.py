"""What a reader's side holds of a study: pictures without their truth, the order of trials, and what was answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ctmri_core.studies.protocol import Code

Block = Literal["practice", "test"]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Token = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
"""Drawn by chance: says nothing of arm, case, order or file."""
Millimetres = tuple[float, float, float]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Item(_Frozen):
    """A picture in the common form: int16, `shape` (k, j, i), `spacing` mm in array order, all of a study alike; k rises towards
    the head. `sha256`: of its voxels, little endian. Marks are mm from the centre of voxel (0, 0, 0), in array order."""

    token: Token
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    sha256: Sha256


class Trial(_Frozen):
    """`items`: one; two in the order left, right; or the k of a ranking in the order shown. `number` counts within the block from
    1. A trial that shows another again has a token of its own."""

    token: Token
    block: Block
    number: int = Field(ge=1)
    items: tuple[Token, ...] = Field(min_length=1, max_length=6)


class Assignment(_Frozen):
    """The trials of one reader in order. `seed`: SHA-256 of what it was drawn from (`assignment.order_seed`), by which that is
    shown later; the seed itself would tell every kind in the order. `numpy`: the version whose generator drew it. What of the
    order could not be kept is not here: who knows the order counts."""

    reader: Code
    seed: Sha256
    numpy: str
    trials: tuple[Trial, ...]

    @property
    def repeats(self) -> dict[str, str]:
        """Of each trial that shows another again, the token of the first."""
        first: dict[tuple[str, ...], str] = {}
        again = {}
        for trial in self.trials:
            if first.setdefault(trial.items, trial.token) != trial.token:
                again[trial.token] = first[trial.items]
        return again


class Feedback(_Frozen):
    """Told after a practice trial, where the protocol tells it. The only truth that goes with the pictures: of other cases."""

    trial: Token
    right: str


class Mark(_Frozen):
    """A place in the picture shown at `place` (0 is the only one, or the left one). `mm`: (k, j, i) from voxel (0, 0, 0)."""

    place: int = Field(default=0, ge=0, le=5)
    mm: Millimetres
    label: str = Field(default="", max_length=64)


class Viewing(_Frozen):
    """How a trial was looked at: for the record, and to tell a reader who scrolled from one who clicked through.

    `slices`: how many different ones were seen, of each picture; `windows`: changes of window; `zoom_max`: 1 fits the pane.
    """

    slices: tuple[int, ...] = ()
    windows: int = Field(default=0, ge=0)
    zoom_max: float = Field(default=1.0, gt=0)


class Answer(_Frozen):
    """One trial answered. Times in ms from the moment the picture stood on the screen.

    `choice`: by design `real` or `synthetic`; `0` or `1`, the side said to be synthetic; the tokens of a ranking from best to
    worst, by commas; empty for grading; `present` or `absent`. `confidence`: 1 to 3 of `yes_no` and `diagnosis`, 1 to 5 of
    `two_alternatives`, None where the design asks none. `focus_lost_ms`: of `response_ms`, how long another window had the keys.
    `revision`: 0, or how many times it was changed where the protocol lets a reader go back; the last one counts.
    """

    reader: Code
    session: int = Field(ge=1)
    trial: Token
    choice: str = Field(default="", max_length=200)
    confidence: int | None = Field(default=None, ge=1, le=5)
    reasons: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    questions: dict[str, str | float | None] = {}
    shown_at: str = Field(max_length=40)
    first_action_ms: float | None = Field(default=None, ge=0)
    response_ms: float = Field(ge=0)
    focus_lost_ms: float = Field(default=0.0, ge=0)
    load_ms: float | None = Field(default=None, ge=0)
    viewing: Viewing = Viewing()
    revision: int = Field(default=0, ge=0)


class Monitor(_Frozen):
    """What the reader sat at. `patches`: whether the 5 % and the 95 % patch of the test pattern were told from their ground."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    pixel_ratio: float = Field(gt=0)
    depth: int = Field(gt=0)
    note: str = Field(default="", max_length=400)
    patches: bool


class ReaderFacts(_Frozen):
    """What a reader says of himself before the first trial. `consented`: to the protocol's text, where it has one."""

    reader: Code
    years: float = Field(ge=0, le=80)
    specialty: str = Field(default="", max_length=100)
    consented: bool = True
