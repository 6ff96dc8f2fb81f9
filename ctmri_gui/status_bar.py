"""The foot of the window: values under the mouse, running work, memory, and what synthetic images are not for."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStatusBar, QToolButton

from ctmri_gui.cases.room import in_words
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.running_work import RunningWork
from ctmri_gui.panels.small_parts import label

_EVERY_MS = 3000
_INDENT = 10  # pixels between the edge of the window and the values
_ROOM_FOR_MEMORY = 150  # letters: in a narrower window the values under the mouse need the place
_ROOM_FOR_SHARE = 110
_SMALL_SHARE = 0.1  # of the computer's memory: less than that free is said in a warning


class StatusBar(QStatusBar):
    """`tray`: the command that shows the jobs."""

    def __init__(self, jobs: Jobs, tray: QAction) -> None:
        super().__init__()
        self.cursor_text = FittingLabel()
        self.cursor_text.setAccessibleName("Values under the mouse")
        self.cursor_text.setIndent(_INDENT)
        self.work, self.jobs, self.memory = RunningWork(jobs), JobsButton(jobs, tray), MemorySign()
        self.addWidget(self.cursor_text, 1)
        for part in (self.work, self.jobs, self.memory, label("Synthetic images: not for diagnosis", "badge", wrap=False)):
            self.addPermanentWidget(part)
        self.setSizeGripEnabled(False)


class FittingLabel(QLabel):
    """Says the first of several forms of a text that has room, the last one cut where none has. Never widens the window."""

    def __init__(self) -> None:
        super().__init__()
        self._forms: tuple[str, ...] = ("",)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_forms(self, forms: tuple[str, ...]) -> None:
        """From the longest to the shortest."""
        self._forms = forms
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room, metrics = self.width() - self.indent(), self.fontMetrics()
        fitting = (form for form in self._forms if metrics.horizontalAdvance(form) <= room)
        self.setText(next(fitting, None) or metrics.elidedText(self._forms[-1], Qt.TextElideMode.ElideRight, room))


class JobsButton(QToolButton):
    """How many jobs run, and how far they are on average; a click shows them."""

    def __init__(self, jobs: Jobs, tray: QAction) -> None:
        super().__init__()
        self._jobs, self._tray = jobs, tray
        self.clicked.connect(tray.trigger)
        tray.changed.connect(self._name)
        jobs.changed.connect(self._follow)  # a method, which Qt lets go of with the button: jobs may outlive the window
        self._follow()
        self._name()

    def _follow(self, _state: object = None) -> None:
        running = [state for state in self._jobs.listed if state.running]
        known = [state.fraction for state in running if state.fraction is not None]
        words = f"{len(running)} {'job' if len(running) == 1 else 'jobs'}"
        full = f"{words}, {sum(known) / len(known):.0%}" if known else words
        roomy = self.window().width() >= _ROOM_FOR_SHARE * self.fontMetrics().averageCharWidth()
        self.setText(full if roomy else words)
        self.setVisible(bool(running))
        self.setAccessibleName(f"{full} running")

    def _name(self) -> None:
        self.setToolTip(self._tray.toolTip())


class MemorySign(QLabel):
    """Memory of this program and what the computer has left, looked at now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "muted")
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Asks the system; not while nobody sees it."""
        window = self.window()
        if not window.isVisible() or window.isMinimized():
            return
        import psutil  # here, so that the window shows without it

        resident, memory = psutil.Process().memory_info().rss, psutil.virtual_memory()
        short = memory.available < _SMALL_SHARE * memory.total
        roomy = window.width() >= _ROOM_FOR_MEMORY * self.fontMetrics().averageCharWidth()
        words = f"{in_words(resident)} in use, {in_words(memory.available)} free"
        warned = f"Little memory: {words}"
        if self.property("role") != ("warning" if short else "muted"):
            self.setProperty("role", "warning" if short else "muted")
            self.style().unpolish(self)
            self.style().polish(self)
        self.setText("" if not roomy else warned if short else words)
        self.setVisible(roomy)
        free = f"{in_words(memory.available)} of {in_words(memory.total)} free"
        self.setToolTip(f"Memory: {in_words(resident)} of this program; {free}")
        self.setAccessibleName(self.toolTip())
