"""Evaluations in the window: put together, run for real on small heads, read in tables, followed into the viewer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDropEvent, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QLabel, QTabWidget

from ctmri_core.domain import Direction, Domain
from ctmri_core.evaluation.results import read_evaluation
from ctmri_core.events import finish
from ctmri_core.io.saving import save
from ctmri_core.methods.pix2pix.card import CARD as PIX2PIX
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import save_model
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import load_method
from ctmri_core.volume import Volume
from ctmri_gui.evaluation import evaluation_window, evaluation_work
from ctmri_gui.evaluation.evaluation_window import BEFORE, NEW, RESULT, EvaluationWindow
from ctmri_gui.evaluation.figures import number
from ctmri_gui.evaluation.result_page import CASES, CHART, TESTS
from ctmri_gui.evaluation.wanted import ASKED, Wanted, keep, kept, usual_place
from ctmri_gui.viewer.roles import Role
from tests.core.evaluation_example import example, write_example
from tests.gui.conftest import write_model

PATIENCE = 60_000
TO_CT = Direction(Domain.MR_T1, Domain.CT)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def window(make_window, tmp_path: Path, qtbot) -> EvaluationWindow:
    (tmp_path / "models").mkdir(exist_ok=True)
    main = make_window()
    main.command["evaluate"].trigger()
    opened = main.evaluation.window
    qtbot.addWidget(opened)
    assert opened.isVisible() and opened.tabs.currentIndex() == NEW
    return opened


def put_example(name: str = "evaluation-1", **changes) -> Path:
    """An evaluation where those of the window lie."""
    folder = usual_place() / name
    folder.mkdir(parents=True)
    write_example(folder, example(**changes))
    return folder


def look_at(window: EvaluationWindow, folder: Path, qtbot) -> None:
    with qtbot.waitSignal(window.evaluations.opened, timeout=PATIENCE):
        window.evaluations.open(folder)


def drop(window: EvaluationWindow, folder: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))


def shown_column(window: EvaluationWindow, title: str) -> list[str]:
    page = window.result.cases
    column = page.table.heads.index(title)
    return [page.shown.index(row, column).data() for row in range(page.shown.rowCount())]


def cells(head: Path, seed: int) -> dict[Domain, Volume]:
    """A digital head of 4 mm as NIfTI, MR and CT on one grid."""
    made = make_head(seed, voxel_mm=4.0, table=False)
    volumes = {domain: made.volumes[domain] for domain in (Domain.CT, Domain.MR_T1)}
    for domain, name in ((Domain.CT, "ct"), (Domain.MR_T1, "mr_t1")):
        finish(save(volumes[domain], head / f"p{seed}" / f"{name}.nii.gz"))
    return volumes


# Reading ------------------------------------------------------------------------------------------------------------------


def test_past_evaluations_are_listed_and_one_is_read_without_models_or_data(window, qtbot):
    put_example("evaluation-1"), put_example("evaluation-2", models=1, cases=4)
    (usual_place() / "evaluation-3").mkdir()
    (usual_place() / "evaluation-3" / "evaluation.json").write_text("{}")
    with qtbot.waitSignal(window.evaluations.listed, timeout=PATIENCE):
        window.evaluations.refresh()
    window.go(BEFORE)
    listed = window.before.list
    assert listed.topLevelItemCount() == 3
    items = {item.text(5): item for item in map(listed.topLevelItem, range(3))}
    assert "model a, model b" in items["evaluation-1"].text(1) and items["evaluation-1"].text(4).startswith("MAE (HU): ")
    assert items["evaluation-3"].isDisabled() and "is no evaluation" in items["evaluation-3"].text(2)
    listed.setCurrentItem(items["evaluation-1"])
    listed.setFocus()
    with qtbot.waitSignal(window.evaluations.opened, timeout=PATIENCE):
        qtbot.keyClick(listed, Qt.Key.Key_Return)
    assert window.tabs.currentIndex() == RESULT and "model a" in window.result.title.text()


def test_models_stand_side_by_side_below_conventions_and_problems(window, qtbot):
    there = example()
    put_example()
    look_at(window, usual_place() / "evaluation-1", qtbot)
    result = window.result
    assert result.conventions.text() == "\n".join(there.conventions)
    assert [text for text in result.problems.texts if "do not lie on each other" in text]
    serious = sum(problem.serious for problem in there.problems)
    assert result.problems.title.text().startswith(f"{serious} things to know") and result.problems.isVisible()
    texts = result.means.texts()
    row = next(row for row in texts if row[0].startswith("MAE (HU)\n↓ lower"))
    for model, text in zip(there.models, row[1:], strict=True):
        summary = there.summary(model.number, "mae")
        assert summary is not None and summary.sd is not None
        assert text.startswith(f"{summary.mean:.1f} ± {summary.sd:.1f}\nmedian {summary.median:.1f}, 95 % {summary.low:.1f} to")
    at = texts.index(row)
    assert result.means.item(at, 1).font().bold() and not result.means.item(at, 2).font().bold()
    cycle = number(there.summary(1, "psnr_hu", "cycle").mean, "dB")
    assert not any(row[1].startswith(cycle) for row in texts), "a table of its own"
    result.tabs.setCurrentIndex(TESTS)
    tests = result.tests.texts()
    pair = next(one for one in there.comparisons if one.kind == "translation" and one.metric == "mae")
    (row,) = (row for row in tests if row[0] == "MAE (HU)")
    assert "are model a − model b, of the same patients" in result.tests_said.text()
    assert row[1].startswith(f"−{abs(pair.difference):.1f} (")
    assert row[3] in ("< 0.001", f"{pair.p_holm:.3f}") and "model a is better, beyond chance" in row[5]

    result.kind.setCurrentIndex(1)
    result.kind.activated.emit(1)
    assert result.cycle_said.isVisible()
    assert {row[0].split("\n")[0] for row in result.means.texts()} == {"MAE (HU)", "PSNR (SynthRAD) (dB)"}


def test_cases_are_sorted_by_any_column_and_filtered_by_centre_and_model(window, qtbot):
    put_example()
    look_at(window, usual_place() / "evaluation-1", qtbot)
    result, page = window.result, window.result.cases
    result.tabs.setCurrentIndex(CASES)
    there = window.evaluations.shown
    assert page.shown.rowCount() == len(there.cases) * len(there.models)
    page.view.sortByColumn(page.table.heads.index("MAE (HU)"), Qt.SortOrder.DescendingOrder)
    values = [float(text) for text in shown_column(window, "MAE (HU)")]
    assert values == sorted(values, reverse=True) and len(set(values)) > 10
    page.view.sortByColumn(page.table.heads.index("Seconds"), Qt.SortOrder.DescendingOrder)
    assert set(shown_column(window, "Seconds")) == {"–"}
    page.view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    assert shown_column(window, "Case")[:4] == ["case 1", "case 1", "case 2", "case 2"], "by number, not by letters"
    result.centre.setCurrentIndex(result.centre.findText("south"))
    result.centre.activated.emit(0)
    assert set(shown_column(window, "Centre")) == {"south"}
    assert result.means.texts()[0][1].startswith(f"{there.summary(1, 'mae', centre='south').mean:.1f} ")
    page.model.setCurrentIndex(2)
    page.model.activated.emit(2)
    assert set(shown_column(window, "Model")) == {"model b"}
    out = next(problem for problem in there.problems if problem.left_out)
    result.problems.list.itemActivated.emit(result.problems.list.item(0))
    assert page.current.case == out.case and result.tabs.currentIndex() == CASES, "filters that hide it are taken away"
    assert page.current.note


def test_a_dot_of_the_chart_is_a_case_of_the_table(window, qtbot):
    put_example()
    look_at(window, usual_place() / "evaluation-1", qtbot)
    result, chart = window.result, window.result.chart.chart
    result.tabs.setCurrentIndex(CHART)
    assert len(chart.dots) == 48 and sum(not dot.counted for dot in chart.dots) == 2
    worst = max((dot for dot in chart.dots if dot.model == 2), key=lambda dot: dot.value)
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=chart.place_of(worst).toPoint())
    assert result.cases.current.key == (worst.case, worst.model)
    chart.setFocus()
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert chart.current.model == 2 and chart.current.value < worst.value and result.cases.current.key == (chart.current.case, 2)
    with qtbot.waitSignal(result.caseWanted) as asked:
        qtbot.keyClick(chart, Qt.Key.Key_Return)
    assert asked.args == [chart.current.case, 2]
    assert any("is not known here" in text for text in window.messages.texts), "nobody said where its data lie"


@pytest.mark.parametrize(("theme", "size"), [("dark", 13), ("light", 20)])
def test_all_of_it_can_be_reached_in_a_small_window(window, qtbot, dressed, theme, size):
    put_example()
    dressed(theme, size)
    look_at(window, usual_place() / "evaluation-1", qtbot)
    window.resize(900, 600)
    qtbot.wait(1)
    assert window.width() == 900 and window.height() == 600, "nothing makes it larger"
    for page, pictures in ((NEW, False), (NEW, True), (RESULT, False), (BEFORE, False)):
        window.go(page)
        window.new.order.of_pictures.setChecked(pictures)
        window.new.order.features.setCurrentIndex(1)
        letters: list[str] = []
        for kind in (QAbstractButton, QLabel):
            letters += [QKeySequence.mnemonic(part.text()).toString() for part in window.findChildren(kind) if part.isVisible()]
        tabs = [tabs for tabs in window.findChildren(QTabWidget) if tabs.isVisible()]
        letters += [QKeySequence.mnemonic(each.tabText(number)).toString() for each in tabs for number in range(each.count())]
        letters = [letter for letter in letters if letter]
        assert len(letters) == len(set(letters)), f"page {page}: {sorted(letters)}"
    pane = window.result._area
    window.go(RESULT)
    window.result.tabs.tabBarClicked.emit(CASES)
    window.result.tabs.setCurrentIndex(CASES)
    qtbot.waitUntil(lambda: not window.result.cases.view.visibleRegion().isEmpty())
    assert pane.widget().width() <= pane.viewport().width()


def test_scores_that_are_not_there_come_last_whichever_way_they_are_sorted(window, qtbot):
    there = example(cases=6)
    lost = there.scores[0].model_copy(update={"values": {**there.scores[0].values, "mae": None}})
    scores = tuple(one.model_copy(update={"values": {**one.values, "never": None}}) for one in (lost, *there.scores[1:]))
    folder = put_example(scores=scores, cases=6)
    look_at(window, folder, qtbot)
    page = window.result.cases
    for way in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        page.view.sortByColumn(page.table.heads.index("MAE (HU)"), way)
        assert shown_column(window, "MAE (HU)").index("–") == 11
    assert not any("never" in head for head in page.table.heads), "what could not be taken of any case is no column"


def test_nothing_heavy_is_loaded_until_something_is_evaluated(tmp_path):
    data = tmp_path / "datasets" / "one"
    data.mkdir(parents=True)
    cases = [{"patient": "a", "side": "test"}]
    index = {"format": "ctmri-dataset-1", "complete": True, "domains": ["ct", "mr_t1"], "cases": cases}
    (data / "dataset.json").write_text(json.dumps(index))
    (tmp_path / "datasets" / "two").mkdir()
    (tmp_path / "datasets" / "two" / "dataset.json").write_text("[]")
    code = (
        "import sys; import ctmri_gui.evaluation.evaluation_window, ctmri_gui.evaluation.evaluations as e;"
        "from ctmri_core.events import finish; never = lambda: False;"
        "print(*(each.words for each in finish(e.evaluation_work.list_prepared(never))));"
        "finish(e.evaluation_work.list_evaluations((), never));"
        "print(sorted({'torch', 'matplotlib', 'reportlab', 'scipy', 'pyqtgraph'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["CT, T1 MR · patients: 0 train, 0 validation, 1 test · one", "[]"]


def test_numbers_have_as_many_places_as_mean_something():
    assert [number(*each) for each in ((61.66, "HU"), (-3.14159, "dB"), (0.91234, ""), (float("inf"), "dB"), (None, ""))] == [
        "61.7", "−3.14", "0.9123", "∞", "–",
    ]  # fmt: skip


# Putting together ---------------------------------------------------------------------------------------------------------


def test_models_of_one_direction_go_together_and_what_is_missing_is_said(make_window, tmp_path, qtbot):
    for name, way in (("one", "ct_to_mr_t1"), ("two", "ct_to_mr_t1"), ("back", "mr_t1_to_ct")):
        write_model(tmp_path / "models" / f"{name}.safetensors", way, name)
    main = make_window()
    window = main.evaluation.window
    qtbot.addWidget(window)
    window.present()
    page, order = window.new, window.new.order
    assert not page.start.isEnabled() and page.told.text() == "Tick at least one model."
    boxes = {item.text(0): item for item in order.models._items}
    order.models.setCurrentItem(boxes["one"])
    qtbot.keyClick(order.models, Qt.Key.Key_Space)
    assert order.models.models == (tmp_path / "models" / "one.safetensors",)
    assert boxes["back"].isDisabled() and not boxes["two"].isDisabled()
    boxes["two"].setCheckState(0, Qt.CheckState.Checked)
    assert page.told.text() == "Choose the data to evaluate on."
    (tmp_path / "data").mkdir()
    drop(window, tmp_path / "data")
    assert page.start.isEnabled() and order.data.share.isVisible()
    order.data.side.setCurrentIndex(order.data.side.findData("train"))
    assert "remember" in order.data.said.text()
    order.doubt.setCurrentIndex(order.doubt.findData("dropout"))
    order.names.click()
    order.metrics.setCurrentIndex(1)
    wanted = order.wanted()
    assert len(wanted.models) == 2 and (wanted.data, wanted.side) == (str(tmp_path / "data"), "train")
    assert wanted.metrics == ("synthrad2023",) and wanted.names and wanted.how["doubt"] == "dropout"
    assert wanted.output.parent == usual_place() and not wanted.output.exists()
    order.output.set_folder(tmp_path)
    order.output.clear.click()
    assert order.output.place.text() == f"A new folder in {usual_place()}"
    boxes["one"].setCheckState(0, Qt.CheckState.Unchecked)
    boxes["two"].setCheckState(0, Qt.CheckState.Unchecked)
    assert not boxes["back"].isDisabled()


def test_what_belongs_to_finished_pictures_is_asked_for_each_folder(make_window, tmp_path, qtbot, monkeypatch):
    model = write_model(tmp_path / "models" / "one.safetensors", "mr_t1_to_ct", "one")
    main = make_window()
    window = main.evaluation.window
    qtbot.addWidget(window)
    window.present()
    order, pictures = window.new.order, window.new.order.pictures
    order.of_pictures.setChecked(True)
    for name in ("mine", "theirs", "truth", "labels", "own"):
        (tmp_path / name).mkdir()
    (tmp_path / "whose.csv").write_text("case,patient\n", "utf-8")
    drop(window, tmp_path / "mine"), drop(window, tmp_path / "theirs")
    pictures.truth.set_folder(tmp_path / "truth")
    assert order.wanted().made_by == () and order.wanted().predicted_labels == ()
    chosen = pictures.synthetic
    chosen.list.setCurrentItem(chosen.list.topLevelItem(0))
    chosen.made_by.setCurrentIndex(chosen.made_by.findText("one"))
    chosen.made_by.activated.emit(1)
    assert [chosen.list.topLevelItem(row).text(1) for row in range(2)] == ["one", ""]
    chosen.list.setCurrentItem(chosen.list.topLevelItem(1))
    assert chosen.made_by.currentText() == "Not known"
    monkeypatch.setattr("ctmri_gui.file_choice.existing_folder", lambda *_: tmp_path / "own")
    chosen.labels.choose.click()
    assert window.new.told.text() == "Choose the label maps of the real pictures too." and order.wanted() is None
    pictures.labels.set_folder(tmp_path / "labels")
    monkeypatch.setattr("ctmri_gui.file_choice.existing_files", lambda *_: [tmp_path / "whose.csv"])
    pictures.patients.choose.click()
    assert not order.weights.isVisible()
    order.features.setCurrentIndex(order.features.findData("vgg"))
    assert order.weights.isVisible()
    order.weights.set_folder(tmp_path / "vgg.safetensors")
    wanted = order.wanted()
    assert wanted.made_by == (model, None) and wanted.predicted_labels == (None, tmp_path / "own")
    assert (wanted.labels, wanted.patients) == (tmp_path / "labels", tmp_path / "whose.csv")
    assert (wanted.features, wanted.feature_weights) == ("vgg", tmp_path / "vgg.safetensors")
    asked = evaluation_work.order_of(wanted)
    assert (asked.made_by, asked.predicted_labels, asked.features) == (wanted.made_by, wanted.predicted_labels, "vgg")
    chosen.list.setCurrentItem(chosen.list.topLevelItem(0))
    chosen.remove.click()
    assert order.wanted().predictions == (tmp_path / "theirs",) and order.wanted().predicted_labels == (tmp_path / "own",)


def test_where_data_lie_is_kept_beside_the_results_unless_it_tells_of_a_patient(tmp_path):
    plain = Wanted(output=tmp_path / "out", models=(tmp_path / "m.safetensors",), data=str(tmp_path / "data"))
    (tmp_path / "out").mkdir()
    keep(plain)
    assert kept(tmp_path / "out") == plain and (tmp_path / "out" / ASKED).stat().st_mode & 0o077 == 0
    (tmp_path / "out" / ASKED).unlink()
    keep(plain.model_copy(update={"data": str(tmp_path / "Doe^John 1970-01-02")}))
    assert kept(tmp_path / "out") is None
    (tmp_path / "out" / ASKED).write_text('{"output": 3}')
    assert kept(tmp_path / "out") is None


# For real -----------------------------------------------------------------------------------------------------------------


def run(window: EvaluationWindow, qtbot) -> None:
    with qtbot.waitSignal(window.evaluations.ended, timeout=PATIENCE):
        qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert window.evaluations.running and not window.new.order.isEnabled() and window.new.stop.isEnabled()
        listed = window.evaluations._jobs.listed
        assert [state.title for state in listed if state.running] == ["Evaluate models"] and listed[0].show is not None
    assert window.messages.texts == () and window.tabs.currentIndex() == RESULT


def test_finished_pictures_are_scored_and_a_case_is_opened_at_its_worst_slice(window, tmp_path, qtbot, monkeypatch):
    truths, made = tmp_path / "truths", tmp_path / "made"
    for seed in (1, 2):
        ct = cells(truths, seed)[Domain.CT]
        (truths / f"p{seed}" / "mr_t1.nii.gz").unlink()
        off = ct.voxels.copy()
        off[11 + seed, 20:44, 20:44] += 400  # the worst slice
        finish(save(replace(ct, voxels=off), made / f"p{seed}_synthetic_ct.nii.gz"))
    order = window.new.order
    order.of_pictures.setChecked(True)
    assert order.problem == "Add a folder of synthetic pictures." and not order.doubt.isVisible()
    drop(window, made)
    order.pictures.truth.set_folder(truths)
    run(window, qtbot)
    there, page = window.evaluations.shown, window.result.cases
    folder = window.evaluations.folder
    assert read_evaluation(folder) == there and {one.worst_slice for one in there.scores} == {12, 13}
    assert set(shown_column(window, "Worst slice")) == {"13", "14"}, "counted from 1, as in the viewer"

    session = window.evaluations._jobs.parent()
    page.select(2, 1)
    window.result.tabs.setCurrentIndex(CASES)
    page.view.setFocus()
    with qtbot.waitSignal(window.caseReady, timeout=PATIENCE) as ready:
        qtbot.keyClick(page.view, Qt.Key.Key_Return)
    shown = ready.args[0]
    worst = there.scores[1].worst_slice
    assert session.volumes[Role.SYNTHETIC] is shown.made.volume and session.volumes[Role.TRUTH] is shown.truth
    assert session.volumes[Role.SYNTHETIC].synthetic is not None, "marked, though the file does not say so"
    np.testing.assert_allclose(shown.truth.geometry.mm_to_index(shown.worst)[0], worst, atol=1e-6)

    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) or True)
    with qtbot.waitSignal(window.evaluations.reported, timeout=PATIENCE):
        window.result.report.click()
    assert opened == [str(folder / "report.html")] and b"MAE" in (folder / "report.html").read_bytes()
    monkeypatch.setattr(evaluation_window.file_choice, "new_file", lambda *_: tmp_path / "saved")
    window.result.pdf.click()
    qtbot.waitUntil(lambda: "Saved as saved.pdf." in window.messages.texts, timeout=PATIENCE)
    assert (tmp_path / "saved.pdf").read_bytes().startswith(b"%PDF")

    asked = window.evaluations.asked
    assert asked is not None
    (folder / ASKED).unlink()
    assert finish(evaluation_work.evaluate(asked, lambda: False)) is not None
    assert kept(folder) == asked, "also where the window closed before it heard of the end"
    window.evaluations.asked = asked.model_copy(update={"predictions": (made, truths)})
    window.result.caseWanted.emit(1, 1)
    qtbot.waitUntil(lambda: any("Something else was evaluated" in text for text in window.messages.texts), timeout=PATIENCE)

    shutil.rmtree(truths)
    look_at(window, folder, qtbot)
    window.result.caseWanted.emit(1, 1)
    qtbot.waitUntil(lambda: any("truths is gone" in text for text in window.messages.texts), timeout=PATIENCE)
    assert not any("being opened" in text for text in window.messages.texts)


def tiny_model(path: Path, bias: float) -> Path:
    """Answers about the same everywhere, a little darker or brighter."""
    config = PIX2PIX.config.model_validate({"generator": "resnet_6", "width": 4, "norm": "instance", "dropout": False})
    torch.manual_seed(0)
    weights = load_method("pix2pix").build_generator(config, TO_CT).state_dict()
    last = [name for name in weights if name.endswith("weight")][-1]
    weights[last].mul_(0.05)
    weights[last.replace("weight", "bias")].fill_(bias)
    card = ModelCard(
        name=path.stem, method="pix2pix", config=config.told(), direction=TO_CT, recipe=Recipe(spacing_mm=4.0),
        body_region="head", created=datetime.now(UTC),
    )  # fmt: skip
    save_model(path, weights, card)
    return path


def test_two_models_on_heads_then_one_of_them_is_another_file(window, tmp_path, qtbot):
    models = tuple(tiny_model(tmp_path / "models" / f"{name}.safetensors", bias) for name, bias in (("near", -0.3), ("far", 0.4)))
    library = window.new.order.models._library
    with qtbot.waitSignal(library.changed, timeout=PATIENCE):
        library.refresh()
    heads = {seed: cells(tmp_path / "heads", seed) for seed in (1, 2)}
    order = window.new.order
    order.models.tick(models)
    assert order.models.models == tuple(sorted(models))
    drop(window, tmp_path / "heads")
    order.data.side.setCurrentIndex(order.data.side.findData("all"))
    run(window, qtbot)
    there, result = window.evaluations.shown, window.result
    assert [model.name for model in there.models] == ["far", "near"] and len(there.scores) == 4
    bold = [result.means.item(0, column).font().bold() for column in (1, 2)]
    assert result.means.item(0, 0).text().startswith("MAE (HU)") and bold == [False, True]

    main = window.evaluations.parent().parent()
    with qtbot.waitSignal(window.caseReady, timeout=PATIENCE) as ready:
        window.result.caseWanted.emit(1, 2)
    shown, session = ready.args[0], main.session
    assert session.volumes[Role.SOURCE] is shown.source and session.synthetic_source is shown.source
    assert shown.source.domain is Domain.MR_T1 and shown.truth.geometry.is_close(heads[1][Domain.CT].geometry)
    assert shown.made.volume.synthetic.model_name == "near"
    scores = next(one for one in there.scores if (one.case, one.model) == (1, 2))
    assert scores.worst_slice is not None and main.views.slice == scores.worst_slice
    assert not session.translation.state, "what the evaluation scored is shown, nothing else is made"

    tiny_model(models[0], 0.1)
    result.caseWanted.emit(1, 2)
    qtbot.waitUntil(lambda: any("no longer the model" in text for text in window.messages.texts), timeout=PATIENCE)


def test_what_was_finished_when_it_is_stopped_is_shown_as_such(window, tmp_path, qtbot):
    model = tiny_model(tmp_path / "models" / "near.safetensors", -0.3)
    library = window.new.order.models._library
    with qtbot.waitSignal(library.changed, timeout=PATIENCE):
        library.refresh()
    for seed in (1, 2):
        cells(tmp_path / "heads", seed)
    order = window.new.order
    order.models.tick((model,))
    order.data.take(str(tmp_path / "heads"))
    order.data.side.setCurrentIndex(order.data.side.findData("all"))
    window.new.start.trigger()
    state = window.evaluations.state
    qtbot.waitUntil(lambda: state.done >= 1 or not state.running, timeout=PATIENCE)
    window.new.stop.trigger()
    qtbot.waitUntil(lambda: not window.evaluations.running, timeout=PATIENCE)
    there = window.evaluations.shown
    assert kept(window.evaluations.folder) == window.evaluations.asked
    assert there is not None and 1 <= len(there.scores) <= 2
    if not there.finished:
        assert window.result.problems.texts[0].startswith("It was stopped before its end")
        assert any("stopped" in row.note for row in window.result.cases.table.rows)


def test_closing_the_window_stops_nothing_and_it_comes_back(window, qtbot):
    window.close()
    assert not window.isVisible()
    main = window.evaluations.parent().parent()
    main.command["evaluate"].trigger()
    assert main.evaluation.window is window and window.isVisible()
