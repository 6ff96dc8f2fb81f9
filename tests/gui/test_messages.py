from __future__ import annotations

import logging
import os
import stat
import sys
import threading
import warnings
from pathlib import Path

import pytest
from PySide6.QtCore import QtMsgType
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from ctmri_gui import logs, messages
from ctmri_gui.messages import Funnel, Kind, MessageBars
from ctmri_gui.panels.small_parts import WrappingLabel
from ctmri_gui.theme import PALETTES, Palette, apply_theme
from ctmri_gui.viewer import palette as panes
from tests.gui.conftest import laid_out

SECRET = "DOE^JANE"


@pytest.fixture
def log(monkeypatch):
    """The real log file, taken down afterwards."""
    import faulthandler

    was_on = faulthandler.is_enabled()
    path = logs.start_logging()
    yield path
    for name in logs.OUR_LOGGERS:
        logger = logging.getLogger(name)
        for handler in logger.handlers[:]:
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(logging.NOTSET)
    faulthandler.disable()
    logs._crash_file.close()
    if was_on:
        faulthandler.enable(sys.__stderr__)


def fail(depth: int = 0) -> None:
    try:
        raise ValueError(f"unexpected PatientName {SECRET}")
    except ValueError as error:
        raise RuntimeError(SECRET) from error


@pytest.fixture
def bars(qtbot):
    """Message bars in a small window."""
    window, bars = QWidget(), MessageBars()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    column.addWidget(bars)
    column.addWidget(QWidget(), 1)
    window.resize(420, 400)
    window.show()
    yield bars
    window.close()


def test_long_messages_wrap_even_in_file_names_and_never_take_the_window(qtbot, bars):
    assert bars.isHidden()
    name = "_".join(["a_name_without_blanks"] * 6) + ".nii.gz"
    for number in range(4):
        bars.show_message(f"{name}: the file ends too early. Copy it again. {number}", Kind.ERROR)
    qtbot.waitUntil(lambda: bars.height() > 60)
    laid_out(qtbot, bars)
    assert bars.height() <= 0.3 * 400
    newest = bars._bars[bars.texts[-1]]
    (words, *_) = newest.findChildren(WrappingLabel)
    assert words.text().startswith(name)
    assert words.height() >= words.heightForWidth(words.width())  # all of it can be read
    assert newest.width() <= bars.viewport().width()
    assert newest.y() == 0


def test_bars_show_each_message_once_newest_last_and_few(bars):
    for number in range(12):
        bars.show_message(f"message {number}", Kind.WARNING, passing=number < 10)
    bars.show_message("message 5")
    assert bars.texts[-3:] == ("message 10", "message 11", "message 5")
    assert len(bars.texts) == 9
    open_ones = [text for text in bars.texts if not bars._bars[text].isHidden()]
    assert open_ones == ["message 11", "message 5"]
    assert bars._more.text() == "+7 more"
    bars._more.click()
    assert not any(bar.isHidden() for bar in bars._bars.values())
    bars.close_message("message 11")
    assert bars.texts[-2:] == ("message 10", "message 5")
    bars.clear_passing()
    assert bars.texts == ("message 10", "message 5")
    assert bars._more.isHidden()


def test_nobody_catches_an_error_and_the_funnel_logs_it_without_patient_data(qtbot, log):
    funnel, said = Funnel(), []
    funnel.bug.connect(said.append)
    for _ in range(3):
        try:
            fail()
        except RuntimeError as error:
            funnel._uncaught(type(error), error, error.__traceback__)
    logged = log.read_text()
    assert "builtins.ValueError" in logged
    assert "builtins.RuntimeError" in logged
    assert "in fail" in logged
    assert SECRET not in logged
    assert len(said) == 1  # shown once, logged three times
    assert logged.count("uncaught") == 3
    if os.name == "posix":
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        assert stat.S_IMODE(log.with_suffix(".crash").stat().st_mode) == 0o600


def test_a_failure_before_the_window_stands_names_the_log_on_the_terminal_and_nothing_else(log, capsys):
    funnel, said = Funnel(), []
    try:
        fail()
    except RuntimeError as error:
        funnel.report(error)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(log) in told
    assert SECRET not in told
    funnel.show_in(said.append)
    funnel.report(ValueError(SECRET))
    assert len(said) == 1
    assert capsys.readouterr().err == ""


def test_the_funnel_hears_threads_and_qt(qtbot, log, monkeypatch):
    installed = []
    monkeypatch.setattr(messages, "qInstallMessageHandler", installed.append)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    funnel, said = Funnel(), []
    funnel.bug.connect(said.append)
    funnel.install()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(said) == 1)
    installed[0](QtMsgType.QtWarningMsg, None, "a warning of Qt's")
    assert "a warning of Qt's" in log.read_text()
    for words in (f'cannot open "{SECRET} x.png"', f"failed: /scans/{SECRET} a/b c {SECRET}", f"C:\\{SECRET}\\x is no file"):
        installed[0](QtMsgType.QtWarningMsg, None, words)
    logged = log.read_text()
    assert "cannot open" in logged
    assert "failed:" in logged
    assert SECRET not in logged


def test_what_libraries_warn_of_reaches_neither_the_terminal_nor_the_log(log, monkeypatch, capfd):
    monkeypatch.setattr(messages, "qInstallMessageHandler", lambda _handler: None)
    root = logging.getLogger()
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(root, "handlers", [])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        Funnel().install()
        warnings.warn(f"Invalid value for VR PN: {SECRET}", UserWarning, stacklevel=1)
        logging.getLogger("a library").error("cannot understand %s", SECRET)
    assert SECRET not in log.read_text()
    assert "UserWarning at" in log.read_text()
    assert capfd.readouterr().err == ""


def test_foreign_loggers_do_not_reach_the_log(log):
    logging.getLogger("pydicom").warning("bad value %s", SECRET)
    logging.getLogger("ctmri_core.io").info("a line of ours")
    assert "a line of ours" in log.read_text()
    assert SECRET not in log.read_text()


def test_a_folder_that_cannot_be_written_leaves_the_program_without_log(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CTMRI_LOG_DIR", str(tmp_path / "file" / "log"))
    assert logs.start_logging() is None


def _luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_text_can_be_read_on_every_ground(palette: Palette):
    for ground in (palette.window, palette.panel, palette.raised):
        for text in (palette.text, palette.muted, palette.warning, palette.error, palette.good):
            assert _contrast(text, ground) >= 4.5, (text, ground)
    assert _contrast(palette.text, palette.selected) >= 4.5
    assert _contrast(palette.muted, palette.selected) >= 4.5  # second lines of rows
    assert _contrast(palette.on_accent, palette.accent) >= 4.5
    for ground in (palette.window, palette.panel, palette.raised):
        assert _contrast(palette.accent, ground) >= 3  # where the focus is, what is on


def test_words_on_the_panes_can_be_read() -> None:
    pairs = [(panes.TEXT, panes.FRAME), (panes.MUTED, panes.FRAME), (panes.MUTED, panes.BACKGROUND), (panes.AMBER, panes.FRAME)]
    pairs += [(panes.STRIP_TEXT, panes.STRIP_GROUND), (panes.AMBER, panes.AMBER_GROUND)]
    for text, ground in pairs:
        assert _contrast(text.name(), ground.name()) >= 4.5, (text.name(), ground.name())
    assert _contrast(panes.ACCENT.name(), panes.FRAME.name()) >= 3


def test_a_hint_in_a_field_is_as_readable_as_other_quiet_words(qtbot, dressed) -> None:
    for name, palette in PALETTES.items():
        dressed(name, 13)
        field = QLineEdit()
        qtbot.addWidget(field)
        field.ensurePolished()
        assert field.palette().color(QPalette.ColorRole.PlaceholderText).name() == palette.muted


def test_text_never_falls_below_12_pixels(qapp):
    apply_theme(qapp, "light", 4)
    assert qapp.font().pixelSize() == 12
    apply_theme(qapp, "dark", 13)


def test_every_icon_that_is_named_exists():
    from ctmri_core.resources_folder import resources_folder
    from ctmri_gui.actions import COMMANDS
    from ctmri_gui.viewer.keys import KEY_ACTIONS

    rows = (*COMMANDS, *KEY_ACTIONS)
    named = {row.icon for row in rows if row.icon} | {kind.value for kind in Kind} | {"app", "model", "close"}
    there = {path.stem for path in Path(resources_folder() / "icons").glob("*.svg")}
    assert named <= there
