"""Asks for what another program's model does not say of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QDialogButtonBox, QFormLayout, QWidget

from ctmri_core.errors import ModelRefused
from ctmri_core.exchange.import_card import Question
from ctmri_gui.models import card_fields
from ctmri_gui.models.card_fields import MISSING, CardField
from ctmri_gui.panels.fitted_dialog import FittedDialog
from ctmri_gui.panels.small_parts import label

if TYPE_CHECKING:
    from ctmri_core.exchange.found_model import FoundModel

_WHY = (
    "The file holds a network, but not what it was made for. What is not known here has to come from whoever made it: a wrong"
    " scaling or direction gives pictures that look right and are not."
)
_PLANES = (("axial", "axial slices"), ("three", "axial, coronal and sagittal slices, fused"))
_TITLES = {
    "part": "Network in the file", "channels": "Its input channels hold", "output": "The picture is",
    "statistics": "It translates by", "wanted": "Place of the target, from 0",
    "input_range": "Values it is shown", "output_range": "Values it gives", "recipe.multiple": "Picture edges in multiples of",
}  # fmt: skip
_HELP = {
    "name": "How it is called in the list of models.",
    "direction": "From which kind of scan to which. Files named G_A and G_B are the two directions of one training.",
    "recipe.spacing_mm": "The size of the pixels it was trained on. Slices are brought to it, translated, and brought back.",
    "recipe.ct": "The HU that were its darkest and its brightest value in training; what lies beyond was cut off.",
    "recipe.mr": "Which values of an MR were its darkest and its brightest in training.",
    "recipe.planes": "Of which slices it was trained; where it is all three, each is translated and the answers are fused.",
    "output": "The network gives several channels, as for colours; this says which of them become the picture.",
}


class ImportDialog(FittedDialog):
    """`table`, once accepted: a card by hand (`ImportCard`)."""

    def __init__(self, found: FoundModel, known: Mapping[str, Any], parent: QWidget | None = None) -> None:
        super().__init__("Add a model of another program", "What has to be known of the model", 600, parent)
        self._found, self._known = found, known
        self.fields = {field.name: field for field in self._made_fields(found.questions)}
        self.problem = label("", "muted")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add = self.buttons.addButton("Add model", QDialogButtonBox.ButtonRole.AcceptRole)
        self.add.setProperty("primary", True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        for field in self.fields.values():
            field.changed(self._follow)
        self._follow()

    @property
    def table(self) -> dict[str, Any]:
        """What was entered, beside what is known and not asked here."""
        table = {**self._known, "recipe": {**self._known.get("recipe", {})}}
        for name, field in self.fields.items():
            value = field.value()
            outer, _, inner = name.rpartition(".")
            place = table["recipe"] if outer == "recipe" else table
            place.pop(inner, None)
            if value is not MISSING and self._concerned(name):
                place[inner] = value
        return table

    def _made_fields(self, questions: tuple[Question, ...]) -> Iterator[CardField]:
        known = self._known
        recipe = known.get("recipe", {})
        ct = recipe.get("ct", {})
        hu = (ct["low"], ct["high"]) if {"low", "high"} <= ct.keys() else MISSING
        yield card_fields.text_field("name", "Name", known.get("name") or self._found.path.stem[:100])
        yield card_fields.direction_field("direction", "Direction", str(known.get("direction", "")))
        yield card_fields.region_field("body_region", "Body region", known.get("body_region", ""))
        yield card_fields.text_field("licence", "Licence of the weights", known.get("licence", ""), "as its makers state it")
        yield card_fields.spacing_field("recipe.spacing_mm", "Pixel size (mm)", recipe.get("spacing_mm", MISSING))
        yield card_fields.range_field(
            "recipe.ct", "CT values (HU)", hu, ("as -1000", "as 1000"),
            lambda low, high: ct if (low, high) == hu else {"kind": "hu_range", "low": low, "high": high},
        )  # fmt: skip
        yield card_fields.scaling_field("recipe.mr", "MR values", recipe.get("mr"))
        yield card_fields.choice_field("recipe.planes", "Run along", _PLANES, recipe.get("planes", "axial"))
        for question in questions:
            if question.field in _TITLES:
                yield self._made_field(question)

    def _made_field(self, question: Question) -> CardField:
        title, name = _TITLES[question.field], question.field
        told = self._known.get("recipe", {}) if "." in name else self._known
        start = told.get(name.rpartition(".")[2], MISSING if question.suggested is None else question.suggested)
        if question.choices:
            return card_fields.choice_field(name, title, question.choices, start)
        if name.endswith("_range"):
            return card_fields.range_field(name, title, start, ("lowest", "highest"), lambda low, high: [low, high])
        return card_fields.number_field(name, title, start)

    def _lay_out(self) -> None:
        within = self.within
        form = self._form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        asked = {question.field: question.asks for question in self._found.questions}
        for field in self.fields.values():
            form.addRow(field.title, field.widget)
            self._explain(field, _HELP.get(field.name) or f"{asked.get(field.name, field.title)}.")
        within.addWidget(label(f"{self._found.path.name}: {self._found.title}", "heading"))
        within.addWidget(label("\n".join(self._found.facts), "muted"))
        within.addWidget(label(_WHY, "muted"))
        within.addLayout(form)
        within.addWidget(self.problem)
        self.complete_with(self.buttons)

    def _explain(self, field: CardField, words: str) -> None:
        words = words[:1].upper() + words[1:]
        for widget in (self._form.labelForField(field.widget), field.widget):
            widget.setToolTip(words)
        field.widget.setAccessibleDescription(words)

    def _follow(self) -> None:
        """What is still missing, or cannot be; rows that the direction has nothing to do with are not asked."""
        for name, field in self.fields.items():
            self._form.setRowVisible(field.widget, self._concerned(name))
        missing = [field.title for name, field in self.fields.items() if field.value() is MISSING and self._concerned(name)]
        self.problem.setText(f"Still needed: {', '.join(missing)}." if missing else self._fault())
        self.problem.setVisible(bool(self.problem.text()))
        self.add.setEnabled(not self.problem.text())

    def _concerned(self, name: str) -> bool:
        direction = self.fields["direction"].value()
        if direction is MISSING or name not in ("recipe.ct", "recipe.mr"):
            return True
        modalities = {"ct" if end == "ct" else "mr" for end in direction.split("_to_")}
        return name.removeprefix("recipe.") in modalities

    def _fault(self) -> str:
        try:
            self._found.completed(self.table)
        except ModelRefused as refusal:
            return str(refusal)
        return ""
