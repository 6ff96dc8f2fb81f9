"""The three panes as a person uses them: mouse, keys, crosshair, links."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRectF, Qt, QUrl
from PySide6.QtGui import QContextMenuEvent, QDragEnterEvent, QDropEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QMenu, QToolButton

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.volume import Finding, Synthetic, Volume
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.annotations import Annotations
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.presets import Window
from ctmri_gui.viewer.readout import number_text
from ctmri_gui.viewer.roles import MAIN, Role

GRID = Geometry((41, 64, 72), (2.0, 1.0, 1.0), (-36.0, -32.0, -40.0))
TRUTH_GRID = Geometry((30, 50, 50), (3.0, 1.6, 1.6), (-40.0, -38.0, -43.0))
MARK_MM = np.array([14.0, -9.0, 10.0])
NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton


def ball(grid: Geometry, domain: Domain, inside: float, outside: float, **facts) -> Volume:
    """A ball of 30 mm about the origin with a bright ball of 4 mm about `MARK_MM`, everywhere in the same place in LPS."""
    mm = grid.index_to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))
    values = np.where(np.linalg.norm(mm, axis=-1) < 30, inside, outside)
    values[np.linalg.norm(mm - MARK_MM, axis=-1) < 4] = 2000
    return Volume(values.astype(np.int16 if domain is Domain.CT else np.float32), grid, domain, **facts)


@pytest.fixture
def views(qtbot) -> Iterator[LinkedViews]:
    widget = LinkedViews()
    qtbot.addWidget(widget)
    widget.resize(1200, 480)
    widget.show()
    qtbot.waitExposed(widget)
    widget.set_volume(Role.SOURCE, ball(GRID, Domain.CT, 40, -1000, name="ct.nii.gz"))
    made_by = Synthetic("demo", "0" * 64)
    widget.set_volume(Role.SYNTHETIC, ball(GRID, Domain.MR_T1, 300, 0, synthetic=made_by))
    widget.set_volume(Role.TRUTH, ball(TRUTH_GRID, Domain.MR_T1, 500, 0, name="t1.nii.gz"))
    qtbot.waitUntil(lambda: widget.panes[Role.TRUTH].canvas.annotations.empty is None)
    yield widget
    widget.close_background()


def mouse(views: LinkedViews, role: Role, kind: QEvent.Type, at: tuple[float, float], button=LEFT, held=NONE) -> None:
    canvas = views.panes[role].canvas
    place = QPointF(*at)
    pressed = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
    event = QMouseEvent(kind, place, QPointF(canvas.mapToGlobal(place.toPoint())), button, pressed, held)
    QApplication.sendEvent(canvas, event)


def drag(views: LinkedViews, role: Role, start, end, button=LEFT, held=NONE) -> None:
    mouse(views, role, QEvent.Type.MouseButtonPress, start, button, held)
    mouse(views, role, QEvent.Type.MouseMove, end, button, held)
    mouse(views, role, QEvent.Type.MouseButtonRelease, end, button, held)


def hover(views: LinkedViews, role: Role, at, held=NONE) -> None:
    mouse(views, role, QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, held)


def wheel(views: LinkedViews, role: Role, delta: int, at=(100.0, 100.0), held=NONE) -> None:
    canvas = views.panes[role].canvas
    place = QPointF(*at)
    where = QPointF(canvas.mapToGlobal(place.toPoint()))
    none, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    QApplication.sendEvent(canvas, QWheelEvent(place, where, QPoint(), QPoint(0, delta), none, held, phase, False))


def pixel_of(views: LinkedViews, role: Role, mm) -> tuple[float, float]:
    u, v, _ = views.model.layout.from_mm(np.asarray(mm))
    return views.panes[role].projection.to_pixel(u, v)


def written_texts(monkeypatch) -> dict[str, QRectF]:
    """Fills with what panes write from now on and the place it takes."""
    written, write = {}, Annotations._write

    def note(self, painter, text, at, anchor, pixels, *rest, bold=False, **more):
        size = self._size(text, pixels, bold=bold)
        written[text] = QRectF(at - QPointF(size.width() * anchor[0], size.height() * anchor[1]), size)
        write(self, painter, text, at, anchor, pixels, *rest, bold=bold, **more)

    monkeypatch.setattr(Annotations, "_write", note)
    return written


def grey_at(views: LinkedViews, role: Role, at) -> int:
    picture = views.panes[role].canvas.grab().toImage()
    return picture.pixelColor(round(at[0]), round(at[1])).red()


def test_the_wheel_goes_one_slice_a_notch_and_five_with_shift(views, qtbot) -> None:
    start = views.slice
    with qtbot.waitSignal(views.sliceChanged) as told:
        wheel(views, Role.SOURCE, 120)
    assert views.slice == start + 1 and told.args == [start + 1]
    wheel(views, Role.TRUTH, -120, held=SHIFT)
    assert views.slice == start - 4
    for _ in range(3):
        wheel(views, Role.SOURCE, 40)  # a fine wheel: three parts of a notch
    assert views.slice == start - 3
    wheel(views, Role.SOURCE, -120 * 500)
    assert views.slice == 0


def test_control_wheel_zooms_all_panes_about_the_cursor(views) -> None:
    at = (260.0, 90.0)
    before = {role: pane.projection.to_plane(*at) for role, pane in views.panes.items()}
    scale = views.panes[Role.SOURCE].projection.mm_per_pixel
    wheel(views, Role.SOURCE, 240, at, CTRL)
    for role, pane in views.panes.items():
        assert pane.projection.mm_per_pixel == pytest.approx(scale / 1.15**2)
        assert pane.projection.to_plane(*at) == pytest.approx(before[role], abs=0.5)
    views.reset_views()
    assert views.panes[Role.TRUTH].projection.mm_per_pixel == pytest.approx(scale)


def test_left_drag_windows_in_proportion_and_only_this_modality(views) -> None:
    views.set_preset("1")
    mr_before = views.model.windows[Role.SYNTHETIC]
    drag(views, Role.SOURCE, (100, 100), (130, 70))
    assert views.model.windows[Role.SOURCE] == Window(40 - 80 * 30 / 300, 80 + 80 * 30 / 300)
    assert views.model.windows[Role.SYNTHETIC] == mr_before


def test_right_drag_zooms_and_right_click_opens_the_menu(views, monkeypatch) -> None:
    shown = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, where: shown.append(menu))
    scale = views.panes[Role.SOURCE].projection.mm_per_pixel
    drag(views, Role.SOURCE, (100, 100), (101, 102), RIGHT)
    assert views.panes[Role.SOURCE].projection.mm_per_pixel == scale
    assert "Brain  (W 80  L 40)\t1" in [action.text() for action in shown[0].actions()]
    drag(views, Role.TRUTH, (100, 100), (100, 60), RIGHT)
    assert views.panes[Role.SOURCE].projection.mm_per_pixel < scale
    assert len(shown) == 1


@pytest.mark.parametrize(("button", "held"), [(MIDDLE, NONE), (LEFT, SHIFT)])
def test_the_picture_follows_a_moving_drag_in_all_panes(views, button, held) -> None:
    before = {role: pixel_of(views, role, MARK_MM) for role in MAIN}
    drag(views, Role.SYNTHETIC, (100, 100), (120, 85), button, held)
    for role in MAIN:
        assert pixel_of(views, role, MARK_MM) == pytest.approx(np.add(before[role], (20, -15)))


def test_double_click_maximises_and_gives_back(views) -> None:
    mouse(views, Role.SYNTHETIC, QEvent.Type.MouseButtonDblClick, (50, 50))
    assert [role for role, pane in views.panes.items() if pane.isVisible()] == [Role.SYNTHETIC]
    mouse(views, Role.SYNTHETIC, QEvent.Type.MouseButtonDblClick, (50, 50))
    assert all(pane.isVisible() for pane in views.panes.values())


def test_control_double_click_brings_the_first_window_back(views) -> None:
    before = views.model.windows[Role.TRUTH]
    drag(views, Role.TRUTH, (100, 100), (150, 150))
    mouse(views, Role.TRUTH, QEvent.Type.MouseButtonDblClick, (50, 50), LEFT, CTRL)
    assert views.model.windows[Role.TRUTH] == before


def test_every_pane_shows_the_same_place_whatever_its_spacing(views, qtbot, tmp_path) -> None:
    views.set_crosshair(MARK_MM)
    assert views.slice == round(views.model.layout.from_mm(MARK_MM)[2])
    for role, pane in views.panes.items():
        crosshair = pane.canvas.annotations.crosshair
        assert (crosshair.x(), crosshair.y()) == pytest.approx(pixel_of(views, role, MARK_MM))
    qtbot.waitUntil(lambda: views.panes[Role.TRUTH].canvas.annotations.empty is None)
    views.grab().save(str(tmp_path / "crosshair.png"))
    for role in MAIN:
        assert grey_at(views, role, pixel_of(views, role, MARK_MM)) == 255
        assert grey_at(views, role, pixel_of(views, role, MARK_MM * (-1, 1, 1))) < 250


def test_shift_move_points_while_held_and_control_click_puts_the_crosshair(views, qtbot) -> None:
    at = pixel_of(views, Role.TRUTH, MARK_MM)
    hover(views, Role.TRUTH, at, SHIFT)
    assert views.model.crosshair[:2] == pytest.approx(MARK_MM[:2])
    hover(views, Role.TRUTH, at)
    assert views.model.crosshair is None
    drag(views, Role.SOURCE, at, at, LEFT, CTRL)
    hover(views, Role.SOURCE, (5, 5))
    assert views.model.crosshair is not None
    views.set_slice(3)
    assert views.panes[Role.SOURCE].canvas.annotations.crosshair is None


def test_the_read_out_is_the_files_value_in_every_volume(views, qtbot) -> None:
    views.set_crosshair(MARK_MM)
    with qtbot.waitSignal(views.cursorMoved) as told:
        hover(views, Role.SYNTHETIC, pixel_of(views, Role.SYNTHETIC, (-10, 5, 10)))
    readout = told.args[0]
    assert readout.mm == pytest.approx((-10, 5, 10))
    assert readout.values == {Role.SOURCE: 40, Role.SYNTHETIC: 300, Role.TRUTH: 500}
    assert readout.difference is None, "MR values of two origins have no common scale"
    assert readout.text.startswith("R 10.0 · P 5.0 · S 10.0 mm")
    assert "CT 40 HU" in readout.text and "T1 MR 500 a.u." in readout.text
    with qtbot.waitSignal(views.cursorMoved) as told:
        QApplication.sendEvent(views.panes[Role.SYNTHETIC].canvas, QEvent(QEvent.Type.Leave))
    assert told.args == [None]


def test_the_read_out_says_outside(views, qtbot) -> None:
    with qtbot.waitSignal(views.cursorMoved) as told:
        hover(views, Role.SOURCE, pixel_of(views, Role.SOURCE, (60, 0, 10)))
    assert set(told.args[0].values.values()) == {None} and "outside" in told.args[0].text


def test_the_read_out_follows_what_moves_under_a_resting_mouse(views) -> None:
    told = []
    views.set_slice(25)
    hover(views, Role.TRUTH, pixel_of(views, Role.TRUTH, MARK_MM))
    views.cursorMoved.connect(told.append)
    views.set_slice(20)
    assert told[-1].mm == pytest.approx((MARK_MM[0], MARK_MM[1], 0)) and told[-1].values[Role.SOURCE] == 40
    drag_middle = views.panes[Role.TRUTH].projection.mm_per_pixel * 10
    views.model.move(drag_middle, 0)
    assert told[-1].mm[0] == pytest.approx(MARK_MM[0] - drag_middle)
    views.set_volume(Role.TRUTH, None)
    assert set(told[-1].values) == {Role.SOURCE, Role.SYNTHETIC}
    for role in MAIN:
        views.set_volume(role, None)
    assert told[-1] is None
    QApplication.sendEvent(views.panes[Role.TRUTH].canvas, QEvent(QEvent.Type.Leave))
    told.clear()
    views.set_slice(3)
    assert told == []


def test_a_difference_is_given_between_hounsfield_units_that_may_be_compared(views) -> None:
    told = []
    views.cursorMoved.connect(told.append)
    made_by = Synthetic("demo", "0" * 64)
    views.set_volume(Role.SYNTHETIC, ball(GRID, Domain.CT, 30, -1000, synthetic=made_by))
    views.set_volume(Role.TRUTH, ball(TRUTH_GRID, Domain.CT, 50, -1000))
    hover(views, Role.TRUTH, pixel_of(views, Role.TRUTH, (-10, 5, 10)))
    assert told[-1].difference == -20 and told[-1].text.endswith("Δ -20 HU")
    views.set_comparable(False)
    assert told[-1].difference is None and "Δ" not in told[-1].text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (14230.4, "14230"),
        (512.34, "512.3"),
        (40.0, "40"),
        (-0.0042, "-0.0042"),
        (0.0, "0"),
        (1e7, "10000000"),
        (np.inf, "no number"),
    ],
)
def test_values_are_written_without_powers_of_ten(value, text) -> None:
    assert number_text(value).rstrip("0" if "." in number_text(value) else "") == text


def test_two_frames_of_reference_are_linked_by_a_click_or_a_verdict(views) -> None:
    source = replace(views.model.volumes[Role.SOURCE], frame_of_reference="1.2")
    truth = replace(views.model.volumes[Role.TRUTH], frame_of_reference="1.3")
    strip = views.panes[Role.TRUTH].strip
    views.set_volume(Role.SOURCE, source)
    assert views.model.is_linked(Role.TRUTH) and not strip.state_text, "one frame is not known"
    views.set_volume(Role.TRUTH, truth)
    assert not views.model.is_linked(Role.TRUTH) and strip.state_text == "≠ other frame of reference"
    views.set_linked(Role.TRUTH, True)
    views.set_volume(Role.SYNTHETIC, None)
    assert views.model.is_linked(Role.TRUTH), "what the user linked stays so while these two are shown"
    views.set_volume(Role.TRUTH, replace(truth, frame_of_reference="1.4"))
    assert not views.model.is_linked(Role.TRUTH)
    views.set_comparable(True)
    assert views.model.is_linked(Role.TRUTH) and not strip.state_text
    views.set_comparable(False)
    assert strip.state_text == "≠ not comparable"
    views.set_volume(Role.TRUTH, replace(truth, frame_of_reference="1.2"))
    assert views.model.is_linked(Role.TRUTH) and not strip.state_text


def test_keys_work_on_the_pane_with_the_focus(views, qtbot) -> None:
    views.activateWindow()
    views.panes[Role.SOURCE].setFocus()
    qtbot.waitUntil(views.panes[Role.SOURCE].hasFocus)
    start = views.slice
    pane = views.panes[Role.SOURCE]
    for key, expected in (
        (Qt.Key.Key_Up, start + 1),
        (Qt.Key.Key_Down, start),
        (Qt.Key.Key_PageDown, start - 10),
        (Qt.Key.Key_PageUp, start),
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_End, 40),
    ):
        qtbot.keyClick(pane, key)
        assert views.slice == expected
    qtbot.keyClick(pane, Qt.Key.Key_2)
    assert views.model.windows[Role.SOURCE] == Window(400, 2000)
    qtbot.keyClick(pane, Qt.Key.Key_Tab, CTRL)
    assert views.active is Role.SYNTHETIC and views.panes[Role.SYNTHETIC].hasFocus()


def test_inverting_text_and_crosshair_tool_are_switches(views, qtbot) -> None:
    views.set_crosshair(None)
    views.set_preset("1")
    corner = pixel_of(views, Role.SOURCE, (25, 25, 0))
    assert grey_at(views, Role.SOURCE, corner) == 0
    views.actions_by_name["invert"].trigger()
    assert grey_at(views, Role.SOURCE, corner) == 255
    assert views.panes[Role.SOURCE].canvas.annotations.text.badges == ("RADIOLOGICAL", "INVERTED")
    views.actions_by_name["toggle_text"].trigger()
    assert not views.panes[Role.SOURCE].canvas.annotations.text_visible
    views.actions_by_name["crosshair_tool"].trigger()
    on = {name for name in ("invert", "toggle_text", "crosshair_tool") if views.actions_by_name[name].isChecked()}
    assert on == {"invert", "crosshair_tool"}
    window = views.model.windows[Role.SOURCE]
    drag(views, Role.SOURCE, (100, 100), (150, 120))
    assert views.model.windows[Role.SOURCE] == window and views.model.crosshair is not None


def test_sides_and_convention_stay_when_the_text_is_off(views, monkeypatch) -> None:
    written = written_texts(monkeypatch)
    views.actions_by_name["toggle_text"].trigger()
    views.panes[Role.SOURCE].canvas.grab()
    assert set(written) == {"R", "L", "A", "P", "RADIOLOGICAL"}


@pytest.mark.parametrize("text_size", [13, 24])
@pytest.mark.parametrize(
    ("width", "height"), [(240, 500), (320, 500), (480, 500), (280, 300), (280, 180), (480, 180), (250, 145)]
)
def test_what_is_written_on_a_small_pane_does_not_overlap(views, monkeypatch, dressed, text_size, width, height) -> None:
    dressed("dark", text_size)
    written = written_texts(monkeypatch)
    views.actions_by_name["invert"].trigger()
    pane = views.panes[Role.TRUTH]
    pane.canvas.resize(width, height)
    written.clear()
    pane.canvas.grab()
    places = list(written.items())
    for n, (one, place) in enumerate(places):
        assert QRectF(pane.canvas.rect()).contains(place), one
        for other, taken in places[:n]:
            assert not place.adjusted(1, 1, -1, -1).intersects(taken), f"{one} on {other}"
    position = pane.canvas.annotations.text.position.partition(" mm")[0]
    assert any(text.startswith(position) for text in written), "the position stays"
    assert {"R", "L"} <= written.keys(), "so do the sides"


@pytest.mark.parametrize("size", [(190, 240), (190, 120), (190, 60), (190, 30), (160, 20)])
def test_on_the_smallest_panes_words_are_left_out_rather_than_laid_over_one_another(views, monkeypatch, dressed, size) -> None:
    dressed("dark", 20)
    written = written_texts(monkeypatch)
    pane = views.panes[Role.TRUTH]
    pane.canvas.resize(*size)
    written.clear()
    pane.canvas.grab()
    places = list(written.values())
    assert not any(one.adjusted(1, 1, -1, -1).intersects(two) for n, one in enumerate(places) for two in places[:n])
    assert all(one in places for one in pane.canvas.annotations.places(*size))
    assert not any("…" in text for text in written), "a number that is cut tells nothing"
    assert "RADIOLOGICAL" in written


@pytest.mark.parametrize(("height", "arrow"), [(60, False), (110, False), (400, True)])
def test_what_an_empty_pane_says_stays_within_a_low_one(views, height, arrow) -> None:
    canvas = views.panes[Role.TRUTH].canvas
    views.set_volume(Role.TRUTH, None)
    canvas.resize(320, height)
    picture = canvas.grab().toImage()
    seen = [[picture.pixelColor(x, y).lightness() > 60 for x in range(picture.width())] for y in range(picture.height())]
    assert np.any(seen) and not np.any(seen[0]) and not np.any(seen[-1])
    accent = palette.ACCENT.rgb()
    assert any(picture.pixel(160, y) == accent for y in range(picture.height())) is arrow


def test_space_presses_a_focused_link_button_and_toggles_text_elsewhere(views, qtbot) -> None:
    views.activateWindow()
    pane = views.panes[Role.TRUTH]
    button = pane.header.findChild(QToolButton)
    button.setFocus()
    qtbot.waitUntil(button.hasFocus)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert not views.model.is_linked(Role.TRUTH) and pane.canvas.annotations.text_visible
    pane.setFocus()
    qtbot.waitUntil(pane.hasFocus)
    assert not views.actions_by_name["link"].isChecked()
    qtbot.keyClick(pane, Qt.Key.Key_Space)
    assert not pane.canvas.annotations.text_visible and not views.model.is_linked(Role.TRUTH)
    views.actions_by_name["link"].trigger()
    assert views.model.is_linked(Role.TRUTH)


def test_the_menu_key_opens_the_menu_and_a_press_of_the_mouse_does_not(views, monkeypatch) -> None:
    shown = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, where: shown.append(menu))
    for reason, count in ((QContextMenuEvent.Reason.Mouse, 0), (QContextMenuEvent.Reason.Keyboard, 1)):
        event = QContextMenuEvent(reason, QPoint(10, 10), QPoint(10, 10))
        QApplication.sendEvent(views.panes[Role.SOURCE], event)
        assert len(shown) == count and event.isAccepted()
    assert "Subdural  (W 200  L 75)" in [action.text() for action in shown[0].actions()]


def test_preset_actions_bear_the_names_of_the_active_modality(views) -> None:
    actions = views.actions_by_name
    assert actions["preset_1"].text() == "Brain" and actions["preset_9"].isVisible()
    actions["preset_9"].trigger()
    assert views.model.windows[Role.SOURCE] == Window(988, 4024)
    views.set_active(Role.TRUTH)
    assert actions["preset_1"].text() == "Tight" and not actions["preset_9"].isVisible()


def test_escape_leaves_one_thing_after_another(views, qtbot) -> None:
    views.actions_by_name["maximise_pane"].trigger()
    views.actions_by_name["crosshair_tool"].trigger()
    drag(views, Role.SOURCE, (100, 100), (100, 100))
    escape = views.actions_by_name["cancel"].trigger
    escape()
    assert not views.actions_by_name["crosshair_tool"].isChecked() and views.model.crosshair is None
    assert not views.panes[Role.TRUTH].isVisible()
    escape()
    assert views.panes[Role.TRUTH].isVisible()
    with qtbot.waitSignal(views.escaped):
        escape()


def test_a_placed_crosshair_outlives_one_that_points(views) -> None:
    views.set_crosshair(MARK_MM)
    hover(views, Role.SOURCE, (150, 150), SHIFT)
    assert views.model.crosshair != pytest.approx(MARK_MM)
    hover(views, Role.SOURCE, (150, 150))
    assert views.model.crosshair == pytest.approx(MARK_MM)


def test_control_click_in_an_unlinked_pane_brings_the_others_there(views) -> None:
    views.set_linked(Role.TRUTH, False)
    views.model.set_slice(19, Role.TRUTH)  # at 14 mm
    drag(views, Role.TRUTH, (100, 100), (100, 100), LEFT, CTRL)
    assert views.slice == 27


def test_control_double_click_leaves_no_crosshair(views) -> None:
    mouse(views, Role.SOURCE, QEvent.Type.MouseButtonPress, (50, 50), LEFT, CTRL)
    mouse(views, Role.SOURCE, QEvent.Type.MouseButtonRelease, (50, 50), LEFT, CTRL)
    mouse(views, Role.SOURCE, QEvent.Type.MouseButtonDblClick, (50, 50), LEFT, CTRL)
    mouse(views, Role.SOURCE, QEvent.Type.MouseButtonRelease, (50, 50), LEFT, CTRL)
    assert views.model.crosshair is None


def test_a_click_that_trembles_changes_no_window_and_a_drag_that_returns_opens_no_menu(views, monkeypatch) -> None:
    shown = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, where: shown.append(menu))
    window = views.model.windows[Role.SOURCE]
    drag(views, Role.SOURCE, (100, 100), (101, 102))
    assert views.model.windows[Role.SOURCE] == window
    mouse(views, Role.SOURCE, QEvent.Type.MouseButtonPress, (100, 100), RIGHT)
    for y in (60, 99):
        mouse(views, Role.SOURCE, QEvent.Type.MouseMove, (100, y), RIGHT)
    mouse(views, Role.SOURCE, QEvent.Type.MouseButtonRelease, (100, 99), RIGHT)
    assert not shown


def test_an_unlinked_pane_goes_alone_through_its_own_slices_and_comes_back(views, qtbot) -> None:
    views.set_slice(25)
    before = pixel_of(views, Role.TRUTH, MARK_MM)
    views.set_linked(Role.TRUTH, False)
    truth, text = views.panes[Role.TRUTH], lambda: views.panes[Role.TRUTH].canvas.annotations.text.position
    assert text() == "S 11.0 mm · 19/30", "it begins where it was"
    u, v, _ = views.model.displayed(Role.TRUTH).layout.from_mm(MARK_MM)
    assert truth.projection.to_pixel(u, v) == pytest.approx(before)
    assert "resampled" not in truth.strip.text
    wheel(views, Role.TRUTH, 240)
    assert views.slice == 25 and text() == "S 17.0 mm · 21/30"
    wheel(views, Role.SOURCE, -120)
    assert views.model.pose(Role.SYNTHETIC).k == 24 and text() == "S 17.0 mm · 21/30"
    assert not views.model.show_one_slice(Role.SYNTHETIC, Role.TRUTH)
    views.set_linked(Role.TRUTH, True)
    assert views.model.pose(Role.TRUTH) == views.model.pose(Role.SOURCE)
    assert views.model.show_one_slice(Role.SYNTHETIC, Role.TRUTH) and "resampled" in truth.strip.text


def test_every_slice_of_a_truth_in_another_frame_of_reference_can_be_reached(views, qtbot) -> None:
    far = Geometry(TRUTH_GRID.shape, TRUTH_GRID.spacing, (-40.0, -438.0, 900.0), ((0.0, -1, 0), (0, 0, -1), (1, 0, 0)))
    source = replace(views.model.volumes[Role.SOURCE], frame_of_reference="1.2")
    voxels = ball(TRUTH_GRID, Domain.MR_T1, 500, 0).voxels
    views.set_volume(Role.SOURCE, source)
    views.set_volume(Role.TRUTH, Volume(voxels, far, Domain.MR_T1, frame_of_reference="1.3"))
    truth = views.panes[Role.TRUTH].canvas
    seen = set()
    assert abs(views.model.pose(Role.TRUTH).k - 15) <= 2, "it begins in the middle of its own body"
    assert truth.annotations.text.plane == "coronal" and truth.annotations.text.letters[2] == "S"
    assert truth.grab().toImage().pixelColor(truth.rect().center()).red() > 50
    wheel(views, Role.TRUTH, -120 * 100)
    for _ in range(30):
        seen.add(truth.annotations.text.position.split(" · ")[1])
        wheel(views, Role.TRUTH, 120)
    assert len(seen) == 30 and views.model.displayed(Role.SOURCE) is not views.model.displayed(Role.TRUTH)
    views.set_linked(Role.TRUTH, True)
    qtbot.waitUntil(lambda: truth.annotations.empty is not None and "Nothing" in truth.annotations.empty.headline)
    views.set_linked(Role.TRUTH, False)
    views.actions_by_name["neurological"].trigger()
    views.reset_views()
    assert truth.annotations.text.letters[:2] == ("L", "R") and truth.annotations.empty is None
    views.set_volume(Role.SOURCE, None)
    views.set_volume(Role.SYNTHETIC, None)
    assert truth.annotations.text.position.endswith(f"{views.model.pose(Role.TRUTH).k + 1}/30")


def test_labels_say_where_each_volumes_own_slice_is(views) -> None:
    views.set_slice(25)
    texts = {role: pane.canvas.annotations.text.position for role, pane in views.panes.items()}
    assert texts[Role.SOURCE] == texts[Role.SYNTHETIC] == "S 10.0 mm · 26/41"
    assert texts[Role.TRUTH] == "S 10.0 mm · ≈ 19/30"
    assert views.panes[Role.SOURCE].canvas.annotations.text.letters == ("R", "L", "A", "P")


def test_a_synthetic_pane_always_says_so(views) -> None:
    strip = views.panes[Role.SYNTHETIC].strip
    assert strip.text == "Synthetic MRI (model demo) — synthetic, not for diagnosis"
    views.actions_by_name["toggle_text"].trigger()
    assert strip.isVisible()
    views.resize(500, 400)
    QApplication.processEvents()
    assert "not for diagnosis" in strip.shown_text.lower()


def test_findings_are_a_banner_and_link_states_a_badge(views, tmp_path) -> None:
    gap = Finding("gap", "Two slices are missing at S 40 mm.", serious=True)
    views.set_volume(Role.SOURCE, replace(views.model.volumes[Role.SOURCE], findings=(gap,)))
    banner = views.panes[Role.SOURCE].banner
    assert banner.isVisible() and banner.text() == "▲ Two slices are missing at S 40 mm."
    views.set_comparable(False)
    assert "not comparable" in views.panes[Role.TRUTH].strip.state_text
    views.grab().save(str(tmp_path / "banner.png"))
    views.set_volume(Role.SOURCE, None)
    assert not banner.isVisible()


def test_the_banner_is_one_line_beside_the_picture_and_unfolds(views, tmp_path) -> None:
    notes = [Finding("a", f"Note {n} is a long sentence about how this volume was read from its files.") for n in range(2)]
    gap = Finding("gap", "Two slices are missing at S 40 mm.", serious=True)
    pane = views.panes[Role.SOURCE]
    views.set_banner(Role.SOURCE, notes)
    QApplication.processEvents()
    quiet, line = pane.banner.styleSheet(), pane.banner.height()
    assert "▲" not in pane.banner.text() and pane.banner.text().endswith("+1 more") and "600" not in quiet
    views.set_banner(Role.SOURCE, [*notes, gap])
    QApplication.processEvents()
    assert pane.banner.text() == "▲ Two slices are missing at S 40 mm.   +2 more" and pane.banner.styleSheet() != quiet
    assert pane.banner.height() == line and pane.banner.width() == pane.canvas.width()
    assert all(finding.message in pane.banner.toolTip() for finding in [*notes, gap])
    assert pane.banner.geometry().bottom() < pane.canvas.geometry().top()
    qt_click = QMouseEvent(QEvent.Type.MouseButtonPress, QPointF(5, 5), QPointF(5, 5), LEFT, LEFT, NONE)
    QApplication.sendEvent(pane.banner, qt_click)
    QApplication.processEvents()
    assert len({one.canvas.y() for one in views.panes.values()}) == 1, "pictures stay side by side"
    assert pane.banner.text().split() == pane.banner.toolTip().split() and pane.banner.height() >= 3 * (line - 8)
    views.grab().save(str(tmp_path / "unfolded.png"))
    views.set_banner(Role.SOURCE, ())
    QApplication.processEvents()
    assert {one.canvas.y() for one in views.panes.values()} == {pane.header.height() + pane.strip.height() + 1}


def test_without_a_source_the_truth_shows_its_own_slices(views, qtbot) -> None:
    views.set_volume(Role.SOURCE, None)
    views.set_volume(Role.SYNTHETIC, None)
    assert views.panes[Role.TRUTH].canvas.annotations.text.position.endswith(f"{views.slice + 1}/30")
    views.set_volume(Role.TRUTH, None)
    assert views.model.layout is None
    wheel(views, Role.SOURCE, 120)
    hover(views, Role.SOURCE, (10, 10))
    views.set_crosshair((0, 0, 0))
    views.actions_by_name["slice_last"].trigger()


def test_empty_panes_say_what_to_do(qtbot) -> None:
    widget = LinkedViews()
    qtbot.addWidget(widget)
    said = [pane.canvas.annotations.empty.headline for pane in widget.panes.values()]
    assert said == ["Drop a CT or MR here", "Translate to fill this pane", "Drop the real image here"]


def test_an_empty_pane_can_say_how_far_its_picture_is(views) -> None:
    views.set_empty(Role.SYNTHETIC, "Translating …", "slice 3 of 41")
    assert views.panes[Role.SYNTHETIC].canvas.annotations.empty is None, "a picture is not hidden by it"
    views.set_volume(Role.SYNTHETIC, None)
    empty = views.panes[Role.SYNTHETIC].canvas.annotations
    assert (empty.empty.headline, empty.empty.detail) == ("Translating …", "slice 3 of 41")
    views.set_empty(Role.SYNTHETIC)
    assert empty.empty.headline == "Translate to fill this pane"


def test_files_dropped_on_a_pane_are_announced_with_its_role(views, qtbot, tmp_path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    canvas, action = views.panes[Role.TRUTH].canvas, Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(5, 5), action, data, LEFT, NONE)
    QApplication.sendEvent(canvas, enter)
    assert enter.isAccepted()
    with qtbot.waitSignal(views.volumeDropped) as told:
        QApplication.sendEvent(canvas, QDropEvent(QPointF(5, 5), action, data, LEFT, NONE))
    assert told.args == [(Path(tmp_path),), Role.TRUTH]


@pytest.mark.parametrize("part", ["header", "strip", "canvas"])
def test_files_dropped_together_are_announced_together_wherever_on_the_pane(views, tmp_path, part) -> None:
    told = []
    views.volumeDropped.connect(lambda paths, role: told.append((paths, role)))
    data, action = QMimeData(), Qt.DropAction.CopyAction
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("a.dcm", "b.dcm")])
    widget = getattr(views.panes[Role.SOURCE], part)
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(5, 5), action, data, LEFT, NONE))
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), action, data, LEFT, NONE))
    assert told == [((tmp_path / "a.dcm", tmp_path / "b.dcm"), Role.SOURCE)]


def test_a_turned_truth_is_shown_at_the_sources_places(views, qtbot) -> None:
    turned = Geometry.from_affine(TRUTH_GRID.shape, rigid_transform((12, -7, 20), (2, 1, -3)) @ TRUTH_GRID.affine)
    views.set_volume(Role.TRUTH, ball(turned, Domain.MR_T1, 500, 0))
    views.set_crosshair(MARK_MM)
    views.set_crosshair(None)
    truth = views.panes[Role.TRUTH].canvas
    qtbot.waitUntil(lambda: truth.annotations.empty is None)
    views.set_slice(round(views.model.layout.from_mm(MARK_MM)[2]))
    assert grey_at(views, Role.TRUTH, pixel_of(views, Role.TRUTH, MARK_MM)) == 255
    assert truth.annotations.text.position.endswith("resliced")


@pytest.mark.parametrize("voxel_order", ["as stored", "feet last", "sagittal", "coronal, mirrored"])
def test_a_mark_on_the_patients_left_front_appears_right_and_up(qtbot, voxel_order) -> None:
    order, flips = {
        "as stored": ((0, 1, 2), (False, False, False)),
        "feet last": ((0, 2, 1), (True, True, False)),
        "sagittal": ((2, 0, 1), (False, False, False)),
        "coronal, mirrored": ((1, 0, 2), (False, True, True)),
    }[voxel_order]
    upright = ball(Geometry((41, 64, 72), (2.0, 1.0, 1.0), (-36.0, -32.0, -40.0)), Domain.CT, 40, -1000)
    voxels = np.ascontiguousarray(np.flip(upright.voxels.transpose(order), [axis for axis, flip in enumerate(flips) if flip]))
    widget = LinkedViews()
    qtbot.addWidget(widget)
    widget.resize(900, 400)
    widget.show()
    widget.set_volume(Role.SOURCE, replace(upright, voxels=voxels, geometry=upright.geometry.permuted(order, flips)))
    widget.set_crosshair(MARK_MM)
    widget.set_crosshair(None)
    widget.set_preset("9")
    pane = widget.panes[Role.SOURCE]
    x, y = pixel_of(widget, Role.SOURCE, MARK_MM)
    centre_x, centre_y = pixel_of(widget, Role.SOURCE, (0, 0, 0))
    assert grey_at(widget, Role.SOURCE, (x, y)) > 150 > grey_at(widget, Role.SOURCE, (2 * centre_x - x, 2 * centre_y - y))
    assert y < centre_y, "front (axial) or head (sagittal, coronal) is up"
    if pane.canvas.annotations.text.plane == "sagittal":
        assert x < centre_x, "the nose points to the left"
    else:
        assert x > centre_x, "the patient's left is on the right"


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 1, 9), (2, 40, 3)])
@pytest.mark.parametrize("domain", [Domain.CT, Domain.MR, Domain.UNKNOWN])
def test_the_smallest_and_emptiest_volumes_open(qtbot, shape, domain) -> None:
    widget = LinkedViews()
    qtbot.addWidget(widget)
    widget.show()
    voxels = np.zeros(shape, np.float32)
    voxels.flat[0] = np.nan
    widget.set_volume(Role.SOURCE, Volume(voxels, Geometry(shape, (5.0, 0.5, 2.0)), domain))
    widget.set_preset("0")
    wheel(widget, Role.SOURCE, -120)
    assert widget.grab().height() > 0


def test_other_panes_keep_their_pictures_when_one_volume_changes(views) -> None:
    views.set_volume(Role.SYNTHETIC, replace(views.model.volumes[Role.SYNTHETIC], name="other"))
    assert views.panes[Role.TRUTH].canvas.annotations.empty is None


def test_neurological_display_mirrors_picture_letters_and_badge(views) -> None:
    views.set_crosshair(MARK_MM)
    views.model.zoom(2.0, None)
    views.model.move(-4.0, 3.0)
    scale = views.panes[Role.SOURCE].projection.mm_per_pixel
    before = pixel_of(views, Role.SOURCE, MARK_MM)
    views.actions_by_name["neurological"].trigger()
    text = views.panes[Role.SOURCE].canvas.annotations.text
    assert text.convention == "NEUROLOGICAL" and text.letters[:2] == ("L", "R")
    assert views.slice == 25
    after = pixel_of(views, Role.SOURCE, MARK_MM)
    middle = views.panes[Role.SOURCE].canvas.width() / 2
    assert after == pytest.approx((2 * middle - before[0], before[1])), "what was in the middle stays there"
    assert views.panes[Role.SOURCE].projection.mm_per_pixel == scale
    assert views.model.crosshair == pytest.approx(MARK_MM)
    views.set_crosshair(None)
    assert grey_at(views, Role.SOURCE, after) == 255


def test_a_volume_opens_at_the_widest_section_of_the_middle_half(qtbot) -> None:
    """A ball on a pillar above broad shoulders: the ball's equator, not the middle slice, and not the shoulders."""
    z, y, x = np.mgrid[:40, :48, :48].astype(float)
    from_middle = (y - 24) ** 2 + (x - 24) ** 2
    body = (from_middle + (z - 27) ** 2 < 14**2) | (from_middle < 16) | ((z < 6) & (from_middle < 20**2))
    grid = Geometry((40, 48, 48), (4.0, 4.0, 4.0))
    shown = LinkedViews()
    qtbot.addWidget(shown)
    shown.set_volume(Role.SOURCE, Volume(np.where(body, 40, -1000).astype(np.int16), grid, Domain.CT))
    assert abs(shown.slice - 27) <= 1
    assert max(shown.model.frame.width, shown.model.frame.height) < 30 * 4, "the shoulders do not make the head small"
    shown.close_background()


def test_the_scroll_tool_goes_through_slices_with_the_left_button_and_excludes_the_crosshair(views) -> None:
    start, window = views.slice, views.model.windows[Role.SOURCE]
    views.actions_by_name["crosshair_tool"].trigger()
    views.actions_by_name["scroll_tool"].trigger()
    assert not views.actions_by_name["crosshair_tool"].isChecked()
    drag(views, Role.SOURCE, (100, 100), (100, 100 - 3 * 6))
    assert abs(views.slice - start) == 3
    assert views.model.windows[Role.SOURCE] == window
    assert views.model.crosshair is None
    views.actions_by_name["cancel"].trigger()
    assert not views.actions_by_name["scroll_tool"].isChecked()
    drag(views, Role.SOURCE, (100, 100), (140, 100))
    assert abs(views.slice - start) == 3
    assert views.model.windows[Role.SOURCE] != window
