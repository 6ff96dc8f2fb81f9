"""The controls of the outline of the body and of other masks, for a dock: where the body ends, tools, what is made of it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.domain import Domain
from ctmri_gui.panels.small_parts import LARGE_TEXT, TurningRow, button, label, naming, reveal
from ctmri_gui.viewer.body.body_editor import LARGEST_MM, SMALLEST_MM, BodyEditor
from ctmri_gui.viewer.body.mask_tools import MaskChoice, MaskTools, press, row_of, switch, tick

_CT_STEPS = (-900, 300, 10.0)
_SHARE_STEPS = (0, 140, 0.005)
"""Of the slider: lowest and highest for 10 HU each, or for half a percent of the range."""
_ONLY_TIP = "What is outside of the outline is not shown to the model and is background in the result"
_BY_THRESHOLD = "Threshold"
_BY_TIP = "A threshold, or a model that learnt to outline the body from masks"
_THRESHOLD_TIP = "Outlines what is brighter; strokes of the brush are lost, until that is taken back"


class BodyPanel(QWidget):
    """`saveAsked`: the mask is wanted as a file."""

    saveAsked = Signal()

    def __init__(self, editor: BodyEditor) -> None:
        super().__init__()
        self._editor = editor
        self.shown = tick(editor.action("body_mask"), "Body outline")
        self.shown.clicked.connect(self._reveal)
        self._reveals = False  # once the body is found
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self.threshold.setAccessibleName("Threshold of the outline")
        self.threshold.setToolTip(_THRESHOLD_TIP)
        self.limit = label("", "muted", wrap=False)
        self.add, self.erase = switch(editor.action("body_add"), "Add"), switch(editor.action("body_erase"), "Erase")
        self.radius = QDoubleSpinBox()
        self.radius.setRange(SMALLEST_MM, LARGEST_MM)
        self.radius.setDecimals(0)
        self.radius.setSuffix(" mm")
        self.radius.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)  # narrower than its largest value
        self.radius.setAccessibleName("Radius of the brush")
        self.ball = tick(editor.action("body_ball"), "Into other slices")
        self.anew = button(editor.action("body_anew"))
        self.by = QComboBox()
        self.by.setAccessibleName("What outlines the body")
        self.by.setToolTip(_BY_TIP)
        self.by.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.by_row = QWidget()
        self.choice, self.tools = MaskChoice(editor.edited, editor.action("label_new")), MaskTools(editor)
        self.new_mask = press(editor.action("mask_new"), "&New mask…")
        self.save = QPushButton("Save mask…")
        self.note = label("", "muted")
        self.only = QCheckBox("Translate inside")
        self.only.setToolTip(_ONLY_TIP)
        self._drag = object()
        self._lay_out()
        self._connect()
        self._follow()

    def _lay_out(self) -> None:
        self.details = QWidget()
        level, brush = row_of(), row_of()
        level.addLayout(row_of(naming("Th&reshold", self.threshold), (self.limit, 1)))
        level.addWidget(self.threshold, 1)
        inner = QVBoxLayout(self.details)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(6)
        by = QHBoxLayout(self.by_row)
        by.setContentsMargins(0, 0, 0, 0)
        by.addWidget(naming("&Outlined by", self.by))
        by.addWidget(self.by, 1)
        inner.addWidget(self.by_row)
        self.level = QWidget()
        self.level.setLayout(level)
        level.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.level)
        files = row_of((self.anew, 1), (self.save, 1))
        brush.addLayout(row_of((self.add, 1), (self.erase, 1)), 1)
        brush.addLayout(row_of(naming("Ra&dius", self.radius), (self.radius, 1)))
        self._turning = (level, brush, files)
        self._turn_rows()
        inner.addLayout(brush)
        inner.addWidget(self.ball)
        inner.addWidget(self.tools)
        inner.addLayout(files)
        inner.addWidget(self.note)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self.first = TurningRow((self.shown, 1), (self.new_mask, 0))
        for part in (self.first, self.choice, self.details, self.only):
            column.addWidget(part)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.layout() is not None:
            self._turn_rows()

    def _turn_rows(self) -> None:
        """Large text has no room for so much beside one another."""
        directions = QBoxLayout.Direction
        for row in self._turning:
            row.setDirection(directions.TopToBottom if self.font().pixelSize() >= LARGE_TEXT else directions.LeftToRight)

    def _connect(self) -> None:
        self._editor.changed.connect(self._follow)
        self.threshold.valueChanged.connect(self._ask)
        self.threshold.sliderPressed.connect(self._begin_drag)
        self.radius.valueChanged.connect(self._editor.set_radius)
        self.only.toggled.connect(self._editor.set_only)
        self.by.activated.connect(self._choose)
        self.save.clicked.connect(lambda _checked=False: self.saveAsked.emit())

    def _choose(self, row: int) -> None:
        """By threshold, or by a model."""
        model = self.by.itemData(row)
        if model is None:
            self._editor.find_anew()
        else:
            self._editor.find_by(model)

    def _show_outliners(self) -> None:
        """Hidden where there is no choice."""
        models, body = self._editor.outliners, self._editor.body
        names = [model.card.name for model in models if model.card is not None]
        self.by_row.setVisible(bool(models) and self._editor.edited.is_body)
        with QSignalBlocker(self.by):
            if [self.by.itemText(row) for row in range(1, self.by.count())] != names:
                self.by.clear()
                self.by.addItem(_BY_THRESHOLD, None)
                for name, model in zip(names, models, strict=True):
                    self.by.addItem(name, model)
            if not self._editor.finding:
                self.by.setCurrentIndex(names.index(body.by) + 1 if body is not None and body.by in names else 0)

    def _reveal(self, on: bool) -> None:
        """Leads to what can be done with a body as soon as there is one."""
        self._reveals = on and self.details.isHidden()
        if not self._reveals:
            reveal(self)

    def _begin_drag(self) -> None:
        self._drag = object()

    def _ask(self, place: int) -> None:
        threshold = place * self._step
        self.limit.setText(self._words(threshold))
        self._editor.set_threshold(threshold, self._drag)

    @property
    def _is_ct(self) -> bool:
        source = self._editor.source
        return source is not None and source.domain is Domain.CT

    @property
    def _step(self) -> float:
        return (_CT_STEPS if self._is_ct else _SHARE_STEPS)[2]

    def _words(self, threshold: float) -> str:
        return f"{threshold:.0f} HU" if self._is_ct else f"{100 * threshold:.1f} %"

    def _follow(self) -> None:
        editor = self._editor
        body, there = editor.body, editor.source is not None
        of_body = editor.edited.is_body
        self.setVisible(there or not of_body)
        self.shown.setVisible(there)
        self.details.setVisible((there and editor.shown) if of_body else True)
        if self._reveals and not self.details.isHidden():
            self._reveal(True)
        self.only.setVisible(there and body is not None)
        for part in (self.level, self.anew, self.note):
            part.setVisible(of_body)
        with QSignalBlocker(self.radius):
            self.radius.setValue(editor.radius_mm)
        self._show_outliners()
        if body is None:
            return
        with QSignalBlocker(self.only):
            self.only.setChecked(body.only)
        if not editor.finding:
            low, high, step = _CT_STEPS if self._is_ct else _SHARE_STEPS
            with QSignalBlocker(self.threshold):
                self.threshold.setRange(int(low), int(high))
                self.threshold.setValue(round(body.threshold / step))
            self.limit.setText(self._words(body.threshold))
        self.note.setText(_state(editor))


def _state(editor: BodyEditor) -> str:
    body = editor.body
    if editor.finding or body is None:
        return "Outlining …"
    if body.by_hand:
        return "Changed by hand."
    if body.by:
        return f"As {body.by} outlines it."
    return "As found." if body.threshold == body.own else "With a threshold of your own."
