"""One stack of steps that can be taken back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt

from ctmri_core.domain import Domain
from ctmri_gui.undo import History
from ctmri_gui.viewer.presets import Window
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import make_volume


def test_steps_of_all_kinds_are_taken_back_in_reverse(qapp) -> None:
    history, done = History(), ["a", "b"]
    for letter in "ab":
        history.record(letter, done.pop, lambda letter=letter: done.append(letter))
    assert (history.undo_text, history.can_redo) == ("b", False)
    history.undo()
    assert done == ["a"] and (history.undo_text, history.redo_text) == ("a", "b")
    history.undo()
    assert done == [] and not history.can_undo
    history.redo()
    history.redo()
    assert done == ["a", "b"] and not history.can_redo


def test_moves_of_one_drag_are_one_step(qapp) -> None:
    history, place = History(), [0]

    def move(to: int, drag: object) -> None:
        before = place[0]
        place[0] = to
        history.record("move", lambda: place.__setitem__(0, before), lambda: place.__setitem__(0, to), merge=drag)

    for to, drag in ((1, "first"), (2, "first"), (5, "first"), (7, "second"), (9, None), (10, None)):
        move(to, drag)
    seen = []
    while history.can_undo:
        history.undo()
        seen.append(place[0])
    assert seen == [9, 7, 5, 0]
    while history.can_redo:
        history.redo()
        seen.append(place[0])
    assert seen[4:] == [5, 7, 9, 10]


def test_what_is_taken_back_is_not_recorded_and_cuts_what_came_after(qapp) -> None:
    history, values = History(), []
    history.record("one", lambda: history.record("echo", lambda: None, lambda: None), lambda: None)
    history.undo()
    assert not history.can_undo and history.redo_text == "one"
    history.record("other", lambda: values.append("back"), lambda: None, merge="drag")
    assert not history.can_redo
    history.undo()
    history.record("next", lambda: None, lambda: None, merge="drag")
    assert values == ["back"] and history.undo_text == "next"


@pytest.fixture
def window(make_window):
    made = make_window()
    made.session.volumeChanged.emit(Role.SOURCE, make_volume())
    return made


def test_a_drag_of_the_window_is_one_step_and_a_preset_another(qtbot, window) -> None:
    model, pane = window.views.model, window.views.panes[Role.SOURCE]
    first = model.windows[Role.SOURCE]
    for start in (QPoint(40, 40), QPoint(60, 60)):
        qtbot.mousePress(pane.canvas, Qt.MouseButton.LeftButton, pos=start)
        for step in range(1, 6):
            qtbot.mouseMove(pane.canvas, start + QPoint(9 * step, 4 * step))
        qtbot.mouseRelease(pane.canvas, Qt.MouseButton.LeftButton, pos=start + QPoint(45, 20))
    dragged = model.windows[Role.SOURCE]
    window.views.set_preset("2")
    assert window.command["undo"].text().endswith("Undo: window") and dragged != first
    window.command["undo"].trigger()
    assert model.windows[Role.SOURCE] == dragged
    window.command["undo"].trigger()
    middle = model.windows[Role.SOURCE]
    assert middle not in (first, dragged)
    window.command["undo"].trigger()
    assert model.windows[Role.SOURCE] == first and not window.command["undo"].isEnabled()
    for expected in (middle, dragged, Window(400, 2000)):
        window.command["redo"].trigger()
        assert model.windows[Role.SOURCE] == expected


def test_windows_of_all_linked_panes_come_back_together(window) -> None:
    views = window.views
    views.set_volume(Role.SYNTHETIC, make_volume(Domain.MR_T1))
    views.set_volume(Role.TRUTH, make_volume(Domain.MR_T1))
    views.model.apply_preset("3", Role.TRUTH)
    before = dict(views.model.windows)
    views.model.drag_window(Role.TRUTH, 50, 20)
    window.history.undo()
    assert views.model.windows == before and views.model.matches_truth
    window.history.undo()
    assert not views.model.matches_truth


def test_another_volume_keeps_its_window(window) -> None:
    views = window.views
    views.set_preset("2")
    views.set_volume(Role.SOURCE, make_volume(Domain.MR_T1))
    opened = dict(views.model.windows)
    window.history.undo()
    assert views.model.windows == opened
