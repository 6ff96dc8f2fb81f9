"""The model card: who made a model, of what, for what."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, PlainSerializer

from ctmri_core.domain import Direction, Domain
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.recognition.training_range import TrainingRange

Line = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Field(max_length=4000)]
_NO_COMMERCE = re.compile(r"\bNC\b|non-?commercial|\b(research|academic|educational)( use| purposes)? only", re.IGNORECASE)
"""In the words of a licence."""
DirectionField = Annotated[
    Direction,
    BeforeValidator(lambda value: Direction.parse(value) if isinstance(value, str) else value),
    PlainSerializer(str, return_type=str),
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TrainingData(_Frozen):
    """One collection the model learnt from. `fingerprints`: `case_fingerprint` of each case with `salt`, so that a case can
    be recognised by whoever holds it and by no one else. `credit`: who made it and where it is, as its licence asks."""

    what: Line
    licence: Line
    credit: Annotated[str, Field(max_length=600, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    cases: int = Field(ge=0)
    phantom: bool = False
    salt: Annotated[str, Field(max_length=64)] = ""
    fingerprints: tuple[Annotated[str, Field(pattern="^[0-9a-f]{16}$")], ...] = Field(default=(), max_length=100_000)


class Origin(_Frozen):
    """Where a model of another program came from, and what was made of its file. `layout`: the published one that was recognised;
    `changed`: what was left out of the weights, renamed or decided, a sentence for each."""

    file: Line
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    layout: Line
    licence: Line
    changed: Annotated[tuple[Text, ...], Field(max_length=50)] = ()


class ModelCard(_Frozen):
    """Who made the model, of what, for what. `weights_sha256` is filled in when the file is written.

    `config`: the settings of `method`, validated by its own card. `also_takes`: kinds beside the direction's source that it has
    learnt from as well, as T1 MR after contrast agent under the name of T1 MR. `training`: how far it was trained and the run's
    settings, with its augmentation. `training_range`: what the pictures were like that it was shown; None where nobody measured
    them. `metrics`: inside the body, on slices of patients that it did not learn from. `demo`: a model that only shows how the
    program works. `origin`: of a model that another program made.
    """

    format: Literal["ctmri-model-1"] = "ctmri-model-1"
    name: Line
    method: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,63}$")]
    config: dict[str, JsonValue] = {}
    direction: DirectionField
    also_takes: Annotated[tuple[Domain, ...], Field(max_length=10)] = ()
    recipe: Recipe = Recipe()
    body_region: Line
    training_data: Annotated[tuple[TrainingData, ...], Field(max_length=100)] = ()
    training_range: TrainingRange | None = None
    training: dict[str, JsonValue] = {}
    metrics: dict[str, float] = {}
    intended_use: Text = ""
    limitations: Text = ""
    demo: bool = False
    origin: Origin | None = None
    weights_sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    created: datetime
    program_version: Annotated[str, Field(max_length=40)] = ""

    @property
    def summary(self) -> str:
        """One sentence for a list: direction, region, what it learnt from, and a warning where there must be one."""
        sources = ", ".join(f"{data.what} ({data.cases} cases)" for data in self.training_data)
        trained = f"trained on {sources}" if sources else "training data not stated"
        warning = " Demonstration only: not for patients." if self.demo else ""
        return f"{self.direction.label}, {self.body_region}; {trained}.{warning}"

    def takes(self, source: Domain) -> bool:
        """Whether it may be given pictures of this kind."""
        return any(kind.accepts(source) for kind in (self.direction.source, *self.also_takes))

    @property
    def guesses_soft_tissue(self) -> bool:
        """Whether it is to tell what its source does not hold: the contrast of soft tissues in MR, from a CT."""
        return self.direction.source is Domain.CT and self.direction.target.is_mr

    @property
    def outlines(self) -> bool:
        """Whether it outlines what a scan shows, and translates nothing."""
        return self.direction.target is Domain.MASK

    @property
    def standing(self) -> int:
        """By which models are chosen where nobody names one, lowest first: made for use, for demonstration, by another program
        without a word on the pictures that it learnt from, so that nothing can tell whether it fits a scan."""
        if self.origin is not None and self.training_range is None:
            return 2
        return 1 if self.demo else 0

    @property
    def licences(self) -> tuple[str, ...]:
        """Of the data that it learnt from, with those that a model learnt from with which it began, and of another program's
        weights; each once."""
        said = [data.licence for data in self.training_data]
        return tuple(dict.fromkeys((*said, self.origin.licence) if self.origin is not None else said))

    @property
    def forbidding(self) -> tuple[str, ...]:
        """Those of its `licences` that forbid commercial use."""
        return tuple(licence for licence in self.licences if _NO_COMMERCE.search(licence))

    @property
    def noncommercial(self) -> bool:
        """Whether one of its `licences` forbids commercial use."""
        return bool(self.forbidding)

    @property
    def only_phantoms(self) -> bool:
        """Whether it has learnt from nobody's scans."""
        return bool(self.training_data) and all(data.phantom for data in self.training_data)

    @property
    def short_hash(self) -> str:
        return self.weights_sha256[:12]


def case_fingerprint(content: bytes | memoryview, salt: str) -> str:
    """16 hexadecimal digits that recognise a case's voxels without telling anything of them."""
    return hashlib.blake2b(content, key=salt.encode()[:64], digest_size=8).hexdigest()
