"""Choose a model, run it, see how far it is, cancel it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QListView,
    QProgressBar,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ctmri_gui.jobs.queue import JobState
from ctmri_gui.models.model_list import ModelList
from ctmri_gui.panels.small_parts import LARGE_TEXT, button, label, set_role
from ctmri_gui.session import Session
from ctmri_gui.theme import icon_side
from ctmri_gui.translating.options_box import OptionsBox

if TYPE_CHECKING:
    from ctmri_core.model_card import ModelEntry

_PROGRESS_STEPS = 1000
_ROWS_SHOWN = 4  # further ones by scrolling
_ENDLESS = 10_000  # px


class _TickedRows(QStyledItemDelegate):
    """Qt forgets the tick where it looks how many lines a text takes."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        hint, view = super().sizeHint(option, index), option.widget
        if view is None or option.rect.width() <= 0:
            return hint
        option = QStyleOptionViewItem(option)
        self.initStyleOption(option, index)
        text = view.style().subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, view)
        margin = view.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, option, view) + 1
        room = QRect(0, 0, text.width() - 2 * margin, _ENDLESS)
        lines = option.fontMetrics.boundingRect(room, Qt.TextFlag.TextWordWrap, option.text).height()
        return QSize(hint.width(), lines + option.rect.height() - text.height())


class _FewRows(QListView):
    """As high as its first rows are at the present width; the others are reached by scrolling."""

    def __init__(self) -> None:
        super().__init__()
        self._size_icons()
        self.setItemDelegate(_TickedRows(self))
        self.setWordWrap(True)
        self.setUniformItemSizes(False)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def fit(self) -> None:
        self.doItemsLayout()
        rows = min(self.model().rowCount(), _ROWS_SHOWN)
        height = sum(self.visualRect(self.model().index(row, 0)).height() for row in range(rows))
        self.setFixedHeight(height + 2 * self.frameWidth() + 2)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.model() is not None:
            self._size_icons()
            self.fit()

    def _size_icons(self) -> None:
        side = icon_side(self.font().pixelSize())
        self.setIconSize(QSize(side, side))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()


class TranslationPanel(QWidget):
    """The list of models with what each is for, and the run below it."""

    def __init__(self, session: Session, commands: Mapping[str, QAction]) -> None:
        """`commands`: those of the window, by name."""
        super().__init__()
        self._session = session
        self._translate, self._cancel, self._compare = (commands[name] for name in ("translate", "cancel", "compare_models"))
        self.models = ModelList(session.library, self)
        self.list = _FewRows()
        self.list.setModel(self.models)
        self.list.setAccessibleName("Models")
        self.list.setAccessibleDescription("Space ticks a model to compare it with the others that are ticked")
        self.comparing = label("", "muted")
        self.empty = label("No model yet. Drop a model file (.safetensors, .pth, .onnx) on the window.", "muted")
        self.scope = label("", "muted")
        self.standing = label("", "warning")
        self.reason = label("", "muted")
        self.doubt = label("", "warning")
        self.bar = QProgressBar()
        self.bar.setAccessibleName("Progress of the translation")
        self.bar.setTextVisible(False)
        self.progress = label("", "muted")
        self.options = OptionsBox(session)
        self._side_by_side = button(self._compare)
        self._side_by_side.setObjectName("compare")
        self._lay_out(button(self._translate, primary=True), button(self._cancel, short=True), button(commands["add_model"]))
        self.list.selectionModel().currentChanged.connect(self._picked)
        session.library.changed.connect(self._show_models)
        session.library.chose.connect(self._show_choice)
        session.library.markedChanged.connect(self._show_state)
        session.volumeChanged.connect(lambda _role, _volume: self._show_state())
        session.previewed.connect(lambda _role, _first: self._show_state())
        session.previewOver.connect(self._show_state)
        session.translationChanged.connect(self._show_run)
        session.translationDoubted.connect(lambda _doubt: self._show_state())
        self._show_models()
        self._show_run(session.translation.state)

    def show_results(self, box: QWidget) -> None:
        """What came of it, above how the next one is made."""
        self._column.insertWidget(self._column.indexOf(self.options), box)

    def add_part(self, part: QWidget) -> None:
        """More that belongs to translating, below the options."""
        self._column.insertWidget(self._column.indexOf(self.options) + 1, part)

    def _lay_out(self, translate: QWidget, cancel: QWidget, add_model: QWidget) -> None:
        self._buttons, self._below = buttons, below = (
            QBoxLayout(QBoxLayout.Direction.LeftToRight), QBoxLayout(QBoxLayout.Direction.LeftToRight),
        )  # fmt: skip
        self._turn_buttons()
        self._begin, self._end = translate, cancel
        buttons.addWidget(translate, 1)
        buttons.addWidget(cancel)
        below.addWidget(self._side_by_side, 1)
        below.addWidget(add_model)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 10)
        column.setSpacing(8)
        column.addWidget(self.empty)
        column.addWidget(self.list)
        column.addLayout(buttons)
        column.addLayout(below)
        column.addWidget(self.comparing)
        for widget in (self.reason, self.doubt, self.standing, self.bar, self.progress, self.options, self.scope):
            column.addWidget(widget)
        column.addStretch(1)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.layout() is not None:
            self._turn_buttons()

    def _turn_buttons(self) -> None:
        directions = QBoxLayout.Direction
        large = self.font().pixelSize() >= LARGE_TEXT
        for row in (self._buttons, self._below):
            row.setDirection(directions.TopToBottom if large else directions.LeftToRight)

    def _picked(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self._session.library.pick(current.data(Qt.ItemDataRole.UserRole))

    def _show_models(self) -> None:
        any_model = self.models.rowCount() > 0
        self.empty.setVisible(not any_model)
        self.list.setVisible(any_model)
        self._side_by_side.setVisible(self.models.rowCount() > 1)
        self.list.fit()
        self._show_choice(self._session.library.chosen)

    def _show_choice(self, entry: ModelEntry | None) -> None:
        row = self.models.row_of(entry)
        if row >= 0:
            self.list.setCurrentIndex(self.models.index(row))
        card = entry.card if entry is not None else None
        self.scope.setText(card.summary if card is not None else "")
        self.scope.setVisible(card is not None)
        unverified = entry is not None and not self._session.library.is_shipped(entry)
        run = self._session.library.run_of(entry) if entry is not None else ""
        origin = f"it comes from your run {run}" if run else "it did not come with the program"
        self.standing.setText(f"Unverified model: {origin}." if unverified else "")
        self.standing.setVisible(unverified)
        self._show_state()

    def _show_state(self) -> None:
        problem = self._session.translation_problem
        running = self._session.translation.state is not None
        with_keys = [press.hasFocus() for press in (self._begin, self._end, self._side_by_side)]  # greyed they hand them on
        self._translate.setEnabled(not problem and not running)
        self._cancel.setEnabled(running)
        if any(with_keys) and (running or with_keys[1]):
            (self._end if running else self._begin).setFocus()
        self.reason.setText(problem)
        self.reason.setVisible(bool(problem) and not running)
        lacking = self._session.comparing_problem if self._session.library.marked else ""
        self.comparing.setText(lacking)
        self.comparing.setVisible(bool(lacking))
        doubt = self._session.translation_doubt
        self.doubt.setText(f"Not translated yet. {doubt.words}" if doubt is not None else "")
        self.doubt.setVisible(doubt is not None and not running)

    def _show_run(self, state: JobState | None) -> None:
        for widget in (self.bar, self.progress):
            widget.setVisible(state is not None)
        if state is not None:
            fraction = state.fraction
            self.bar.setRange(0, _PROGRESS_STEPS if fraction is not None else 0)
            self.bar.setValue(round((fraction or 0.0) * _PROGRESS_STEPS))
            share = "" if fraction is None or state.stopping else f"{100 * fraction:.0f} % · "
            words = self._session.translation.words.capitalize()
            self.progress.setText("\n".join(filter(None, (words, share + state.text, state.setting))))
            set_role(self.progress, "warning" if state.stopping else "muted")
        self._show_state()
