"""What an empty window says: the three steps, and ways to begin."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ctmri_gui.panels.small_parts import button, label, scrolling
from ctmri_gui.theme import app_icon, current_palette, icon

_STEPS = (
    ("open_folder", "1  Open a scan", "Drop DICOM, NIfTI, MHA, NRRD, MGZ, pictures or a zip anywhere on this window."),
    ("translate", "2  See it translated", "A fitting model makes the synthetic image: a CT becomes MR, an MR becomes CT."),
    ("demo", "3  Compare with the truth", "Drop the patient's real scan beside it; SSIM and PSNR follow as you scroll."),
)
_INVITATION = "Drop a scan here and see CT, synthetic MRI and the real MRI side by side."
_LEAST_LETTERS = 70  # side by side
_PROMISE = "For research. Synthetic images are not for diagnosis. Nothing leaves this computer."


class Welcome(QWidget):
    """The first page. `begin`: actions offered as buttons, the first one in the accent colour."""

    def __init__(self, *begin: QAction) -> None:
        super().__init__()
        self.setAccessibleName("Welcome")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # hidden, it asks for no width
        frame = QFrame()
        frame.setProperty("role", "drop")
        frame.setMaximumWidth(980)
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(22, 30, 22, 30)
        inside.setSpacing(18)
        inside.addStretch(1)
        for part in (self._sign(), _centred(label("CT-MRI Studio", "title", wrap=False))):
            inside.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
        self.invitation = _centred(label(_INVITATION, "muted"))
        inside.addWidget(self.invitation)
        steps, row = QHBoxLayout(), QHBoxLayout()
        self._rows = (steps, row)
        steps.setSpacing(14)
        for sign, heading, text in _STEPS:
            steps.addWidget(_step(sign, heading, text), 1)
        inside.addLayout(steps)
        row.addStretch(1)
        for number, action in enumerate(begin):
            row.addWidget(button(action, primary=number == 0))
        row.addStretch(1)
        inside.addLayout(row)
        inside.addWidget(_centred(label(_PROMISE, "muted")))
        inside.addStretch(1)
        page = QWidget()
        around = QHBoxLayout(page)
        around.setContentsMargins(14, 14, 14, 14)
        around.addWidget(frame, 0, Qt.AlignmentFlag.AlignVCenter)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(page, "Welcome"))

    def tell(self, text: str) -> None:
        """How far the opening of a scan is; empty when none is opened."""
        self.invitation.setText(f"Opening: {text}" if text else _INVITATION)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn_rows()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.layout() is not None:
            self._turn_rows()

    def _turn_rows(self) -> None:
        """Steps and buttons stand below each other where the text is too large for them to stand side by side."""
        narrow = self.width() < _LEAST_LETTERS * self.fontMetrics().averageCharWidth()
        for row in self._rows:
            row.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)

    def _sign(self) -> QLabel:
        sign = QLabel()
        sign.setPixmap(app_icon().pixmap(64, 64))
        return sign


def _step(sign: str, heading: str, text: str) -> QWidget:
    card = QFrame()
    card.setProperty("role", "card")
    column = QVBoxLayout(card)
    column.setContentsMargins(16, 14, 16, 14)
    picture = QLabel()
    picture.setPixmap(icon(sign, current_palette().accent).pixmap(26, 26))
    column.addWidget(picture)
    column.addWidget(label(heading, "heading"))
    column.addWidget(label(text, "muted"))
    column.addStretch(1)
    return card


def _centred(made: QLabel) -> QLabel:
    made.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    return made
