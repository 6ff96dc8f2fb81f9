"""Which patients, and which models make the synthetic pictures of them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QFormLayout, QLineEdit, QRadioButton, QStackedWidget, QVBoxLayout, QWidget

from ctmri_gui.evaluation.data_choice import DataChoice
from ctmri_gui.evaluation.model_choice import ModelChoice
from ctmri_gui.evaluation.picture_choice import PictureChoice
from ctmri_gui.models.body_choice import BodyChoice
from ctmri_gui.models.library import Library
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.settings import Settings
from ctmri_gui.studies.setup.draft import PHANTOM, Draft
from ctmri_gui.studies.setup.step_page import StepPage, number, say
from ctmri_gui.training.new_run.flowing_row import FlowingRow
from ctmri_gui.translating.wanted import wanted as wanted_of

MODELS, PICTURES = range(2)
_HOW = ("device", "planes", "fusion", "precision", "batch", "patch", "overlap")
_WORDS = (
    "Patients are drawn by lot; none is picked by hand. A patient a model learnt from is never shown, and every exclusion is"
    " listed with its reason."
)
_PAIRED = "Each patient is shown once real and once synthetic, far apart. Without, a patient is shown as one of both"
_HEADS = "Digital heads: as many are made as the study needs. Good for trying; a study of them proves nothing."
_NO_SOURCES, _NO_LABELS = "None", "None: a table says where findings are (under Design)"
_LEFT_OUT = "Cases that are not shown whatever the lot says, by their names in the data, each with its reason: both go on record"
_NO_REASON = "Give each case that is left out a reason: case7: motion; case9: metal."
_NO_FINDINGS = "Say where findings are: by label maps of the real pictures, or by a table, under Design."
_FORGOTTEN = "left out by hand before: names of cases are not kept. Name them again, or press Enter in that field for none."
_RANK = "A ranking needs a real picture and at least one model of each patient, five models at most."


class CasesStep(StepPage):
    """Models on data, or finished pictures; pairs and the share of synthetic pictures where the design leaves them open."""

    def __init__(self, draft: Draft, library: Library, settings: Settings) -> None:
        super().__init__(draft, "Cases and models", _WORDS)
        self._settings = settings
        self._way = QButtonGroup(self)
        self.of_models, self.of_pictures = QRadioButton("&Models, on data"), QRadioButton("Finished pic&tures, and the real ones")
        for place, way in enumerate((self.of_models, self.of_pictures)):
            self._way.addButton(way, place)
        self.models, self.data, self.pictures = ModelChoice(library), DataChoice(settings), PictureChoice(library, settings)
        self.data.changed.connect(self.data.said.hide)  # of scores: here nobody is shown whom a model learnt from
        self.data.said.hide()
        self.data.name_heads("Digital heads, as many as are needed")
        for field, words in ((self.pictures.sources, _NO_SOURCES), (self.pictures.labels, _NO_LABELS)):
            field.say_none(words)
        self.models.setAccessibleName("Models that make the synthetic pictures")
        self.models.fit()
        self.body = BodyChoice(library)
        self.body.setToolTip("Where the body ends in cases whose data bring no mask: what is outside of it is not shown")
        self.note, self.problem_note = label("", "muted"), label("", "warning")
        self.left_out = QLineEdit()
        self.left_out.setPlaceholderText("none; or such as case7: motion; case9: metal")
        self.left_out.setToolTip(_LEFT_OUT)
        self.paired = QCheckBox("Pa&ired: each patient real and synthetic")
        self.paired.setToolTip(_PAIRED)
        self.share = number(10, 90, "Of the pictures that readers see in the test. They are not told", suffix=" %")
        self._share_name = naming("S&hare synthetic", self.share)
        self._lay_out()
        self._hear()

    @property
    def problem(self) -> str:
        if left_out_in(self.left_out.text()) is None:
            return _NO_REASON
        if self.draft.forgotten:
            return f"{self.draft.forgotten} {_FORGOTTEN}"
        if self._way.checkedId() == PICTURES:
            asked = self.draft.request
            unknown = asked.design == "diagnosis" and asked.labels is None and asked.findings is None
            return self.pictures.problem or (_NO_FINDINGS if unknown else "")
        if not self.models.models:
            return "Tick at least one model."
        if self.draft.request.design == "rank" and len(self.models.models) > 5:
            return _RANK
        return "" if self.data.spec else "Choose the data that patients are drawn from."

    @property
    def summary(self) -> str:
        count = self.draft.models
        return "" if not count else f"{count} {'model' if count == 1 else 'models'}"

    def read(self) -> dict[str, Any]:
        pictures, finished = self.pictures, self._way.checkedId() == PICTURES
        empty: dict[str, Any] = {
            "models": (), "data": "", "predictions": (), "truth": None, "sources": None, "masks": None, "made_by": (),
            "patients": None, "labels": None, "direction": "",
        }  # fmt: skip
        if finished:
            chosen: dict[str, Any] = {
                "predictions": pictures.predictions, "truth": pictures.truth.folder, "sources": pictures.sources.folder,
                "masks": pictures.masks.folder, "made_by": pictures.made_by, "patients": pictures.patients.folder,
                "labels": pictures.labels.folder, "direction": pictures.direction.currentData(),
            }  # fmt: skip
        else:
            chosen = {"models": self.models.models, "data": self.data.spec}
        how = {name: value for name, value in wanted_of(self._settings).items() if name in _HOW}
        return {
            **empty, **chosen, "side": self.data.side.currentData(), "test_share": self.data.share.value() / 100,
            "paired": self.paired.isChecked(), "proportion": self.share.value() / 100, "body_model": self.body.outliner,
            "how": {} if finished else how, "by_hand": left_out_in(self.left_out.text()) or {},
        }  # fmt: skip

    def forget(self) -> None:
        self.left_out.clear()

    def show_request(self) -> None:
        asked, pictures = self.draft.request, self.pictures
        (self.of_pictures if asked.predictions else self.of_models).setChecked(True)
        if asked.data:
            self.data.take(asked.data)
        elif not asked.predictions:
            self.data.data.setCurrentIndex(0)
        self.data.side.setCurrentIndex(max(self.data.side.findData(asked.side), 0))
        self.data.share.setValue(round(100 * asked.test_share) or 20)
        self.models.tick(asked.models)
        if asked.predictions != pictures.predictions:
            pictures.synthetic.chosen = []
            pictures.take(asked.predictions)
        for field, folder in ((pictures.truth, asked.truth), (pictures.sources, asked.sources), (pictures.masks, asked.masks),
                              (pictures.patients, asked.patients), (pictures.labels, asked.labels)):  # fmt: skip
            field.set_folder(folder)
        pictures.direction.setCurrentIndex(max(pictures.direction.findData(asked.direction), 0))
        if left_out_in(self.left_out.text()) not in (None, asked.by_hand):
            self.left_out.setText("; ".join(f"{case}: {why}" for case, why in asked.by_hand.items()))
        self.paired.setChecked(asked.paired)
        self.share.setValue(round(100 * asked.proportion))
        self.stack.setCurrentIndex(max(self._way.checkedId(), 0))

    def follow(self) -> None:
        asked = self.draft.request
        self.stack.setCurrentIndex(max(self._way.checkedId(), 0))
        alone = asked.design == "yes_no"
        self.paired.setVisible(alone)
        for part in (self._share_name, self.share):
            part.setVisible(alone and not asked.paired)
        form = self.pictures.layout()
        assert isinstance(form, QFormLayout)
        form.setRowVisible(self.pictures.synthetic.labels, False)  # of scores alone
        form.setRowVisible(self.pictures.labels, asked.design == "diagnosis")  # they say where the finding is
        heads = self._way.checkedId() == MODELS and asked.data.startswith(PHANTOM)
        say(self.note, _HEADS if heads else "")
        say(self.problem_note, self.problem if self.draft.models or asked.data else "")

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "models"):
            self.models.fit()

    def _hear(self) -> None:
        self.complete(self.of_models, self.of_pictures, self.left_out, self.paired, self.share)
        self.left_out.returnPressed.connect(self.draft.leave_nobody_out)
        for told in (self.models.chosen, self.data.changed, self.pictures.changed, self.body.currentIndexChanged,
                     self.pictures.direction.currentIndexChanged):  # fmt: skip
            told.connect(self._take_if_shown)

    def _take_if_shown(self) -> None:
        """Lists that are filled anew say so too; what they say while the draft is shown is not a choice."""
        if not self.models.signalsBlocked():
            self._take()

    def _lay_out(self) -> None:
        of_models = QWidget()
        within = QVBoxLayout(of_models)
        within.setContentsMargins(0, 0, 0, 0)
        within.addWidget(self.models, 1)
        within.addWidget(self.data)
        self.stack = QStackedWidget()
        self.stack.addWidget(of_models)
        self.stack.addWidget(self.pictures)
        for part in (FlowingRow(self.of_models, self.of_pictures), self.stack, self.note, self.problem_note):
            self.column.addWidget(part)
        self.form(("B&ody", self.body), ("Left out by hand", self.left_out))
        self.column.addWidget(FlowingRow(self.paired, self._share_name, self.share))


def left_out_in(text: str) -> dict[str, str] | None:
    """Why, by the names of cases; None where one has no reason."""
    parts = [[word.strip() for word in part.partition(":")[::2]] for part in text.split(";") if part.strip()]
    return dict(parts) if all(case and why for case, why in parts) else None
