"""A whole session in the real window with a series full of identifiers: none may be seen or written where it does not belong."""

from __future__ import annotations

import faulthandler
import logging
import os
import stat
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, QSettings, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QApplication, QComboBox, QLineEdit, QMessageBox, QTextEdit, QWidget

from ctmri_core.resources_folder import resources_folder
from ctmri_gui import file_choice, logs, messages
from ctmri_gui.app import build_window
from ctmri_gui.film.picture_dialog import PictureDialog
from ctmri_gui.header_browser.dialog import HeaderBrowser
from ctmri_gui.main_window import TITLE, MainWindow
from ctmri_gui.messages import Funnel
from ctmri_gui.save_dialog import DICOM, FORMATS, SaveDialog
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.roles import Role
from tests.hostile.identifiers import Planted, contents_of, leaks, plant_files, plant_refused, plant_series

WAIT = 60_000
_WORDS = (
    "windowTitle", "windowIconText", "toolTip", "statusTip", "whatsThis", "accessibleName", "accessibleDescription", "objectName",
    "text", "title", "placeholderText", "prefix", "suffix", "toPlainText", "currentText", "windowFilePath",
)  # fmt: skip
_ROLES = (
    Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.StatusTipRole,
    Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.AccessibleDescriptionRole,
)  # fmt: skip


@pytest.fixture
def program(tmp_path, monkeypatch) -> Iterator[Path]:
    """The program's hooks and its log, temporary files and Qt's own settings in the folder of the test; all put back."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path / "config" / "qt"))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(messages, "qInstallMessageHandler", lambda _handler: None)
    monkeypatch.setattr(logging.getLogger(), "handlers", [*logging.getLogger().handlers])
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    was_on = faulthandler.is_enabled()
    log = logs.start_logging()
    assert log is not None
    with warnings.catch_warnings():
        Funnel().install()
        yield tmp_path
    faulthandler.disable()
    logs._crash_file.close()
    if was_on:
        faulthandler.enable(sys.__stderr__)
    for name in logs.OUR_LOGGERS:
        for handler in logging.getLogger(name).handlers[:]:
            logging.getLogger(name).removeHandler(handler)
            handler.close()


def seen_texts() -> Iterator[str]:
    """All that any widget, action or list of the program says, to eyes or to a screen reader."""
    for widget in QApplication.allWidgets():
        for thing in (widget, *widget.actions()):
            yield from _words_of(thing)
        if isinstance(widget, QAbstractItemView | QComboBox):
            yield from _items_of(widget.model(), QModelIndex())
    yield QGuiApplication.clipboard().text()
    yield QGuiApplication.applicationDisplayName()


def _words_of(thing: QWidget | QAction) -> Iterator[str]:
    for name in _WORDS:
        value = getattr(thing, name, None)
        words = value() if callable(value) else value
        if isinstance(words, str):
            yield words


def _items_of(model: QAbstractItemModel, parent: QModelIndex) -> Iterator[str]:
    for row in range(model.rowCount(parent)):
        for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)):
            index = model.index(row, column, parent)
            yield from (str(index.data(role)) for role in _ROLES)
        yield from _items_of(model, model.index(row, 0, parent))


class Watched:
    """The window, and all it has said or written by name so far."""

    def __init__(self, window: MainWindow, qtbot, folder: Path) -> None:
        self.window, self._qtbot, self._folder = window, qtbot, folder
        self.heard: list[str] = []
        window.session.jobs.changed.connect(lambda state: self.listen(state.title, state.text, state.message))
        for signal in (window.session.failed, window.session.noted, window.session.done):
            signal.connect(self.listen)
        window.session.saved.connect(lambda path: self.listen(path.name))

    def listen(self, *words: str) -> None:
        walks = (found for place in ("temporary", "out") for found in os.walk(self._folder / place))  # not what is just gone
        self.heard += [*words, *(name for _, folders, files in walks for name in (*folders, *files))]

    def look(self) -> None:
        self.heard += seen_texts()

    def settle(self) -> None:
        self._qtbot.waitUntil(lambda: not self.window.session.jobs.running, timeout=WAIT)
        QApplication.processEvents()
        self.look()

    def open(self, path: Path) -> None:
        self.window.session.open_paths([path])
        self.settle()


def save_everything(watched: Watched, out: Path) -> None:
    """Both images in all formats, with the patient's data and without, where a format or a record beside it can hold any."""
    window = watched.window
    ways = [(form, deidentify) for form in FORMATS for deidentify in (False, True)]
    for number, (form, deidentify) in enumerate(ways):
        for role in (Role.SOURCE, Role.SYNTHETIC):
            tells = form is DICOM or role is Role.SYNTHETIC  # the record of a synthetic image names what it was made of
            if deidentify and not tells:
                continue
            window.command["save"].trigger()
            (dialog,) = window.findChildren(SaveDialog)
            dialog.image.setCurrentIndex(dialog.image.findData(role.value))
            dialog.format.setCurrentIndex(FORMATS.index(form))
            dialog.deidentified.setChecked(deidentify)
            folder = out / ("ordinary" if tells and not deidentify else "given_away")
            folder.mkdir(parents=True, exist_ok=True)
            dialog.folder.setText(str(folder))
            dialog.name.setText(f"{number}_{role.value}")
            watched.look()
            assert dialog.deidentify == deidentify
            target = dialog.target
            dialog.accept()
            watched._qtbot.waitUntil(lambda: not window.findChildren(SaveDialog), timeout=WAIT)
            watched.settle()
            assert target.exists(), (form.name, role)


def go_wrong(watched: Watched, planted: Planted, folder: Path) -> None:
    """What cannot be read and what cannot be written."""
    session = watched.window.session
    for refused in plant_refused(folder / "refused"):
        watched.open(refused.path)
    watched.open(folder / "not there.dcm")
    (folder / "file").write_text("")
    volume = session.volumes[Role.SOURCE]
    session.save(volume, folder / "file" / "inside.nii.gz")
    watched.settle()
    session.save(volume, next(iter(sorted(planted.path.iterdir()))))
    watched.settle()
    try:
        raise ValueError(sorted(planted.tokens)[0])
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(sorted(planted.tokens)[1], UserWarning, stacklevel=1)


def take_pictures(watched: Watched, out: Path, monkeypatch) -> None:
    window = watched.window
    monkeypatch.setattr(file_choice, "new_file", lambda *_: out / "given_away" / "picture.png")
    window.command["screenshot"].trigger()
    window.findChildren(PictureDialog)[-1].save.click()
    window.command["copy_picture"].trigger()
    watched.settle()
    assert (out / "given_away" / "picture.png").stat().st_size > 1000
    assert not QGuiApplication.clipboard().mimeData().hasText()


def browse_headers(watched: Watched) -> None:
    window = watched.window
    for role in (Role.SOURCE, Role.SYNTHETIC):
        window.views.set_active(role)
        window.command["header"].trigger()
        watched.settle()
        browser = window.findChildren(HeaderBrowser)[-1]
        assert len(browser.model.entries) > 5
        browser.tree.selectAll()
        for row in range(browser.filtered.rowCount()):
            browser.tree.setCurrentIndex(browser.filtered.index(row, 0))
            browser._copy()
        browser.filter.setText("patient")
        watched.settle()
        browser.close()


def test_no_identifier_is_left_anywhere(program, qtbot, monkeypatch, capfd):
    planted = plant_series(program)
    out = program / "out"
    settings = Settings()
    window = build_window(settings=settings, models=[resources_folder() / "models"])
    qtbot.addWidget(window)
    with qtbot.waitSignal(window.session.library.changed, timeout=WAIT):
        window.show()
    watched = Watched(window, qtbot, program)
    window.session.open_paths([planted.path])
    qtbot.waitUntil(lambda: window.session.translation_doubt is not None, timeout=WAIT)  # the shipped model knows heads alone
    window.session.translate_all_the_same(window.session.translation_doubt)
    qtbot.waitUntil(lambda: window.session.volumes[Role.SYNTHETIC] is not None, timeout=WAIT)
    watched.settle()
    assert window.windowTitle() == TITLE
    assert any("recent" in text and "patient" in text for text in window.messages.texts)
    browse_headers(watched)
    save_everything(watched, out)
    take_pictures(watched, out, monkeypatch)
    go_wrong(watched, planted, program)
    window.recent.aboutToShow.emit()
    watched.look()
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT)

    everything = planted.tokens | planted.names
    said = capfd.readouterr()
    assert len(planted.tokens) > 300
    assert not leaks(planted.tokens, *dict.fromkeys(watched.heard))
    assert not leaks(everything, said.out, said.err)
    for place in ("config", "log", "temporary"):
        assert not leaks(everything, *contents_of(program / place)), place
    assert not leaks(everything, *contents_of(out / "given_away"))
    assert not leaks(everything - planted.allowed, *contents_of(out / "ordinary"))
    assert leaks(planted.allowed, *contents_of(out / "ordinary"))  # it would have been found
    log = (program / "log" / "ctmri-studio.log").read_text()
    assert log.count("uncaught") == 1, log  # the one that was provoked
    assert "ValueError" in log
    if os.name == "posix":
        for place in ("config", "log"):
            for path in (program / place).glob("*.*"):
                assert path.is_dir() or stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_free_text_of_other_formats_is_not_seen_either(program, qtbot):
    files = plant_files(program)
    window = build_window(settings=Settings(), models=[])
    qtbot.addWidget(window)
    with qtbot.waitSignal(window.session.library.changed, timeout=WAIT):
        window.show()
    watched = Watched(window, qtbot, program)
    tokens = set().union(*(planted.tokens for planted in files))
    names = set().union(*(planted.names for planted in files))
    for planted in files:
        watched.open(planted.path)
        for dialog in [each for each in window.findChildren(QWidget) if each.isWindow() and each.inherits("QDialog")]:
            dialog.accept()
        watched.settle()
    window.command["header"].trigger()
    watched.settle()
    window.findChild(HeaderBrowser).close()
    window.close()
    assert not leaks(tokens, *dict.fromkeys(watched.heard))
    for place in ("config", "log", "temporary"):
        assert not leaks(tokens | names, *contents_of(program / place)), place


def test_the_walk_over_the_widgets_sees_what_is_there(qtbot):
    field = QLineEdit("QZ00001XK")
    box = QComboBox()
    box.addItem("QZ00002XK")
    page = QTextEdit("QZ00003XK")
    page.setAccessibleName("QZ00004XK")
    box.setToolTip("QZ00005XK")
    for widget in (field, box, page):
        qtbot.addWidget(widget)
    planted = {f"QZ0000{n}XK" for n in range(1, 6)}
    assert leaks(planted, *seen_texts()) == {token.lower() for token in planted}
