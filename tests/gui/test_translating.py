"""Translating in the real window with a small real network: options, maps, draws, a part of it, slices to look at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QPushButton

from ctmri_core.domain import Direction, Domain
from ctmri_core.geometry import Geometry
from ctmri_core.inference.value_map import ValueMap
from ctmri_core.model_card import ModelCard, ModelEntry
from ctmri_core.model_file import save_model
from ctmri_core.phantom import make_head
from ctmri_core.registry import build_generator
from ctmri_core.volume import Synthetic, Volume
from ctmri_gui.jobs import translate_work
from ctmri_gui.save_dialog import SaveDialog
from ctmri_gui.settings import Settings
from ctmri_gui.translating.made import Made
from ctmri_gui.translating.map_layers import layers_of
from ctmri_gui.translating.slice_runs import flagged_on, runs_of
from ctmri_gui.translating.wanted import wanted
from ctmri_gui.viewer.compare.colour_maps import HEAT, NONE, rgb_table
from ctmri_gui.viewer.compare.modes import Mode
from ctmri_gui.viewer.maps.map_model import round_limit
from ctmri_gui.viewer.maps.map_overlay import indices, table_of
from ctmri_gui.viewer.readout import number_text
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import laid_out, make_volume, write_model

WAIT = 40_000
TO_MR, TO_CT = Direction(Domain.CT, Domain.MR_T1), Direction(Domain.MR_T1, Domain.CT)


@pytest.fixture(scope="module")
def head() -> dict[Domain, Volume]:
    return make_head(96, voxel_mm=4.0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> dict[Direction, Path]:
    """Random weights are a model as good as any here; this one has a latent."""
    folder, paths = tmp_path_factory.mktemp("models"), {}
    for way in (TO_MR, TO_CT):
        card = ModelCard(
            name=f"Small {way.label}", method="vae_cyclegan", direction=way, body_region="head",
            created=datetime(2026, 1, 2, tzinfo=UTC), config={"width": 4, "latent": 2, "blocks": 1}, weights_sha256="0" * 64,
        )  # fmt: skip
        paths[way] = folder / f"{way.name}.safetensors"
        save_model(paths[way], build_generator(card).state_dict(), card)
    return paths


@pytest.fixture
def window(make_window, tmp_path, trained, head):
    (tmp_path / "models").mkdir()
    for path in trained.values():
        (tmp_path / "models" / path.name).write_bytes(path.read_bytes())
    made = make_window()
    made.resize(1200, 800)
    made.session.place(head[Domain.CT], Role.SOURCE)
    return made


def ask_for(window, **chosen) -> None:
    for name, value in chosen.items():
        window.settings[f"translation_{name}"] = value


def translate(window, qtbot) -> Made:
    session = window.session
    session.translate_all_the_same(_doubt(session))
    qtbot.waitUntil(lambda: session.made is not None and not session.jobs.running, timeout=WAIT)
    return session.made


def _doubt(session):
    from ctmri_gui.translation import Doubt

    return Doubt(session.volumes[Role.SOURCE], session.library.chosen, (), True)


def press(qtbot, window, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    pane = window.views.panes[Role.SYNTHETIC]
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=WAIT)
    pane.setFocus()
    qtbot.keyClick(pane, key, modifier)


# What is asked for ------------------------------------------------------------------------------------------------------


def test_defaults_ask_for_nothing_and_what_does_not_go_together_is_left_out(tmp_path):
    settings = Settings(tmp_path / "settings.json")
    assert wanted(settings) == {"device": "auto"}
    settings["translation_draws"] = 5
    assert "draws" not in wanted(settings)  # draws come of answers, and none are asked for
    settings["translation_doubt"], settings["translation_samples"] = "latent", 3
    settings["translation_planes"], settings["translation_patch"] = "median", 8
    asked = wanted(settings, tmp_path / "back.safetensors")
    assert asked["draws"] == 3 and asked["patch"] == 32 and (asked["planes"], asked["fusion"]) == ("three", "median")
    assert "back" not in asked
    settings["translation_cycle"], settings["device"], settings["graphics_card"] = True, "cuda", 1
    assert wanted(settings, tmp_path / "back")["back"] == tmp_path / "back" and wanted(settings)["device"] == "cuda:1"
    settings["translation_doubt"], settings["translation_planes"] = "planes", "axial"
    from ctmri_core.inference.order import Order

    Order(**wanted(settings))  # takes it


def test_the_model_that_translates_back_is_the_one_that_was_learnt_beside(tmp_path):
    from ctmri_core.model_card import best_back, read_card

    def entry(name: str, direction: str, **more) -> ModelEntry:
        path = write_model(tmp_path / f"{name}.safetensors", direction, name, **more)
        return ModelEntry(path, read_card(path), "")

    there, other = entry("a", "ct_to_mr_t1"), entry("x", "mr_t1_to_ct", method="unit")
    demo, beside = entry("d", "mr_t1_to_ct", demo=True), entry("b", "mr_t1_to_ct")
    assert best_back(there, (other, there, demo, beside)) is beside
    assert best_back(there, (other, there)) is other
    assert best_back(there, (there,)) is None and best_back(ModelEntry(there.path, None), (there, beside)) is None
    away = entry("runs/of_demo", "ct_to_mr_t1")
    assert best_back(away, (demo, other)) is other  # better one made for use than one for demonstration of the same method
    assert best_back(away, (entry("any", "mr_to_ct"), demo)) is demo  # better for that very weighting


def test_options_are_folded_and_say_what_the_chosen_model_really_has(window, qtbot):
    options = window.translation.options
    assert options.inside.isHidden() and options.facts.cards is None  # nothing is asked before somebody looks
    qtbot.mouseClick(options.head, Qt.MouseButton.LeftButton)
    assert not options.inside.isHidden()
    qtbot.waitUntil(lambda: options.estimates.text != "", timeout=WAIT)
    assert options.estimate.text().startswith(("About", "Less than")) and "slices" in options.estimate.text()
    assert window.session.volumes[Role.SYNTHETIC] is None  # nothing was translated for that
    qtbot.waitUntil(lambda: options.facts.ways(window.session.library.chosen) == ("latent", "mirrored"), timeout=WAIT)
    box = options.fields["translation_doubt"]
    assert isinstance(box, QComboBox)
    rows = {box.itemData(row): box.model().item(row) for row in range(box.count())}
    assert rows["latent"].isEnabled() and rows["mirrored"].isEnabled()
    assert not rows["dropout"].isEnabled() and rows["dropout"].toolTip() == "This model has no dropout."
    assert not options.fields["translation_draws"].isEnabled()
    box.setCurrentIndex(box.findData("latent"))
    assert window.settings["translation_doubt"] == "latent" and options.fields["translation_draws"].isEnabled()
    assert options.head.text() == "Options (changed)" and options.estimates.text == ""  # that was for something else
    qtbot.waitUntil(lambda: "passes" in options.estimates.text, timeout=WAIT)
    qtbot.mouseClick(options.reset, Qt.MouseButton.LeftButton)
    assert window.settings["translation_doubt"] == "none" and box.currentData() == "none"
    assert options.device.currentText() == "Automatic"


def test_every_graphics_card_is_offered_by_its_name_and_remembered(window, qtbot):
    device, facts, settings = window.translation.options.device, window.translation.options.facts, window.settings
    facts._take_cards(("Card one", "Card two"))
    assert [device.itemText(row) for row in range(device.count())] == ["Automatic", "Processor", "Card one", "Card two"]
    device.setCurrentIndex(3)
    device.activated.emit(3)
    assert (settings["device"], settings["graphics_card"]) == ("cuda", 1) and wanted(settings)["device"] == "cuda:1"
    facts._take_cards(())  # as on another machine
    assert device.currentText() == "Graphics card (not found)"


# Maps -------------------------------------------------------------------------------------------------------------------


def test_a_map_lies_over_every_synthetic_pane_and_one_key_takes_it_away(window, qtbot, head):
    ask_for(window, doubt="latent", samples=2, cycle=True)
    made = translate(window, qtbot)
    assert [one.kind for one in made.maps] == ["uncertainty", "cycle"]
    views, maps = window.views, window.certainty.maps
    assert maps.overlays[Role.SYNTHETIC].present and not maps.overlays[Role.SOURCE].present
    bar = maps.overlays[Role.SYNTHETIC].bar
    assert bar.unit == "a.u." and bar.ends[0] == "0" and "samples of the latent" in bar.convention
    pane = views.panes[Role.SYNTHETIC]
    laid_out(qtbot, pane.canvas)
    seen = pane.canvas.grab().toImage()
    press(qtbot, window, Qt.Key.Key_U)
    assert not maps.overlays[Role.SYNTHETIC].present and pane.canvas.grab().toImage() != seen
    press(qtbot, window, Qt.Key.Key_U)
    assert pane.canvas.grab().toImage() == seen
    press(qtbot, window, Qt.Key.Key_U, Qt.KeyboardModifier.ShiftModifier)
    assert maps.overlays[Role.SYNTHETIC].bar.unit == "HU" and window.certainty.box.maps.which.currentText() == "Cycle error"
    views.compare.model.set_mode(Role.SYNTHETIC.value, Mode.FADE)
    assert not maps.overlays[Role.SYNTHETIC].present  # colours would mean two things
    views.compare.model.set_mode(Role.SYNTHETIC.value, Mode.OFF)
    views.actions_by_name["layout_2"].trigger()
    shown = [name for name, one in maps.overlays.items() if one.present]
    assert len(shown) == 3 and all(name.startswith(Role.SYNTHETIC) for name in shown)


def test_what_a_map_says_is_read_under_the_mouse_and_led_to(window, qtbot):
    ask_for(window, doubt="latent", samples=2)
    (told,) = translate(window, qtbot).maps
    part, views = window.certainty.box.maps, window.views
    assert part.sentence.text() == told.sentence and not window.certainty.box.isHidden()
    qtbot.mouseClick(part.worst, Qt.MouseButton.LeftButton)
    assert views.slice == int(told.summary["worst_slice"])  # axial, from the feet, as the slices lie
    pane = views.panes[Role.SYNTHETIC]
    at = QPointF(pane.canvas.rect().center())
    pane.canvas.gestures.hovered.emit(at)
    mm = views.model.point_mm(Role.SYNTHETIC, pane.point_under_mouse)
    k, j, i = np.floor(told.geometry.mm_to_index(mm) + 0.5).astype(int)
    value = float(told.values[k, j, i])
    text = window.certainty.forms(_last_readout(views, pane, at))[0]
    assert text.endswith(f"Uncertainty {number_text(value)} a.u.")


def _last_readout(views, pane, at: QPointF):
    heard = []
    views.cursorMoved.connect(heard.append)
    pane.canvas.gestures.hovered.emit(at)
    return heard[-1]


def test_the_colours_of_a_map_grow_brighter_all_the_way_and_nothing_has_none():
    lightness = [QColor(*(int(part) for part in colour)).toHsl().lightness() for colour in rgb_table(HEAT)[1:]]
    red, green, blue = rgb_table(HEAT)[1:].astype(float).T
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    assert (np.diff(luminance) >= -0.5).all() and luminance[-1] - luminance[0] > 180 and lightness[-1] > lightness[0]
    values = np.array([[0.0, 5.0, 10.0, 99.0, np.nan]], np.float32)
    assert indices(values, 10.0).tolist() == [[1, 128, 255, 255, NONE]]
    table = table_of(0.5)
    assert table[NONE] == 0 and table[1] == 0 and table[255] >> 24 == 128
    limits = [round_limit(value) for value in (0.0, 0.3, 1.0, 7.5, 23.0, 180.0)]
    assert limits == pytest.approx([1.0, 0.3, 1.0, 10.0, 30.0, 200.0])


@pytest.mark.parametrize("up", [1.0, -1.0])
def test_the_worst_place_is_found_whichever_way_slices_are_stored(up):
    shape = (9, 32, 24)
    geometry = Geometry(shape, (3.0, 1.0, 1.0), (0, 0, 0), ((0, 0, up), (0, 1, 0), (1, 0, 0)))
    values = np.ones(shape, np.float32)
    values[6, 16:24, 8:16] = 50
    source = make_volume(shape=shape)
    source = replace(source, geometry=geometry)
    told = ValueMap.inside("uncertainty", values, "HU", "a test", np.ones(shape, np.bool_), geometry)
    (layer,) = layers_of(Made(replace(source, domain=Domain.MR_T1), (told,)))
    k, j, i = geometry.mm_to_index(layer.worst)
    assert round(float(k)) == 6 and 16 <= j < 24 and 8 <= i < 16


# Draws ------------------------------------------------------------------------------------------------------------------


def test_draws_are_gone_through_held_against_the_picture_and_saved(window, qtbot, tmp_path, monkeypatch):
    ask_for(window, doubt="latent", samples=3, draws=2)
    made = translate(window, qtbot)
    views, session, draws = window.views, window.session, window.certainty.draws
    pane, box = views.panes[Role.SYNTHETIC], window.certainty.box.draws
    views.model.drag_window(Role.SYNTHETIC, 30, 10)
    kept = views.model.windows[Role.SYNTHETIC]
    press(qtbot, window, Qt.Key.Key_Period)
    assert session.volumes[Role.SYNTHETIC] is made.draws[0] and session.synthetic_source is session.volumes[Role.SOURCE]
    assert pane.header.accessible_title.startswith("Draw 1 of 2 · Synthetic") and pane.strip.warns
    assert views.model.windows[Role.SYNTHETIC] == kept and box.text.text() == "Draw 1 of 2"
    press(qtbot, window, Qt.Key.Key_Period)
    assert session.volumes[Role.SYNTHETIC] is made.draws[1] and session.made is made
    qtbot.keyPress(pane, Qt.Key.Key_Y)
    assert pane.header.accessible_title.startswith("Synthetic") and draws.seen == 0
    assert session.volumes[Role.SYNTHETIC] is made.draws[1]  # metrics and saving stay
    qtbot.keyRelease(pane, Qt.Key.Key_Y)
    assert pane.header.accessible_title.startswith("Draw 2 of 2")
    draws.set_rate(10)
    press(qtbot, window, Qt.Key.Key_Y, Qt.KeyboardModifier.ShiftModifier)
    seen = set()
    qtbot.waitUntil(lambda: seen.add(draws.seen) or seen == {1, 2}, timeout=WAIT)
    assert box.play.text() == "Stop" and box.play.isChecked()
    qtbot.mouseClick(box.play, Qt.MouseButton.LeftButton)
    assert not draws.playing and draws.seen == 2
    qtbot.mouseClick(box.save, Qt.MouseButton.LeftButton)
    (dialog,) = [one for one in window.findChildren(SaveDialog) if one.isVisible()]
    assert dialog.volume is made.draws[1] and dialog.name.text().endswith("_draw2")
    labels = [dialog.image.itemText(row) for row in range(dialog.image.count())]
    assert labels[-3:] == ["Synthetic: Uncertainty map", "Synthetic: Picture without draws", "Synthetic: Draw 1 of 2"]
    dialog.folder.setText(str(tmp_path))
    dialog.accept()
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)
    (written,) = tmp_path.glob("*_draw2.nii.gz")
    found = np.asarray(nibabel.load(written).dataobj).T
    np.testing.assert_array_equal(np.sort(found.ravel()), np.sort(made.draws[1].voxels.ravel()))
    press(qtbot, window, Qt.Key.Key_Comma)
    press(qtbot, window, Qt.Key.Key_Comma)
    assert session.volumes[Role.SYNTHETIC] is made.volume


def test_a_map_is_saved_with_its_values_and_in_no_format_of_slices(window, qtbot, tmp_path):
    ask_for(window, doubt="mirrored", samples=2)
    (told,) = translate(window, qtbot).maps
    qtbot.mouseClick(window.certainty.box.maps.save, Qt.MouseButton.LeftButton)
    (dialog,) = [one for one in window.findChildren(SaveDialog) if one.isVisible()]
    assert dialog.name.text().endswith("_uncertainty") and dialog.burned_in.isHidden()
    rows = [dialog.format.model().item(row).isEnabled() for row in range(dialog.format.count())]
    assert rows == [True, True, True, False, False]
    dialog.folder.setText(str(tmp_path))
    dialog.accept()
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=WAIT)
    assert window.messages.texts[-1].startswith("Saved")
    (written,) = tmp_path.glob("*_uncertainty.nii.gz")
    found = np.asarray(nibabel.load(written).dataobj)
    np.testing.assert_array_equal(np.sort(found.ravel()), np.sort(told.values.ravel()))


def test_a_picture_is_saved_with_all_that_came_of_it_or_alone(window, qtbot, tmp_path):
    ask_for(window, doubt="mirrored", samples=2, draws=1)
    made = translate(window, qtbot)
    window.command["save"].trigger()
    (dialog,) = [one for one in window.findChildren(SaveDialog) if one.isVisible()]
    assert dialog.volume is made.volume and dialog.all_of_it.isVisible() and dialog.with_it == ()
    dialog.all_of_it.click()
    dialog.folder.setText(str(tmp_path))
    dialog.name.setText("head")
    dialog.accept()
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=WAIT)
    assert {path.name for path in tmp_path.glob("head*.nii.gz")} == {
        "head.nii.gz", "head_uncertainty.nii.gz", "head_draw1.nii.gz"
    }  # fmt: skip
    saved = np.asarray(nibabel.load(tmp_path / "head_uncertainty.nii.gz").dataobj)
    np.testing.assert_array_equal(np.sort(saved.ravel()), np.sort(made.maps[0].values.ravel()))


# A part of it, and what to look at --------------------------------------------------------------------------------------


def test_what_is_done_of_a_cancelled_translation_is_shown_when_wanted_and_called_unfinished(window, qtbot):
    ask_for(window, doubt="latent", samples=64)
    session = window.session
    session.translationChanged.connect(
        lambda state: session.cancel_translation() if state is not None and state.done > 3 and not state.stopping else None
    )
    session.translate_all_the_same(_doubt(session))
    qtbot.waitUntil(lambda: any("was stopped" in text for text in window.messages.texts), timeout=WAIT)
    assert session.volumes[Role.SYNTHETIC] is None and session.jobs.listed[0].text == "cancelled"
    (button,) = [one for one in window.messages.findChildren(QPushButton) if one.text() == "Show what is done"]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert session.made is not None and not session.made.finished and session.made.draws == ()
    assert "was stopped" in window.views.panes[Role.SYNTHETIC].banner.text()
    assert any(finding.kind == "unfinished" and finding.serious for finding in session.warnings(Role.SYNTHETIC))
    assert not any("was stopped" in text for text in window.messages.texts)


def test_slices_unlike_what_was_learnt_are_listed_and_a_click_goes_there(window, qtbot, head):
    source = head[Domain.CT]
    flagged = {"slice_flags": {"axis": 0, "count": 58, "slices": {"3": ["values"], "4": ["values"], "20": ["size", "cut off"]}}}
    synthetic = replace(source, domain=Domain.MR_T1, synthetic=Synthetic("m", "ab" * 32, flagged))
    runs = runs_of(synthetic)
    assert [run.text for run in runs] == ["Slices 4 to 5: grey values", "Slice 21: size of the body, body is cut off"]
    window.session.place(synthetic, Role.SYNTHETIC)
    box = window.certainty.box
    window.docks.show_dock("Translation")
    assert "3 slices" in box.slices_head.text() and box.slices.count() == 2
    box.slices.scrollToItem(box.slices.item(1))
    where = box.slices.visualItemRect(box.slices.item(1)).center()
    qtbot.mouseClick(box.slices.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(where))
    assert window.views.slice == 20
    window.session.place(replace(synthetic, synthetic=Synthetic("m", "ab" * 32)), Role.SYNTHETIC)
    assert box.isHidden()


def test_slices_unlike_what_was_learnt_are_found_on_any_grid_that_cuts_as_they_lie(head):
    grid = Geometry((10, 16, 12), (4.0, 1.5, 2.0), (-7.0, 3.0, 40.0))
    told = {"slice_flags": {"axis": 0, "count": 10, "slices": {"2": ["values"], "3": ["values"], "8": ["no body"]}}}
    made = Volume(np.zeros(grid.shape, np.int16), grid, Domain.CT, synthetic=Synthetic("m", "ab" * 32, told))
    assert flagged_on(grid, made) == {2: "grey values", 3: "grey values", 8: "no body"}
    assert flagged_on(grid.permuted((0, 2, 1), (True, False, False)), made) == {7: "grey values", 6: "grey values", 1: "no body"}
    assert flagged_on(grid.permuted((1, 0, 2), (False, False, False)), made) == {}
    thin = Geometry((20, 16, 12), (2.0, 1.5, 2.0), grid.origin)
    assert sorted(flagged_on(thin, made)) == sorted(k for k in range(20) if np.rint(k / 2) in (2, 3, 8))
    assert flagged_on(grid, replace(made, synthetic=None)) == {} == flagged_on(grid, None)


def test_maps_and_draws_belong_to_their_case_and_to_what_was_made_here(window, qtbot, head):
    ask_for(window, doubt="mirrored", samples=2, draws=1)
    made = translate(window, qtbot)
    session, maps, draws = window.session, window.certainty.maps.model, window.certainty.draws
    first = session.cases.current
    assert first.size >= sum(one.values.nbytes for one in made.maps) + sum(one.voxels.nbytes for one in made.answers)
    draws.play(True)
    session.show_case(session.cases.begin())
    assert maps.layers == () and draws.answers == () and not draws.playing and window.certainty.box.isHidden()
    session.show_case(first)
    assert [layer.title for layer in maps.layers] == ["Uncertainty"] and draws.answers == made.answers
    from_file = replace(head[Domain.CT], domain=Domain.MR_T1, synthetic=Synthetic("m", "cd" * 32))
    session.place(from_file, Role.SYNTHETIC)
    assert session.made is None and maps.layers == ()


def test_what_was_chosen_for_another_model_falls_back_to_what_this_one_has(trained):
    from ctmri_core.events import finish

    asked = {"doubt": "dropout", "samples": 2}
    assert finish(translate_work._as_possible(trained[TO_MR], asked))[1] == {"doubt": "auto", "samples": 2}
    assert finish(translate_work._as_possible(trained[TO_MR], {"doubt": "latent"}))[1] == {"doubt": "latent"}
