"""Pictures, grids and films of what the panes show; cine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage, QWheelEvent

from ctmri_core.domain import Domain
from ctmri_core.volume import Synthetic
from ctmri_gui import file_choice
from ctmri_gui.film.look import Look
from ctmri_gui.film.order import Kind, Order
from ctmri_gui.film.painted_frames import pixels_of
from ctmri_gui.film.picture_dialog import PictureDialog
from ctmri_gui.film.studio import Studio, rows_of
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.compare.modes import Mode
from ctmri_gui.viewer.presets import Window
from ctmri_gui.viewer.roles import MAIN, Role
from tests.gui.conftest import make_volume
from tests.gui.test_dialog_sizes import assert_readable

PLAIN = Look((200, 180), captions=False, letters=False, facts=False, drawings=False)


def stepped(slices: int = 10) -> np.ndarray:
    """Slice k has the value 100 k everywhere."""
    return (np.arange(slices, dtype=np.int16) * 100)[:, None, None] * np.ones((1, 24, 28), np.int16)


@pytest.fixture
def window(make_window):
    window = make_window()
    window.resize(1200, 700)
    window.session.place(make_volume(voxels=stepped()))
    yield window
    window.close()


@pytest.fixture
def three(window):
    window.session.place_together(
        [make_volume(voxels=stepped()), make_volume(Domain.MR_T1, voxels=stepped()),
         make_volume(Domain.MR_T1, voxels=stepped(), synthetic=Synthetic("A model", "ab"))]
    )  # fmt: skip
    return window


def painted(window, roles, look=PLAIN) -> np.ndarray:
    panes = window.views.panes
    return pixels_of(Studio(rows_of(panes, roles), look).paint())


def has_colour(pixels: np.ndarray, colour) -> bool:
    return bool((pixels == (colour.red(), colour.green(), colour.blue())).all(axis=-1).any())


def save(qtbot, window, monkeypatch, target: Path, kind: Kind, change=lambda dialog: None) -> None:
    """Through the dialog, as a person does."""
    monkeypatch.setattr(file_choice, "new_file", lambda parent, title, start, pattern: target)
    window.command["screenshot" if kind is Kind.PICTURE else "film"].trigger()
    (dialog,) = window.findChildren(PictureDialog)
    dialog.what.setCurrentIndex(dialog.what.findData(kind.value))
    change(dialog)
    with qtbot.waitSignal(window.session.saved, timeout=20_000):
        dialog.save.click()
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=20_000)  # nothing more is heard of it


def test_a_pane_is_painted_at_any_size_as_sharp_as_asked(window):
    one, four = painted(window, [Role.SOURCE]), painted(window, [Role.SOURCE], Look((200, 180), 4))
    assert one.shape == (180, 200, 3)
    assert four.shape[1] == 800 and four.shape[0] > 720  # captions above
    grey = window.views.model.levels(Role.SOURCE)
    value = 100 * window.views.slice
    assert one[90, 100, 0] == pytest.approx(255 * np.clip((value - grey[0]) / (grey[1] - grey[0]), 0, 1), abs=1)
    assert np.array_equal(painted(window, [Role.SOURCE]), one)


def test_panes_stand_beside_one_another_as_on_the_screen(three):
    whole = painted(three, [Role.TRUTH, Role.SYNTHETIC, Role.SOURCE])
    assert whole.shape[1] == 3 * 200 + 2 * 2
    assert np.array_equal(whole[-180:, :200], painted(three, [Role.SOURCE]))


def test_the_warning_stays_whatever_is_switched_off(three):
    assert has_colour(painted(three, [Role.SYNTHETIC]), palette.STRIP_GROUND)
    assert has_colour(painted(three, list(MAIN)), palette.STRIP_GROUND)
    assert not has_colour(painted(three, [Role.TRUTH]), palette.STRIP_GROUND)


def test_drawings_and_letters_can_be_left_out(window):
    window.views.set_crosshair((10.0, 10.0, 0.0))
    plain, drawn = painted(window, [Role.SOURCE]), painted(window, [Role.SOURCE], replace(PLAIN, drawings=True)).astype(int)
    assert (plain[..., 0] == plain[..., 2]).all()  # greys alone
    assert (drawn[..., 0] - drawn[..., 2] > 80).any()  # the yellow of the crosshair
    window.views.set_crosshair(None)


def test_names_of_files_stay_out_unless_asked_for_and_the_model_never_does(three):
    def picture(file: str, model: str, **look) -> np.ndarray:
        volume = replace(three.views.model.volumes[Role.SOURCE], name=file)
        three.views.set_volume(Role.SOURCE, volume)
        made = replace(three.views.model.volumes[Role.SYNTHETIC], synthetic=Synthetic(model, "ab"))
        three.views.set_volume(Role.SYNTHETIC, made)
        return painted(three, list(MAIN), Look((500, 200), **look))

    assert np.array_equal(picture("a.nii", "a"), picture("Doe_Jane.nii", "a"))
    assert not np.array_equal(picture("a.nii", "a", names=True), picture("Doe_Jane.nii", "a", names=True))
    assert not np.array_equal(picture("a.nii", "a"), picture("a.nii", "b"))


def test_copy_puts_the_panes_into_the_clipboard(three):
    three.command["copy_picture"].trigger()
    image = QGuiApplication.clipboard().image()
    assert has_colour(pixels_of(image.convertToFormat(QImage.Format.Format_RGB888)), palette.STRIP_GROUND)
    assert image.width() >= 3 * three.views.panes[Role.SOURCE].canvas.width()


def test_a_picture_is_saved_as_asked_with_a_number_for_a_name(qtbot, three, monkeypatch, tmp_path):
    names = []
    monkeypatch.setattr(file_choice, "new_file", lambda parent, title, start, pattern: names.append(start.name))
    three.command["screenshot"].trigger()
    (dialog,) = three.findChildren(PictureDialog)
    dialog.save.click()
    assert names == ["ct_mri_studio_001.png"]
    qtbot.waitUntil(lambda: not three.findChildren(PictureDialog))

    def small(dialog):
        dialog.look.width_px.setValue(240)
        dialog.look.height_px.setValue(200)
        dialog.look.sharpness.setCurrentIndex(0)

    save(qtbot, three, monkeypatch, tmp_path / "a", Kind.PICTURE, small)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width == 3 * 240 + 4
        assert picture.text["Comment"].startswith("synthetic, not for diagnosis")


def test_a_grid_holds_every_nth_slice(qtbot, window, monkeypatch, tmp_path):
    def every_third(dialog):
        dialog.slices.step.setValue(3)
        dialog.slices.columns.setValue(2)
        for box in dialog.look.shown.values():
            box.setChecked(False)
        dialog.look.width_px.setValue(200)
        dialog.look.height_px.setValue(160)

    window.views.model.set_window(Role.SOURCE, type(window.views.model.windows[Role.SOURCE])(500, 1000))
    before = window.views.slice
    save(qtbot, window, monkeypatch, tmp_path / "grid.png", Kind.GRID, every_third)
    with Image.open(tmp_path / "grid.png") as picture:
        sheet = np.array(picture)[..., 0]
        assert "synthetic" not in picture.text["Comment"]
    assert sheet.shape == (2 * 160 + 4, 2 * 200 + 4)
    middles = [sheet[80, 100], sheet[80, 304], sheet[244, 100], sheet[244, 304]]
    assert middles == pytest.approx([0, 300 * 0.255, 600 * 0.255, 900 * 0.255], abs=1.5)
    assert window.views.slice == before


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_a_film_goes_through_the_slices_and_leaves_the_panes_alone(qtbot, three, monkeypatch, tmp_path, suffix):
    model = three.views.model
    model.set_window(Role.SOURCE, type(model.windows[Role.SOURCE])(500, 1000))

    def small(dialog):
        dialog.which.setCurrentText("Source: CT")
        dialog.play.format.setCurrentIndex([".gif", ".mp4"].index(suffix))
        dialog.play.rate.setValue(20)
        dialog.play.turns.setChecked(False)
        dialog.look.width_px.setValue(160)
        dialog.look.height_px.setValue(160)
        for box in dialog.look.shown.values():
            box.setChecked(False)

    before = three.views.slice
    save(qtbot, three, monkeypatch, tmp_path / f"film{suffix}", Kind.SCROLL, small)
    frames = decoded(tmp_path / f"film{suffix}")
    middles = [float(frame[frame.shape[0] // 2, 80, 0]) for frame in frames]
    assert middles == pytest.approx([100 * k * 0.255 for k in range(10)], abs=2.5)
    assert three.views.slice == before


def test_a_film_keeps_the_zoom_and_window_of_its_start_while_somebody_works_on(qtbot, three, monkeypatch, tmp_path):
    """Also the slices of panes that do not go with it, and those that are unlinked from it meanwhile."""
    model = three.views.model
    three.session.place(make_volume(Domain.MR_T1, voxels=stepped() + np.arange(28, dtype=np.int16) * 20), Role.TRUTH)
    three.views.set_linked(Role.TRUTH, False)
    model.zoom(1.7, (20.0, 30.0), Role.SOURCE)
    model.set_window(Role.TRUTH, Window(500.0, 1400.0))

    def small(dialog):
        for size in (dialog.look.width_px, dialog.look.height_px):
            size.setValue(160)

    save(qtbot, three, monkeypatch, tmp_path / "calm.gif", Kind.SCROLL, small)
    moments = []

    def work_on():
        moments.append(model.windows[Role.TRUTH])
        model.set_window(Role.TRUTH, Window(500.0 + 30 * len(moments) % 400, 900.0))
        for pane in (Role.SOURCE, Role.TRUTH):
            model.zoom(1.02, None, pane)
            model.step(1, pane)
        three.views.set_linked(Role.SYNTHETIC, False)

    timer = QTimer()
    timer.timeout.connect(work_on)
    three.session.jobs.changed.connect(lambda _state: timer.isActive() or timer.start(0))
    save(qtbot, three, monkeypatch, tmp_path / "busy.gif", Kind.SCROLL, small)
    timer.stop()
    after = model.pose(Role.SOURCE), model.windows[Role.TRUTH]
    assert len(moments) > 3 and after[0].camera.zoom > 1.7 and after[1].width == 900.0, "the panes are the user's"
    calm, busy = decoded(tmp_path / "calm.gif"), decoded(tmp_path / "busy.gif")
    assert len(calm) == len(busy) == 10
    for one, other in zip(calm, busy, strict=True):
        rows = len(one) - 160  # the bars above say how panes are linked
        assert np.array_equal(one[rows:], other[rows:])


def test_a_film_keeps_how_panes_compare_and_their_greys_while_somebody_works_on(qtbot, three, monkeypatch, tmp_path):
    compare = three.views.compare.model
    three.session.place(make_volume(Domain.MR_T1, voxels=stepped() + np.arange(28, dtype=np.int16) * 20), Role.TRUTH)
    compare.set_mode(Role.SYNTHETIC, Mode.FADE)
    compare.set_mode(Role.SOURCE, Mode.WIPE)
    qtbot.waitUntil(lambda: compare.doubt(Role.SYNTHETIC) == "not aligned", timeout=20_000)  # which the picture says
    three.views.actions_by_name["invert"].trigger()

    def small(dialog):
        for size in (dialog.look.width_px, dialog.look.height_px):
            size.setValue(160)

    for kind in (Kind.SCROLL, Kind.WIPE):
        save(qtbot, three, monkeypatch, tmp_path / f"calm {kind}.gif", kind, small)
    moments, kept = [], compare.look(three.views.panes)

    def work_on():
        moments.append(three.views.contents.inverted)
        three.views.actions_by_name["invert"].trigger()
        compare.cycle(Role.SYNTHETIC)
        compare.set_mode(Role.SOURCE, Mode.OFF)
        compare.step(Role.SOURCE, 1)

    timer = QTimer()
    timer.timeout.connect(work_on)
    three.session.jobs.changed.connect(lambda _state: timer.isActive() or timer.start(0))
    for kind in (Kind.SCROLL, Kind.WIPE):
        save(qtbot, three, monkeypatch, tmp_path / f"busy {kind}.gif", kind, small)
        timer.stop()
        assert len(moments) > 3 and set(moments) == {True, False} and compare.of(Role.SOURCE).mode is Mode.OFF
        compare.bring(kept)
        if not three.views.contents.inverted:
            three.views.actions_by_name["invert"].trigger()
        calm, busy = (decoded(tmp_path / f"{how} {kind}.gif") for how in ("calm", "busy"))
        assert len(calm) == len(busy)
        assert all(np.array_equal(one[-160:], other[-160:]) for one, other in zip(calm, busy, strict=True))


def test_how_a_film_plays_is_remembered_and_what_may_name_a_patient_is_not(qtbot, three, make_window, monkeypatch, tmp_path):
    def chosen(dialog):
        dialog.play.format.setCurrentText("MP4")
        dialog.play.rate.setValue(25)
        dialog.play.turns.setChecked(True)
        dialog.look.width_px.setValue(160)
        dialog.look.height_px.setValue(160)
        dialog.look.shown["names"].setChecked(True)

    save(qtbot, three, monkeypatch, tmp_path / "one", Kind.SCROLL, chosen)
    assert (tmp_path / "one.mp4").is_file()
    three.settings.save()
    again = make_window()
    again.session.place(make_volume(voxels=stepped()))
    again.command["film"].trigger()
    (dialog,) = again.findChildren(PictureDialog)
    order = dialog.order
    assert (order.suffix, order.rate, order.there_and_back, order.look.names) == (".mp4", 25, True, False)
    again.close()


def decoded(path: Path) -> list[np.ndarray]:
    if path.suffix == ".mp4":
        import av

        with av.open(str(path)) as container:
            return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with Image.open(path) as picture:
        frames = []
        for number in range(picture.n_frames):
            picture.seek(number)
            frames.append(np.array(picture.convert("RGB")))
        return frames


def test_a_film_of_the_wipe_moves_its_line_from_side_to_side(qtbot, three, monkeypatch, tmp_path):
    compare = three.views.compare.model
    compare.set_mode(Role.SOURCE, Mode.WIPE)
    three.command["film"].trigger()
    (dialog,) = three.findChildren(PictureDialog)
    assert dialog.what.findData(Kind.WIPE.value) >= 0
    dialog.close()
    qtbot.waitUntil(lambda: not three.findChildren(PictureDialog))

    def small(dialog):
        dialog.which.setCurrentIndex(1)
        dialog.look.width_px.setValue(200)
        dialog.look.height_px.setValue(160)
        for box in dialog.look.shown.values():
            box.setChecked(False)

    own, line = painted(three, [Role.SYNTHETIC])[-90, 100], compare.of(Role.SOURCE).line
    save(qtbot, three, monkeypatch, tmp_path / "wipe.gif", Kind.WIPE, small)
    frames = decoded(tmp_path / "wipe.gif")
    assert len(frames) == 60
    assert compare.of(Role.SOURCE).line == line
    assert frames[0][-90, 100] == pytest.approx(own, abs=2)  # the line is at the left: everything is the other picture
    assert frames[-1][-90, 100] == pytest.approx(painted_alone(three, compare)[-90, 100], abs=2)
    assert all(has_colour(frame, palette.STRIP_GROUND) for frame in (frames[0], frames[-1]))


def painted_alone(window, compare) -> np.ndarray:
    compare.set_mode(Role.SOURCE, Mode.OFF)
    return painted(window, [Role.SOURCE])


def test_a_film_is_given_up_when_another_scan_comes(qtbot, window, monkeypatch, tmp_path):
    monkeypatch.setattr(file_choice, "new_file", lambda parent, title, start, pattern: tmp_path / "film.gif")
    window.command["film"].trigger()
    (dialog,) = window.findChildren(PictureDialog)
    with qtbot.waitSignal(window.session.failed, timeout=20_000) as failed:
        dialog.save.click()
        window.session.place(make_volume(shape=(12, 24, 28), voxels=stepped(12)))
    assert "something else" in failed.args[0]
    assert not (tmp_path / "film.gif").exists()


def test_without_ffmpeg_the_dialog_says_so_and_saves_gif(qtbot, window, monkeypatch, tmp_path):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
    window.command["film"].trigger()
    (dialog,) = window.findChildren(PictureDialog)
    dialog.play.format.setCurrentIndex(1)
    qtbot.waitUntil(lambda: "MP4 cannot be written" in dialog.problem.text())
    assert not dialog.save.isEnabled()
    dialog.play.format.setCurrentIndex(0)
    assert dialog.save.isEnabled()
    dialog.close()


@pytest.mark.parametrize("size", [13, 24])
def test_the_dialog_holds_its_words_at_every_size_of_text(qtbot, window, dressed, size):
    dressed("light", size)
    dialog = PictureDialog(window.views, Order(Kind.SCROLL, (Role.SOURCE,), Role.SOURCE, Look()))
    qtbot.addWidget(dialog)
    dialog.show()
    for kind in (Kind.GRID, Kind.PICTURE, Kind.SCROLL):
        dialog.what.setCurrentIndex(dialog.what.findData(kind.value))
        assert_readable(qtbot, dialog)
    dialog.close()


def test_a_grid_beyond_all_measure_is_refused_before_it_is_painted(window):
    window.command["film"].trigger()
    (dialog,) = window.findChildren(PictureDialog)
    dialog.what.setCurrentIndex(dialog.what.findData(Kind.GRID.value))
    dialog.look.width_px.setValue(2048)
    dialog.look.height_px.setValue(2048)
    dialog.look.sharpness.setCurrentIndex(3)
    assert "too many" in dialog.problem.text() and not dialog.save.isEnabled()
    dialog.close()


# Cine -----------------------------------------------------------------------------------------------------------------


def played(window, qtbot, count: int) -> list[int]:
    """The slices that cine goes to."""
    seen: list[int] = []
    window.views.sliceChanged.connect(seen.append)
    window.film.bar.rate.setValue(60)
    window.command["cine"].trigger()
    qtbot.waitUntil(lambda: len(seen) >= count)
    window.views.sliceChanged.disconnect(seen.append)
    return seen[:count]


def test_cine_begins_anew_at_the_end(window, qtbot):
    window.views.set_slice(7)
    assert played(window, qtbot, 5) == [8, 9, 0, 1, 2]
    assert window.film.bar.isVisible() and window.film.cine.playing
    window.command["cine"].trigger()
    assert not window.film.cine.playing and window.film.bar.isVisible()


def test_cine_goes_there_and_back(window, qtbot):
    window.film.bar.ends.setCurrentIndex(1)
    window.views.set_slice(8)
    assert played(window, qtbot, 4) == [9, 8, 7, 6]
    assert window.settings["cine_there_and_back"] is True
    window.film.cine.pause()


@pytest.mark.parametrize("how", ["wheel", "click", "key", "scan"])
def test_whoever_takes_over_pauses_cine(window, qtbot, how):
    played(window, qtbot, 1)
    canvas = window.views.panes[Role.SOURCE].canvas
    if how == "wheel":
        at = QPointF(canvas.rect().center())
        turned = QWheelEvent(at, canvas.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
                             Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
        QGuiApplication.sendEvent(canvas, turned)
    elif how == "click":
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton)
    elif how == "key":
        window.views.panes[Role.SOURCE].setFocus()
        qtbot.keyClick(window.views.panes[Role.SOURCE], Qt.Key.Key_Down)
    else:
        window.session.place(make_volume(shape=(12, 24, 28), voxels=stepped(12)))
    assert not window.film.cine.playing


def test_zoom_does_not_pause_cine_and_closing_the_case_ends_it(window, qtbot):
    played(window, qtbot, 1)
    window.views.model.zoom(1.5, None)
    assert window.film.cine.playing
    window.session.close_case()
    assert not window.film.cine.playing and not window.film.bar.isVisible()
