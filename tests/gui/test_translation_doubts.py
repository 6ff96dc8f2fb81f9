"""What a model was not made for is asked about before it is translated, and said beside the button where nobody asked for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel, QMessageBox

from ctmri_core.domain import Domain
from ctmri_core.events import Progress
from ctmri_core.phantom import make_head
from ctmri_gui.jobs import translate_work, work
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import write_model

WAIT = 20_000


@pytest.fixture(scope="module")
def head():
    return make_head(96, voxel_mm=3.0)


@pytest.fixture
def translated(monkeypatch):
    """What was given to the engine, which stands aside here."""
    begun = []

    def translate(volume, _model, _wanted, _body, _stop, **_more):
        begun.append(volume)
        yield Progress(done=0, message="starting")

    monkeypatch.setattr(translate_work, "translate", translate)
    return begun


def idle(session, qtbot):
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)


def questions(window):
    return [box for box in window.findChildren(QMessageBox, "doubtful_translation") if box.isVisible()]


def press(box, words):
    next(button for button in box.buttons() if button.text() == words).click()


def test_a_scan_of_another_kind_is_translated_only_when_wanted_all_the_same(make_window, qtbot, tmp_path, head, translated):
    write_model(tmp_path / "models" / "to_mr.safetensors")
    window = make_window(translate=True)
    session, panel = window.session, window.translation
    wrong = replace(head[Domain.MR_T1], domain=Domain.CT)
    session.place(wrong, Role.SOURCE)
    idle(session, qtbot)
    assert translated == [] and questions(window) == []  # nobody asked for it
    assert panel.doubt.text().startswith("Not translated yet. This model takes CT; this scan looks like T1 MR")
    session.translate()
    qtbot.waitUntil(lambda: len(questions(window)) == 1, timeout=WAIT)
    assert translated == []
    press(questions(window)[0], "Do not translate")
    idle(session, qtbot)
    assert translated == []
    session.translate()
    qtbot.waitUntil(lambda: len(questions(window)) == 1, timeout=WAIT)
    press(questions(window)[0], "Translate all the same")
    qtbot.waitUntil(lambda: translated == [wrong], timeout=WAIT)
    idle(session, qtbot)
    assert panel.doubt.text() == ""


def test_a_scan_of_the_kind_is_translated_at_once_and_says_what_it_looks_like(make_window, qtbot, tmp_path, head, translated):
    write_model(tmp_path / "models" / "to_mr.safetensors")
    window = make_window(translate=True)
    window.session.place(head[Domain.CT], Role.SOURCE)
    qtbot.waitUntil(lambda: translated == [head[Domain.CT]], timeout=WAIT)
    idle(window.session, qtbot)
    assert "CT (99 %)" in [label.text() for label in window.findChildren(QLabel)]


def test_a_kind_that_is_said_by_hand_answers_what_was_asked_about_it(head):
    from ctmri_core.io.second_opinion import with_second_opinion

    doubtful = with_second_opinion(replace(head[Domain.MR_T1], domain=Domain.CT))
    assert doubtful.findings and work.with_domain(doubtful, Domain.MR_T1).findings == ()
