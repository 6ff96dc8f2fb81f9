"""The runs of a user as a person sees them: a real tiny run, copies of it that differ, and a damaged one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QDialog, QMessageBox, QPushButton

from ctmri_core.resources_folder import user_datasets_folder, user_runs_folder
from ctmri_core.training.runs import interrupted_runs, summary_of
from ctmri_core.training.verdict import Contender, DirectionVerdict, PatientScores
from ctmri_gui.jobs.job import stop_and_join_all
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.models.library import Library
from ctmri_gui.run_places import run_places
from ctmri_gui.settings import Settings
from ctmri_gui.training import training_work
from ctmri_gui.training.history.differences import compared, differing
from ctmri_gui.training.history.history_page import HistoryPage
from ctmri_gui.training.history.run_words import COLUMNS, about, cells, data_words, what_is_lost
from ctmri_gui.training.history.verdict_rows import table_of
from ctmri_gui.training.trainings import Trainings
from tests.gui.kept_runs import another, broken_off, tiny_plan

WAIT = 60_000


@pytest.fixture
def owner(qapp):
    """Owns what a window would: freed on this thread, not wherever the collector runs."""
    made = QObject(qapp)
    made.pages = []
    yield made
    stop_and_join_all()
    qapp.processEvents()
    for page in made.pages:
        page.close()
        page.deleteLater()
    made.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def make_page(qtbot, runs, owner):
    """Builds the page once the runs are prepared, and waits until they are listed."""

    def make() -> HistoryPage:
        jobs = Jobs(owner)
        trainings = Trainings(jobs, runs, owner)
        page = HistoryPage(trainings, jobs)
        page.kept = (jobs, trainings)
        owner.pages = [page]
        page.resize(1000, 700)
        page.show()
        with qtbot.waitSignal(trainings.listed, timeout=WAIT):
            trainings.refresh()
        return page

    return make


def names(page: HistoryPage) -> list[str]:
    return [page.list.shown.index(row, 0).data() for row in range(page.list.shown.rowCount())]


def offered(page: HistoryPage) -> set[str]:
    return {name for name, action in page.list.commands.actions.items() if action.isVisible()}


def choose(page: HistoryPage, *folders: Path) -> None:
    page.list.select(set(folders))


def press(box: QMessageBox, text: str) -> None:
    next(button for button in box.buttons() if text in button.text().replace("&", "")).click()


# Words ----------------------------------------------------------------------------------------------------------------


def test_a_row_tells_what_a_run_learnt_and_how_good_it_got(runs):
    run = summary_of(runs / "pix2pix-001")
    row = dict(zip(COLUMNS, cells(run), strict=True))
    assert (row["Run"], row["State"], row["Method"], row["Direction"]) == ("pix2pix-001", "done", "pix2pix", "CT → T1 MR")
    assert row["Data"] == "3 digital heads"
    assert row["Steps"] == "4"
    assert row["Best"].endswith("%")
    assert row["Best"].startswith("error")


def test_data_are_named_without_telling_of_a_patient():
    assert data_words("/data/brain_slices") == "brain_slices"
    assert data_words("/data/DOE^JANE") == "a folder"
    assert data_words("/data/Doe_Jane/prepared") == "a folder"
    assert data_words("phantom:1") == "1 digital head"
    assert data_words("phantom:15:100") == "15 digital heads"
    assert data_words(str(user_datasets_folder() / "9dca02f7bdf86964e575")) == "prepared slices 9dca"


def test_the_best_model_comes_before_that_of_the_last_step(runs):
    assert [path.stem.endswith("-last") for path in summary_of(runs / "pix2pix-001").models] == [False, True]


def test_only_runs_that_broke_off_count_as_interrupted(runs):
    made = broken_off(runs, "broken")
    assert interrupted_runs(runs) == (made,)
    assert interrupted_runs(runs / "nowhere") == ()
    assert summary_of(made).state == "interrupted"


def test_what_differs_is_told_side_by_side(runs):
    other = another(runs, "other", seed=7, ema=0.5)
    rows = dict(differing([summary_of(runs / "pix2pix-001"), summary_of(other)]))
    assert rows == {"Seed": ("0", "7"), "Ema": ("0", "0.5")}
    told = dict(compared([summary_of(runs / "pix2pix-001"), summary_of(other)]))
    assert told["State"] == ("done", "done")
    assert any(name.startswith("Best: SSIM") for name in told)


def test_deleting_names_what_is_lost(runs):
    lost = what_is_lost([summary_of(runs / "pix2pix-001"), summary_of(broken_off(runs, "broken"))])
    for words in ("pix2pix-001", "4 steps", "models", "broken", "resumed", "no way back"):
        assert words in lost


def test_a_verdicts_table_holds_differences_with_their_intervals():
    def scores(*errors):
        return tuple(PatientScores(patient=n, error=e, psnr_db=20 - e, ssim=0.5) for n, e in enumerate(errors, 1))

    verdict = DirectionVerdict(
        direction="ct_to_mr_t1", label="CT → T1 MR", model="m.safetensors", weights_sha256="ab" * 32, unit="HU",
        contenders=(
            Contender(who="own", scores=scores(1, 2, 3)), Contender(who="nothing", scores=scores(3, 4, 5)),
        ),
    )  # fmt: skip
    table = table_of(verdict)
    assert table.rows[0][1:3] == ("2.0 ± 1.0", "")
    assert table.rows[1][1:3] == ("4.0 ± 1.0", "+2.0 (+2.0 to +2.0)")
    assert table.rows[1][4] == "+2.00 (+2.00 to +2.00)"  # PSNR: higher is better
    assert "HU" in table.head[1]
    assert "dB" in table.head[3]


# The list -------------------------------------------------------------------------------------------------------------


def test_without_runs_the_page_says_what_to_do(qtbot, tmp_path, owner):
    jobs = Jobs(owner)
    page = HistoryPage(Trainings(jobs, tmp_path / "nothing", owner), jobs)
    owner.pages = [page]
    page.show()
    assert page.list.begin.isVisible()
    assert not page.list.view.isVisible()
    with qtbot.waitSignal(page.newWanted):
        page.list.begin.click()


def test_runs_are_listed_newest_first_sorted_and_filtered(make_page, runs):
    another(runs, "other")
    broken_off(runs, "broken")
    (another(runs, "damaged") / "config.json").write_text('{"method": 3')
    page = make_page()
    assert set(names(page)) == {"pix2pix-001", "other", "broken", "damaged"}
    page.list.view.sortByColumn(COLUMNS.index("Run"), Qt.SortOrder.AscendingOrder)
    assert names(page) == ["broken", "damaged", "other", "pix2pix-001"]
    for column in range(len(COLUMNS)):
        page.list.view.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    page.list.search.setText("PIX interrupted")
    assert names(page) == ["broken"]
    page.list.search.setText("nothing like it")
    assert names(page) == []
    assert "No run holds" in page.list.details.text()


def test_runs_in_other_folders_are_remembered_and_listed_with_their_models(runs, tmp_path, qtbot, owner, monkeypatch):
    monkeypatch.setattr(training_work, "train_here", lambda *_: iter(()))
    elsewhere, private = tmp_path / "elsewhere", tmp_path / "DOE^JANE"
    for place in (elsewhere, private):
        shutil.copytree(runs / "pix2pix-001", place / "far")
    settings, jobs = Settings(), Jobs(owner)
    trainings = Trainings(jobs, runs, owner, settings=settings)
    for place in (elsewhere, private, runs):
        with qtbot.waitSignal(trainings.ended, timeout=WAIT):
            trainings.start(tiny_plan(), place / "new", "thread")
    assert run_places(Settings()) == (user_runs_folder(), elsewhere)
    again = Trainings(jobs, runs, owner, settings=Settings())
    with qtbot.waitSignal(again.listed, timeout=WAIT):
        again.refresh()
    assert {run.folder for run in again.runs} == {runs / "pix2pix-001", elsewhere / "far"}
    library = Library(jobs, [tmp_path / "models"], owner, runs=run_places(Settings()))
    with qtbot.waitSignal(library.changed, timeout=WAIT):
        library.refresh()
    assert [library.run_of(entry) for entry in library.entries] == ["pix2pix-001", "far"]


def test_a_damaged_run_says_what_is_wrong_and_can_only_be_opened_or_deleted(make_page, runs):
    folder = another(runs, "damaged")
    (folder / "config.json").write_text('{"method": 3')
    page = make_page()
    choose(page, folder)
    assert "cannot be read" in page.list.details.text()
    assert offered(page) == {"folder", "delete"}


def test_what_is_offered_fits_what_is_selected(make_page, runs):
    broken, other = broken_off(runs, "broken"), another(runs, "other")
    page = make_page()
    choose(page, other)
    assert offered(page) == {"look", "verdict", "use", "keep", "tune", "template", "folder", "board", "delete"}
    choose(page, broken)
    assert "resume" in offered(page)
    choose(page, broken, other)
    assert offered(page) == {"compare", "delete"}


def test_rows_speak_and_states_have_icons(make_page):
    page = make_page()
    index = page.list.shown.index(0, COLUMNS.index("State"))
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "State: done"
    assert not index.data(Qt.ItemDataRole.DecorationRole).isNull()
    for button in page.findChildren(QPushButton):
        assert button.text() or button.accessibleName()


def test_intents_go_out_with_what_they_need(make_page, runs, qtbot):
    page = make_page()
    folder = runs / "pix2pix-001"
    choose(page, folder)
    wanted = {"use": page.useWanted, "keep": page.keepWanted}
    for name, signal in wanted.items():
        with qtbot.waitSignal(signal) as heard:
            page.list.buttons[name].click()
        assert heard.args == [folder / "models" / "pix2pix-ct_to_mr_t1.safetensors"]
    with qtbot.waitSignal(page.templateWanted) as heard:
        page.list.buttons["tune"].click()
    assert heard.args[0].settings.iterations == 4
    assert heard.args[1].name == "pix2pix-ct_to_mr_t1.safetensors"


def test_deleting_asks_first_and_takes_the_models_along(make_page, runs, qtbot):
    other = another(runs, "other")
    page = make_page()
    choose(page, other)
    page.list.buttons["delete"].click()
    box = page.findChild(QMessageBox, "delete_question")
    assert "other" in box.text()
    assert box.defaultButton().text().replace("&", "") == "Keep"
    press(box, "Keep")
    assert other.is_dir()
    qtbot.waitUntil(lambda: page.findChild(QMessageBox, "delete_question") is None)
    page.list.buttons["delete"].click()
    with qtbot.waitSignal(page.kept[1].listed, timeout=WAIT):
        press(page.findChild(QMessageBox, "delete_question"), "Delete")
    assert not other.exists()
    assert names(page) == ["pix2pix-001"]


def test_a_run_is_looked_at_and_left_again_by_key(make_page, qtbot):
    page = make_page()
    page.list.view.setFocus()
    page.list.commands.actions["look"].trigger()
    assert page.stack.currentWidget() is page.monitor
    qtbot.waitUntil(lambda: "pix2pix" in page.monitor.header.title.text(), timeout=WAIT)
    page.back.click()
    assert page.stack.currentWidget() is page.list
    assert not page.back.isVisible()


def test_runs_are_compared_curve_upon_curve(make_page, runs, qtbot):
    other = another(runs, "other", seed=7)
    page = make_page()
    choose(page, runs / "pix2pix-001", other)
    page.list.buttons["compare"].click()
    compare = page.compare
    qtbot.waitUntil(lambda: len(compare.plots) == 2 and compare.choices[0].count() > 0, timeout=WAIT)
    assert "CT → T1 MR" in compare.choices[0].currentText()
    assert "Losses" in compare.choices[1].currentText()
    heads = {compare.table.verticalHeaderItem(row).text() for row in range(compare.table.rowCount())}
    assert "Seed" in heads
    assert {compare.table.horizontalHeaderItem(column).text() for column in range(2)} == {"pix2pix-001", "other"}
    assert all(plot.item.listDataItems() for plot in compare.plots)


def test_the_verdict_is_made_kept_and_shown_with_its_cases(make_page, runs, qtbot):
    page = make_page()
    folder = runs / "pix2pix-001"
    with qtbot.waitSignal(page.verdict.judged, timeout=2 * WAIT):
        page.show_verdict(folder)
    verdict = page.verdict
    assert "keeping" in verdict.sentence.text()
    assert verdict.table.rowCount() >= 3
    assert verdict.conventions.text()
    qtbot.waitUntil(lambda: verdict._cases and all(case.press.isEnabled() for case in verdict._cases), timeout=WAIT)
    verdict._cases[0].press.click()
    (large,) = verdict._cases[0].findChildren(QDialog)
    large.reject()
    made = (folder / "verdict.json").stat().st_mtime_ns
    with qtbot.waitSignal(verdict.judged, timeout=WAIT):
        page.show_verdict(folder)
    assert (folder / "verdict.json").stat().st_mtime_ns == made
    with qtbot.waitSignal(page.keepWanted) as kept:
        verdict.keep.click()
    assert kept.args[0].is_file()
    verdict.discard.click()
    press(page.findChild(QMessageBox, "delete_question"), "Keep")
    assert folder.is_dir()


def test_a_verdict_that_cannot_be_made_says_why(make_page, runs, qtbot):
    folder = another(runs, "empty")
    shutil.rmtree(folder / "models")
    page = make_page()
    page.show_verdict(folder)
    qtbot.waitUntil(lambda: "no model" in page.verdict.sentence.text(), timeout=WAIT)
    assert not page.verdict.keep.isEnabled()
    assert about(summary_of(folder))
