"""What users of other viewers had to report, in the real window on real files."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.volume import Volume
from ctmri_gui.viewer.presets import Window
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_view import SliceView

WAIT = 20_000
SPACING = (0.7, 1.9, 4.0)  # i, j, k
SHAPE = (60, 40, 24)


def save_ct(path: Path, turned: float = 0.0, seed: int = 1) -> Path:
    """A stored-with-slope CT of anisotropic voxels; its values differ from voxel to voxel."""
    axes = np.meshgrid(*[np.linspace(-1.2, 1.2, n) for n in SHAPE], indexing="ij")
    stored = np.where(np.sqrt(sum(axis**2 for axis in axes)) < 0.9, 2100, 48)
    stored = (stored + np.random.default_rng(seed).integers(0, 90, SHAPE)).astype(np.int16)
    affine = rigid_transform((0, 0, turned), (0, 0, 0)) @ np.diag([*SPACING, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ (np.array(SHAPE) / 2)
    image = nibabel.Nifti1Image(stored, affine)
    image.header.set_slope_inter(0.5, -1024)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    """Source and truth are CT from files, both with a stored slope."""
    shown = make_window()
    for role, seed in ((Role.SOURCE, 1), (Role.TRUTH, 2)):
        shown.session.open_paths([save_ct(tmp_path / f"{role.value}_ct.nii", seed=seed)], role)
        qtbot.waitUntil(lambda role=role: shown.session.volumes[role] is not None, timeout=WAIT)
    for role in (Role.SOURCE, Role.TRUTH):
        shown.session.set_domain(role, Domain.CT)
        qtbot.waitUntil(lambda role=role: shown.session.volumes[role].domain is Domain.CT, timeout=WAIT)
    qtbot.waitUntil(lambda: not shown.session.jobs.busy, timeout=WAIT)
    return shown


def press(window, key: Qt.Key, pane: str = Role.SOURCE) -> None:
    view = window.views.panes[pane]
    window.activateWindow()
    view.setFocus()
    QTest.keyClick(view, key)


def drag(window, pane: str, first: tuple[float, float], last: tuple[float, float]) -> None:
    """Between two places (mm right of and below the slice's corner) with the left button."""
    canvas, none = window.views.panes[pane].canvas, Qt.MouseButton.NoButton
    left, plain = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    steps = ((QEvent.Type.MouseButtonPress, first), (QEvent.Type.MouseMove, last), (QEvent.Type.MouseButtonRelease, last))
    for kind, at in steps:
        place = QPointF(*window.views.panes[pane].projection.to_pixel(*at))
        button = none if kind == QEvent.Type.MouseMove else left
        held = none if kind == QEvent.Type.MouseButtonRelease else left
        where = QPointF(canvas.mapToGlobal(place.toPoint()))
        QApplication.sendEvent(canvas, QMouseEvent(kind, place, where, button, held, plain))


def ct_panes(window) -> list[SliceView]:
    return [pane for pane in window.views.panes.values() if pane.role is not Role.SYNTHETIC]


def grey(pane: SliceView) -> int:
    """In the middle of the picture."""
    canvas = pane.canvas
    return canvas.grab().toImage().pixelColor(canvas.rect().center()).red()


def test_a_preset_is_seen_at_once_in_all_linked_panes_of_every_layout(window, qtbot) -> None:
    for layout in ("layout_1", "layout_2"):
        window.views.actions_by_name[layout].trigger()
        press(window, Qt.Key.Key_1)
        qtbot.waitUntil(lambda: all(pane.canvas.annotations.text.position for pane in ct_panes(window)), timeout=WAIT)
        before = [grey(pane) for pane in ct_panes(window)]
        press(window, Qt.Key.Key_9)  # from -1024 to 3000 HU: the body, 26 to 71 HU, is a quarter bright
        assert all(60 < grey(pane) < 75 for pane in ct_panes(window)) and all(value > 75 or value < 60 for value in before)


def test_numbers_under_a_region_are_those_of_the_files_and_lengths_are_millimetres(window, qtbot, tmp_path) -> None:
    measuring = window.measuring.measuring
    window.views.use_tool("measure_rectangle")
    drag(window, Role.SOURCE, (10.0, 20.0), (31.0, 58.0))
    window.views.use_tool("measure_length")
    drag(window, Role.SOURCE, (4.0, 5.0), (36.0, 70.0))
    region, length = (item.measurement for item in measuring.model.items)
    assert length.shape.length_mm == pytest.approx(np.hypot(32, 65), abs=1.0)  # a pixel of the screen at either end
    assert length.shape.length_mm == pytest.approx(np.linalg.norm(np.subtract(*length.shape.points)))
    ready: list[bool] = []
    measuring.values.when_ready(lambda: ready.append(True))
    qtbot.waitUntil(lambda: bool(ready), timeout=WAIT)
    found = measuring.values.of(region)
    for role in (Role.SOURCE, Role.TRUTH):
        image = nibabel.load(tmp_path / f"{role.value}_ct.nii")
        ras = np.c_[np.array(region.shape.points) * (-1, -1, 1), np.ones(4)]
        corners = (np.linalg.inv(image.affine) @ ras.T).T[:, :3]
        low, high = np.ceil(corners.min(axis=0) - 1e-6).astype(int), np.floor(corners.max(axis=0) + 1e-6).astype(int)
        values = image.get_fdata()[low[0] : high[0] + 1, low[1] : high[1] + 1, round(corners[0, 2])]
        assert found[role].count == values.size > 300
        assert found[role].mean == pytest.approx(values.mean())
        assert found[role].sd == pytest.approx(values.std(ddof=1))
        assert (found[role].minimum, found[role].maximum) == (values.min(), values.max())


def test_reset_acts_on_all_linked_panes(window) -> None:
    views, model = window.views, window.views.model
    opened = {name: model.pose(name).camera for name in views.panes}
    windows = dict(model.windows)
    model.zoom(2.5, None, Role.TRUTH)
    model.move(12, -7, Role.SOURCE)
    model.set_window(Role.TRUTH, Window(900, 77))
    assert all(model.pose(name).camera != camera for name, camera in opened.items())
    press(window, Qt.Key.Key_R)
    assert {name: model.pose(name).camera for name in views.panes} == opened
    views.actions_by_name["reset_window"].trigger()
    assert model.windows == windows


def test_links_survive_a_new_series(window, qtbot, tmp_path) -> None:
    model = window.views.model
    for turned in (0, 12):
        path, before = save_ct(tmp_path / f"turned_by_{turned}.nii", turned, seed=7), window.session.volumes[Role.TRUTH]
        window.session.open_paths([path], Role.TRUTH)
        qtbot.waitUntil(lambda old=before: window.session.volumes[Role.TRUTH] is not old, timeout=WAIT)
        assert all(model.is_linked(name) for name in window.views.panes)
        assert not {"Unlinked"} & {view.header.link_text for view in window.views.panes.values()}
        k = model.slice
        press(window, Qt.Key.Key_Up, Role.TRUTH)
        assert [model.pose(name).k for name in window.views.panes] == [model.slice] * 3 and model.slice != k


def test_planes_that_are_not_parallel_never_jump(window) -> None:
    """A tilted truth shows the place of the source in every slice; unlinked, it goes from slice to slice of its own."""
    model, grid = window.views.model, Geometry((40, 50, 50), (3.0, 1.5, 1.5), (-37, -38, -55))
    tilted = Geometry.from_affine(grid.shape, rigid_transform((25, 8, 15), (0, 0, 0)) @ grid.affine)
    x = tilted.index_to_mm(np.moveaxis(np.indices(tilted.shape), 0, -1))
    window.session.place(Volume((x @ (1, 2, 3)).astype(np.float32), tilted, Domain.MR_T1, name="tilted"), Role.TRUTH)
    for linked in (True, False):
        window.views.set_linked(Role.TRUTH, linked)
        shown = model.displayed(Role.TRUTH)
        u, v = model.pose(Role.TRUTH).camera.centre
        places = []
        for _ in range(5):
            places.append(shown.layout.to_mm(u, v, model.pose(Role.TRUTH).k))
            press(window, Qt.Key.Key_Up, Role.TRUTH)
        steps = np.diff(places, axis=0)
        assert np.linalg.norm(steps, axis=1) == pytest.approx([shown.grid.spacing[0]] * 4)
        assert steps == pytest.approx(np.tile(steps[0], (4, 1)))
        if linked:
            assert shown.grid.is_close(model.displayed(Role.SOURCE).grid)
