"""One tab for each open case above the panes: a small picture, what it is, and a way to close it."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakKeyDictionary

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QIcon, QMouseEvent, QPixmap
from PySide6.QtWidgets import QTabBar, QToolButton

from ctmri_core.volume import Volume
from ctmri_gui.cases.case import Case
from ctmri_gui.cases.cases import Cases
from ctmri_gui.private_paths import identity_of, tells_of_patient
from ctmri_gui.series_picker.thumbnails import picture_of
from ctmri_gui.theme import icon
from ctmri_gui.viewer.palette import scaled

_PICTURE, _LARGEST = 34, 40  # px beside text of 13 px; a low window needs its height for the pictures that count
_SIDE = QTabBar.ButtonPosition.RightSide


class CaseBar(QTabBar):
    """Hidden while there is one case. What is dropped on it opens in a case of its own."""

    picked = Signal(object)  # Case
    closeAsked = Signal(object)  # Case
    dropped = Signal(object)  # tuple of Path

    def __init__(self, cases: Cases) -> None:
        super().__init__()
        self._cases = cases
        self._shown: tuple[Case, ...] = ()
        self._pictures: WeakKeyDictionary[Volume, QPixmap] = WeakKeyDictionary()
        self.setProperty("role", "cases")
        self.setObjectName("cases")
        self.setAccessibleName("Open cases")
        self.setAcceptDrops(True)
        self.setExpanding(False)
        self.setDrawBase(False)
        self.setUsesScrollButtons(True)
        self.setElideMode(Qt.TextElideMode.ElideNone)  # a number and a kind: what does not fit is reached by scrolling
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._size_pictures()
        self.currentChanged.connect(self._pick)
        cases.listChanged.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        self._show_tabs(self._cases.all)
        self.setVisible(len(self._shown) > 1)
        for place, case in enumerate(self._shown):
            self._tell(place, case)

    def _show_tabs(self, cases: tuple[Case, ...]) -> None:
        """Tabs come and go without a word: it is not the person who picks then."""
        before = self.blockSignals(True)
        for place in reversed([place for place, case in enumerate(self._shown) if case not in cases]):
            self.removeTab(place)
        for case in cases[len([case for case in self._shown if case in cases]) :]:  # new ones come last
            place = self.addTab("")
            self.setTabButton(place, _SIDE, self._close_button(case))
            case.translationChanged.connect(self._follow_work)
        self._shown = cases
        self.setCurrentIndex(cases.index(self._cases.current))
        self.blockSignals(before)

    def _tell(self, place: int, case: Case) -> None:
        self.setTabText(place, case.label.replace("&", "&&") + _work_of(case))
        self.setTabToolTip(place, description(case))
        self.setAccessibleTabName(place, f"Case {case.label}{_work_of(case)}")
        first = case.first
        self.setTabIcon(place, QIcon() if first is None else QIcon(self._picture(first)))
        close = self.tabButton(place, _SIDE)
        close.setToolTip(f"Close case {case.label}")
        close.setAccessibleName(f"Close case {case.label}")

    def _picture(self, volume: Volume) -> QPixmap:
        """Made once: the body was found when the volume was loaded, so it is one slice's work."""
        known = self._pictures.get(volume)
        if known is None:
            known = self._pictures[volume] = QPixmap.fromImage(picture_of(volume))
        return known

    def _follow_work(self) -> None:
        for place, case in enumerate(self._shown):
            self.setTabText(place, case.label.replace("&", "&&") + _work_of(case))

    def _close_button(self, case: Case) -> QToolButton:
        made = QToolButton()
        _draw_cross(made)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Ctrl+W does it
        made.setAutoRaise(True)
        made.clicked.connect(lambda: self.closeAsked.emit(case))
        return made

    def _pick(self, place: int) -> None:
        if 0 <= place < len(self._shown):
            self.picked.emit(self._shown[place])

    def _size_pictures(self) -> None:
        side = min(scaled(_PICTURE), _LARGEST)
        self.setIconSize(QSize(side, side))
        for place in range(self.count()):
            button = self.tabButton(place, _SIDE)
            if isinstance(button, QToolButton):
                _draw_cross(button)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange):
            self._size_pictures()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        place = self.tabAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.MiddleButton and place >= 0:
            self.closeAsked.emit(self._shown[place])
        else:
            super().mouseReleaseEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.dropped.emit(tuple(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()))


def description(case: Case) -> str:
    """What lies on the panes of a case, one to a line; names of files only where they tell nothing of a patient."""
    lines = [f"Case {case.label}"]
    for role, volume in case.volumes.items():
        if volume is not None:
            lines.append(f"{role.label}: {_named(volume)}")
    return "\n".join(lines)


def _named(volume: Volume) -> str:
    count = volume.geometry.shape[0]
    words = f"{volume.label}, {count} {'slice' if count == 1 else 'slices'}"
    if volume.path is None:
        return words
    patients = [] if volume.dicom is None else [identity_of(volume.dicom)]
    return words if tells_of_patient(Path(volume.path.name), patients) else f"{words}, {volume.path.name}"


def _draw_cross(button: QToolButton) -> None:
    """In the colours and the size of the text."""
    side = scaled(12)
    button.setIcon(icon("close"))
    button.setIconSize(QSize(side, side))


def _work_of(case: Case) -> str:
    """What a case that is not looked at is busy with."""
    state = case.translation.state
    if state is None:
        return ""
    return "  …" if state.fraction is None else f"  {state.fraction:.0%}"


