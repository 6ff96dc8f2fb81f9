"""A study as it is asked for, at the command line or in the window: JSON both ways, and never refused while it is put together.

What does not go together is said by `order`, in words.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError
from ctmri_core.geometry import Triple
from ctmri_core.studies.protocol import Analysis, Design, Display, Protocol, Question, codes_problem
from ctmri_core.studies.truth import Order, Plan

if TYPE_CHECKING:
    from ctmri_core.studies.making import StudyOrder

QUESTIONS: dict[Design, str] = {
    "yes_no": "Is this image real or synthetic?", "two_alternatives": "Which of the two images is synthetic?",
    "rank": "Put the images in order, the best first.", "grading": "How good is this image?",
    "diagnosis": "Is the finding present?",
}  # fmt: skip
"""What is asked unless the coordinator words it otherwise."""
_LEAST_MM, _MOST_MM = 0.1, 50
"""Below, a head has more voxels than a reader's machine; above, it has none."""


class StudyRequest(BaseModel):
    """As fields of `Protocol`, `Plan`, `EvaluationOrder` and `StudyOrder` of the same names. `question`: empty for the usual one;
    `seed`: empty to draw one; `how`: of translating, by names of an `Order` of it; `test_share`: of data without sides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path | None = None
    title: str = ""
    design: Design = "yes_no"
    question: str = ""
    about: str = ""
    consent: str = ""
    practice_feedback: bool = True
    reasons: tuple[str, ...] = ()
    marks: bool = False
    questions: tuple[Question, ...] = ()
    finding: str = ""
    break_every: float = 20.0
    go_back: bool = False
    display: Display = Display()
    analysis: Analysis = Analysis()
    readers: tuple[str, ...] = ()
    proportion: float = 0.5
    repeats: float = 0.1
    practice: int = 6
    order_kept: Order = Order()
    seed: str = ""
    models: tuple[Path, ...] = ()
    data: str = ""
    side: Literal["train", "validation", "test", "all"] = "test"
    test_share: float = 0.0
    predictions: tuple[Path, ...] = ()
    truth: Path | None = None
    sources: Path | None = None
    masks: Path | None = None
    made_by: tuple[Path | None, ...] = ()
    patients: Path | None = None
    direction: str = ""
    how: dict[str, str | int] = {}
    body_model: Path | None = None
    labels: Path | None = None
    findings: Path | None = None
    cases: int = 30
    paired: bool = True
    spacing: Triple = (3.0, 1.0, 1.0)
    by_hand: dict[str, str] = {}

    def protocol(self) -> Protocol:
        """With a number of its own. Raises `CtmriError` where its parts do not go together."""
        wrong = margin_problem(self.design, self.analysis, self.questions)
        if wrong:
            raise CtmriError(wrong)
        words = self.question.strip() or QUESTIONS[self.design]
        try:
            return Protocol(
                study=secrets.token_hex(8), title=self.title.strip(), design=self.design, question=words,
                about=self.about.strip(), consent=self.consent.strip(), practice_feedback=self.practice_feedback,
                reasons=self.reasons, marks=self.marks, questions=self.questions, finding=self.finding.strip(),
                break_every=self.break_every, go_back=self.go_back,
                display=self.display, analysis=self.analysis,
            )  # fmt: skip
        except ValidationError as error:
            raise CtmriError(_told(error)) from error

    def plan(self) -> Plan:
        """Raises `CtmriError` where its parts do not go together."""
        wrong = codes_problem(self.readers)
        if wrong:
            raise CtmriError(wrong)
        try:
            return Plan(
                seed=self.seed or secrets.token_hex(32), proportion=self.proportion, repeats=self.repeats, practice=self.practice,
                order=self.order_kept, readers=self.readers,
            )  # fmt: skip
        except ValidationError as error:
            raise CtmriError(_told(error)) from error

    def plan_of_counts(self) -> Plan:
        """Numbers alone, for what can be foreseen: readers are not looked at."""
        return self.model_copy(update={"readers": (), "seed": "0" * 64}).plan()

    def order(self, passphrase: str = "") -> StudyOrder:
        """What `make_study` takes. Loads the engine. Raises `CtmriError` saying what is missing or does not go together."""
        from ctmri_core.data.split import SplitPlan
        from ctmri_core.evaluation.order import EvaluationOrder
        from ctmri_core.inference.order import Order as Translation
        from ctmri_core.studies.making import StudyOrder

        if self.folder is None:
            raise CtmriError("Name a new folder for the study.")
        if self.cases < 1 or not all(_LEAST_MM <= mm <= _MOST_MM for mm in self.spacing):
            raise CtmriError(f"A study needs patients, and pictures with voxels from {_LEAST_MM} to {_MOST_MM} mm.")
        protocol, plan = self.protocol(), self.plan()
        how: dict[str, Any] = {**self.how}
        evaluation = EvaluationOrder(
            self.folder, self.models, self.data or None, self.side, SplitPlan(test_share=self.test_share),
            predictions=self.predictions, truth=self.truth, sources=self.sources, masks=self.masks, made_by=self.made_by,
            patients=self.patients, labels=self.labels, direction=Direction.parse(self.direction) if self.direction else None,
            translation=Translation(**how), body_model=self.body_model,
        )  # fmt: skip
        return StudyOrder(
            folder=self.folder, protocol=protocol, plan=plan, evaluation=evaluation, cases=self.cases, paired=self.paired,
            spacing=self.spacing, passphrase=passphrase, by_hand=dict(self.by_hand), findings=self.findings,
        )  # fmt: skip


def margin_problem(design: Design, analysis: Analysis, questions: Sequence[Question]) -> str:
    """Why a margin, or what is acceptable, would say nothing, in words; empty where they may stand."""
    if design == "rank":
        return ""
    if design != "grading":
        wide = analysis.margin >= 0.5
        return "A margin of a share or an area lies below 0.5: with more, anything would be equivalent." if wide else ""
    scales = [one for one in questions if one.kind == "likert"]
    for scale in scales:
        if analysis.margin >= scale.high - scale.low:
            return f"The margin is as wide as the scale from {scale.low:g} to {scale.high:g}: nothing could be worse than that."
    if scales and not any(scale.low <= analysis.acceptable <= scale.high for scale in scales):
        return f"No scale has the grade {analysis.acceptable:g}, from which pictures are to be acceptable."
    return ""


def _told(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"The study cannot be like this: {f'{place}: ' if place else ''}{first['msg'].removeprefix('Value error, ')}."
