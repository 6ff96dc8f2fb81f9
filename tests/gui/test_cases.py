"""Several cases open at once in the real window: which one a scan goes to, switching, working in the background, closing."""

from __future__ import annotations

import gc
import threading
import weakref
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDialog

from ctmri_core.domain import Direction, Domain
from ctmri_core.events import Progress, Started
from ctmri_core.geometry import Geometry
from ctmri_core.volume import DicomSource, Synthetic, Volume
from ctmri_gui.cases import room
from ctmri_gui.cases.case_bar import description
from ctmri_gui.cases.room_dialog import RoomDialog
from ctmri_gui.jobs import translate_work, work
from ctmri_gui.placement import belongs, joins, other_patient
from ctmri_gui.translating.made import Made
from ctmri_gui.viewer.presets import Window
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import head_voxels, make_volume, write_model
from tests.gui.test_opening_window import Held, at_rest, head_slices
from tests.hostile.series import write

WAIT = 20_000
CT_TO_T1 = Direction(Domain.CT, Domain.MR_T1)


def drop(widget, *paths: Path, key=Qt.KeyboardModifier.NoModifier) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    widget.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, key))


def write_nifti(path: Path, *, mr: bool = False, count: int = 10) -> Path:
    voxels = head_voxels((count, 24, 28))
    if mr:
        grey = 700 + np.random.default_rng(0).integers(-99, 99, voxels.shape)  # with few values it were a map of labels
        voxels = np.select([voxels > 800, voxels > -500], [60, grey], 0).astype(np.int16)
    image = nibabel.Nifti1Image(voxels.transpose(2, 1, 0), np.diag([-2.0, -2.0, 3.0, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


def of_patient(number: str, study: str) -> dict[str, DicomSource]:
    return {"dicom": DicomSource(study, "s", "c", None, (), {"00100020": {"vr": "LO", "Value": [number]}})}


def shown(**volumes: Volume) -> dict[Role, Volume | None]:
    return {role: volumes.get(role.value) for role in Role}


def labels(window) -> list[str]:
    return [window.cases.tabText(place) for place in range(window.cases.count())]


class Translator:
    """Stands in for the networks; held back until `go` is set."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun: list[Volume] = []
        self.at_once = self.most_at_once = 0

    def __call__(self, volume: Volume, _model: Path, _wanted, _body, stop, **_more):
        self.begun.append(volume)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield Started(job="translate", total=4, unit="slices")
            yield Progress(done=1, total=4, unit="slices")
            while not self.go.wait(0.002):
                if stop():
                    return None
            made = Synthetic("Test model", "ab" * 32)
            return Made(replace(volume, voxels=volume.voxels.astype(np.float32), domain=Domain.MR_T1, synthetic=made))
        finally:
            self.at_once -= 1


@pytest.fixture
def translator(monkeypatch) -> Translator:
    made = Translator()
    monkeypatch.setattr(translate_work, "translate", made)
    monkeypatch.setattr(work, "compare", lambda *_: iter(()))
    return made


@pytest.fixture
def two_cases(make_window):
    """A window with a CT and an MR, each a case of its own; the MR is shown."""
    window = make_window()
    cases = window.session.cases
    window.session.place(make_volume(shape=(30, 24, 28)), Role.SOURCE)
    cases.show(cases.begin())
    window.session.place(make_volume(Domain.MR_T1, shape=(40, 24, 28)), Role.SOURCE)
    return window


# Which case ------------------------------------------------------------------------------------------------------------


def test_what_is_known_of_the_patient_decides_and_else_nothing_open_is_pushed_out():
    ct, mr = make_volume(**of_patient("A", "1.1")), make_volume(Domain.MR_T1, **of_patient("A", "1.1"))
    later, other = make_volume(Domain.MR_T1, **of_patient("A", "1.2")), make_volume(Domain.MR_T1, **of_patient("B", "1.3"))
    unknown = make_volume(Domain.MR_T1)
    assert other_patient(ct, other) and not other_patient(ct, later) and not other_patient(ct, unknown)
    assert belongs([mr], shown(source=ct)) and not belongs([later], shown(source=ct))
    assert joins([later], shown(source=ct), CT_TO_T1) and joins([unknown], shown(source=ct), CT_TO_T1)
    assert not joins([other], shown(source=ct), CT_TO_T1)
    assert not joins([unknown], shown(source=ct, truth=mr), CT_TO_T1)  # the truth's place is taken
    assert not joins([make_volume()], shown(source=ct), CT_TO_T1)  # a second source
    assert not joins([unknown, make_volume()], shown(source=ct), CT_TO_T1)
    made = make_volume(Domain.MR_T1, synthetic=Synthetic("m", ""))
    assert belongs([made], shown(source=make_volume(), synthetic=made))
    moved = replace(made, geometry=Geometry(made.geometry.shape, (3.0, 2.0, 2.5)))
    assert not belongs([moved], shown(source=make_volume()))


def test_a_second_scan_of_nobody_known_opens_beside_the_first_and_its_counterpart_joins_it(make_window, qtbot, tmp_path):
    first, second, mr = write_nifti(tmp_path / "a_ct.nii.gz"), write_nifti(tmp_path / "b_ct.nii.gz"), tmp_path / "mr.nii.gz"
    write_nifti(mr, mr=True)
    window = make_window(first)
    session = window.session
    qtbot.waitUntil(lambda: session.volumes[Role.SOURCE] is not None, timeout=WAIT)
    assert window.cases.isHidden()
    drop(window, second)
    qtbot.waitUntil(lambda: len(session.cases.all) == 2, timeout=WAIT)
    at_rest(qtbot, window)
    assert session.volumes[Role.SOURCE].path == second
    assert labels(window) == ["1 CT", "2 CT"] and window.cases.isVisible()
    drop(window, mr)
    qtbot.waitUntil(lambda: session.volumes[Role.TRUTH] is not None, timeout=WAIT)
    assert session.cases.all[0].volumes[Role.TRUTH] is None
    at_rest(qtbot, window)
    drop(window, first)  # what is open already is shown, not opened twice
    qtbot.waitUntil(lambda: session.cases.current is session.cases.all[0], timeout=WAIT)
    at_rest(qtbot, window)
    assert len(session.cases.all) == 2 and window.messages.texts == ()


def test_a_pane_takes_what_is_dropped_on_it_unless_ctrl_or_the_tabs_ask_for_a_case_of_its_own(make_window, qtbot, tmp_path):
    paths = [write_nifti(tmp_path / f"{letter}_ct.nii.gz") for letter in "abcd"]
    window = make_window(paths[0])
    session, pane = window.session, window.views.panes[Role.SOURCE]
    qtbot.waitUntil(lambda: session.volumes[Role.SOURCE] is not None, timeout=WAIT)
    drop(pane, paths[1])
    qtbot.waitUntil(lambda: session.volumes[Role.SOURCE].path == paths[1], timeout=WAIT)
    at_rest(qtbot, window)
    assert len(session.cases.all) == 1
    for count, target in enumerate((pane, window.cases), 2):
        drop(target, paths[count], key=Qt.KeyboardModifier.ControlModifier if target is pane else Qt.KeyboardModifier.NoModifier)
        qtbot.waitUntil(lambda count=count: len(session.cases.all) == count, timeout=WAIT)
        at_rest(qtbot, window)
        assert session.volumes[Role.SOURCE].path == paths[count]
    drop(window, write_nifti(tmp_path / "mr.nii.gz", mr=True), key=Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(session.cases.all) == 4, timeout=WAIT)


def test_what_was_dropped_on_a_pane_goes_there_though_another_case_is_shown_by_now(two_cases, qtbot, tmp_path, monkeypatch):
    held, window = Held(monkeypatch), two_cases
    session = window.session
    first, second = session.cases.all
    drop(window.views.panes[Role.TRUTH], write(tmp_path / "series", head_slices()))
    qtbot.waitUntil(lambda: window.views.covers.shown(Role.TRUTH) is not None, timeout=WAIT)
    session.show_case(first)
    assert window.views.covers.shown(Role.TRUTH) is None
    assert window.command["save"].isEnabled()
    session.show_case(second)
    assert window.views.covers.shown(Role.TRUTH) is not None and not window.command["save"].isEnabled()
    session.show_case(first)
    held.go.set()
    at_rest(qtbot, window)
    assert session.cases.current is first and first.volumes[Role.TRUTH] is None
    assert second.volumes[Role.TRUTH] is not None


def test_the_demo_pushes_nothing_out_and_is_there_once(make_window, qtbot, monkeypatch):
    frame = {"frame_of_reference": "1.2.826.0.1.7"}
    head = (make_volume(**frame), make_volume(Domain.MR_T1, **frame))

    def make_demo_case(_stop):
        yield Progress(done=0)
        return head

    monkeypatch.setattr(work, "make_demo_case", make_demo_case)
    window = make_window()
    scan = make_volume()
    window.session.place(scan, Role.SOURCE)
    for _ in range(2):
        window.session.open_demo()
        at_rest(qtbot, window)
        assert window.session.volumes[Role.SOURCE] is head[0]
        assert [case.volumes[Role.SOURCE] for case in window.session.cases.all] == [scan, head[0]]


# Switching -------------------------------------------------------------------------------------------------------------


def test_keys_go_from_case_to_case_and_page_keys_alone_still_go_through_slices(two_cases, qtbot):
    window = two_cases
    cases, views = window.session.cases, window.views
    first, second = cases.all
    views.set_slice(25)
    views.panes[Role.SOURCE].setFocus()
    qtbot.keyClick(views.panes[Role.SOURCE], Qt.Key.Key_PageDown)
    assert cases.current is second and views.slice == 15
    for key, expected in ((Qt.Key.Key_PageUp, first), (Qt.Key.Key_PageUp, second), (Qt.Key.Key_PageDown, first)):
        qtbot.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
        assert cases.current is expected
        assert views.model.volumes == {Role.SOURCE: expected.volumes[Role.SOURCE]}
        assert window.cases.currentIndex() == cases.all.index(expected)
    qtbot.keyClick(window.cases, Qt.Key.Key_Right)
    assert cases.current is second


def test_each_case_comes_back_as_it_was_seen(two_cases):
    window = two_cases
    session, views = window.session, window.views
    model = views.model
    first, second = session.cases.all
    session.place(make_volume(Domain.CT, (20, 24, 28)), Role.TRUTH)
    views.set_slice(31)
    model.zoom(2.0, None)
    model.move(5.0, -3.0)
    model.set_window(Role.SOURCE, Window(123.0, 77.0))
    views.set_linked(Role.TRUTH, False)
    model.set_slice(4, Role.TRUTH)
    views.set_crosshair((10.0, 12.0, 93.0))
    poses, windows = [model.pose(pane) for pane in model.panes], dict(model.windows)
    session.show_case(first)
    assert model.is_linked(Role.TRUTH) and model.crosshair is None and model.windows[Role.SOURCE] != Window(123.0, 77.0)
    views.set_slice(3)
    session.show_case(second)
    assert [model.pose(pane) for pane in model.panes] == poses
    assert model.windows == windows
    assert not model.is_linked(Role.TRUTH)
    assert np.allclose(model.crosshair, (10.0, 12.0, 93.0))
    session.show_case(first)
    assert views.slice == 3


def test_a_display_that_was_changed_in_between_holds_for_all_cases_and_keeps_the_place(two_cases):
    window = two_cases
    session, views = window.session, window.views
    first, second = session.cases.all
    views.set_slice(12)
    views.model.zoom(2.0, (10.0, 10.0))
    before = views.model.point_mm(Role.SOURCE, views.model.pose(Role.SOURCE).camera.centre)
    session.show_case(first)
    views.actions_by_name["neurological"].trigger()
    session.show_case(second)
    after = views.model.point_mm(Role.SOURCE, views.model.pose(Role.SOURCE).camera.centre)
    assert np.allclose(before, after) and views.slice == 12


def test_what_can_be_taken_back_belongs_to_the_case(two_cases):
    window = two_cases
    session, model = window.session, window.views.model
    first, second = session.cases.all
    opened = model.windows[Role.SOURCE]
    model.set_window(Role.SOURCE, Window(5.0, 6.0))
    assert window.history.can_undo
    session.show_case(first)
    assert not window.history.can_undo
    session.show_case(second)
    window.command["undo"].trigger()
    assert model.windows[Role.SOURCE] == opened


def test_a_part_of_the_window_can_keep_what_it_likes_for_each_case(two_cases):
    cases, now = two_cases.session.cases, ["of the second"]
    put = []

    def take_up(kept):
        put.append(kept)
        now[:] = [kept]

    cases.keep("notes", lambda: now[0], take_up)
    first, second = cases.all
    cases.show(first)
    now[:] = ["of the first"]
    cases.show(second)
    cases.show(first)
    assert put == [None, "of the second", "of the first"]


def test_messages_about_one_case_do_not_stay_over_another(two_cases):
    two_cases.session.noted.emit("a slice is missing")
    two_cases.session.step_case(1)
    assert two_cases.messages.texts == ()


# In the background -----------------------------------------------------------------------------------------------------


def test_what_a_job_finds_goes_to_its_case_and_translations_take_turns(make_window, qtbot, tmp_path, translator):
    write_model(tmp_path / "models" / "to_mr.safetensors")
    write_model(tmp_path / "models" / "to_ct.safetensors", "mr_t1_to_ct", "From MR")
    window = make_window(translate=True)
    session, cases = window.session, window.session.cases
    session.place(make_volume(), Role.SOURCE)
    qtbot.waitUntil(lambda: len(translator.begun) == 1, timeout=WAIT)
    first = cases.current
    cases.show(cases.begin())
    assert window.translation.bar.isHidden()  # nothing of the other case
    session.place(make_volume(Domain.MR_T1), Role.SOURCE)
    second = cases.current
    assert session.library.chosen.card.name == "From MR"
    qtbot.waitUntil(lambda: "waiting for another" in window.translation.progress.text(), timeout=WAIT)
    qtbot.waitUntil(lambda: labels(window)[0] == "1 CT  25%", timeout=WAIT)
    assert any(state.title.endswith("(case 2)") for state in session.jobs.running)
    translator.go.set()
    qtbot.waitUntil(lambda: all(case.volumes[Role.SYNTHETIC] is not None for case in (first, second)), timeout=WAIT)
    assert translator.most_at_once == 1
    assert first.synthetic_source is first.volumes[Role.SOURCE] and second.synthetic_source is second.volumes[Role.SOURCE]
    assert window.views.model.volumes[Role.SYNTHETIC] is second.volumes[Role.SYNTHETIC]
    session.show_case(first)
    assert window.views.model.volumes[Role.SYNTHETIC] is first.volumes[Role.SYNTHETIC]
    assert session.library.chosen.card.name != "From MR"  # each case has its model
    qtbot.waitUntil(lambda: labels(window) == ["1 CT", "2 T1 MR"], timeout=WAIT)  # once the last one has ended


def test_a_kind_that_is_corrected_while_another_case_is_shown_is_corrected_there(two_cases, qtbot):
    session = two_cases.session
    first, second = session.cases.all
    seen = second.volumes[Role.SOURCE]
    session.set_domain(Role.SOURCE, Domain.MR_T2)
    session.show_case(first)
    qtbot.waitUntil(lambda: second.volumes[Role.SOURCE] is not seen, timeout=WAIT)
    assert second.volumes[Role.SOURCE].domain is Domain.MR_T2
    assert first.volumes[Role.SOURCE].domain is Domain.CT and session.volumes is first.volumes
    assert labels(two_cases) == ["1 CT", "2 T2 MR"]


def test_files_of_cases_that_are_not_shown_are_not_written_over_either(make_window, qtbot, tmp_path):
    path = write_nifti(tmp_path / "a_ct.nii.gz")
    window = make_window(path)
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not None, timeout=WAIT)
    window.session.cases.show(window.session.cases.begin())
    window.session.place(make_volume(), Role.SOURCE)
    before = path.read_bytes()
    window.session.save(window.session.volumes[Role.SOURCE], path)
    assert any("is open" in text for text in window.messages.texts)
    assert path.read_bytes() == before


@contextmanager
def collector_off():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# Closing ---------------------------------------------------------------------------------------------------------------


def test_closing_a_case_gives_its_memory_back_and_shows_the_one_before(two_cases, qtbot):
    window = two_cases
    session, cases = window.session, window.session.cases
    first, second = cases.all
    session.place(make_volume(shape=(20, 24, 28)), Role.TRUTH)
    window.views.model.set_window(Role.SOURCE, Window(1.0, 2.0))
    session.show_case(first)
    session.show_case(second)
    window.grab()
    known = [weakref.ref(volume.voxels) for volume in second.held]
    assert len(known) == 2
    with collector_off():  # nobody waits for the collector of cycles: the last thread that lets go frees them
        window.command["close_case"].trigger()
        assert cases.all == (first,) and cases.current is first and window.cases.isHidden()
        assert window.views.model.volumes == {Role.SOURCE: first.volumes[Role.SOURCE]}
        del second
        qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)
        # A job that is over in the tray may still be leaving its thread, and holds what it was given until then.
        qtbot.waitUntil(lambda: all(ref() is None for ref in known), timeout=WAIT)
    window.command["close_all_cases"].trigger()
    assert window.pages.currentWidget() is window.welcome and cases.current.empty and cases.current.number == 1


def test_a_case_that_is_closed_while_it_is_translated_leaves_nothing_behind(make_window, qtbot, tmp_path, translator):
    write_model(tmp_path / "models" / "to_mr.safetensors")
    window = make_window(translate=True)
    session = window.session
    session.place(make_volume(), Role.SOURCE)
    qtbot.waitUntil(lambda: len(translator.begun) == 1, timeout=WAIT)
    known = weakref.ref(session.volumes[Role.SOURCE])
    session.close_case()
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)
    translator.begun.clear()
    assert session.cases.current.empty and window.messages.texts == ()
    qtbot.waitUntil(lambda: gc.collect() >= 0 and known() is None, timeout=WAIT)


def test_a_scan_that_is_closed_while_it_loads_never_comes_and_others_do(two_cases, qtbot, tmp_path, monkeypatch):
    held, window = Held(monkeypatch), two_cases
    session, cases = window.session, window.session.cases
    first, second = cases.all
    session.show_case(first)
    series = write(tmp_path / "series", head_slices())
    drop(window, series)
    qtbot.waitUntil(lambda: window.views.covers.shown(Role.SOURCE) is not None, timeout=WAIT)
    assert len(cases.all) == 3 and cases.current.empty  # its first picture lies in a case of its own
    assert window.pages.currentWidget() is window.views
    session.close_case()
    assert cases.current is first and len(cases.all) == 2
    assert window.views.covers.shown(Role.SOURCE) is None
    at_rest(qtbot, window)
    drop(window, series)
    qtbot.waitUntil(lambda: window.views.covers.shown(Role.SOURCE) is not None, timeout=WAIT)
    session.close_case(second)  # another than the one that loads
    held.go.set()
    at_rest(qtbot, window)
    assert [case.first.geometry.shape[0] for case in cases.all] == [30, 10]


def test_a_case_that_was_begun_for_a_scan_which_breaks_off_goes_with_it(two_cases, qtbot, tmp_path, monkeypatch):
    from ctmri_core.io import opening

    monkeypatch.setattr(opening, "_LARGE", 100)
    window = two_cases
    slices = head_slices()
    slices[8].cut = 40
    shown_before = window.session.cases.all[0]
    window.session.show_case(shown_before)
    drop(window, write(tmp_path / "series", slices))
    qtbot.waitUntil(lambda: window.messages.texts != (), timeout=WAIT)
    at_rest(qtbot, window)
    assert window.session.cases.current is shown_before and len(window.session.cases.all) == 2


def test_middle_click_and_the_cross_close_a_case(two_cases, qtbot):
    window = two_cases
    cases = window.session.cases
    first, second = cases.all
    close = window.cases.tabButton(0, window.cases.ButtonPosition.RightSide)
    assert close.accessibleName() == "Close case 1 CT"
    close.click()
    assert cases.all == (second,)
    cases.show(cases.begin())
    window.session.place(make_volume(), Role.SOURCE)
    assert labels(window) == ["2 T1 MR", "3 CT"]  # a number stays with its case
    qtbot.mouseClick(window.cases, Qt.MouseButton.MiddleButton, pos=window.cases.tabRect(1).center())
    assert cases.all == (second,) and cases.current is second
    assert first not in cases.all


# Memory ----------------------------------------------------------------------------------------------------------------


def room_dialog(qtbot, window) -> RoomDialog:
    def standing() -> list[QDialog]:
        return [dialog for dialog in window.findChildren(RoomDialog) if dialog.isVisible()]

    qtbot.waitUntil(lambda: standing() != [], timeout=WAIT)
    return standing()[0]


def test_where_memory_is_short_cases_are_offered_to_be_closed_before_a_scan_is_loaded(two_cases, qtbot, tmp_path, monkeypatch):
    window = two_cases
    cases = window.session.cases
    first, second = cases.all
    path = write_nifti(tmp_path / "a_ct.nii.gz", count=40)
    needed = 2 * 4 * 40 * 24 * 28
    monkeypatch.setattr(room, "free_memory", lambda: round((needed - first.size) / 0.6) + 100)
    loads = []
    real = work.load_series
    monkeypatch.setattr(work, "load_series", lambda *given, **more: loads.append(1) or real(*given, **more))
    drop(window, path)
    dialog = room_dialog(qtbot, window)
    assert loads == [] and dialog.go_on.text() == "Open all the same"
    assert [box.text() for box in dialog.boxes.values()] == ["Close 1 CT, 1 MB", "Close 2 T1 MR, 1 MB"]
    dialog.reject()
    at_rest(qtbot, window)
    assert loads == [] and cases.all == (first, second)
    drop(window, path)
    dialog = room_dialog(qtbot, window)
    dialog.boxes[first].setChecked(True)
    assert dialog.outcome.text().endswith("enough.") and dialog.go_on.text() == "Close and open"
    dialog.accept()
    at_rest(qtbot, window)
    assert loads == [1] and cases.all == (second,) and second.volumes[Role.TRUTH].path == path


def test_nobody_is_asked_where_closing_would_give_nothing_back(make_window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "free_memory", lambda: 1000)
    window = make_window(write_nifti(tmp_path / "a_ct.nii.gz"))
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not None, timeout=WAIT)
    assert window.findChildren(RoomDialog) == []


# Tabs ------------------------------------------------------------------------------------------------------------------


def test_a_tab_shows_a_small_picture_and_names_no_patient(make_window, qtbot, tmp_path):
    folder = tmp_path / "Doe_Jane_1962"
    folder.mkdir()
    window = make_window()
    window.session.place(make_volume(path=write_nifti(folder / "DOE^JANE.nii.gz")), Role.SOURCE)
    window.session.cases.show(window.session.cases.begin())
    window.session.place(make_volume(path=tmp_path / "head_ct.nii.gz"), Role.SOURCE)
    window.session.place(make_volume(Domain.MR_T1, synthetic=Synthetic("m", "ab" * 32)), Role.SYNTHETIC)
    first, second = window.session.cases.all
    assert description(first) == "Case 1 CT\nSource: CT, 10 slices"
    assert description(second) == "Case 2 CT\nSource: CT, 10 slices, head_ct.nii.gz\nSynthetic: Synthetic T1 MR, 10 slices"
    assert window.cases.tabToolTip(1) == description(second)
    icon = window.cases.tabIcon(0).pixmap(64).toImage()
    greys = {icon.pixelColor(x, icon.height() // 2).lightness() for x in range(icon.width())}
    assert max(greys) - min(greys) > 100  # a head in air, not one grey
    assert "Doe" not in "".join(labels(window)) and window.windowTitle() == "CT-MRI Studio"
