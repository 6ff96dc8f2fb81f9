"""The line between a pane's strip and its picture: what a person should know before trusting the picture."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from ctmri_core.volume import Finding
from ctmri_gui.viewer import palette

_PADDING = 10
_NOTE = f"color: {palette.MUTED.name()}; background: {palette.FRAME.name()}; border-left: 4px solid {palette.OUTLINE.name()};"
_SERIOUS = (
    f"color: {palette.AMBER.name()}; background: {palette.AMBER_GROUND.name()}; "
    f"border-left: 4px solid {palette.AMBER.name()}; font-weight: 600;"
)


class Banner(QLabel):
    """Folded it is one line: the first finding, the serious before the others, and how many more there are. The tooltip has
    all of them, and a click unfolds them. Serious ones have a triangle, not only colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[str, ...] = ()
        self._unfolded = False
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()

    def set_findings(self, findings: tuple[Finding, ...]) -> None:
        ordered = sorted(findings, key=lambda finding: not finding.serious)
        self._lines = tuple(f"{'▲ ' if finding.serious else ''}{finding.message}" for finding in ordered)
        serious = bool(ordered) and ordered[0].serious
        self._unfolded = False
        self.setStyleSheet(f"QLabel {{ {_SERIOUS if serious else _NOTE} padding: 3px {_PADDING - 4}px; }}")
        self.setToolTip("\n".join(self._lines))
        said = " ".join(finding.message for finding in ordered)
        self.setAccessibleName(f"{'Warning' if serious else 'Note'}: {said}" if said else "")
        self._write()
        self.setVisible(bool(self._lines))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if palette.changes_text(event):
            self._write()

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self._unfolded = not self._unfolded
        self._write()

    def _write(self) -> None:
        self.setWordWrap(self._unfolded)
        self.setText("\n".join(self._lines) if self._unfolded else self._folded())

    def _folded(self) -> str:
        if not self._lines:
            return ""
        more = f"   +{len(self._lines) - 1} more" if len(self._lines) > 1 else ""
        metrics, room = self.fontMetrics(), self.width() - 2 * _PADDING
        room -= metrics.horizontalAdvance(more)
        return metrics.elidedText(self._lines[0], Qt.TextElideMode.ElideRight, max(room, 0)) + more
