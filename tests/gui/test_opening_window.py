"""Opening in the real window: what it asks before, what it shows meanwhile, and what can be mended afterwards."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QFontMetrics, QWheelEvent
from PySide6.QtWidgets import QApplication, QDialog

from ctmri_core.domain import Domain
from ctmri_core.events import Progress, finish
from ctmri_core.io import opening
from ctmri_core.io.opening import open_volume
from ctmri_core.io.saving import save
from ctmri_core.io.series import ESTIMATED_SPACING, TILT, Series
from ctmri_core.volume import Finding, Synthetic, Volume
from ctmri_gui.jobs import translate_work, work
from ctmri_gui.placement import roles_together
from ctmri_gui.series_picker.dialog import SeriesDialog
from ctmri_gui.spacing_dialog import SpacingDialog
from ctmri_gui.translating.made import Made
from ctmri_gui.viewer.banner import Banner, shortened
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import head_voxels, make_volume, write_model
from tests.hostile.series import Slice, stack, write

WAIT = 20_000


def drop(widget, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button, key = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    widget.dropEvent(QDropEvent(QPointF(9, 9), action, data, button, key))


def wait_for(qtbot, window, role: Role = Role.SOURCE) -> Volume:
    qtbot.waitUntil(lambda: window.session.volumes[role] is not None, timeout=WAIT)
    return window.session.volumes[role]


def asked(qtbot, window, kind: type[QDialog]) -> QDialog:
    """The dialog of this kind that stands open, once it does."""

    def standing() -> list[QDialog]:
        return [dialog for dialog in window.findChildren(kind) if dialog.isVisible()]

    qtbot.waitUntil(lambda: standing() != [], timeout=WAIT)
    (dialog,) = standing()
    return dialog


def at_rest(qtbot, window) -> None:
    qtbot.waitUntil(lambda: not window.session.openings.busy and not window.session.jobs.running, timeout=WAIT)


def head_slices(tilt: tuple[float, float] = (0.0, 0.0), count: int = 10, **edits) -> list[Slice]:
    slices = stack(count, 3.0, tilt=tilt, size=(24, 28), pixels=(2.0, 2.0), **edits)
    for slice_, values in zip(slices, head_voxels((count, 24, 28)), strict=True):
        slice_.stored = values.astype(int)
    return slices


def write_pictures(folder: Path, count: int = 3, size: tuple[int, int] = (12, 16)) -> Path:
    folder.mkdir(parents=True)
    for k in range(count):
        values = np.random.default_rng(k).integers(0, 255, size, np.uint8)
        Image.fromarray(values).save(folder / f"{k:03d}.png")
    return folder


def banner_of(window, role: Role = Role.SOURCE) -> Banner:
    return window.views.panes[role].banner


def test_a_tilt_is_corrected_on_request_and_translated_again(make_window, qtbot, tmp_path, monkeypatch):
    made = []

    def translate(volume, _model, _wanted, _body, _stop, **_more):
        yield Progress(done=0)
        made.append(volume)
        return Made(replace(volume, domain=Domain.MR_T1, synthetic=Synthetic("m", "ab" * 32), findings=()))

    monkeypatch.setattr(translate_work, "translate", translate)
    monkeypatch.setattr(work, "compare", lambda *_: iter(()))
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window(translate=True)
    drop(window, write(tmp_path / "tilted", head_slices(tilt=(0.3, 0.0))))
    tilted, synthetic = wait_for(qtbot, window), wait_for(qtbot, window, Role.SYNTHETIC)
    assert any(finding.kind == TILT and finding.serious for finding in tilted.findings)
    (button,) = banner_of(window).buttons
    assert button.text() == "Correct tilt" and button.isVisible()
    window.views.set_slice(7)
    button.click()
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not tilted, timeout=WAIT)
    straight = window.session.volumes[Role.SOURCE]
    assert window.views.slice == 7  # the slice that was looked at
    assert banner_of(window).text().startswith("Gantry tilt correct")
    assert straight.geometry.shape[1] > tilted.geometry.shape[1]  # the field grows by the displacement
    assert banner_of(window).buttons == ()
    assert any(finding.kind == TILT for finding in straight.findings)  # what was done to it stays said
    qtbot.waitUntil(lambda: window.session.volumes[Role.SYNTHETIC] not in (None, synthetic), timeout=WAIT)
    assert made == [tilted, straight]


def test_a_tilt_that_a_file_only_tells_of_is_not_offered_to_be_corrected(make_window, qtbot, tmp_path):
    """A NIfTI file made of tilted slices: where they lay, it does not know."""
    tilted = open_volume(write(tmp_path / "tilted", head_slices(tilt=(0.3, 0.0))))
    copy = finish(save(tilted, tmp_path / "copy.nii.gz"))
    window = make_window()
    drop(window, copy)
    assert any(finding.kind == TILT and finding.serious for finding in wait_for(qtbot, window).findings)
    assert banner_of(window).buttons == ()


def test_a_correction_that_comes_late_replaces_no_newer_scan(make_window, qtbot, tmp_path, ct_file, monkeypatch):
    go, load_again = threading.Event(), work.load_again

    def held(series, domain, stop):
        yield Progress(done=0)
        go.wait(100)
        return (yield from load_again(series, domain, lambda: False))

    monkeypatch.setattr(work, "load_again", held)
    window = make_window()
    drop(window, write(tmp_path / "tilted", head_slices(tilt=(0.3, 0.0))))
    wait_for(qtbot, window)
    banner_of(window).buttons[0].click()
    drop(window, ct_file)
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE].path == ct_file, timeout=WAIT)
    newer = window.session.volumes[Role.SOURCE]
    go.set()
    at_rest(qtbot, window)
    assert window.session.volumes[Role.SOURCE] is newer


def test_what_came_out_of_a_zip_can_be_mended_as_well(make_window, qtbot, tmp_path):
    write(tmp_path / "tilted", head_slices(tilt=(0.3, 0.0)))
    archive = Path(shutil.make_archive(str(tmp_path / "tilted"), "zip", tmp_path / "tilted"))
    window = make_window()
    drop(window, archive)
    tilted = wait_for(qtbot, window)
    assert window.session.open_files == (archive,)
    banner_of(window).buttons[0].click()
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not tilted, timeout=WAIT)
    assert window.session.volumes[Role.SOURCE].geometry.shape[1] > tilted.geometry.shape[1]


def test_a_corrected_kind_outlives_the_reading_anew(make_window, qtbot, tmp_path):
    window = make_window()
    drop(window, write(tmp_path / "tilted", head_slices(tilt=(0.3, 0.0))))
    wait_for(qtbot, window)
    window.session.set_domain(Role.SOURCE, Domain.MR_T1)
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE].domain is Domain.MR_T1, timeout=WAIT)
    corrected = window.session.volumes[Role.SOURCE]
    banner_of(window).buttons[0].click()
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not corrected, timeout=WAIT)
    straight = window.session.volumes[Role.SOURCE]
    assert straight.domain is Domain.MR_T1
    assert any("by hand" in step for step in straight.history)


def test_the_voxel_size_of_pictures_is_asked_for_once(make_window, qtbot, tmp_path):
    pictures = write_pictures(tmp_path / "ct_pictures")
    window = make_window()
    drop(window, pictures)
    dialog = asked(qtbot, window, SpacingDialog)
    dialog.column.setValue(0.5)
    assert dialog.row.value() == 0.5  # square until said otherwise
    dialog.row.setValue(0.75)
    dialog.column.setValue(0.25)
    assert dialog.row.value() == 0.75
    dialog.between.setValue(5.0)
    assert "4 × 9 mm" in dialog.extent.text() and "10 mm" in dialog.extent.text()
    dialog.accept()
    volume = wait_for(qtbot, window)
    assert volume.geometry.spacing == (5.0, 0.75, 0.25)
    assert any("given by the user" in finding.message for finding in volume.findings)
    assert not any(finding.kind == ESTIMATED_SPACING for finding in volume.findings)
    at_rest(qtbot, window)
    drop(window, pictures)
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not volume, timeout=WAIT)  # nobody was asked
    assert window.session.volumes[Role.SOURCE].geometry.spacing == (5.0, 0.75, 0.25)
    assert "0.75" not in window.settings.path.read_text() if window.settings.path.exists() else True


def test_enter_takes_a_size_only_when_somebody_has_given_it(qtbot):
    series = Series(Path("a"), "pictures", Domain.CT, "CT, 12 slices", (), shape=(12, 8, 8), spacing=(1.0, 1.0, 1.0))
    for typed, start, expected in (("", None, None), ("1", None, (1.0, 1.0, 1.0)), ("", (2.0, 3.0, 3.0), (2.0, 3.0, 3.0))):
        dialog = SpacingDialog(series, start)
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.keyClicks(dialog.column, typed)
        qtbot.keyClick(dialog.column, Qt.Key.Key_Return)
        assert dialog.result() == QDialog.DialogCode.Accepted
        assert dialog.spacing == expected


def test_a_size_that_nobody_knows_stays_on_the_banner_and_can_be_told_later(make_window, qtbot, tmp_path):
    pictures = write_pictures(tmp_path / "mr_pictures")
    window = make_window()
    drop(window, pictures)
    asked(qtbot, window, SpacingDialog).accept_unknown()
    volume = wait_for(qtbot, window)
    assert volume.geometry.spacing == (1.0, 1.0, 1.0)
    (button,) = banner_of(window).buttons
    assert button.text() == "Set voxel size …"
    button.click()
    dialog = asked(qtbot, window, SpacingDialog)
    assert len(dialog.buttons.buttons()) == 2  # leaving it unknown is to cancel
    dialog.between.setValue(4.0)
    dialog.accept()
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not volume, timeout=WAIT)
    assert window.session.volumes[Role.SOURCE].geometry.spacing == (4.0, 1.0, 1.0)
    assert [button.text() for button in banner_of(window).buttons] == ["Change voxel size …"]


def test_two_stacks_of_one_matrix_are_asked_about_once_and_giving_up_opens_nothing(make_window, qtbot, tmp_path):
    study = tmp_path / "study"
    write_pictures(study / "ct")
    write_pictures(study / "mr_t1")
    window = make_window()
    drop(window, study)
    dialog = asked(qtbot, window, SpacingDialog)
    dialog.column.setValue(0.5)
    dialog.accept()
    wait_for(qtbot, window, Role.TRUTH)
    assert {window.session.volumes[role].geometry.spacing for role in (Role.SOURCE, Role.TRUTH)} == {(1.0, 0.5, 0.5)}
    other = write_pictures(tmp_path / "ct_other")
    drop(window, other)
    drop(window, study / "ct")
    dialog = asked(qtbot, window, SpacingDialog)
    assert dialog.column.value() == 0.5  # what was told before is a start, not an answer
    before = window.session.volumes[Role.SOURCE]
    dialog.reject()
    at_rest(qtbot, window)
    assert window.session.volumes[Role.SOURCE] is not before  # the next in the queue was opened
    assert window.session.volumes[Role.SOURCE].path.is_relative_to(study)


class Held:
    """Lets the loading of series begin, and their first pictures come, but holds their volumes back until `go`."""

    def __init__(self, monkeypatch) -> None:
        self.go = threading.Event()
        real = work.load_series
        monkeypatch.setattr(opening, "_LARGE", 100)

        def load_series(chosen, stop, show=None):
            first = threading.Event()

            def shown(number, volume):
                show(number, volume)
                first.set()

            for event in (loading := real(chosen, stop, shown)):
                while first.is_set() and not self.go.wait(0.005):
                    yield Progress(done=3, total=10, unit="slices")
                    if stop():
                        return None
                yield event
            return loading and (yield from real(chosen, stop))

        monkeypatch.setattr(work, "load_series", load_series)


def test_the_first_picture_is_there_before_the_volume(make_window, qtbot, tmp_path, monkeypatch):
    held = Held(monkeypatch)
    window = make_window()
    session, covers = window.session, window.views.covers
    drop(window, write(tmp_path / "series", head_slices()))
    qtbot.waitUntil(lambda: covers.shown(Role.SOURCE) is not None, timeout=WAIT)
    cover = covers.shown(Role.SOURCE)
    assert window.pages.currentWidget() is window.views
    assert session.volumes[Role.SOURCE] is None and window.views.model.volumes == {}
    assert not window.command["translate"].isEnabled() and not window.command["screenshot"].isEnabled()
    qtbot.waitUntil(lambda: cover.progress.text() == "Opening · 3 of 10 slices", timeout=WAIT)
    assert cover.geometry() == window.views.panes[Role.SOURCE].rect()
    at, none = QPointF(cover.canvas.rect().center()), QPoint()
    turn = QWheelEvent(at, at, none, QPoint(0, -120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
                       Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(cover.canvas, turn)
    middle = head_voxels()[5]
    seen = cover.canvas._own._voxels
    assert np.array_equal(seen, middle)
    assert not cover.grab().isNull() and "first picture" in cover.accessibleName()
    turned = []
    window.pages.currentChanged.connect(turned.append)
    held.go.set()
    volume = wait_for(qtbot, window)
    at_rest(qtbot, window)
    assert volume.geometry.shape == (10, 24, 28)
    assert covers.shown(Role.SOURCE) is None
    assert turned == []  # no glimpse of the welcome between the first picture and the volume
    assert window.command["save"].isEnabled()


def test_the_volume_opens_at_its_first_picture_and_what_is_said_of_it_stands_there_already(
    make_window, qtbot, tmp_path, monkeypatch
):
    held = Held(monkeypatch)
    window = make_window()
    slices = head_slices(tilt=(0.3, 0.0))
    for k in (6, 7):  # the widest part of the body lies above the middle
        slices[k].stored = np.full((24, 28), 40)
    folder = write(tmp_path / "series", slices)
    drop(window, folder)
    qtbot.waitUntil(lambda: window.views.covers.shown(Role.SOURCE) is not None, timeout=WAIT)
    assert "tilted" in window.views.covers.shown(Role.SOURCE).banner.toolTip()
    held.go.set()
    wait_for(qtbot, window)
    assert window.views.slice == 5
    at_rest(qtbot, window)
    window.session.close_case()
    monkeypatch.setattr(opening, "_LARGE", 10**9)
    drop(window, folder)
    wait_for(qtbot, window)
    assert window.views.slice in (6, 7)  # without a first picture, where it tells most


def test_what_lies_under_a_first_picture_is_neither_saved_nor_translated(make_window, qtbot, tmp_path, monkeypatch):
    held = Held(monkeypatch)
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window()
    window.session.place(make_volume(), Role.SOURCE)
    names = ("save", "export_dicom", "header", "translate")
    assert all(window.command[name].isEnabled() for name in names)
    drop(window.views.panes[Role.SOURCE], write(tmp_path / "series", head_slices()))
    qtbot.waitUntil(lambda: window.views.covers.shown(Role.SOURCE) is not None, timeout=WAIT)
    assert not any(window.command[name].isEnabled() for name in names)
    assert "being opened" in window.session.translation_problem
    window.session.openings.stop()
    assert all(window.command[name].isEnabled() for name in names)
    held.go.set()
    at_rest(qtbot, window)


def test_a_first_picture_covers_what_belongs_to_the_scan_before_and_goes_with_its_opening(
    make_window, qtbot, tmp_path, monkeypatch
):
    held = Held(monkeypatch)
    window = make_window()
    session, covers = window.session, window.views.covers
    session.place(make_volume(), Role.SOURCE)
    session.place(make_volume(Domain.MR_T1), Role.TRUTH)
    folder = write(tmp_path / "series", head_slices())
    drop(window.views.panes[Role.SOURCE], folder)
    qtbot.waitUntil(lambda: covers.shown(Role.SOURCE) is not None, timeout=WAIT)
    assert covers.shown(Role.TRUTH) is not None and covers.shown(Role.SYNTHETIC) is None
    assert covers.shown(Role.TRUTH).canvas._own._voxels is None
    monkeypatch.setattr(work, "make_demo_case", lambda _stop: iter(()))
    session.open_demo()  # gives up what is being opened
    assert all(covers.shown(role) is None for role in Role)
    held.go.set()
    at_rest(qtbot, window)
    assert session.volumes[Role.SOURCE].path is None  # the one that was there
    held.go.clear()
    drop(window.views.panes[Role.SOURCE], folder)
    qtbot.waitUntil(lambda: covers.shown(Role.SOURCE) is not None, timeout=WAIT)
    session.close_case()
    assert covers.shown(Role.SOURCE) is None and window.pages.currentWidget() is window.welcome
    held.go.set()
    at_rest(qtbot, window)
    assert window.pages.currentWidget() is window.welcome


def test_a_scan_that_breaks_off_takes_its_first_picture_along(make_window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "_LARGE", 100)
    slices = head_slices()
    slices[8].cut = 40
    window = make_window()
    shown = []
    window.session.previewed.connect(lambda role, _volume: shown.append(role))
    drop(window, write(tmp_path / "series", slices))
    qtbot.waitUntil(lambda: window.messages.texts != (), timeout=WAIT)
    at_rest(qtbot, window)
    assert window.session.volumes[Role.SOURCE] is None
    assert window.pages.currentWidget() is window.welcome
    assert all(window.views.covers.shown(role) is None for role in Role)


def test_each_first_picture_of_two_lies_where_its_volume_will(make_window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "_LARGE", 100)
    ct, mr = make_volume(), make_volume(Domain.MR_T1)
    made = replace(mr, synthetic=Synthetic("m", ""))
    assert roles_together([made, mr, ct], []) == {Role.SOURCE: ct, Role.TRUTH: mr, Role.SYNTHETIC: made}
    study = tmp_path / "study"
    write(study / "a", head_slices())
    write(study / "b", head_slices(series=2, modality="MR", ScanningSequence="SE", RepetitionTime="500", EchoTime="10"))
    window = make_window()
    shown = []
    window.session.previewed.connect(lambda role, volume: shown.append((role, volume.domain.modality)))
    drop(window, study)
    wait_for(qtbot, window, Role.TRUTH)
    assert sorted(shown) == [(Role.SOURCE, "CT"), (Role.TRUTH, "MR")]


def test_a_folder_with_several_series_asks_and_two_become_source_and_truth(make_window, qtbot, tmp_path):
    study = tmp_path / "study"
    for number in (1, 2):
        write(study / str(number), head_slices(series=number))
    write(study / "3", head_slices(series=3, modality="MR"))
    window = make_window()
    drop(window, study)
    dialog = asked(qtbot, window, SeriesDialog)
    assert dialog.list.model().rowCount() == 3
    qtbot.waitUntil(lambda: len(dialog.model._pictures) == 3, timeout=WAIT)
    dialog.list.selectAll()
    dialog.accept()
    assert dialog.isVisible()
    mr = next(row for row, entry in enumerate(dialog.model.rows) if entry.series.domain.is_mr)
    dialog.list.clearSelection()
    for row in {0, mr} if mr else {0, 1}:
        dialog.list.selectionModel().select(dialog.list.model().index(row, 0), dialog.list.selectionModel().SelectionFlag.Select)
    dialog.accept()
    assert wait_for(qtbot, window).domain is Domain.CT
    assert wait_for(qtbot, window, Role.TRUTH).domain.is_mr


def test_a_window_that_closes_takes_its_questions_and_their_small_pictures_along(make_window, qtbot, tmp_path, monkeypatch):
    go, begun, preview = threading.Event(), threading.Event(), opening.preview

    def held(series):
        begun.set()
        go.wait(100)
        return preview(series)

    monkeypatch.setattr(opening, "preview", held)
    study = tmp_path / "study"
    for number in (1, 2):
        write(study / str(number), head_slices(series=number))
    window = make_window()
    drop(window, study)
    dialog = asked(qtbot, window, SeriesDialog)
    qtbot.waitUntil(begun.is_set, timeout=WAIT)
    with qtbot.captureExceptions() as caught:
        window.close()
        assert not window.isVisible() and not dialog.isVisible()
        go.set()
        qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=WAIT)
    assert caught == []


def test_an_empty_window_says_in_its_middle_that_a_scan_is_being_opened(make_window, qtbot, ct_file, monkeypatch):
    go = threading.Event()

    def load_series(_chosen, stop, show=None):
        while not go.wait(0.005) and not stop():
            yield Progress(done=3, total=10, unit="slices")
        return None

    monkeypatch.setattr(work, "load_series", load_series)
    window = make_window()
    invitation = window.welcome.invitation.text()
    drop(window, ct_file)
    qtbot.waitUntil(lambda: window.welcome.invitation.text() == "Opening: 3 of 10 slices", timeout=WAIT)
    window.session.openings.stop()
    assert window.welcome.invitation.text() == invitation
    at_rest(qtbot, window)
    assert window.welcome.invitation.text() == invitation


def test_a_folder_with_nothing_says_so(make_window, qtbot, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "letter.txt").write_text("no image")
    window = make_window()
    drop(window, folder)
    qtbot.waitUntil(lambda: window.messages.texts != (), timeout=WAIT)
    (text,) = window.messages.texts
    assert "no image files" in text and text.endswith(".")
    at_rest(qtbot, window)
    assert window.pages.currentWidget() is window.welcome


GAP = Finding("gap", "A slice is missing at 12.0 mm; the picture there is interpolated from its neighbours.", serious=True)
TILTED = Finding(TILT, "The slices are tilted by 16.7 degrees and shown as acquired.", serious=True)
LONG = Finding("x", " ".join(f"{number} slices of this series are displaced;" for number in range(12)), serious=True)
NOTE = Finding("x", "Stored without sign; nothing follows from that for picture or measurement.")


@pytest.fixture
def banner(qtbot) -> Banner:
    made = Banner()
    qtbot.addWidget(made)
    made.resize(230, 40)
    made.show()
    return made


def test_what_is_serious_is_read_first_and_whole_in_a_narrow_pane(banner, qtbot):
    banner.set_findings((NOTE, GAP))
    assert banner.text().count("\n") <= 2
    assert " ".join(banner.text().split()).startswith("▲ A slice is missing at 12.0 mm; the picture")
    assert banner.text().endswith("+1 more")
    assert banner.accessibleName().startswith("Warning: A slice is missing")
    banner.set_findings((NOTE,))
    assert "\n" not in banner.text() and "…" in banner.text()
    banner.setFocus()
    qtbot.keyClick(banner, Qt.Key.Key_Space)
    assert banner.text().replace("\n", " ") == NOTE.message == banner.toolTip()
    qtbot.keyClick(banner, Qt.Key.Key_Return)
    assert banner.text() != NOTE.message


def test_a_button_stands_by_what_can_be_mended_and_goes_with_it(banner, qtbot):
    taken = []
    banner.offerTaken.connect(taken.append)
    banner.set_findings((NOTE, TILTED), {TILT: "Correct tilt", ESTIMATED_SPACING: "Set voxel size …"})
    (button,) = banner.buttons
    assert button.accessibleName() == button.toolTip() == "Correct tilt"
    text = banner.text()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert taken == [TILT, TILT]
    assert banner.text() == text  # the press was the button's own
    banner.set_findings((NOTE,))
    assert banner.buttons == ()


def test_text_is_broken_into_lines_that_fit(qapp):
    metrics = QFontMetrics(qapp.font())
    text = "one two three four five six seven eight nine ten"
    for width in (40, 90, 200, 2000):
        lines = shortened(text, " +1", metrics, width, 3).split("\n")
        assert len(lines) <= 3 and lines[-1].endswith(" +1")
        assert all(metrics.horizontalAdvance(line) <= width for line in lines) or width == 40
    assert shortened(text, "", metrics, 2000, 3) == text


def test_no_line_but_the_last_loses_words(qapp):
    font = qapp.font()
    font.setWeight(font.Weight.DemiBold)
    metrics = QFontMetrics(font)
    for width in range(150, 420):
        lines = shortened(LONG.message, "", metrics, width, 40).split("\n")
        assert " ".join(lines) == LONG.message, width


def test_the_banner_says_that_there_is_more_and_what_can_be_mended_stands_first(banner, qtbot):
    banner.set_findings((LONG,))
    banner.set_room(2_000)
    assert banner.text().endswith("   more")
    qtbot.mouseClick(banner, Qt.MouseButton.RightButton)
    assert banner.text().endswith("   more")
    qtbot.mouseClick(banner, Qt.MouseButton.LeftButton)
    assert " ".join(banner.text().removeprefix("▲ ").split()) == LONG.message
    banner.set_room(2 * banner.fontMetrics().lineSpacing())
    assert banner.text().count("\n") == 2 and banner.text().endswith("…")
    banner.set_findings((NOTE, GAP, TILTED), {TILT: "Correct tilt"})
    assert banner.text().startswith("▲ The slices are tilted")


def test_in_a_low_pane_a_note_gives_way_to_the_picture_and_a_warning_does_not(qtbot):
    banner = Banner()
    qtbot.addWidget(banner)
    note, warning = Finding("a", "A note.", False), Finding("b", "A warning.", True)
    line = banner.fontMetrics().lineSpacing()
    for findings, offers, shown in (((note,), {}, False), ((note, warning), {}, True), ((note,), {"a": "Mend"}, True)):
        banner.set_room(20 * line)
        banner.set_findings(findings, offers)
        assert not banner.isHidden()
        banner.set_room(5 * line)
        assert banner.isHidden() is not shown
        banner.set_room(20 * line)
        assert not banner.isHidden()


def test_the_welcome_page_says_that_the_demo_case_is_made_and_asking_again_does_not_begin_again(make_window, qtbot, monkeypatch):
    ready, begun = threading.Event(), []

    def make_demo_case(_stop):
        begun.append(1)
        yield Progress(done=0, message="making a digital head")
        ready.wait(100)
        return (make_volume(shape=(6, 24, 28)), make_volume(Domain.MR_T1, shape=(6, 24, 28)))

    monkeypatch.setattr(work, "make_demo_case", make_demo_case)
    window = make_window()
    before = window.welcome.invitation.text()
    window.command["open_demo"].trigger()
    qtbot.waitUntil(lambda: "making a digital head" in window.welcome.invitation.text(), timeout=WAIT)
    window.command["open_demo"].trigger()
    ready.set()
    qtbot.waitUntil(lambda: window.session.volumes[Role.SOURCE] is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: window.welcome.invitation.text() == before)
    assert begun == [1]
    window.close()
