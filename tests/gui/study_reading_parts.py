"""A small real study, its reading window, and keys for it."""

from __future__ import annotations

import sqlite3

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from ctmri_core.files import atomic_folder
from ctmri_core.studies.pictures import write_picture
from ctmri_core.studies.protocol import Display, Protocol
from ctmri_core.studies.reading import Reading
from ctmri_core.studies.study_folder import StudyFolder, write_draft
from ctmri_core.studies.trials import ReaderFacts
from ctmri_core.studies.truth import REAL, Arm, ItemTruth, Order, Plan, Truth
from ctmri_gui.studies.reading.monitor_pattern import PatternPage
from ctmri_gui.studies.reading.pages import Page
from ctmri_gui.studies.reading.reading_window import ReadingWindow
from ctmri_gui.studies.reading.trial_flow import State

SHAPE, SPACING = (9, 24, 20), (4.0, 1.0, 2.0)
MODEL = "hidden-model-7f"
KEY, ALT, CTRL = Qt.Key, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
QUICK = Display(least_seconds=0)


def voxels(token: str) -> np.ndarray:
    return np.random.default_rng(int(token, 16) % 2**32).integers(-1000, 1500, SHAPE).astype(np.int16)


def study(path, *, cases=3, practice=0, arms=2, **asked) -> StudyFolder:
    protocol = Protocol(**{"study": "0a" * 8, "title": "Heads", "display": QUICK, "break_every": 0, **asked})
    names = [REAL, *(f"{MODEL}{number}" for number in range(1, arms))]
    items = [
        ItemTruth(token=f"{7919 * (1 + number * 8 + place):016x}", arm=arm, case=f"c{number}", patient=f"c{number}", source=MODEL,
                  block="test" if number < cases else "practice")
        for number in range(cases + practice) for place, arm in enumerate(names)
    ]  # fmt: skip
    plan = Plan(seed="5e" * 32, readers=("R1", "R2"), repeats=0, practice=practice, order=Order(may_relax=True))
    truth = Truth(protocol=protocol.sha256, plan=plan, arms=tuple(Arm(name=name) for name in names), items=tuple(items))
    with atomic_folder(path) as folder:
        written = [write_picture(folder, item.token, voxels(item.token), SPACING) for item in items]
        write_draft(folder, protocol, truth, written)
    return StudyFolder(path).open("2026-01-01T00:00:00Z", "1.0", {})


def open_window(qtbot, place, *, first=False) -> ReadingWindow:
    """The window of R1, past all that comes before its first trial unless `first`."""
    reading = Reading(place, "R1")
    if not first and reading.facts is None:
        reading.introduce(ReaderFacts(reader="R1", years=5))
    window = ReadingWindow(reading)
    qtbot.addWidget(window)
    window.resize(1000, 640)
    window.show()
    qtbot.waitUntil(lambda: isinstance(window.page, Page))
    if not first:
        press(window, KEY.Key_Return)
        while isinstance(window.page, PatternPage) and window.page.quarter is not None:
            window.page.answer(window.page.quarter)
        press(window, KEY.Key_Return)
        looks(qtbot, window)
    return window


def press(window: ReadingWindow, key: Qt.Key, held=Qt.KeyboardModifier.NoModifier) -> None:
    """To what has the keys, until what it writes is on the disk; a window that is not active has a focus all the same."""
    touch(window, key, held)
    window.flow.writing.wait(60)


def touch(window: ReadingWindow, key: Qt.Key, held=Qt.KeyboardModifier.NoModifier) -> None:
    """As `press`, and does not wait for the disk."""
    QTest.keyClick(window.focusWidget() or window.page, key, held)


def looks(qtbot, window: ReadingWindow) -> None:
    qtbot.waitUntil(lambda: window.flow.state is State.LOOKING)


def answered(window: ReadingWindow, qtbot, *keys: Qt.Key) -> None:
    """Reads one trial."""
    looks(qtbot, window)
    count = len(window._reading.answers)
    for key in (*keys, KEY.Key_Return):
        press(window, key)
    qtbot.waitUntil(lambda: len(window._reading.answers) == count + 1)


def on_disk(made: StudyFolder) -> int:
    """By another program."""
    with sqlite3.connect(f"file:{made.path / 'study.sqlite'}?mode=ro", uri=True) as database:
        return database.execute("SELECT count(*) FROM entry WHERE kind = 'answer'").fetchone()[0]


def said_in(widget: QWidget) -> str:
    """Every word that can be read, pointed at or heard."""
    words = []
    for one in (widget, *widget.findChildren(QWidget)):
        words += [one.objectName(), one.toolTip(), one.accessibleName(), one.accessibleDescription(), one.windowTitle()]
        words += [one.text()] if isinstance(one, QLabel | QAbstractButton) else []
    return " ".join(words)
