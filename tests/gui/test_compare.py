"""Comparing in the panes as a person does it: keys, mouse, menus, words; over real comparisons and real files."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox

from ctmri_core.comparison import Comparison
from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.volume import Synthetic, Volume
from ctmri_gui.viewer.compare.colour_maps import rgb_table
from ctmri_gui.viewer.compare.modes import Mode
from ctmri_gui.viewer.layouts import THREE_PLANES, TWO_BY_TWO
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import MAIN, Role

GRID = Geometry((40, 64, 72), (2.0, 1.5, 1.5), (-54.0, -48.0, -40.0))
TRUTH_GRID = Geometry((40, 60, 60), (2.0, 1.7, 1.7), (-50.0, -51.0, -30.0))  # not the whole of the source's
MADE = Synthetic("demo", "0" * 64)
BALL, FAR = 36.0, 6.0


def head(grid: Geometry, domain: Domain, inside: float, outside: float, *, spot: float = 0.0, **facts) -> Volume:
    """A ball with a ball of `spot` more in its right half."""
    mm = grid.index_to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))
    values = np.where(np.linalg.norm(mm, axis=-1) < BALL, float(inside), float(outside))
    values[np.linalg.norm(mm - np.array((-14, 0, 0)), axis=-1) < FAR] += spot
    return Volume(values.astype(np.int16 if domain is Domain.CT else np.float32), grid, domain, **facts)


@pytest.fixture(scope="module")
def case() -> tuple[dict[Role, Volume], Comparison]:
    """An MR, the CT that a model made of it, which is 100 HU too much in a spot and 40 HU too little elsewhere, and the CT."""
    source = head(GRID, Domain.MR_T1, 300, 0, name="t1.nii.gz")
    synthetic = head(GRID, Domain.CT, 0, -1000, spot=140, synthetic=MADE)
    truth = head(TRUTH_GRID, Domain.CT, 40, -1000, name="ct.nii.gz")
    return dict(zip(MAIN, (source, synthetic, truth), strict=True)), Comparison(source, synthetic, truth)


@pytest.fixture
def views(qtbot, case) -> Iterator[LinkedViews]:
    widget = LinkedViews()
    qtbot.addWidget(widget)
    widget.resize(1290, 520)
    widget.show()
    qtbot.waitExposed(widget)
    for role, volume in case[0].items():
        widget.set_volume(role, volume)
    widget.compare.model.set_compared(case[1])
    qtbot.waitUntil(lambda: widget.panes[Role.TRUTH].canvas.annotations.empty is None)
    yield widget
    widget.close_background()


def press(views: LinkedViews, key: Qt.Key, pane: str = Role.SYNTHETIC, held=Qt.KeyboardModifier.NoModifier) -> None:
    views.panes[pane].setFocus()
    QTest.keyClick(views.panes[pane], key, held)


def mouse(views: LinkedViews, pane: str, kind: QEvent.Type, at: tuple[float, float], *, down: bool = True) -> None:
    canvas, none = views.panes[pane].canvas, Qt.MouseButton.NoButton
    left = Qt.MouseButton.LeftButton if down else none
    pressed = none if kind == QEvent.Type.MouseButtonRelease else left
    place, plain = QPointF(*at), Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(canvas, QMouseEvent(kind, place, QPointF(canvas.mapToGlobal(place.toPoint())), left, pressed, plain))


def drag(views: LinkedViews, pane: str, start, end) -> None:
    mouse(views, pane, QEvent.Type.MouseButtonPress, start)
    mouse(views, pane, QEvent.Type.MouseMove, end)
    mouse(views, pane, QEvent.Type.MouseButtonRelease, end)


def colour_at(views: LinkedViews, pane: str, mm) -> tuple[int, int, int]:
    shown = views.model.displayed(pane)
    u, v, k = shown.layout.from_mm(np.asarray(mm, float))
    assert round(k) == views.model.pose(pane).k
    x, y = views.panes[pane].projection.to_pixel(u, v)
    colour = views.panes[pane].canvas.grab().toImage().pixelColor(round(x), round(y))
    return colour.red(), colour.green(), colour.blue()


def title(views: LinkedViews, pane: str) -> str:
    return views.panes[pane].header.layout().itemAt(0).widget().accessibleName()


def shows_difference(views: LinkedViews, pane: str) -> bool:
    views.panes[pane].canvas.grab()
    return views.compare.contents.state(pane).bar is not None


def expected(hu: float, limit: float = 200.0) -> np.ndarray:
    return rgb_table("white")[128 + round(127 * hu / limit)].astype(int)


def test_one_key_goes_through_all_ways_and_the_pane_says_which(views, qtbot) -> None:
    seen = []
    for _ in range(6):
        press(views, Qt.Key.Key_K)
        seen.append((views.compare.model.of(Role.SYNTHETIC).mode, title(views, Role.SYNTHETIC)))
    assert [mode for mode, _ in seen] == [*list(Mode)[1:], Mode.OFF]
    assert [words for _, words in seen] == [
        "Synthetic | Ground truth, fade 50 %",
        "Synthetic | Ground truth, wipe",
        "Synthetic | Ground truth, checkerboard",
        "Synthetic − Ground truth, ±200 HU",
        "Synthetic | Ground truth, flicker",
        "Synthetic CT",
    ]
    assert views.compare.model.of(Role.TRUTH).mode is Mode.OFF


def test_keys_leave_a_pane_alone_that_has_nothing_to_compare_with(qtbot, case) -> None:
    widget = LinkedViews()
    qtbot.addWidget(widget)
    widget.show()
    widget.set_volume(Role.SOURCE, case[0][Role.SOURCE])
    for pane in (Role.SOURCE, Role.SYNTHETIC):
        press(widget, Qt.Key.Key_K, pane)
        press(widget, Qt.Key.Key_W, pane)
    widget.set_volume(Role.SYNTHETIC, case[0][Role.SYNTHETIC])
    assert all(widget.compare.model.of(pane).mode is Mode.OFF for pane in widget.panes)
    widget.close_background()


def test_a_real_pane_that_shows_something_synthetic_bears_the_warning(views) -> None:
    assert "not for diagnosis" not in views.panes[Role.TRUTH].strip.text
    press(views, Qt.Key.Key_K, Role.TRUTH)
    assert "Synthetic CT" in views.panes[Role.TRUTH].strip.text and "not for diagnosis" in views.panes[Role.TRUTH].strip.text
    views.compare.model.set_mode(Role.TRUTH, Mode.OFF)
    assert views.panes[Role.TRUTH].strip.text.startswith("ct.nii.gz")


def test_the_difference_is_synthetic_minus_truth_in_every_pane(views, qtbot) -> None:
    views.set_slice(20)
    views.model.zoom(0.6, None)
    for pane in (Role.SYNTHETIC, Role.TRUTH):
        views.compare.model.set_mode(pane, Mode.DIFFERENCE)
        qtbot.waitUntil(lambda pane=pane: shows_difference(views, pane))
        assert np.abs(np.subtract(colour_at(views, pane, (-14, 0, 0)), expected(100))).max() <= 3
        assert np.abs(np.subtract(colour_at(views, pane, (14, 6, 0)), expected(-40))).max() <= 3
        assert np.abs(np.subtract(colour_at(views, pane, (36, 30, 0)), expected(0))).max() <= 3  # air in both
        assert colour_at(views, pane, (-53, 10, 0)) == (0, 0, 0)  # right of the truth's first column: nothing is coloured
        bar = views.compare.contents.state(pane).bar
        assert bar.ends == ("−200", "0", "+200 HU") and bar.convention == "synthetic − truth, HU"


def test_a_difference_is_on_the_planes_of_the_pane(views, qtbot) -> None:
    views.resize(1290, 1400)
    views.arrangement.show(THREE_PLANES)
    views.set_crosshair((-14.2, 0.8, 0.0))
    views.set_crosshair(None)
    for pane in ("synthetic", "synthetic-2", "truth-3"):
        views.compare.model.set_mode(pane, Mode.DIFFERENCE)
        qtbot.waitUntil(lambda pane=pane: shows_difference(views, pane))
        shown = views.model.displayed(pane)
        near = shown.layout.from_mm(np.array((-14.2, 0.8, 0.0)))[:2]
        spot = shown.layout.to_mm(*near, views.model.pose(pane).k)
        assert np.abs(np.subtract(colour_at(views, pane, spot), expected(100))).max() <= 3


def test_layouts_open_with_the_comparison_that_they_name(views, qtbot) -> None:
    views.arrangement.show(TWO_BY_TWO)
    assert title(views, "synthetic-2") == "Synthetic − Ground truth, ±200 HU" and title(views, "synthetic") == "Synthetic CT"
    qtbot.waitUntil(lambda: shows_difference(views, "synthetic-2"))


def test_dragging_over_a_difference_changes_its_scale_and_no_window(views, qtbot) -> None:
    views.compare.model.set_mode(Role.TRUTH, Mode.DIFFERENCE)
    views.compare.model.set_mode(Role.SYNTHETIC, Mode.DIFFERENCE)
    before = dict(views.model.windows)
    drag(views, Role.TRUTH, (120, 200), (270, 200))
    assert views.compare.model.limit("HU") == pytest.approx(400)
    qtbot.waitUntil(lambda: shows_difference(views, Role.SYNTHETIC))
    assert views.compare.contents.state(Role.SYNTHETIC).bar.ends[0] == "−400"
    assert views.model.windows == before
    press(views, Qt.Key.Key_E)
    assert views.compare.model.limit("HU") == pytest.approx(320)
    views.compare.model.reset_limits()
    drag(views, Role.SOURCE, (120, 200), (150, 200))
    assert views.model.windows[Role.SOURCE] != before[Role.SOURCE]


def test_where_there_is_no_difference_the_pane_says_why(views, qtbot) -> None:
    views.compare.model.set_mode(Role.SOURCE, Mode.DIFFERENCE)
    assert title(views, Role.SOURCE) == "Source: no difference"
    assert "no scale in common" in views.compare.contents.state(Role.SOURCE).says
    views.compare.model.set_mode(Role.TRUTH, Mode.DIFFERENCE)
    views.compare.model.set_compared(None)
    assert title(views, Role.TRUTH) == "Ground truth: no difference"
    assert "not known yet" in views.compare.contents.state(Role.TRUTH).says
    elsewhere = head(GRID, Domain.MR_T1, 300, 0)
    twin = Volume(views.model.volumes[Role.TRUTH].voxels, Geometry(TRUTH_GRID.shape, TRUTH_GRID.spacing, (900, 0, 0)), Domain.CT)
    views.compare.model.set_compared(Comparison(elsewhere, views.model.volumes[Role.SYNTHETIC], twin))
    assert "No overlap" in views.compare.contents.state(Role.TRUTH).says
    assert views.panes[Role.TRUTH].canvas.grab().toImage().allGray() is False  # the strip of the legend aside, the picture stands


def test_two_pictures_that_do_not_show_one_place_say_so_in_their_pane(views, case) -> None:
    def doubts() -> dict[str, str]:
        return {name: pane.canvas.annotations.text.doubt for name, pane in views.panes.items()}

    modes = {Role.SOURCE: Mode.WIPE, Role.SYNTHETIC: Mode.FADE, Role.TRUTH: Mode.CHECKER}
    for name, mode in modes.items():
        views.compare.model.set_mode(name, mode)
    views.compare.model.set_other(Role.SOURCE, Role.SYNTHETIC)
    assert set(doubts().values()) == {""}
    volumes, grid = case[0], TRUTH_GRID
    x, y, z = grid.origin
    beside = Volume(volumes[Role.TRUTH].voxels, Geometry(grid.shape, grid.spacing, (x + 25, y, z)), Domain.CT)
    comparison = Comparison(volumes[Role.SOURCE], volumes[Role.SYNTHETIC], beside)
    assert comparison.verdict.aligned is False
    views.set_volume(Role.TRUTH, beside)
    views.compare.model.set_compared(comparison)
    views.set_slice(views.slice + 1)
    assert doubts() == {Role.SOURCE: "", Role.SYNTHETIC: "not aligned", Role.TRUTH: "not aligned"}
    assert views.panes[Role.TRUTH].canvas.annotations.text.badges == ("RADIOLOGICAL", "≠ NOT ALIGNED")
    views.compare.model.set_mode(Role.TRUTH, Mode.OFF)
    assert doubts()[Role.TRUTH] == ""
    views.compare.model.set_other(Role.SOURCE, Role.TRUTH)
    assert doubts()[Role.SOURCE] == "not aligned"
    for role, frame in ((Role.SOURCE, "1.2"), (Role.TRUTH, "1.3")):
        views.set_volume(role, replace(views.model.volumes[role], frame_of_reference=frame))
    assert doubts()[Role.SOURCE] == "other frame of reference"
    views.set_active(Role.TRUTH)
    views.link_as_shown()
    assert doubts()[Role.SOURCE] == "linked by hand"


def test_each_side_of_a_wipe_keeps_its_own_window_and_the_line_follows_the_mouse(views, qtbot) -> None:
    views.set_slice(20)
    views.compare.model.set_mode(Role.SOURCE, Mode.WIPE)
    canvas = views.panes[Role.SOURCE].canvas
    canvas.grab()
    middle = canvas.width() / 2
    drag(views, Role.SOURCE, (round(middle), 300), (round(middle * 1.3), 300))
    assert views.compare.model.of(Role.SOURCE).line == pytest.approx(0.65, abs=0.01)
    windows = dict(views.model.windows)
    views.model.set_window(Role.SYNTHETIC, type(windows[Role.SYNTHETIC])(0, 200))
    views.model.set_window(Role.SOURCE, type(windows[Role.SOURCE])(300, 400))
    assert abs(colour_at(views, Role.SOURCE, (-4, 10, 0))[0] - 128) <= 2  # MR 300 of 100 to 500
    assert abs(colour_at(views, Role.SOURCE, (30, 10, 0))[0] - 128) <= 2  # CT 0 of -100 to 100
    assert canvas.annotations.text.window == "W 400  L 300 | W 200  L 0"
    for start, role in ((middle * 1.6, Role.SYNTHETIC), (middle * 0.4, Role.SOURCE)):
        before = dict(views.model.windows)
        mouse(views, Role.SOURCE, QEvent.Type.MouseMove, (start, 200), down=False)
        drag(views, Role.SOURCE, (start, 200), (middle, 150))  # over the line: it is meant for what it began on
        assert [one for one in before if views.model.windows[one] != before[one] and one is not Role.TRUTH] == [role]
    mouse(views, Role.SOURCE, QEvent.Type.MouseMove, (round(middle * 1.3), 200), down=False)
    assert canvas.cursor().shape() == Qt.CursorShape.SplitHCursor
    mouse(views, Role.SOURCE, QEvent.Type.MouseMove, (40, 200), down=False)
    assert canvas.cursor().shape() == Qt.CursorShape.ArrowCursor
    press(views, Qt.Key.Key_H, Role.SOURCE, Qt.KeyboardModifier.ShiftModifier)
    canvas.grab()
    drag(views, Role.SOURCE, (60, round(canvas.height() * 0.65)), (60, round(canvas.height() * 0.25)))
    assert views.compare.model.of(Role.SOURCE).line == pytest.approx(0.25, abs=0.01)


def test_the_slider_fades_and_keys_do_it_too(views) -> None:
    views.compare.model.set_mode(Role.SYNTHETIC, Mode.FADE)
    views.panes[Role.SYNTHETIC].canvas.grab()
    drag(views, Role.SYNTHETIC, (60, 44), (500, 44))
    assert views.compare.model.of(Role.SYNTHETIC).amount == 1.0
    assert title(views, Role.SYNTHETIC) == "Synthetic | Ground truth, fade 100 %"
    press(views, Qt.Key.Key_Q)
    assert views.compare.model.of(Role.SYNTHETIC).amount == pytest.approx(0.9)
    press(views, Qt.Key.Key_W)
    assert title(views, Role.SYNTHETIC) == "Synthetic CT"
    press(views, Qt.Key.Key_W)
    assert title(views, Role.SYNTHETIC) == "Synthetic | Ground truth, fade 90 %"


def test_the_other_picture_is_seen_alone_for_as_long_as_a_key_is_held(views, qtbot) -> None:
    views.set_slice(20)
    pane = views.panes[Role.SYNTHETIC]
    views.model.set_window(Role.SYNTHETIC, type(views.model.windows[Role.TRUTH])(0, 200))
    pane.setFocus()
    own = colour_at(views, Role.SYNTHETIC, (14, 6, 0))
    QTest.keyPress(pane, Qt.Key.Key_H)
    assert title(views, Role.SYNTHETIC) == "Ground truth instead of synthetic"
    qtbot.waitUntil(lambda: views.compare.contents.state(Role.SYNTHETIC).held)
    other = colour_at(views, Role.SYNTHETIC, (14, 6, 0))
    assert own[0] == pytest.approx(128, abs=2) and other[0] == pytest.approx(128 + 255 * 40 / 200, abs=2)
    QTest.keyRelease(pane, Qt.Key.Key_H)
    assert views.compare.model.held is None and title(views, Role.SYNTHETIC) == "Synthetic CT"
    assert colour_at(views, Role.SYNTHETIC, (14, 6, 0)) == own


def test_the_partner_can_be_chosen_and_goes_with_its_volume(views) -> None:
    views.compare.model.set_mode(Role.TRUTH, Mode.WIPE)
    press(views, Qt.Key.Key_K, Role.TRUTH, Qt.KeyboardModifier.ShiftModifier)
    assert title(views, Role.TRUTH) == "Ground truth | Source, wipe"
    menu = views.make_menu(Role.TRUTH)
    inside = next(action.menu() for action in menu.actions() if action.text() == "Compare")
    assert isinstance(inside, QMenu)
    words = [action.text() for action in inside.actions() if action.isChecked()]
    assert words == ["Wipe", "With: Source", "Line from top to bottom"]
    menu.close()
    views.set_volume(Role.SOURCE, None)
    assert title(views, Role.TRUTH) == "Ground truth | Synthetic, wipe"
    views.set_volume(Role.SYNTHETIC, None)
    assert title(views, Role.TRUTH) == "CT"
    assert not next(action for action in views.make_menu(Role.TRUTH).actions() if action.text() == "Compare").isEnabled()


def test_comparing_costs_no_stack_of_its_own_beside_the_panes(views) -> None:
    """What another pane shows already is not made a second time."""
    before = len(views.contents.stacks)
    for pane in MAIN:
        views.compare.model.set_mode(pane, Mode.FADE)
    assert len(views.contents.stacks) == before == 3
    views.compare.model.set_mode(Role.TRUTH, Mode.DIFFERENCE)
    assert len(views.contents.stacks) == 4  # the truth on the source's voxels
    for pane in MAIN:
        views.compare.model.set_mode(pane, Mode.OFF)
    assert len(views.contents.stacks) == 3


def mask_file(path: Path, shape=(10, 24, 28)) -> Path:
    labels = np.zeros(shape, np.int16)
    labels[2:8, 6:18, 6:14], labels[2:8, 6:18, 14:22] = 3, 8
    image = nibabel.Nifti1Image(labels.transpose(2, 1, 0), np.diag([-2.0, -2.0, 3.0, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


def test_a_mask_is_opened_over_the_case(make_window, ct_file, qtbot, tmp_path, monkeypatch) -> None:
    window = make_window(ct_file)
    masks = window.views.compare.masks
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not None, timeout=20_000)
    chosen = [mask_file(tmp_path / "Name of a Patient.nii.gz")]
    monkeypatch.setattr("ctmri_gui.file_choice.existing_files", lambda *_: chosen)
    window.command["open_mask"].trigger()
    qtbot.waitUntil(lambda: bool(masks.masks), timeout=20_000)
    mask = masks.masks[0].map
    assert mask.values == (3, 8) and mask.geometry.is_close(window.session.volumes[Role.SOURCE].geometry)
    assert mask.region(1) == "Mask 1, 3"  # never the name of the file
    canvas = window.views.panes[Role.SOURCE].canvas
    with_mask = canvas.grab().toImage()
    assert not with_mask.allGray()
    window.views.panes[Role.SOURCE].setFocus()
    QTest.keyClick(window.views.panes[Role.SOURCE], Qt.Key.Key_M)
    assert canvas.grab().toImage() != with_mask and not window.views.actions_by_name["masks_shown"].isChecked()
    QTest.keyClick(window.views.panes[Role.SOURCE], Qt.Key.Key_W)
    assert canvas.grab().toImage() == with_mask
    QTest.keyClick(window.views.panes[Role.SOURCE], Qt.Key.Key_E)
    assert masks.opacity == pytest.approx(0.45)
    window.close()


def test_what_looks_like_a_mask_is_asked_about_when_it_is_dropped(make_window, ct_file, qtbot, tmp_path) -> None:
    window = make_window(ct_file)
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not None, timeout=20_000)
    path = mask_file(tmp_path / "mask.nii.gz")
    for choice in ("&mask", "&scan"):
        window.session.open_paths([path], Role.TRUTH)
        qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)), timeout=20_000)
        box = window.findChildren(QMessageBox)[0]
        button = next(button for button in box.buttons() if choice in button.text())
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
        if choice == "&mask":
            qtbot.waitUntil(lambda: bool(window.views.compare.masks.masks), timeout=20_000)
            assert window.session.volumes[Role.TRUTH] is None
        else:
            qtbot.waitUntil(lambda: window.session.volumes[Role.TRUTH] is not None, timeout=20_000)
        qtbot.waitUntil(lambda: not window.findChildren(QMessageBox), timeout=20_000)
    window.close()


def test_a_scan_is_no_mask_and_the_reason_is_said(make_window, ct_file, qtbot) -> None:
    window = make_window(ct_file)
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not None, timeout=20_000)
    source = window.session.volumes[Role.SOURCE]
    source_values = source.voxels.copy()
    with qtbot.waitSignal(window.views.compare.masks.changed, timeout=20_000):
        window.views.actions_by_name["body_mask"].trigger()
    assert [mask.map.name for mask in window.views.compare.masks.masks] == ["Body of the source"]
    window.views.actions_by_name["body_mask"].trigger()
    assert window.views.compare.masks.masks == () and (source.voxels == source_values).all()
    window.close()


def test_the_colours_of_differences_are_remembered(make_window, qtbot) -> None:
    window = make_window()
    window.settings["difference_colours"] = "dark"
    assert window.views.compare.model.colours == "dark"
    window.views.compare.model.set_colours("white")
    assert window.settings["difference_colours"] == "white"
    window.close()
