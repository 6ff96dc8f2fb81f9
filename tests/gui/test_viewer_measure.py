"""Measuring as a person does it: drawn with the mouse and with keys, changed, named, taken back, exported, plotted."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtWidgets import QApplication

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.measuring.shapes import Kind
from ctmri_core.measuring.statistics import Sampling
from ctmri_core.volume import Finding, Synthetic, Volume
from ctmri_gui.undo import History
from ctmri_gui.viewer.layouts import THREE_PLANES
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.measure import texts
from ctmri_gui.viewer.measure.histogram_page import BODY, NO_REGION, REGION, SLICE
from ctmri_gui.viewer.measure.measuring import Measuring
from ctmri_gui.viewer.measure.overlay import _place, _Room
from ctmri_gui.viewer.roles import MAIN, Role

GRID = Geometry((21, 64, 72), (3.0, 1.0, 1.25), (-45.0, -32.0, -30.0))
TRUTH_GRID = Geometry((30, 50, 60), (2.5, 1.6, 1.6), (-48.0, -40.0, -36.0))
RNG = np.random.default_rng(5)
LEFT, NO = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
PRESS, MOVE, RELEASE = QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease


def noise(grid: Geometry, domain: Domain, **facts) -> Volume:
    mm = grid.index_to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))
    values = np.where(np.linalg.norm(mm, axis=-1) < 30, 40, -1000) + RNG.normal(0, 15, grid.shape)
    if domain is not Domain.CT:
        values = values / 2 + 520
    return Volume(values.astype(np.int16 if domain is Domain.CT else np.float32), grid, domain, **facts)


@pytest.fixture
def views(qtbot) -> Iterator[LinkedViews]:
    widget = LinkedViews()
    qtbot.addWidget(widget)
    widget.resize(1500, 560)
    widget.show()
    qtbot.waitExposed(widget)
    widget.set_volume(Role.SOURCE, noise(GRID, Domain.CT))
    widget.set_volume(Role.SYNTHETIC, noise(GRID, Domain.MR_T1, synthetic=Synthetic("demo", "0" * 64)))
    widget.set_volume(Role.TRUTH, noise(TRUTH_GRID, Domain.MR_T1))
    yield widget
    widget.close_background()


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def measuring(views, history) -> Iterator[Measuring]:
    made = Measuring(views, history, lambda: "dark")
    yield made
    made.close()
    for plots in [made._plots] if made._plots else []:
        plots.close()
    made.dock.close()


def send(views, pane: str, kind: QEvent.Type, at, button=LEFT) -> None:
    canvas, place = views.panes[pane].canvas, QPointF(*at)
    held, none = NO if kind == RELEASE else button, Qt.KeyboardModifier.NoModifier
    there = QPointF(canvas.mapToGlobal(place.toPoint()))
    QApplication.sendEvent(canvas, QMouseEvent(kind, place, there, NO if kind == MOVE else button, held, none))


def drag(views, pane: str, *places) -> None:
    send(views, pane, PRESS, places[0])
    for place in places[1:]:
        send(views, pane, MOVE, place)
    send(views, pane, RELEASE, places[-1])


def click(views, pane: str, at) -> None:
    send(views, pane, MOVE, at, NO)
    send(views, pane, PRESS, at)
    send(views, pane, RELEASE, at)


def pixel(views, pane: str, row: float, column: float) -> tuple[float, float]:
    """Where a voxel of the displayed slice's lattice, in screen order, is on the canvas."""
    layout = views.model.displayed(pane).layout
    _, down, right = layout.geometry.spacing
    return views.panes[pane].projection.to_pixel((column + 0.5) * right, (row + 0.5) * down)


def press_key(views, name: str) -> None:
    views.actions_by_name[name].trigger()


def draw_region(views, measuring, kind=Kind.RECTANGLE, first=(20.5, 24.5), last=(40.5, 48.5), pane=Role.SOURCE):
    views.use_tool(f"measure_{kind.value}")
    drag(views, pane, pixel(views, pane, *first), pixel(views, pane, 30, 36), pixel(views, pane, *last))
    views.use_tool(f"measure_{kind.value}", on=False)
    return measuring.model.items[-1]


def wait_for_numbers(qtbot, measuring) -> None:
    ready = []
    measuring.values.when_ready(lambda: ready.append(True))
    qtbot.waitUntil(lambda: bool(ready), timeout=20_000)


def test_a_length_is_dragged_or_clicked(views, measuring) -> None:
    press_key(views, "measure_length")
    start, end = pixel(views, "source", 10, 10), pixel(views, "source", 10, 50)
    drag(views, "source", start, (start[0] + 40, start[1] + 20), end)
    start, end = pixel(views, "source", 50, 10), pixel(views, "source", 50, 50)
    click(views, "truth", start)
    assert len(measuring.model.items) == 1 and measuring.tools.drawing is not None
    click(views, "truth", end)
    lengths = [item.shape.length_mm for item in measuring.model.items]
    assert lengths == pytest.approx([40 * 1.25] * 2, abs=0.01)
    assert [item.measurement.name for item in measuring.model.items] == ["Length 1", "Length 2"]
    assert texts.size_text(measuring.model.items[0].shape) == "50.0 mm"


def test_an_angle_takes_an_arm_and_a_click(views, measuring) -> None:
    press_key(views, "measure_angle")
    drag(views, "source", pixel(views, "source", 10, 40), pixel(views, "source", 30, 40))
    send(views, "source", MOVE, pixel(views, "source", 30, 50), NO)
    assert measuring.model.draft.shape.kind is Kind.ANGLE
    click(views, "source", pixel(views, "source", 30, 56))
    assert measuring.model.items[0].shape.angle_degrees == pytest.approx(90, abs=0.1)


def test_numbers_are_those_of_the_files_voxels_in_every_volume(views, measuring, qtbot) -> None:
    item = draw_region(views, measuring)
    wait_for_numbers(qtbot, measuring)
    found = measuring.values.of(item.measurement)
    k = views.slice
    for role in (Role.SOURCE, Role.SYNTHETIC):
        own = views.model.volumes[role].voxels[k, 21:41, 25:49].astype(float)
        assert found[role].sampling is Sampling.VOXELS and found[role].count == own.size
        assert found[role].mean == pytest.approx(own.mean()) and found[role].sd == pytest.approx(own.std(ddof=1))
        assert (found[role].minimum, found[role].maximum) == (own.min(), own.max())
    assert found[Role.TRUTH].sampling is Sampling.SAMPLES and found[Role.TRUTH].count == 20 * 24
    assert item.shape.area_mm2 == pytest.approx(20 * 1.0 * 24 * 1.25, rel=1e-3)
    text = " ".join(texts.mean_text(found[role], "HU") for role in found)
    assert text.count("≈") == 1


def test_numbers_stand_on_the_panes_and_in_the_list(views, measuring, qtbot) -> None:
    item = draw_region(views, measuring, Kind.ELLIPSE)
    wait_for_numbers(qtbot, measuring)
    row = measuring.dock.tree.topLevelItem(0)
    qtbot.waitUntil(lambda: row.childCount() == 3)
    assert (row.text(0), row.text(1)) == ("Ellipse 1", texts.size_text(item.shape))
    found = measuring.values.of(item.measurement)
    mean = texts.mean_text(found[Role.SOURCE], "HU")
    assert row.child(0).text(0).startswith(f"Source, CT\n{mean}\n")
    assert row.child(0).text(0).endswith(f", {found[Role.SOURCE].count} voxels")
    assert "Synthetic T1 MR" in row.child(1).text(0) and "a.u." in row.child(1).text(0)
    _, tools, overlay = measuring._panes["truth"]
    words = overlay._words(tools.places.now(), item.measurement, chosen=True)
    assert words[1].startswith("≈ ") and words[1].endswith("a.u.") and words[-1].endswith("mm²")
    views.grab()


def test_the_numbers_of_one_shape_do_not_stand_over_another_where_there_is_room() -> None:
    pane, label = QRectF(0, 0, 400, 400), QRectF(0, 0, 80, 30)
    left, right = QRectF(100, 150, 100, 80), QRectF(210, 140, 60, 100)
    taken: list[QRectF] = []
    for box, other in ((right, left), (left, right)):
        place = _place(label, box, pane, taken, [other], needed=False)
        assert place is not None and pane.contains(place)
        assert not any(place.intersects(one) for one in (left, right, *taken))
        taken.append(place)
    everywhere = _place(label, left, pane, [], [pane], needed=False)  # better over another than not at all
    assert everywhere is not None and not everywhere.intersects(left)


@pytest.mark.parametrize(("size", "most"), [((1000, 900), 3), ((190, 240), 3), ((190, 60), 1)])
def test_in_small_panes_numbers_cover_little_of_the_picture_and_none_of_its_words(
    views, measuring, monkeypatch, dressed, size, most
) -> None:  # fmt: skip
    dressed("dark", 20)
    for row in (15.5, 25.5, 35.5):
        draw_region(views, measuring, Kind.RECTANGLE, (row, 24.5), (row + 8, 40.5))
    canvas = views.panes[Role.SOURCE].canvas
    canvas.resize(*size)
    written: list[QRectF] = []
    take = _Room.take

    def note(self, *args, **more):
        place = take(self, *args, **more)
        written.extend([] if place is None else [place])
        return place

    monkeypatch.setattr(_Room, "take", note)
    canvas.grab()
    words = canvas.annotations.places(*size)
    assert len(written) <= most
    if size[1] > 100:
        assert written and not any(one.intersects(word) for one in written for word in words)
        assert sum(one.width() * one.height() for one in written) <= 0.3 * size[0] * size[1]


def painted(views, measuring, pane: str) -> bool:
    """Whether a line of a measurement is seen on the pane."""
    picture = views.panes[pane].canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    pixels = rows[:, : picture.width() * 3].reshape(picture.height(), picture.width(), 3).astype(int)
    green = pixels[..., 1] - pixels[..., 0]
    return bool(np.count_nonzero(green > 60) > 100)


def test_a_shape_is_drawn_where_it_lies_and_nowhere_else(views, measuring, qtbot) -> None:
    draw_region(views, measuring)
    measuring.model.select(None)
    for pane in views.panes:
        qtbot.waitUntil(partial(painted, views, measuring, pane))
    k = views.slice
    views.set_slice(k + 1)
    assert not any(painted(views, measuring, pane) for pane in views.panes)
    views.set_slice(k)
    views.actions_by_name["measure_shown"].trigger()
    assert not painted(views, measuring, "source")


def test_a_shape_stays_in_the_patient_under_zoom_flip_and_other_layouts(views, measuring, qtbot) -> None:
    item = draw_region(views, measuring)
    wait_for_numbers(qtbot, measuring)
    before = measuring.values.of(item.measurement)
    middle = item.shape.centre
    views.model.zoom(2.0, None)
    views.actions_by_name["neurological"].trigger()
    places = measuring._panes["source"][1].places.now()
    assert places.shows(item.shape, "source")
    u, v, _ = places.on_picture(middle[None])[0]
    assert places.mm((u, v)) == pytest.approx(middle)
    views.arrangement.show(THREE_PLANES)
    assert len(measuring._panes) == 9
    shown = {name for name, (_, tools, _) in measuring._panes.items() if tools.places.now().shows(item.shape, "source")}
    assert shown == {name for name, spec in views.model.panes.items() if views.model.displayed(name).layout.plane == "axial"}
    assert measuring.values.of(item.measurement) == before


def test_a_region_of_a_reformatted_pane_has_the_files_voxels(views, measuring, qtbot) -> None:
    views.arrangement.show(THREE_PLANES)
    pane = next(
        name
        for name, spec in views.model.panes.items()
        if spec.role is Role.SOURCE and views.model.displayed(name).layout.plane == "coronal"
    )
    item = draw_region(views, measuring, first=(5.5, 20.5), last=(15.5, 50.5), pane=pane)
    wait_for_numbers(qtbot, measuring)
    found = measuring.values.of(item.measurement)[Role.SOURCE]
    assert found.sampling is Sampling.VOXELS and found.count == 10 * 30
    index = views.model.volumes[Role.SOURCE].geometry.mm_to_index(item.shape.array)
    k, j, i = (np.unique(np.round(column, 3)) for column in index.T)
    own = views.model.volumes[Role.SOURCE].voxels[
        int(np.ceil(k[0])) : int(k[1]) + 1, round(j[0]), int(np.ceil(i[0])) : int(i[1]) + 1
    ]
    assert own.size == 300 and found.mean == pytest.approx(own.mean())


def test_handles_change_a_shape_and_one_drag_is_one_step(views, measuring, history) -> None:
    item = draw_region(views, measuring)
    before = item.shape
    corner = pixel(views, "source", 40.5, 48.5)
    drag(views, "source", corner, (corner[0] + 7, corner[1] + 9), pixel(views, "source", 45.5, 58.5))
    changed = measuring.model.items[0].shape
    assert changed.area_mm2 == pytest.approx(25 * 34 * 1.25, rel=0.01)
    history.undo()
    assert measuring.model.items[0].shape == before
    history.redo()
    assert measuring.model.items[0].shape == changed
    edge = pixel(views, "source", 30, 24.5)
    drag(views, "source", edge, (edge[0] + 20, edge[1]), (edge[0] + 30, edge[1] + 10))
    moved = measuring.model.items[0].shape
    assert moved.area_mm2 == pytest.approx(changed.area_mm2) and moved != changed


def test_away_from_shapes_the_window_tool_works_as_ever(views, measuring) -> None:
    draw_region(views, measuring)
    before = views.model.windows[Role.SOURCE]
    drag(views, "source", pixel(views, "source", 30, 36), pixel(views, "source", 33, 38))
    assert views.model.windows[Role.SOURCE] != before and len(measuring.model.items) == 1


def test_escape_gives_up_what_is_being_drawn_then_the_tool(views, measuring) -> None:
    press_key(views, "measure_length")
    click(views, "source", (100, 100))
    send(views, "source", MOVE, (160, 140), NO)
    assert measuring.model.draft is not None
    press_key(views, "cancel")
    assert measuring.model.draft is None and measuring.tools.kind is Kind.LENGTH
    press_key(views, "cancel")
    assert measuring.tools.kind is None and not views.actions_by_name["measure_length"].isChecked()
    drag(views, "source", (100, 100), (101, 101))
    assert not measuring.model.items


def test_the_region_key_goes_through_the_regions(views, measuring) -> None:
    kinds = []
    for _ in range(4):
        press_key(views, "measure_region")
        kinds.append(measuring.tools.kind)
    assert kinds == [Kind.RECTANGLE, Kind.ELLIPSE, Kind.FREEHAND, None]


def test_a_freehand_region_follows_the_mouse(views, measuring) -> None:
    views.use_tool("measure_freehand")
    turns = np.linspace(0, 2 * np.pi, 60)
    drag(views, "synthetic", *[pixel(views, "synthetic", 30 + 10 * np.sin(t), 36 + 8 * np.cos(t)) for t in turns])
    assert measuring.model.items[0].shape.area_mm2 == pytest.approx(np.pi * 10 * 8 * 1.25, rel=0.03)
    drag(views, "synthetic", (50, 50), (51, 50))
    assert len(measuring.model.items) == 1, "a click is no region"


def test_everything_works_with_keys_alone(views, measuring, history) -> None:
    for name in ("measure_length", "measure_angle", "measure_rectangle", "measure_ellipse", "measure_freehand"):
        views.use_tool(name)
        press_key(views, "measure_place")
    assert [item.shape.kind for item in measuring.model.items] == list(Kind)
    measuring.model.select(measuring.model.items[2].number)
    start = measuring.model.selected.shape
    for _ in range(3):
        press_key(views, "measure_move_right")
    moved = measuring.model.selected.shape
    assert np.linalg.norm(moved.centre - start.centre) == pytest.approx(3 * 1.25)
    history.undo()
    assert measuring.model.selected.shape == start, "moves one after another are one step"
    press_key(views, "measure_size_down")
    assert measuring.model.selected.shape.area_mm2 > start.area_mm2
    press_key(views, "measure_next")
    assert measuring.model.selected.shape.kind is Kind.ELLIPSE
    press_key(views, "measure_delete")
    assert len(measuring.model.items) == 4 and measuring.model.selected is None
    history.undo()
    assert len(measuring.model.items) == 5


def test_names_are_given_in_the_list(views, measuring, qtbot) -> None:
    item = draw_region(views, measuring)
    qtbot.waitUntil(lambda: measuring.dock.tree.topLevelItemCount() == 1)
    row = measuring.dock.tree.topLevelItem(0)
    row.setText(0, "  Left   putamen ")
    assert measuring.model.item(item.number).measurement.name == "Left putamen"
    row.setText(0, "   ")
    qtbot.waitUntil(lambda: row.text(0) == "Left putamen")


def test_go_to_brings_slice_and_place_back(views, measuring) -> None:
    item = draw_region(views, measuring)
    k = views.slice
    views.set_slice(0)
    views.model.move(4000, 0)
    measuring.dock.goAsked.emit(item.number)
    assert views.slice == k
    view, tools, _ = measuring._panes["source"]
    u, v, _ = tools.places.now().on_picture(item.shape.centre[None])[0]
    assert view.canvas.rect().contains(*(round(value) for value in view.projection.to_pixel(u, v)))


def test_numbers_follow_a_volume_that_is_replaced(views, measuring, qtbot) -> None:
    item = draw_region(views, measuring)
    wait_for_numbers(qtbot, measuring)
    old = measuring.values.of(item.measurement)[Role.SYNTHETIC].mean
    volume = views.model.volumes[Role.SYNTHETIC]
    views.set_volume(Role.SYNTHETIC, replace(volume, voxels=volume.voxels + np.float32(100)))
    wait_for_numbers(qtbot, measuring)
    assert measuring.values.of(item.measurement)[Role.SYNTHETIC].mean == pytest.approx(old + 100, abs=0.01)
    views.set_volume(Role.TRUTH, None)
    assert set(measuring.values.of(item.measurement)) == {Role.SOURCE, Role.SYNTHETIC}


def test_another_frame_of_reference_is_measured_apart(views, measuring, qtbot) -> None:
    views.set_volume(Role.SOURCE, replace(views.model.volumes[Role.SOURCE], frame_of_reference="1.2"))
    views.set_volume(Role.TRUTH, replace(views.model.volumes[Role.TRUTH], frame_of_reference="9.9"))
    item = draw_region(views, measuring)
    wait_for_numbers(qtbot, measuring)
    assert Role.TRUTH not in measuring.values.of(item.measurement)
    assert not measuring._panes["truth"][1].places.now().shows(item.shape, "source")
    views.model.set_linked("truth", True)
    wait_for_numbers(qtbot, measuring)
    assert measuring.values.of(item.measurement)[Role.TRUTH].count > 0


def test_a_volume_linked_by_hand_is_measured_where_it_was_put(views, measuring, qtbot) -> None:
    shift = (7.0, -4.0, 6.0)
    source = views.model.volumes[Role.SOURCE]
    moved = Geometry.from_affine(GRID.shape, rigid_transform((0, 0, 0), shift) @ GRID.affine)
    views.set_volume(Role.TRUTH, replace(source, geometry=moved))
    views.set_linked("truth", False)
    views.set_active("truth")
    middle = views.model.point_mm("source", views.model.pose("source").camera.centre)
    here = views.model.displayed("truth").layout.from_mm(middle + shift)
    views.model.set_slice(round(here[2]), "truth")
    u, v = views.model.pose("truth").camera.centre
    views.model.move(u - here[0], v - here[1], "truth")
    views.link_as_shown()
    item = draw_region(views, measuring)
    wait_for_numbers(qtbot, measuring)
    found = measuring.values.of(item.measurement)
    assert found[Role.TRUTH].mean == pytest.approx(found[Role.SOURCE].mean)
    assert found[Role.TRUTH].sampling is Sampling.VOXELS


def test_the_window_comes_from_the_region(views, measuring, qtbot) -> None:
    draw_region(views, measuring)
    views.set_active("source")
    mr = views.model.windows[Role.TRUTH]
    with qtbot.waitSignal(views.model.windowsChanged, timeout=10_000):
        press_key(views, "measure_window")
    own = views.model.volumes[Role.SOURCE].voxels[views.slice, 21:41, 25:49]
    low, high = np.percentile(own, (1, 99))
    window = views.model.windows[Role.SOURCE]
    assert (window.centre, window.width) == pytest.approx(((low + high) / 2, high - low))
    assert views.model.windows[Role.TRUTH] == mr, "windows are linked within a modality"
    measuring.model.select(None)
    with qtbot.waitSignal(measuring.noted):
        press_key(views, "measure_window")


def test_cases_keep_their_lists_and_steps_stay_in_their_case(views, measuring, history) -> None:
    draw_region(views, measuring)
    kept = measuring.model.take()
    measuring.model.put(None)
    assert measuring.model.items == ()
    history.undo()
    assert measuring.model.items == () and kept.items == ()
    history.redo()
    measuring.model.put(kept)
    assert len(measuring.model.items) == 1


def test_exports_hold_what_the_list_shows(views, measuring, qtbot, tmp_path) -> None:
    draw_region(views, measuring)
    views.use_tool("measure_length")
    drag(views, "source", pixel(views, "source", 10, 10), pixel(views, "source", 10, 50))
    doubtful = (Finding("gap", "Slices are missing.", serious=True),)
    views.set_volume(Role.TRUTH, replace(views.model.volumes[Role.TRUTH], findings=doubtful))
    for name in ("m.csv", "m.json"):
        with qtbot.waitSignal(measuring.written, timeout=20_000):
            measuring.write(tmp_path / name)
    rows = list(csv.DictReader((tmp_path / "m.csv").read_text("utf-8-sig").splitlines()))
    assert [row["volume"] for row in rows] == ["source", "synthetic", "truth", ""]
    assert rows[1]["notice"] == "synthetic, not for diagnosis" and "gap" in rows[2]["notice"]
    assert float(rows[3]["length_mm"]) == pytest.approx(50, abs=0.01)
    content = json.loads((tmp_path / "m.json").read_text())
    assert content["measurements"][0]["values"][0]["count"] == 480
    with qtbot.waitSignal(measuring.failed):
        measuring.write(tmp_path / "m.csv" / "no.csv")


def test_the_profile_shows_all_images_each_on_its_axis(views, measuring, qtbot) -> None:
    press_key(views, "measure_profile")
    page = measuring._plots.profile
    assert page.isVisible() and page.plot is None and measuring.tools.kind is Kind.LENGTH
    drag(views, "source", pixel(views, "source", 30, 10), pixel(views, "source", 30, 20), pixel(views, "source", 30, 60))
    qtbot.waitUntil(lambda: page.plot is not None and set(page.plot.curves) == set(MAIN), timeout=20_000)
    qtbot.waitUntil(lambda: page.plot.curves[Role.SOURCE].getData()[0][-1] == pytest.approx(50 * 1.25, abs=0.01))
    _, y = page.plot.curves[Role.SOURCE].getData()
    assert y[0] == pytest.approx(float(views.model.volumes[Role.SOURCE].voxels[views.slice, 30, 10]), abs=1)
    assert page.plot.item.getAxis("left").labelText == "CT (HU)" and page.plot.item.getAxis("right").labelText == "MR (a.u.)"
    page.read_at(31.25)
    assert "Source" in page.reading.text() and views.model.crosshair is not None
    assert views.model.crosshair == pytest.approx(measuring.model.items[0].shape.centre, abs=0.1)
    assert "not for diagnosis" in page.title.text()
    measuring.dress()
    qtbot.waitUntil(lambda: page.plot is not None and set(page.plot.curves) == set(MAIN), timeout=20_000)
    page.read_at(1.0)
    measuring._plots.close()
    assert views.model.crosshair is None


def test_the_joint_histogram_counts_region_slice_and_body(views, measuring, qtbot) -> None:
    press_key(views, "measure_histogram")
    page = measuring._plots.histogram
    qtbot.waitUntil(lambda: page.plot is not None and "pairs" in page.said.text(), timeout=20_000)
    assert page.where.currentText() == SLICE
    assert (page.one.currentText(), page.other.currentText()) == ("Synthetic", "Ground truth")
    page.use(REGION)
    assert page.said.text() == NO_REGION
    draw_region(views, measuring)
    qtbot.waitUntil(lambda: "480 pairs" in page.said.text(), timeout=20_000)
    page.use(BODY)
    qtbot.waitUntil(lambda: page.said.text().startswith("Body"), timeout=20_000)
    assert "not for diagnosis" in page.said.text()
