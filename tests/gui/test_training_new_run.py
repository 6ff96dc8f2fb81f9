"""Putting a run together in the window: choosing data, having them checked and prepared, choosing a method."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QMessageBox, QPushButton

from ctmri_core.data.case_sources import find_cases
from ctmri_core.data.dataset import DatasetFolder
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import CtmriError
from ctmri_core.registry import find_card, method_cards
from ctmri_core.resources_folder import resources_folder
from ctmri_core.training.run_plan import RunPlan
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.keyboard_order import takes_keys
from ctmri_gui.settings import Settings
from ctmri_gui.training.data_work import PREPARED, without_terminal
from ctmri_gui.training.new_run.case_grid import ROW_ROLE
from ctmri_gui.training.new_run.case_rows import rows_of, without_flags
from ctmri_gui.training.new_run.case_view import CaseView
from ctmri_gui.training.new_run.data_choices import DataChoices, form_fields, form_values
from ctmri_gui.training.new_run.draft import Draft, KnownData, why_not
from ctmri_gui.training.new_run.drawings import _file
from ctmri_gui.training.new_run.method_costs import COSTS
from ctmri_gui.training.new_run.method_list import entries_of
from ctmri_gui.training.new_run.method_page import MethodPage
from ctmri_gui.training.new_run.new_run import METHOD, NewRun
from ctmri_gui.training.new_run.source_card import dropped
from ctmri_gui.training.trainings import Trainings
from tests.teaching.drawings import drawing

WAIT = 60_000
SHAPE = (6, 40, 40)
CT_TO_T1 = Direction(Domain.CT, Domain.MR_T1)
T1_TO_CT = CT_TO_T1.reverse
PAIRS = KnownData("prepared", (Domain.CT, Domain.MR_T1), 40, 4, 10, 40, groups=(((Domain.CT, Domain.MR_T1), 40),))
NO_PAIRS = KnownData(
    "prepared", (Domain.CT, Domain.MR_T1), 40, 4, 0, 0, groups=(((Domain.CT,), 40), ((Domain.MR_T1,), 30)),
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CTMRI_DATASETS_DIR", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """Five patients; the pictures of the third do not lie on each other."""
    folder = tmp_path / "collection"
    for number in range(1, 6):
        patient = folder / f"p{number}"
        patient.mkdir(parents=True)
        head = _head(number, 0)
        shift = 16 if number == 3 else 0
        _save(patient / "ct.nii.gz", np.where(head > 1, 900, np.where(head > 0, 40, -1000)).astype(np.int16))
        moved = _head(number, shift)
        _save(patient / "mr_t1.nii.gz", np.where(moved > 1, 30, np.where(moved > 0, 400 + 60 * moved, 0)).astype(np.int16))
    return folder


@pytest.fixture
def make_run(qtbot):
    """A new run in a window of its own."""

    def make(settings: Settings | None = None) -> NewRun:
        settings, jobs = settings or Settings(), Jobs()
        run = NewRun(Draft(settings), settings, jobs, Trainings(jobs))
        qtbot.addWidget(run)
        run.resize(1100, 800)
        run.show()
        return run

    return make


def _head(seed: int, shift: int) -> np.ndarray:
    """0 outside, 2 in a rim, else 1 with a pattern of its own."""
    k, j, i = np.meshgrid(*(np.linspace(-1.2, 1.2, n) for n in SHAPE), indexing="ij")
    radius = np.sqrt((k / 3) ** 2 + (j - shift / 20) ** 2 + ((i + 0.05 * seed) * 1.3) ** 2)
    inside = 0.6 + 0.4 * np.sin(7 * (j - shift / 20) + seed) * np.cos(6 * i)
    return np.select([radius < 0.75, radius < 0.9], [inside, 2.0], 0.0)


def _save(path: Path, voxels: np.ndarray) -> None:
    image = nibabel.Nifti1Image(voxels.transpose(2, 1, 0), np.diag([-2.0, -2.0, 4.0, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)


def prepared_by(qtbot, run: NewRun, folder: Path):
    """Chooses `folder`, has it checked and prepared, and gives the page."""
    page = run.pages[0]
    page.choose(str(folder))
    qtbot.waitUntil(lambda: page.found.isVisible() and page.found.begin.isEnabled(), timeout=WAIT)
    qtbot.mouseClick(page.found.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: run.draft.data is not None, timeout=WAIT)
    return page


def test_data_are_looked_at_checked_and_prepared(qtbot, make_run, collection, own_datasets) -> None:
    run = make_run()
    assert not run.next.isEnabled()
    page = prepared_by(qtbot, run, collection)
    assert "5 cases of 5 patients" in page.found.found.text()
    data = run.draft.data
    assert data.domains == (Domain.CT, Domain.MR_T1)
    assert data.patients == 4 and data.paired == data.slices > 0
    assert data.serious
    index = DatasetFolder(data.spec).read()
    assert sum(case.counted for case in index.cases if case.side == "validation") == data.held
    assert run.draft.direction == CT_TO_T1
    assert run.next.isEnabled()
    assert (own_datasets / Path(data.spec).name).stat().st_mode & 0o077 == 0
    first = page.check.grid.cases.index(0).data(ROW_ROLE)
    assert first.number == 3 and first.misplaced
    assert all(str(each) not in first.spoken for each in ("p3", collection.name))
    qtbot.waitUntil(lambda: len(page.check.grid.cases.tiles) == 5, timeout=WAIT)
    tiles = page.check.grid.cases.tiles[3]
    assert tiles.labels == ("CT", "T1 MR") and tiles.overlay != tiles.pictures[-1]
    assert run.draft.plan().data == data.spec


def test_what_is_prepared_is_found_again_and_made_anew_when_a_file_changes(qtbot, make_run, collection) -> None:
    spec = prepared_by(qtbot, make_run(), collection)._draft.data.spec
    again = make_run(Settings())
    again.pages[0].choose(str(collection))
    qtbot.waitUntil(lambda: again.draft.data is not None, timeout=WAIT)
    assert again.draft.data.spec == spec
    (collection / "p1" / "ct.nii.gz").touch()
    third = make_run(Settings())
    third.pages[0].choose(str(collection))
    qtbot.waitUntil(lambda: third.pages[0].found.isVisible(), timeout=WAIT)
    assert third.draft.data is None
    assert "4 prepared" in third.pages[0].found.begin.text()


def test_misaligned_cases_are_left_out_and_taken_back(qtbot, make_run, collection) -> None:
    run = make_run()
    page = prepared_by(qtbot, run, collection)
    before = run.draft.data
    files = sorted(Path(before.spec).glob("*.npy"))
    qtbot.mouseClick(page.check.without, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: run.draft.data is not None and not run.draft.data.serious, timeout=WAIT)
    assert run.draft.data.spec == before.spec
    assert run.draft.data.slices + run.draft.data.held < before.slices + before.held
    assert not page.check.without.isVisible()
    index = DatasetFolder(before.spec).read()
    assert [case.check.number for case in index.cases if not case.side] == [3]
    assert sorted(Path(before.spec).glob("*.npy")) == files
    qtbot.mouseClick(page.check.back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: run.draft.data is not None and run.draft.data.serious, timeout=WAIT)
    assert run.draft.data == before


def test_a_case_is_seen_large_and_left_out_from_there(qtbot, make_run, collection) -> None:
    run = make_run()
    page = prepared_by(qtbot, run, collection)
    grid = page.check.grid
    grid.setFocus()
    grid.setCurrentIndex(grid.cases.index(1))
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    view = run.findChild(CaseView)
    assert view is not None
    qtbot.waitUntil(lambda: view.picture._image is not None, timeout=WAIT)
    view.outline.setChecked(False)
    view.fade.setValue(0)
    only_first = view.picture._image.copy()
    view.fade.setValue(100)
    assert view.picture._image != only_first
    assert view.slice.maximum() == view._tiles.slices - 1 > 0
    number = view.row.number
    view.slice.setValue(0)
    qtbot.waitUntil(lambda: view._tiles.shown == 0, timeout=WAIT)
    qtbot.mouseClick(view.take_out, Qt.MouseButton.LeftButton)
    view.accept()
    qtbot.waitUntil(lambda: not page._busy and run.draft.data is not None, timeout=WAIT)
    index = DatasetFolder(run.draft.data.spec).read()
    assert [case.check.number for case in index.cases if not case.side] == [number]


def test_prepared_data_are_deleted(qtbot, make_run, collection, own_datasets) -> None:
    run = make_run()
    page = prepared_by(qtbot, run, collection)
    for answer, left in (("Keep", True), ("Delete", False)):
        page.check.throw_away.click()
        box = page.findChild(QMessageBox, "delete_prepared_question")
        next(button for button in box.buttons() if answer in button.text()).click()
        qtbot.waitUntil(lambda: page.findChild(QMessageBox, "delete_prepared_question") is None, timeout=WAIT)
        assert (page._prepared is not None) is left
    qtbot.waitUntil(lambda: not any(own_datasets.iterdir()), timeout=WAIT)
    assert run.draft.data is None and not page.check.isVisible()
    assert (collection / "p1" / "ct.nii.gz").exists()


def test_a_folder_that_is_prepared_already_shows_its_check_at_once(qtbot, make_run, collection, own_datasets, tmp_path) -> None:
    spec = prepared_by(qtbot, make_run(), collection)._draft.data.spec
    moved = Path(spec).rename(tmp_path / "prepared")
    run = make_run(Settings())
    run.pages[0].choose(str(moved))
    qtbot.waitUntil(lambda: run.draft.data is not None, timeout=WAIT)
    page = run.pages[0]
    assert page._look.layout == PREPARED
    assert page.check.isVisible() and not page.check.throw_away.isVisible() and not page.check.without.isVisible()
    assert not page.found.begin.isVisible()


def test_other_choices_are_other_slices_and_wrong_ones_are_said(qtbot, make_run, collection) -> None:
    run = make_run()
    page = prepared_by(qtbot, run, collection)
    page.found.how.setChecked(True)
    page.found.form.take("spacing_mm", 4.0)
    assert run.draft.data is None and run.draft.preparation["spacing_mm"] == 4.0
    assert not page.check.isVisible()
    page.found.form.take("hu_low", 1900.0)
    page.found.form.take("hu_high", 100.0)
    assert page.found.form.problem.isVisible() and "1901" in page.found.form.problem.text()


def test_a_folder_that_cannot_be_used_is_said_in_words(qtbot, make_run, tmp_path) -> None:
    (tmp_path / "nothing").mkdir()
    run = make_run()
    page = run.pages[0]
    page.choose(str(tmp_path / "nothing"))
    qtbot.waitUntil(lambda: "looks like none of the known layouts" in page.state.text(), timeout=WAIT)
    assert "ctmri" not in page.state.text() and page.state.property("role") == "error"
    assert page.source.isVisible() and not page.found.isVisible()


def test_advice_for_a_terminal_is_not_given_in_the_window(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    save = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4))
    (tmp_path / "scans" / "p1").mkdir(parents=True)
    nibabel.save(save, tmp_path / "scans" / "p1" / "ct.nii.gz")
    (tmp_path / "file").touch()
    said = []
    for folder in ("empty", "scans", "file", "nowhere"):
        with pytest.raises(CtmriError) as refused:
            find_cases(tmp_path / folder, (Domain.MR_T2,))
        said.append(without_terminal(str(refused.value)))
    assert not [text for text in said if "ctmri" in text or "phantom:" in text or "domains" in text or "--" in text], said


def test_what_was_said_of_unreadable_cases_is_told_with_the_failure(qtbot, make_run, collection) -> None:
    for file in collection.glob("*/*.nii.gz"):
        file.write_bytes(file.read_bytes()[:400])
    page = make_run().pages[0]
    page.choose(str(collection))
    qtbot.waitUntil(lambda: page.found.isVisible() and page.found.begin.isEnabled(), timeout=WAIT)
    qtbot.mouseClick(page.found.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "left to learn from" in page.state.text(), timeout=WAIT)
    assert "Case 1" in page.state.text() and "above" not in page.state.text()


def test_why_preparing_failed_stands_until_something_else_is_tried(qtbot, make_run, collection) -> None:
    for patient in ("p2", "p3", "p4", "p5"):
        for name in ("ct.nii.gz", "mr_t1.nii.gz"):
            (collection / patient / name).write_bytes((collection / "p1" / name).read_bytes())
    page = make_run().pages[0]
    page.choose(str(collection))
    qtbot.waitUntil(lambda: page.found.isVisible() and page.found.begin.isEnabled(), timeout=WAIT)
    qtbot.mouseClick(page.found.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "one scan under" in page.state.text() and not page._looks, timeout=WAIT)
    assert page.state.isVisible() and "one scan under" in page.state.text()


def test_dropped_things_stand_for_a_folder(qtbot, make_run, collection) -> None:
    run = make_run()
    card = run.pages[0].source
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(collection))])
    drop = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    with qtbot.waitSignal(card.chosen) as told:
        card.dropEvent(drop)
    assert told.args == [str(collection)]
    assert dropped([collection / "p1", collection / "p2"]) == collection
    assert dropped([collection / "p1" / "ct.nii.gz"]) == collection / "p1"


def test_digital_heads_need_no_check(qtbot, make_run) -> None:
    run = make_run()
    page = run.pages[0]
    page.source.heads.setValue(2)
    qtbot.mouseClick(page.source.use_heads, Qt.MouseButton.LeftButton)
    assert run.draft.source == "phantom:2"
    assert run.draft.data.domains == (Domain.CT, Domain.MR_T1) and run.draft.data.paired
    assert page.phantom.isVisible() and not page.check.isVisible()
    assert run.next.isEnabled()


def test_paths_that_tell_of_a_patient_are_not_kept(tmp_path: Path) -> None:
    settings = Settings()
    draft = Draft(settings)
    draft.choose(source=str(tmp_path / "Doe_Jane_1962-04-13"))
    assert "Doe" not in json.dumps([settings[key] for key in ("training_source", "training_draft")])
    draft.choose(source=str(tmp_path / "cases"))
    assert Draft(settings).source.endswith("cases")
    settings.forget_recent()
    assert not Draft(settings).source
    settings["remember_recent"] = False
    draft.choose(source=str(tmp_path / "cases"), method="cut")
    assert not Draft(settings).source and Draft(settings).method == "cut"


def test_a_draft_keeps_what_was_changed_by_method() -> None:
    settings = Settings()
    draft = Draft(settings)
    draft.choose(method="cyclegan")
    draft.change("config", {"width": 16})
    draft.change("settings", {"crop": 64})
    draft.choose(method="pix2pix", direction=T1_TO_CT)
    assert draft.values("config") == {}
    again = Draft(settings)
    assert again.direction == T1_TO_CT and again.values("settings") == {"crop": 64}
    again.choose(method="cyclegan")
    assert again.values("config") == {"width": 16}


def test_a_draft_says_what_is_missing() -> None:
    draft = Draft(Settings())
    assert "data" in draft.problem
    draft.choose(data=NO_PAIRS)
    assert "made of what" in draft.problem
    draft.choose(direction=Direction(Domain.CT, Domain.MR_T2))
    assert "no T2 MR" in draft.problem
    draft.choose(direction=CT_TO_T1)
    assert "aligned pairs" in draft.problem
    with pytest.raises(CtmriError, match="aligned pairs"):
        draft.plan()
    draft.choose(method="cyclegan")
    assert draft.plan().card.name == "cyclegan" and not draft.problem


def test_a_draft_takes_a_plan(tmp_path: Path) -> None:
    draft = Draft(Settings())
    plan = RunPlan.made(find_card("cut"), "phantom:3", CT_TO_T1, config={"width": 8}, settings={"crop": 64})
    draft.take(plan)
    assert (draft.method, draft.source, draft.data) == ("cut", "phantom:3", None)
    draft.choose(data=KnownData("phantom:3", PAIRS.domains, 9, 2, 3, 9))
    assert draft.plan() == plan


def test_unknown_and_damaged_settings_are_passed_over() -> None:
    settings = Settings()
    for kept in ("[]", "{", '{"config": 3, "method": "no such", "direction": "up", "preparation": []}'):
        settings["training_draft"] = kept
        assert Draft(settings).method == "pix2pix"


def test_choices_have_a_folder_of_their_own(own_datasets) -> None:
    plain = DataChoices.of({})
    assert plain.folder_for("a").parent == own_datasets
    assert plain.folder_for("a") == DataChoices.of({"left_out": ["00"]}).folder_for("a")
    others = [{"spacing_mm": 2.0}, {"align": "needed"}, {"domains": ["ct", "mr_t2"]}, {"layout": "aligned"}]
    folders = {DataChoices.of(chosen).folder_for("a") for chosen in others} | {plain.folder_for("b"), plain.folder_for("a")}
    assert len(folders) == len(others) + 2
    with pytest.raises(CtmriError, match="spacing"):
        DataChoices.of({"spacing_mm": -1})
    assert form_values({"spacing_mm": 2.0, "layout": "x", "other": 1}) == {"spacing_mm": 2.0}
    assert len({field.name for field in form_fields()}) == len(form_fields())


@pytest.mark.parametrize(
    ("method", "data", "direction", "fits"),
    [
        ("pix2pix", PAIRS, CT_TO_T1, True), ("pix2pix", NO_PAIRS, CT_TO_T1, False), ("cut", NO_PAIRS, CT_TO_T1, True),
        ("cyclegan", KnownData("x", (Domain.CT,), 4, 1, 0, 0), None, False), ("pix2pix", None, None, True),
        ("cyclegan", KnownData("x", PAIRS.domains, 4, 1, 0, 4, curved=True), CT_TO_T1, False),
        ("pix2pix", KnownData("x", PAIRS.domains, 4, 1, 0, 4, curved=True), CT_TO_T1, True),
        ("pix2pix", KnownData("x", PAIRS.domains, 4, 1, 0, 4, curved=True), T1_TO_CT, False),
    ],
)  # fmt: skip
def test_why_a_method_cannot_learn_from_data(method, data, direction, fits) -> None:
    assert (why_not(find_card(method), data, direction) == "") == fits


def test_methods_that_do_not_fit_come_last_and_cannot_be_chosen(qtbot) -> None:
    draft = Draft(Settings())
    draft.choose(data=NO_PAIRS, direction=CT_TO_T1, method="cut")
    page = MethodPage(draft)
    qtbot.addWidget(page)
    page.show()
    entries = page.list.methods.entries
    reasons = [bool(entry.reason) for entry in entries]
    assert reasons == sorted(reasons) and sum(reasons) == sum(card.paired for card in method_cards().values())
    last = page.list.methods.index(len(entries) - 1)
    page.list.setCurrentIndex(last)
    assert draft.method == "cut" and "Cannot be chosen" in str(last.data())
    with qtbot.assertNotEmitted(page.done):
        qtbot.keyClick(page.list, Qt.Key.Key_Return)


def test_methods_are_chosen_by_the_keys(qtbot, make_run) -> None:
    run = make_run()
    run.draft.choose(data=PAIRS, direction=CT_TO_T1)
    run.go(METHOD)
    page = run.pages[METHOD]
    page.list.setFocus()
    before = page.list.currentIndex().row()
    assert page.list.methods.entries[before].card.name == run.draft.method
    qtbot.keyClick(page.list, Qt.Key.Key_Down)
    assert run.draft.method == page.list.methods.entries[before + 1].card.name
    assert page.list.methods.entries[before + 1].chosen
    qtbot.keyClick(page.list, Qt.Key.Key_Return)
    assert run.step == METHOD + 1
    run.go(METHOD)
    page.direction.activated.emit(page.direction.findText(T1_TO_CT.label))
    assert run.draft.direction == T1_TO_CT


def test_the_keyboard_goes_along_with_the_steps_and_through_each_page_before_its_foot(qtbot, make_run) -> None:
    run = make_run()
    run.draft.choose(data=PAIRS, direction=CT_TO_T1)
    run.go(METHOD)
    qtbot.waitUntil(lambda: (run.activateWindow(), run.pages[METHOD].list.setFocus(), run.pages[METHOD].list.hasFocus())[-1])
    for step in (METHOD + 1, METHOD + 2, METHOD + 1, METHOD):
        run.go(step)
        page = run.pages[step]
        assert page.isAncestorOf(run.focusWidget()), step
        for _ in takes_keys(page):
            qtbot.keyClick(run.focusWidget(), Qt.Key.Key_Tab)
            if not page.isAncestorOf(run.focusWidget()):
                break
        assert run.focusWidget() is run.back
        qtbot.keyClick(run.focusWidget(), Qt.Key.Key_Tab)
        assert run.focusWidget() is (run.next if step < METHOD + 2 else run.pages[step].start_button)
        run.steps[-1].setFocus()
        qtbot.keyClick(run.steps[-1], Qt.Key.Key_Tab)
        assert page.isAncestorOf(run.focusWidget())


def test_every_method_has_a_drawing_a_cost_and_words() -> None:
    for entry in entries_of(method_cards().values(), "cut", PAIRS, CT_TO_T1):
        assert _file(entry.card.name).stem == entry.card.name, "no drawing"
        assert _file(f"needs_{entry.card.needs}").stem == f"needs_{entry.card.needs}"
        assert entry.card.name in COSTS
        assert entry.cost and entry.spoken
    assert _file("of another package").stem == "other"
    assert (resources_folder() / "icons" / "methods").is_dir()


def test_the_first_lesson_fills_in_everything(qtbot, make_run) -> None:
    run = make_run()
    qtbot.mouseClick(run.pages[0].source.first, Qt.MouseButton.LeftButton)
    assert run.draft.data is not None and not run.draft.problem
    assert run.step == 3


def test_flags_of_the_command_line_are_not_said_in_the_window() -> None:
    said = "Register them (--align needed), or take the case out. Pixels (--ct-window-low, --ct-window-high) (1 mm)."
    assert without_flags(said) == "Register them, or take the case out. Pixels (1 mm)."


def test_rows_without_a_check(qtbot, make_run, collection) -> None:
    run = make_run()
    run.draft.choose(preparation={"check": False})
    page = prepared_by(qtbot, run, collection)
    assert [row.number for row in rows_of(page._prepared)] == [1, 2, 3, 4, 5]
    assert "Nobody looked" in page.check.verdict.text()


def test_a_folder_of_labelme_files_is_learnt_from_once_it_is_said_what_the_pictures_show(qtbot, make_run, tmp_path) -> None:
    for n in range(3):
        drawing(tmp_path / "drawn" / f"p{n}" / f"{n}.json", ("body", 10, 30 + n))
    run = make_run()
    page = run.pages[0]
    page.choose(str(tmp_path / "drawn"))
    qtbot.waitUntil(lambda: page.found.kinds.isVisible(), timeout=WAIT)
    assert "laid out as labelme" in page.found.found.text()
    (use,) = [button for button in page.found.kinds.findChildren(QPushButton) if button.text() == "&Use this"]
    qtbot.mouseClick(use, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not page._busy and "CT and mask" in page.found.found.text(), timeout=WAIT)
    qtbot.mouseClick(page.found.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: run.draft.data is not None, timeout=WAIT)
    assert run.draft.data.domains == (Domain.CT, Domain.MASK)
