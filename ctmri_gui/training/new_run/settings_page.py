"""The settings of the method and of the run, but for what other pages ask."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

from ctmri_core.config_fields import ConfigField, fields_of
from ctmri_core.errors import CtmriError
from ctmri_core.method import MethodCard
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.settings import LENGTHS, TrainingSettings, metrics_of
from ctmri_gui import file_choice
from ctmri_gui.panels.small_parts import label
from ctmri_gui.training.new_run import presets
from ctmri_gui.training.new_run.config_form import ConfigForm
from ctmri_gui.training.new_run.draft import Draft
from ctmri_gui.training.new_run.field_words import run_fields
from ctmri_gui.training.new_run.summary import change_words

_ASKED_ELSEWHERE = frozenset(
    {*LENGTHS, "device", "devices", "nodes", "precision", "spacing_mm", "soft_tissue_curve", "validation_share"}
)


class SettingsPage(QWidget):
    """Holds a form for the present method; what is changed there stands in `draft` at once."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self._card: MethodCard | None = None
        self.form = ConfigForm(())
        self.title, self.said = label("", "title"), label("", "muted")
        self.said.hide()
        self.presets = QPushButton("Begin &with")
        self.presets.setMenu(self._menu())
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(18, 14, 18, 8)
        self._column.setSpacing(8)
        for part in (self.title, self.said, self.form):
            self._column.addWidget(part)
        find = QShortcut(QKeySequence.StandardKey.Find, self, lambda: self.form.search.setFocus())
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        draft.changed.connect(self._follow)
        self._follow()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow()

    def _menu(self) -> QMenu:
        """What to begin with."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        papers, small = menu.addAction("As in the paper"), menu.addAction("Small and quick")
        tune = menu.addAction("Fine-tune a model…")
        papers.setToolTip("Every setting as the method's authors had it")
        small.setToolTip("Networks half as wide, smaller squares: a first result soon, and in little memory")
        tune.setToolTip("Begin with the networks of a model file, and change them in small steps")
        papers.triggered.connect(lambda: self._take(papers.text(), presets.papers()))
        small.triggered.connect(lambda: self._take(small.text(), presets.small_and_quick(self._draft.card)))
        tune.triggered.connect(self._ask_model)
        return menu

    def _follow(self) -> None:
        """A form for another method is made when it is looked at."""
        card = self._draft.card
        if self._card is not card and (self.isVisible() or self._card is None):
            self._renew(card)
        if self._card is card:
            chosen = self._chosen()
            if self.form.values != chosen:
                self.form.set_values(chosen)
            self.form.show_problem(self._draft.settings_problem)

    def _renew(self, card: MethodCard) -> None:
        self._card = card
        form = ConfigForm(offered_fields(card), self._chosen(), scrolls=True, beside=self.presets)
        form.edited.connect(self._store)
        self._column.replaceWidget(self.form, form)
        self._column.setStretchFactor(form, 1)
        self.form.deleteLater()
        self.form = form
        self.title.setText(f"Settings of {card.title}")
        self.said.hide()

    def _chosen(self) -> dict[str, Any]:
        return {**self._draft.values("config"), **self._offered_settings()}

    def _offered_settings(self) -> dict[str, Any]:
        return {name: value for name, value in self._draft.values("settings").items() if name not in _ASKED_ELSEWHERE}

    def _store(self, changed: dict[str, Any]) -> None:
        own = self._draft.card.config.model_fields
        self._change(
            {
                "config": {name: value for name, value in changed.items() if name in own},
                "settings": {name: value for name, value in changed.items() if name not in own},
            }
        )

    def _change(self, tables: presets.Tables) -> None:
        kept = {name: value for name, value in self._draft.values("settings").items() if name in _ASKED_ELSEWHERE}
        wanted = {"config": tables["config"], "settings": {**kept, **tables["settings"]}}
        for table, values in wanted.items():
            if values != self._draft.values(table):
                self._draft.change(table, values)

    def _take(self, title: str, preset: presets.Tables) -> None:
        self._change(preset)
        self.form.open_changed()
        self.said.setText(f"{title}: {change_words(preset, run_fields(self._draft.card)) or 'nothing differs'}.")
        self.said.show()

    def _ask_model(self) -> None:
        chosen = file_choice.existing_files(self, "Fine-tune a model", "", "Model files (*.safetensors)")
        if chosen:
            self.start_from(chosen[0])

    def start_from(self, model: Path) -> None:
        """Fine-tunes `model`: its method, direction and settings are taken over, for its networks fit no others."""
        try:
            plan = RunPlan.from_model(model, self._draft.source)
        except CtmriError as refusal:
            self.said.setText(str(refusal))
            self.said.show()
            return
        self._draft.choose(method=plan.card.name, direction=plan.direction)
        self._take("Fine-tuning", presets.fine_tuned(plan))


def offered_fields(card: MethodCard) -> tuple[ConfigField, ...]:
    """What the page offers for `card`: its own settings first."""
    run = (
        replace(field, choices=metrics_of(card)) if field.name == "best_metric" else field
        for field in fields_of(TrainingSettings, card.settings)
    )
    return (*fields_of(card.config), *(field for field in run if field.name not in _ASKED_ELSEWHERE))
