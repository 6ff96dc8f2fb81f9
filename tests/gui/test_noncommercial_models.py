"""Models for non-commercial use in the window: for people, after their terms were seen, and not at all where they are hidden."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QMessageBox

from ctmri_core.events import Progress
from ctmri_gui.jobs import translate_work
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import make_volume, write_model

WAIT = 20_000
HEADS = {"what": "digital heads", "licence": "Apache-2.0", "cases": 3, "phantom": True}
PEOPLE = {"what": "slices of people", "licence": "CC BY-NC 4.0", "cases": 120}


@pytest.fixture
def models(tmp_path):
    write_model(tmp_path / "models" / "a_phantom.safetensors", name="Of phantoms", demo=True, training_data=[HEADS])
    write_model(tmp_path / "models" / "b_people.safetensors", name="Of people", training_data=[PEOPLE], weights_sha256="cd" * 32)


@pytest.fixture
def translated(monkeypatch):
    """By which models something was given to the engine, which stands aside here."""
    begun = []

    def translate(_volume, model, _wanted, _body, _stop, **_more):
        begun.append(model.stem)
        yield Progress(done=0, message="starting")

    monkeypatch.setattr(translate_work, "translate", translate)
    monkeypatch.setattr(translate_work, "_serious_doubts", lambda *_: ())
    return begun


def questions(window):
    return [box for box in window.findChildren(QMessageBox, "doubtful_translation") if box.isVisible()]


def press(box, words):
    next(button for button in box.buttons() if button.text() == words).click()


def idle(session, qtbot):
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)


def chosen(session):
    return session.library.chosen.card.name


def test_people_get_the_model_of_people_and_phantoms_theirs(make_window, qtbot, models):
    session = make_window().session
    session.place(make_volume(phantom=True), Role.SOURCE)
    assert chosen(session) == "Of phantoms"
    session.place(make_volume(), Role.SOURCE)
    assert chosen(session) == "Of people"
    session.place(make_volume(phantom=True), Role.SOURCE)
    assert chosen(session) == "Of phantoms"


def test_what_a_person_picked_stays_whatever_is_opened(make_window, qtbot, models):
    window = make_window()
    session, panel = window.session, window.translation
    session.place(make_volume(), Role.SOURCE)
    assert chosen(session) == "Of people"
    panel.list.setCurrentIndex(panel.models.index(0))
    assert chosen(session) == "Of phantoms"
    session.place(make_volume(), Role.SOURCE)
    session.library.refresh()
    idle(session, qtbot)
    assert chosen(session) == "Of phantoms"


def test_terms_are_seen_before_the_first_use_and_not_again(make_window, qtbot, models, translated):
    window = make_window(translate=True)
    session, panel = window.session, window.translation
    session.place(make_volume(), Role.SOURCE)
    idle(session, qtbot)
    assert translated == [] and questions(window) == []  # nobody asked for it
    assert "CC BY-NC 4.0" in panel.doubt.text() and "commercial" in panel.doubt.text()
    session.translate()
    qtbot.waitUntil(lambda: len(questions(window)) == 1, timeout=WAIT)
    assert questions(window)[0].text() == "Of people is not for commercial use."
    press(questions(window)[0], "Do not translate")
    idle(session, qtbot)
    session.translate()
    qtbot.waitUntil(lambda: len(questions(window)) == 1, timeout=WAIT)
    press(questions(window)[0], "Agree and translate")
    qtbot.waitUntil(lambda: translated == ["b_people"], timeout=WAIT)
    idle(session, qtbot)
    session.place(make_volume(), Role.SOURCE)
    qtbot.waitUntil(lambda: translated == ["b_people"] * 2, timeout=WAIT)
    assert questions(window) == []


def test_the_list_says_what_is_not_for_commercial_use(make_window, qtbot, models):
    window = make_window()
    titles = [window.translation.models.index(row).data() for row in range(2)]
    assert [title.endswith("non-commercial") for title in titles] == [False, True]


def test_the_setting_hides_them_here_and_for_the_command(make_window, qtbot, models):
    from ctmri_core.model_card.terms import hide_noncommercial, hides_noncommercial

    session = make_window().session
    session.place(make_volume(), Role.SOURCE)
    session.settings["hide_noncommercial"] = True
    qtbot.waitUntil(lambda: [entry.card.name for entry in session.library.entries] == ["Of phantoms"], timeout=WAIT)
    assert hides_noncommercial() and chosen(session) == "Of phantoms"
    session.settings["hide_noncommercial"] = False
    qtbot.waitUntil(lambda: len(session.library.entries) == 2, timeout=WAIT)
    idle(session, qtbot)
    hide_noncommercial(True)  # the command line does, before the next start
    again = make_window().session
    assert again.settings["hide_noncommercial"] is True and len(again.library.entries) == 1
