"""What a reader study asks, shows and tests: fixed before the first reader begins, and the same for all of them.

A protocol holds no truth. It goes with the pictures to the reader; what the pictures are stands in `ctmri_core.studies.truth`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

Design = Literal["yes_no", "two_alternatives", "rank", "grading", "diagnosis"]
"""`yes_no`: is this one real or synthetic, on six points without a neutral one. `two_alternatives`: which of two pictures of one
patient is synthetic. `rank`: two to six pictures of one case, each by another model, in order. `grading`: each picture on scales.
`diagnosis`: is the finding there, with confidence and its place, on real and on synthetic pictures."""
QuestionKind = Literal["choice", "likert", "number", "text", "mark"]
Shown = Literal["slice", "volume"]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
"""Of a reader: never a name. It stands in files, tables and reports."""
_CODE = TypeAdapter[str](Code)
_DEVICE = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]", re.IGNORECASE)
"""Windows takes files of these names, whatever follows them, for its devices."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Question(_Frozen):
    """One thing asked of every trial beside what its design asks. `key`: of the column it becomes.

    `choices`: of `choice`; `low`, `high`: ends of `likert` (whole steps) and `number`, `low_label`, `high_label` beside them;
    `mark`: places in mm. `compulsory`: no trial ends without it.
    """

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    kind: QuestionKind
    text: str = Field(min_length=1, max_length=400)
    choices: tuple[str, ...] = ()
    low: float = 1
    high: float = 5
    low_label: str = ""
    high_label: str = ""
    unit: str = ""
    compulsory: bool = True

    @model_validator(mode="after")
    def _complete(self) -> Question:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError(f"{self.key}: choices belong to a question of kind choice, two or more of them")
        if self.kind == "choice" and (len(self.choices) < 2 or len(set(self.choices)) < len(self.choices)):
            raise ValueError(f"{self.key}: a choice needs two or more answers that differ")
        if not self.low < self.high:
            raise ValueError(f"{self.key}: the lower end must lie below the upper one")
        return self


class Display(_Frozen):
    """How every picture is shown, real and synthetic alike.

    `window`: centre and width in the units of the common form, None for the whole range; `start`: share of the way through the
    stack at which every trial begins; `least_seconds`: before an answer is taken; `most_seconds`: after which the picture goes,
    0 never. `may_window`, `may_zoom`, `may_measure`: what a reader may change; `linked`: of designs with several pictures.
    `oriented`: whether letters tell the sides; not where files of pictures did not say how a patient lies.
    """

    shown: Shown = "volume"
    window: tuple[float, Annotated[float, Field(gt=0)]] | None = None
    start: Annotated[float, Field(ge=0, le=1)] = 0.5
    least_seconds: Seconds = 1.0
    most_seconds: Seconds = 0.0
    may_window: bool = True
    may_zoom: bool = True
    may_measure: bool = False
    linked: bool = True
    oriented: bool = True


class Analysis(_Frozen):
    """What is tested, written down before anybody has read. `margin`: of equivalence of the share of correct answers (or of
    AUC) to one half; of non-inferiority on the scale of grades, or of the diagnostic AUC. `alpha`: two-sided."""

    margin: Annotated[float, Field(gt=0, le=5)] = 0.10
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    primary: Literal["accuracy", "auc"] = "accuracy"
    readers_random: bool = True
    acceptable: Annotated[float, Field(ge=0, le=100)] = 3.0
    """Grade from which a picture is acceptable."""


class Protocol(_Frozen):
    """All that a reader may know. How many pictures are synthetic and what their order keeps to is not here (`Plan`): who knows
    it counts. `study`: drawn by chance, so that no two studies have one hash.

    `practice_feedback`: in the practice block alone the answer is told. `break_every`: minutes, 0 never. `go_back`: an answer may
    be changed until its block ends. `reasons`: tags a reader may tick; `marks`: places may be marked; `finding`: of a diagnosis.
    """

    version: Literal[1] = 1
    study: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    title: str = Field(min_length=1, max_length=200)
    design: Design = "yes_no"
    question: str = Field(default="Is this image real or synthetic?", min_length=1, max_length=400)
    about: str = Field(default="", max_length=4000)
    consent: str = Field(default="", max_length=8000)
    practice_feedback: bool = True
    reasons: tuple[str, ...] = ()
    marks: bool = False
    questions: tuple[Question, ...] = ()
    finding: str = Field(default="", max_length=200)
    break_every: Seconds = 20.0
    go_back: bool = False
    display: Display = Display()
    analysis: Analysis = Analysis()

    @model_validator(mode="after")
    def _together(self) -> Protocol:
        if self.design == "diagnosis" and not self.finding:
            raise ValueError("a diagnostic task names the finding that is looked for")
        if self.design == "grading" and not any(one.kind == "likert" for one in self.questions):
            raise ValueError("visual grading needs at least one scale among its questions")
        if len({one.key for one in self.questions}) < len(self.questions):
            raise ValueError("two questions have the same key")
        return self

    @property
    def sha256(self) -> str:
        """Of its JSON with sorted keys: what is frozen when the study opens and stands in every file that leaves it."""
        return hashlib.sha256(canonical(self)).hexdigest()


def canonical(model: BaseModel) -> bytes:
    """The one JSON that hashes are taken of: keys sorted, no spaces, UTF-8."""
    return json.dumps(model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def codes_problem(codes: Sequence[str]) -> str:
    """Why readers of a new study cannot have these codes, in words; empty where they can."""
    for code in codes:
        try:
            _CODE.validate_python(code)
        except ValidationError:
            said = "a code has letters (A to Z), digits, - and _ alone, 32 at most, and begins with a letter or digit."
            return f"{code[:40] or 'Nothing'}: {said}"
        if _DEVICE.fullmatch(code):
            return f"{code}: Windows has no files of that name. Choose another code."
    if len({code.casefold() for code in codes}) < len(codes):
        return "Two readers have the same code, but for large and small letters, and would share one file."
    return ""
