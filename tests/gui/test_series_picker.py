"""The choice among several series: what it says, what it shows, how it is chosen from, and that it never waits."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialogButtonBox, QLabel

from ctmri_core.domain import Direction, Domain
from ctmri_core.geometry import Geometry
from ctmri_core.io import opening
from ctmri_core.io.series import Series
from ctmri_core.volume import Finding, Volume
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.placement import choose_at_once
from ctmri_gui.series_picker.dialog import SeriesDialog
from ctmri_gui.series_picker.rows import rows_of
from ctmri_gui.series_picker.series_list import PICTURE_ROLE
from ctmri_gui.series_picker.thumbnails import SIDE, picture_of

WAIT = 20_000
REFUSED = Finding("refused", "It is compressed in a way that cannot be read.", serious=True)


def series(label: str, domain: Domain = Domain.CT, **more) -> Series:
    given = {"shape": (9, 8, 7), "spacing": (3.0, 1.0, 0.5)} | more
    return Series(Path("study"), "DICOM", domain, label, (), **given)


@pytest.fixture
def pick(qtbot, monkeypatch):
    """Opens a picker; `opening.preview` gives back slices at once unless told otherwise."""
    monkeypatch.setattr(opening, "preview", lambda entry: slice_of(entry.domain))

    def make(*offered: Series) -> SeriesDialog:
        dialog = SeriesDialog(offered, Jobs())
        qtbot.addWidget(dialog)
        return dialog

    return make


def slice_of(domain: Domain = Domain.CT, shape: tuple[int, int] = (8, 8), spacing: tuple[float, float] = (1.0, 1.0)) -> Volume:
    voxels = np.full((1, *shape), -1000, np.int16)
    voxels[0, : shape[0] // 2] = 1000
    return Volume(voxels, Geometry(voxels.shape, (3.0, *spacing)), domain)


def open_button(dialog: SeriesDialog):
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Open)


def select(dialog: SeriesDialog, row: int) -> None:
    model = dialog.list.model()
    dialog.list.selectionModel().select(model.index(row, 0), QItemSelectionModel.SelectionFlag.Select)


def test_one_or_two_are_chosen(pick):
    offered = [series("CT"), series("T1 MR", Domain.MR_T1), series("T2 MR", Domain.MR_T2)]
    dialog = pick(*offered)
    assert dialog.chosen == (offered[0],)
    select(dialog, 2)
    assert dialog.chosen == (offered[0], offered[2])
    assert dialog.count.text() == "Source: CT; Ground truth: T2 MR."
    select(dialog, 1)
    assert not open_button(dialog).isEnabled()
    dialog.accept()
    assert dialog.result() == 0
    assert "up to 2" in dialog.count.text()


def test_a_row_says_kind_plane_size_spacing_format_and_what_is_odd():
    gap = Finding("gap", "A slice is missing at 12.0 mm.", serious=True)
    note = Finding("signedness", "Stored without sign.")
    told = series("T1 MR, series 3, 9 slices", Domain.MR_T1, plane="sagittal", findings=(note, gap), synthetic=False)
    (row,) = rows_of([told])
    assert row.title == "T1 MR · series 3"
    assert row.facts == "sagittal · 9 slices × 8 × 7 · 1 × 0.5 mm, 3 mm apart · DICOM"
    assert row.remarks == (gap, note) and row.more == "+1 more"
    assert all(word in row.spoken for word in (row.title, row.facts, gap.message, note.message))
    (single,) = rows_of([series("30 slices, seg.nii.gz", Domain.UNKNOWN, shape=(1, 8, 7))])
    assert single.title == "Unknown kind · seg.nii.gz"
    assert "1 slice × 8 × 7" in single.facts and "3 mm thick" in single.facts
    (made,) = rows_of([series("Synthetic T1 MR, x.mha", Domain.MR_T1, synthetic=True, shape=None, spacing=None)])
    assert made.title == "Synthetic T1 MR · x.mha" and made.badges == ("Synthetic",) and made.facts == "DICOM"


def test_refused_ones_stay_to_be_read_and_localizers_come_last(pick):
    (picture,) = rows_of([replace(series("shot.png", localizer=True), format_name="pictures")])
    assert picture.badges == ("Picture beside a scan",)
    scout, bad = series("scout", localizer=True), series("CT, series 1", findings=(REFUSED,))
    good = series("CT, series 2")
    dialog = pick(scout, bad, good)
    assert [row.series for row in dialog.model.rows] == [good, bad, scout]
    assert dialog.chosen == (good,)
    flags = dialog.model.flags(dialog.model.index(1))
    assert not flags & Qt.ItemFlag.ItemIsSelectable
    dialog.list.setFocus()
    dialog.list.setCurrentIndex(dialog.list.model().index(1, 0))
    assert dialog.details.text() == f"▲ {REFUSED.message}"
    assert bad not in dialog.chosen
    spoken = dialog.model.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Cannot be opened") and REFUSED.message in spoken
    assert REFUSED.message in dialog.model.index(1).data(Qt.ItemDataRole.ToolTipRole)
    only_refused = pick(bad)
    assert not open_button(only_refused).isEnabled()
    assert only_refused.chosen == ()


def test_rows_that_look_alike_are_numbered_and_the_folder_is_spoken_of_once(pick):
    other = Finding("left_out", "2 other files were left out: not images.")
    passed = Finding("passed_over", "Part of the folder cannot be opened.")
    alike = [replace(series("CT, series 3"), path=Path(name), findings=(other, passed)) for name in "ab"]
    dialog = pick(*alike)
    titles = [row.title for row in dialog.model.rows]
    assert titles == ["CT · series 3 (1 of 2 alike)", "CT · series 3 (2 of 2 alike)"]
    assert not any(row.remarks for row in dialog.model.rows)
    assert dialog.left_out.text() == f"{other.message}\n{passed.message}"
    assert choose_at_once([replace(alike[0], findings=(REFUSED,)), alike[1]], None) == (alike[1],)


def test_keys_alone_choose_and_open(pick, qtbot):
    offered = [series("CT, series 1"), series("CT, series 2"), series("CT, series 3", findings=(REFUSED,))]
    dialog = pick(*offered)
    dialog.show()
    assert dialog.focusWidget() is dialog.list
    qtbot.keyClick(dialog.list, Qt.Key.Key_Down)
    assert dialog.chosen == (offered[1],)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Return)
    assert dialog.result() == 1
    assert dialog.chosen == (offered[1],)


def test_small_pictures_come_one_after_another_those_in_sight_first(pick, qtbot, monkeypatch):
    offered = [series(f"volume {n}") for n in range(300)]
    asked, together, most = [], [0], [0]

    def preview(entry: Series) -> Volume:
        together[0] += 1
        most[0] = max(most[0], together[0])
        asked.append(int(entry.label.split()[-1]))
        together[0] -= 1
        return slice_of()

    monkeypatch.setattr(opening, "preview", preview)
    dialog = pick(*offered)
    dialog.list.verticalScrollBar().setValue(0)
    dialog.show()
    assert not dialog.search.isHidden()
    qtbot.waitUntil(lambda: len(asked) >= 3, timeout=WAIT)
    assert asked[0] == 0
    dialog.list.scrollToBottom()
    qtbot.waitUntil(lambda: 299 in asked, timeout=WAIT)
    assert len(asked) < 200  # the last row did not wait for all before it
    last = dialog.model.index(299)
    qtbot.waitUntil(lambda: isinstance(last.data(PICTURE_ROLE), QImage), timeout=WAIT)
    dialog.reject()
    so_far = len(asked)
    qtbot.wait(100)
    assert len(asked) <= so_far + 1 and most == [1]
    assert len(asked) < 100  # what nobody has looked at costs nothing


def test_a_picture_that_takes_long_or_fails_holds_up_nothing(pick, qtbot, monkeypatch):
    from ctmri_core.errors import FileRefused

    go = threading.Event()

    def preview(entry: Series) -> Volume | None:
        go.wait(100)
        if "1" in entry.label:
            raise FileRefused(Path("x"), "is damaged.", "Copy it again.")
        return None if "2" in entry.label else slice_of()

    monkeypatch.setattr(opening, "preview", preview)
    dialog = pick(*(series(f"CT, series {n}") for n in range(1, 4)))
    jobs, failed = dialog._thumbnails._jobs, []
    jobs.failed.connect(failed.append)
    dialog.show()
    qtbot.waitUntil(lambda: jobs.running != (), timeout=WAIT)
    assert open_button(dialog).isEnabled()  # nobody waits for pictures
    assert not jobs.busy
    go.set()
    qtbot.waitUntil(lambda: dialog.model.index(2).data(PICTURE_ROLE) is not None, timeout=WAIT)
    assert dialog.model.index(0).data(PICTURE_ROLE) is None and failed == []
    assert not dialog.grab().isNull()
    dialog.reject()


def test_the_search_finds_by_kind_plane_and_remark(pick):
    offered = [series(f"CT, series {n}") for n in range(9)]
    offered += [series("T1 MR, series 20", Domain.MR_T1, plane="coronal"), series("CT, series 21", findings=(REFUSED,))]
    dialog = pick(*offered)
    for text, count in (("coronal", 1), ("t1 mr", 1), ("compressed", 1), ("series 2", 3), ("nothing", 0), ("", 11)):
        dialog.search.setText(text)
        assert dialog.list.model().rowCount() == count
    dialog.search.setText("coronal")
    assert dialog.chosen == (offered[9],)
    dialog.search.setText("compressed")
    assert dialog.chosen == () and not open_button(dialog).isEnabled()


def test_a_small_picture_shows_the_body_as_on_the_screen_in_its_own_proportions():
    voxels = np.full((1, 40, 40), -1000, np.int16)
    voxels[0, 4:34, 8:20] = 1000  # 30 mm high and 12 wide, away from the middle
    picture = picture_of(Volume(voxels, Geometry(voxels.shape, (3.0, 1.0, 1.0)), Domain.CT))
    assert (picture.width(), picture.height()) == (SIDE, SIDE)
    middle, inside = SIDE // 2, round(SIDE * 12 / 30 / 2) - 8
    bright = [(middle, 8), (middle, SIDE - 8), (middle - inside, middle), (middle + inside, middle)]
    grey = [picture.pixelColor(x, y).red() for x, y in (*bright, (middle - inside - 20, middle), (8, 8))]
    assert grey == [255, 255, 255, 255, 0, 0]


def test_the_source_of_two_is_the_one_that_a_model_takes_and_that_is_said(pick):
    offered = [series("CT, series 1"), series("T1 MR, series 2", Domain.MR_T1)]
    dialog = SeriesDialog(offered, Jobs(), directions=[Direction(Domain.MR_T1, Domain.CT)])
    select(dialog, 1)
    assert dialog.count.text() == "Source: T1 MR · series 2; Ground truth: CT · series 1."
    dialog.deleteLater()


def test_where_nothing_can_be_opened_the_list_says_so(pick):
    bad = [series(f"CT, series {n}", findings=(REFUSED,)) for n in (1, 2)]
    assert choose_at_once(bad, None) == ()  # all reasons, and not only the first
    assert choose_at_once(bad[:1], None) == tuple(bad[:1])
    words = [one.text() for one in pick(*bad).findChildren(QLabel)]
    assert "2 series were found. None of them can be opened." in words and not any("Hold Ctrl" in text for text in words)
