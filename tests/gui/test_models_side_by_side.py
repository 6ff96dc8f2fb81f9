"""Several real models on one case in the real window: made in turn, shown beside each other, measured together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from ctmri_core.comparison import Comparison
from ctmri_core.domain import Direction, Domain
from ctmri_core.events import finish
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import save_model
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.resample import resample_to
from ctmri_core.registry import build_generator
from ctmri_core.volume import Synthetic
from ctmri_gui.translating.made import Made
from ctmri_gui.viewer.compare.modes import Mode
from ctmri_gui.viewer.layouts import MODELS, PaneLayout, models_side_by_side
from ctmri_gui.viewer.readout import read_out
from ctmri_gui.viewer.roles import FURTHER, MAIN, SYNTHETICS, Role

WAIT = 60_000
TO_MR = Direction(Domain.CT, Domain.MR_T1)
A, B, C, TRUTH = *SYNTHETICS[:3], Role.TRUTH


@pytest.fixture(scope="module")
def head():
    return make_head(96, voxel_mm=4.0)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Three small networks with random weights, two of one name."""
    folder = tmp_path_factory.mktemp("models")
    for file, name, width in (("a", "Small", 4), ("b", "Small", 4), ("c", "Wider", 6)):
        card = ModelCard(
            name=name, method="vae_cyclegan", direction=TO_MR, body_region="head", created=datetime(2026, 1, 2, tzinfo=UTC),
            config={"width": width, "latent": 2, "blocks": 1}, weights_sha256="0" * 64,
        )  # fmt: skip
        save_model(folder / f"{file}.safetensors", build_generator(card).state_dict(), card)
    return folder


@pytest.fixture
def window(make_window, tmp_path, models, head):
    (tmp_path / "models").mkdir()
    for path in models.iterdir():
        (tmp_path / "models" / path.name).write_bytes(path.read_bytes())
    made = make_window()
    made.resize(1500, 900)
    made.session.place(head[Domain.CT], Role.SOURCE)
    return made


def mark(window, *names):
    library = window.session.library
    for entry in library.entries:
        library.mark(entry, entry.path.stem in names)


def compare(window, qtbot, *names):
    """With all that these models make on the panes."""
    mark(window, *names)
    window.command["compare_models"].trigger()
    volumes, places = window.session.volumes, SYNTHETICS[: len(names)]
    answer_doubts(window, qtbot, yes=True, until=lambda: all(volumes[role] is not None for role in places))
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=WAIT)


def answer_doubts(window, qtbot, *, yes, until):
    """Random weights know nothing of heads: should the window ask, it is answered."""

    def done():
        for box in window.findChildren(QMessageBox):
            if box.isVisible():
                buttons = {box.buttonRole(button): button for button in box.buttons()}
                buttons[QMessageBox.ButtonRole.AcceptRole if yes else QMessageBox.ButtonRole.RejectRole].click()
        return until()

    qtbot.waitUntil(done, timeout=WAIT)


def made_by(window, role):
    return window.session.volumes[role].synthetic.model_hash


def test_ticked_models_translate_in_turn_and_stand_side_by_side_with_what_made_each(window, qtbot):
    session, views = window.session, window.views
    assert not window.command["compare_models"].isEnabled()
    compare(window, qtbot, "a", "b", "c")
    assert views.pane_layout.name == MODELS
    assert [spec.role for spec in views.pane_layout.specs] == [Role.SOURCE, A, B, C]
    made = {role: session.volumes[role] for role in SYNTHETICS[:3]}
    assert len({volume.synthetic.model_hash for volume in made.values()}) == 3
    for role, volume in made.items():
        title = views.panes[role].header.words
        assert volume.synthetic.model_name in title and volume.synthetic.model_hash[:8] in title and role.label in title
        assert "not for diagnosis" in views.panes[role].strip.text
        assert session.made_from(role) is session.volumes[Role.SOURCE]
    assert not np.array_equal(made[A].voxels, made[B].voxels)
    k = views.slice
    views.model.step(1, B)
    assert views.slice != k and views.model.show_one_slice(A, C)


def said(window):
    """The table, by row and metric, of the slice and of the volume."""
    table = window.metrics.table
    return {
        (row.pair, name, volume): table.text_of(row.pair, name, volume=volume)
        for row in table.rows for name in ("SSIM", "PSNR", "MAE") for volume in (False, True)
    }  # fmt: skip


def put(window, head, *spreads):
    """Images that look as if models had made them of the scan, the more noisy the worse; with a truth."""
    session, case, rng = window.session, window.session.cases.current, np.random.default_rng(5)
    source, mr = session.volumes[Role.SOURCE], resample_to(head[Domain.MR_T1], session.volumes[Role.SOURCE].geometry)
    session.place(mr, TRUTH)
    for role, spread in zip(SYNTHETICS, spreads, strict=False):
        voxels = np.float32(mr.voxels + rng.normal(0, spread, mr.voxels.shape))
        made = replace(mr, voxels=voxels, domain=Domain.MR_T1, synthetic=Synthetic(f"Model {role.letter}", role.letter * 64))
        case._take_synthetic(Made(made), source, role)
    window.views.show_models((Role.SOURCE, *SYNTHETICS[: len(spreads)], TRUTH))
    window.docks.show_dock("Metrics")


def settled(window, qtbot):
    """Once slice and volume have figures."""
    qtbot.waitUntil(lambda: bool(said(window)) and not any(text in ("", "–") for text in said(window).values()), timeout=WAIT)
    return said(window)


def test_the_table_has_the_figures_of_each_comparison_marks_the_best_and_follows_the_slice(window, head, qtbot):
    session, views, dock = window.session, window.views, window.metrics
    put(window, head, 60, 20, 140)
    found = settled(window, qtbot)
    pairs = [(role, TRUTH) for role in (A, B, C)]
    assert [row.pair for row in dock.table.rows] == pairs and not dock._numbers.isVisible()
    assert dock._names.text().split("\n") == [f"{letter}: Model {letter} {letter * 8}" for letter in "ABC"]
    alone = {pair: Comparison(session.volumes[Role.SOURCE], session.volumes[pair[0]], session.volumes[TRUTH]) for pair in pairs}
    for volume in (False, True):
        scores = {pair: finish(one.volume_scores()) if volume else one.scores(views.slice) for pair, one in alone.items()}
        best = scores[pairs[1]]
        assert found[pairs[1], "SSIM", volume] == f"{best.ssim:.3f}\nbest"
        assert found[pairs[1], "MAE", volume] == f"{best.mae:.1f}\nbest"
        other = scores[pairs[2]]
        assert found[pairs[2], "SSIM", volume] == f"{other.ssim:.3f}\n−{best.ssim - other.ssim:.3f}"
        assert found[pairs[2], "MAE", volume] == f"{other.mae:.1f}\n+{other.mae - best.mae:.1f}"
    views.model.step(3, A)
    other = session.comparisons[pairs[2]].scores(views.slice)
    qtbot.waitUntil(lambda: said(window)[pairs[2], "SSIM", False].startswith(f"{other.ssim:.3f}\n"), timeout=WAIT)
    assert said(window)[pairs[2], "SSIM", True] == found[pairs[2], "SSIM", True], "that of all slices stays"


def test_a_click_on_a_row_leads_to_its_pane_and_curve(window, head, qtbot):
    put(window, head, 60, 20, 140)
    settled(window, qtbot)
    table = window.metrics.table
    row = table.topLevelItem(0).child(2)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualItemRect(row).center())
    assert window.views.active is C
    qtbot.waitUntil(lambda: window.metrics._curve_text.text().startswith("C: Worst"), timeout=WAIT)
    table.setCurrentItem(table.topLevelItem(1).child(1))
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert window.views.active is B


def test_without_truth_models_are_held_against_each_other_and_back_in_the_usual_layout_all_is_as_before(window, head, qtbot):
    session, dock = window.session, window.metrics
    put(window, head, 60, 20, 140)
    settled(window, qtbot)
    window.views.actions_by_name["layout_1"].trigger()
    qtbot.waitUntil(lambda: dock._values["SSIM"].isVisible() and dock._values["SSIM"].text() != "–", timeout=WAIT)
    assert not dock.tabled and dock._names.isHidden()
    window.views.actions_by_name["layout_models"].trigger()
    assert [row.pair for row in dock.table.rows] == [(A, TRUTH), (B, TRUTH), (C, TRUTH)]
    session.cases.current._set(TRUTH, None)
    session.cases.current._compare()
    qtbot.waitUntil(lambda: [row.name for row in dock.table.rows] == ["A – B", "A – C", "B – C"], timeout=WAIT)
    found = settled(window, qtbot)
    assert not any("best" in text for text in found.values())
    assert found[(A, B), "SSIM", True] > found[(A, C), "SSIM", True]


def test_a_new_source_and_closing_them_drop_the_further_ones_alone(window, head, qtbot):
    session = window.session
    put(window, head, 60, 20)
    assert session.cases.current.size > 0
    held = session.cases.current.size
    window.command["drop_models"].trigger()
    assert all(session.volumes[role] is None for role in FURTHER) and session.volumes[A] is not None
    assert session.cases.current.size < held and window.views.pane_layout.name == "Side by side"
    assert not window.command["drop_models"].isEnabled()
    put(window, head, 60, 20)
    session.place(replace(head[Domain.CT], voxels=head[Domain.CT].voxels.copy()), Role.SOURCE)
    assert all(session.volumes[role] is None for role in SYNTHETICS)


def test_further_places_are_kept_with_their_case_and_their_windows_go_together(window, head, qtbot):
    session, views = window.session, window.views
    put(window, head, 60, 20)
    first = session.cases.current
    views.model.set_window(A, replace(views.model.windows[A], width=321.0))
    assert views.model.windows[B] == views.model.windows[A]
    session.show_case(session.cases._add())
    assert session.volumes[B] is None and B not in views.model.volumes
    session.show_case(first)
    assert views.model.volumes[B] is first.volumes[B] and views.model.windows[B].width == 321.0
    views.model.apply_preset("0", A)


def test_differences_of_each_to_the_truth_and_of_two_models(window, head, qtbot):
    session, views = window.session, window.views
    put(window, head, 60, 20)
    qtbot.waitUntil(lambda: len(session.comparisons) == 3, timeout=WAIT)
    compare_model = views.compare.model
    assert compare_model.partners(B) == (TRUTH, A, Role.SOURCE)
    compare_model.set_mode(B, Mode.DIFFERENCE)
    assert compare_model.title(B).startswith("Synthetic B − Ground truth, ±30 %")
    compare_model.set_other(B, A)
    assert compare_model.title(B).startswith("Synthetic − Synthetic B, ±30 %")
    assert "synthetic − synthetic B" in compare_model.scale(B).convention
    hu = read_out({Role.SOURCE: session.volumes[Role.SOURCE], A: session.volumes[A], B: session.volumes[B]}, np.zeros(3))
    assert "A: " in hu.text and "B: " in hu.text


def test_cancelling_keeps_the_finished_ones_and_begins_no_other(window, qtbot):
    session = window.session
    mark(window, "a", "b", "c")
    window.command["compare_models"].trigger()
    answer_doubts(window, qtbot, yes=True, until=lambda: session.volumes[A] is not None)
    window.command["cancel"].trigger()
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)
    assert session.volumes[A] is not None and session.volumes[C] is None
    assert session.translation.state is None


def test_why_models_cannot_be_compared(window, head, tmp_path):
    session, library = window.session, window.session.library
    assert "Tick two" in session.comparing_problem
    mark(window, "a", "b")
    assert session.comparing_problem == "" and window.command["compare_models"].text() == "Compare 2 &models"
    assert library.marked[0].path.stem == library.chosen.path.stem
    session.place(head[Domain.MR_T1], Role.SOURCE)
    assert "takes CT" in session.comparing_problem and not window.command["compare_models"].isEnabled()
    index = window.translation.models.index(0)
    window.translation.models.setData(index, Qt.CheckState.Unchecked.value, Qt.ItemDataRole.CheckStateRole)
    assert len(library.marked) == 1


@pytest.mark.parametrize(("size", "rows"), [((1600, 400), 1), ((1000, 900), 2), ((400, 1600), 5)])
def test_the_layout_makes_pictures_as_large_as_the_room_allows_and_is_stored_and_read_again(size, rows):
    roles = (Role.SOURCE, A, B, C, TRUTH)
    layout = models_side_by_side(roles, *size)
    assert tuple(spec.role for spec in layout.specs) == roles and len(layout.rows) == rows
    if rows <= 4:
        assert PaneLayout.read(layout.stored()) == layout
    assert [role for role in Role if role not in MAIN] == list(FURTHER)
