"""Settings of a run as forms, and the page from which it starts."""

from __future__ import annotations

import json
import shlex
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import BaseModel, Field
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QApplication, QScrollArea, QToolButton, QWidget

from ctmri_core.cli import main as command_line_program
from ctmri_core.cli.parser import Parser
from ctmri_core.cli.train import add_arguments
from ctmri_core.config_fields import fields_of
from ctmri_core.config_flags import validated
from ctmri_core.domain import Direction, Domain
from ctmri_core.registry import find_card, method_cards
from ctmri_core.training.estimate import Estimate
from ctmri_core.training.graphics_cards import GraphicsCards, graphics_cards
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.settings import ModelDescription, TrainingSettings, settings_for
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.keyboard_order import takes_keys
from ctmri_gui.panels.small_parts import WheelGuard
from ctmri_gui.settings import Settings
from ctmri_gui.training.new_run import presets
from ctmri_gui.training.new_run.config_form import ConfigForm
from ctmri_gui.training.new_run.draft import Draft, KnownData
from ctmri_gui.training.new_run.field_words import in_words, labels_of, run_fields
from ctmri_gui.training.new_run.length_choice import length_words
from ctmri_gui.training.new_run.plan_files import command_line
from ctmri_gui.training.new_run.run_names import name_problem, usual_name
from ctmri_gui.training.new_run.settings_page import SettingsPage, offered_fields
from ctmri_gui.training.new_run.spans import end_after, span
from ctmri_gui.training.new_run.start_page import StartPage
from ctmri_gui.training.new_run.value_editors import editor_for, shown
from ctmri_gui.training.trainings import Trainings
from tests.gui.conftest import write_model

WAIT = 120_000
CT_TO_MR = Direction(Domain.CT, Domain.MR_T1)
HEADS = KnownData("phantom:3", (Domain.CT, Domain.MR_T1), 64, 2, 32, 64)
TINY = {"generator": "resnet_6", "width": 4, "discriminator_width": 4, "receptive_field": 16}
METHODS = tuple(method_cards())


@pytest.fixture
def shown_form(qtbot):
    """A form of a method's own settings, on the screen."""

    def make(method: str = "pix2pix", changed=None, **more) -> ConfigForm:
        form = ConfigForm(fields_of(find_card(method).config), changed or {}, **more)
        qtbot.addWidget(form)
        form.resize(600, 500)
        form.show()
        return form

    return make


@pytest.fixture
def draft(qapp) -> Draft:
    made = Draft(Settings())
    made.choose(source=HEADS.spec, data=HEADS, direction=CT_TO_MR)
    return made


@pytest.fixture
def start_page(qtbot, draft, tmp_path):
    """The last page, not shown, so that nothing is measured."""
    page = StartPage(draft, Trainings(Jobs(), tmp_path / "runs"))
    qtbot.addWidget(page)
    return page


def typed(qtbot, editor: QWidget, text: str) -> None:
    editor.setFocus()
    editor.selectAll()
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Tab)


def wheel(target: QWidget) -> None:
    """Hands a turn of the wheel to the widget below the pointer, then to those around it until one takes it, as Qt does."""
    part: QWidget | None = target
    while part is not None:
        inside = QPointF(part.rect().center())
        event = QWheelEvent(
            inside, QPointF(part.mapToGlobal(inside.toPoint())), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(part, event)
        if event.isAccepted():
            return
        part = part.parentWidget()


@pytest.mark.parametrize("method", METHODS)
def test_every_editor_holds_the_default_and_the_bounds_of_its_field(qapp, method):
    guard = WheelGuard()
    for field in run_fields(find_card(method)):
        editor = editor_for(field, guard, lambda: None)
        wanted = [field.default, *field.choices]
        wanted += [field.low] if field.low is not None and not field.low_open else []
        wanted += [field.high] if field.high is not None and not field.high_open else []
        wanted += [True, False] if field.kind == "bool" else []
        for value in wanted:
            if field.kind != "time":
                editor.write(value)
                assert editor.read() == value, field.name


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("steps", [1, -1, 10, -10])
def test_no_step_leaves_what_the_config_allows(qapp, method, steps):
    card, guard = find_card(method), WheelGuard()
    for field in fields_of(card.config):
        if field.kind in ("int", "float"):
            editor = editor_for(field, guard, lambda: None)
            editor.write(field.default)
            for _ in range(12):
                editor.focus.stepBy(steps)
                validated(_alone(card.config, field.name), {field.name: editor.read()})


def _alone(config: type[BaseModel], name: str) -> type[BaseModel]:
    """A config of that field alone: what others of it ask for does not matter."""
    field = config.model_fields[name]
    parts = {"__annotations__": {name: field.rebuild_annotation()}, name: Field(default=field.default)}
    return type("Alone", (BaseModel,), parts)


@pytest.mark.parametrize(
    ("name", "ups", "downs"),
    [
        ("learning_rate", [3e-4, 4e-4], [1e-4, 9e-5, 8e-5]),
        ("beta_2", [0.9991, 0.9992], [0.998, 0.997]),
        ("lambda_l1", [200, 300], [90, 80]),
        ("lambda_penalty", [1, 2], [0, 0]),
        ("width", [68, 72], [60, 56]),
    ],
)
def test_steps_follow_the_size_of_the_value(shown_form, name, ups, downs):
    form = shown_form()
    for steps, wanted in ((1, ups), (-1, downs)):
        form.reset(name)
        box = form.editor(name)
        for value in wanted:
            box.stepBy(steps)
            assert box.value() == pytest.approx(value, rel=1e-9)


def test_a_small_number_is_typed_and_shown_as_a_person_writes_it(shown_form, qtbot):
    form = shown_form()
    box, heard = form.editor("learning_rate"), []
    form.edited.connect(heard.append)
    assert box.text() == "2e-4"
    typed(qtbot, box, "5e-5")
    assert form.values == heard[-1] == {"learning_rate": 5e-5} and box.text() == "5e-5"
    typed(qtbot, box, "0,001")
    assert form.values == {"learning_rate": 1e-3} and box.text() == "0.001"
    typed(qtbot, box, "0.0002")
    assert form.values == heard[-1] == {}


@pytest.mark.parametrize("nonsense", ["", "7", "0", "nan", "1e999", "2e-"])
def test_what_is_no_value_of_the_field_is_not_taken(shown_form, qtbot, nonsense):
    form = shown_form()
    typed(qtbot, form.editor("learning_rate"), nonsense)
    assert all(0 < value <= 0.1 for value in form.values.values())
    assert 0 < form.editor("learning_rate").value() <= 0.1


@pytest.mark.parametrize(
    ("value", "text"),
    [(2e-4, "2e-4"), (3e-6, "3e-6"), (0.001, "0.001"), (1.5e-5, "1.5e-5"), (100.0, "100"), (0.999, "0.999"), (2.5e6, "2.5e6"),
     (0.0, "0"), (True, "on"), (False, "off"), (None, "not set"), ("", "not set"), (12, "12"), ("linear", "linear")],
)  # fmt: skip
def test_values_are_shown_briefly(value, text):
    assert shown(value) == text


def test_changed_settings_are_said_in_words_and_can_be_reset_one_by_one_and_all(shown_form, qtbot):
    form = shown_form(changed={"width": 32, "dropout": False, "beta_1": 0.5, "unknown": 3})
    assert form.values == {"width": 32, "dropout": False}
    assert form.editor("width").value() == 32
    words = [part.text() for part in form.findChildren(QWidget) if hasattr(part, "text") and part.isVisible()]
    assert "Networks  (2 changed)" in words
    assert sum(text.startswith("Changed from") for text in words) == 2
    assert any(text.startswith("Changed from 64. Channels") for text in words)
    form.reset("width")
    assert form.values == {"dropout": False}
    with qtbot.waitSignal(form.edited) as heard:
        form.reset_everything.click()
    assert heard.args == [{}] and form.values == {} and form.editor("dropout").isChecked()


def test_showing_other_values_tells_nobody(shown_form):
    form, heard = shown_form(), []
    form.edited.connect(heard.append)
    form.editor("width")
    form.set_values({"width": 16, "gan_loss": "lsgan"})
    assert form.editor("width").value() == 16 and form.editor("gan_loss").currentText() == "lsgan"
    form.set_values({})
    assert form.editor("width").value() == 64 and heard == []


def test_the_wheel_scrolls_the_page_and_leaves_values_alone_that_have_not_the_keyboard(shown_form, qtbot):
    form = shown_form(scrolls=True)
    form.resize(600, 220)
    area = form.findChild(QScrollArea)
    for name in ("lambda_gan", "gan_loss", "width"):
        editor = form.editor(name)
        qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > area.verticalScrollBar().value())
        form.search.setFocus()
        before, place = form.values, area.verticalScrollBar().value()
        wheel(editor)
        assert form.values == before
        assert area.verticalScrollBar().value() > place
    focused = form.editor("width")
    qtbot.waitUntil(lambda: (form.activateWindow(), focused.setFocus(), focused.hasFocus())[-1])
    wheel(focused)
    assert form.values == {"width": 60}


def test_a_setting_is_found_by_words_of_its_name_and_help(shown_form):
    form = shown_form()
    form.editor("weight_decay")  # opens a group that must be open afterwards

    def visible() -> set[str]:
        return {name for name in find_card("pix2pix").config.model_fields if _row_is_visible(form, name)}

    before = visible()
    form.search.setText("gradient penalty")
    assert visible() == {"lambda_penalty"}
    form.search.setText("vgg-19")
    assert visible() == {"lambda_features", "features_file"}
    form.search.setText("no such thing")
    assert visible() == set() and form.nothing.isVisible()
    form.search.clear()
    assert visible() == before and "weight_decay" in before and "generator" not in before and not form.nothing.isVisible()


def test_tab_goes_down_the_form_whenever_its_groups_were_opened(shown_form):
    form = shown_form()
    for name in ("weight_decay", "generator"):  # the lower group first
        form.editor(name)
    QApplication.processEvents()
    places = [part.mapTo(form, part.rect().center()).y() for part in takes_keys(form) if part.isVisible()]
    assert len(places) > 12
    assert all(after > before - 9 for before, after in pairwise(places)), places


def test_settings_that_are_not_found_leave_no_room(shown_form):
    form = shown_form()
    form.search.setText("vgg-19")
    QApplication.processEvents()
    head = next(part for part in form.findChildren(QToolButton) if part.text() == "Losses")
    first = form.editor("lambda_features")
    assert 0 < first.mapTo(form, QPoint()).y() - head.mapTo(form, head.rect().bottomLeft()).y() < first.height()


def _row_is_visible(form: ConfigForm, name: str) -> bool:
    editor = form.findChild(QWidget, name)
    return editor is not None and editor.isVisible()


@pytest.mark.parametrize("method", METHODS)
def test_help_and_form_have_the_same_groups(method, capsys):
    parser = Parser(prog="ctmri train")
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([method, "--help"])
    said = capsys.readouterr().out
    card = find_card(method)
    groups = dict.fromkeys(field.group for field in fields_of(card.config))
    assert set(groups) <= {"Losses", "Networks", "How it learns", "Optimiser"}
    places = [said.index(f"\n{group}:") for group in groups]
    assert places == sorted(places)
    for config in (card.config, TrainingSettings):
        assert {field.name for field in fields_of(config)} == set(config.model_fields)
        assert all(field.group for field in fields_of(config))


def test_a_long_form_is_made_without_the_rows_of_closed_groups(shown_form):
    form = shown_form()
    assert form.findChild(QWidget, "lambda_l1") is not None
    assert form.findChild(QWidget, "beta_1") is None


def test_what_does_not_go_together_is_said_with_the_labels_of_the_form(qtbot, draft):
    page = SettingsPage(draft)
    qtbot.addWidget(page)
    page.form.editor("lambda_features").setValue(1)
    assert "“Lambda features” needs “Features file”" in page.form.problem.text()
    assert "--" not in page.form.problem.text() and not page.form.problem.isHidden()
    page.form.reset("lambda_features")
    assert page.form.problem.isHidden()
    page.form.editor("crop").setValue(32)
    assert "“Crop” 32" in page.form.problem.text() and "256" in page.form.problem.text()
    assert draft.problem == page.form.problem.text()


def test_words_name_fields_by_their_labels():
    labels = labels_of(run_fields(find_card("stargan")))
    assert in_words("--crop 16: no --no-flip, --data or --other-thing", labels) == (
        "“Crop” 16: no “Flip”, the data or --other-thing"
    )
    assert in_words("weight of the share of lambda_class", labels) == "Weight of the share of “Lambda class”"


def test_only_changed_settings_are_stored_and_those_of_other_pages_stay(qtbot, draft):
    draft.change("settings", {"minutes": 5.0, "device": "cpu"})
    page = SettingsPage(draft)
    qtbot.addWidget(page)
    page.form.editor("width").setValue(16)
    page.form.editor("flip").setChecked(False)
    assert draft.values("config") == {"width": 16}
    assert draft.values("settings") == {"minutes": 5.0, "device": "cpu", "flip": False}
    page.form.reset_all()
    assert draft.values("config") == {} and draft.values("settings") == {"minutes": 5.0, "device": "cpu"}


def test_each_method_has_its_own_form_and_keeps_what_was_changed(qtbot, draft):
    page = SettingsPage(draft)
    qtbot.addWidget(page)
    page.show()
    page.form.editor("width").setValue(16)
    draft.choose(method="cut")
    assert page.form.editor("lambda_nce").value() == 1 and page.form.values == {}
    draft.choose(method="pix2pix")
    assert page.form.values == {"width": 16}
    page.close()


@pytest.mark.parametrize("method", METHODS)
def test_presets_fit_every_method(method):
    card = find_card(method)
    small = presets.small_and_quick(card)
    config, settings = validated(card.config, small["config"]), settings_for(card, small["settings"])
    config.for_crop(settings.crop)
    assert settings.crop <= settings_for(card, {}).crop and config.width == card.config().width // 2
    plan = RunPlan.made(card, "phantom:3", card.example, settings={"start_from": "model.safetensors"})
    tuned = presets.fine_tuned(plan)
    assert validated(card.config, tuned["config"]).learning_rate == pytest.approx(card.config().learning_rate / 10)
    assert settings_for(card, tuned["settings"]).start_from == "model.safetensors"


def test_a_preset_is_said_and_shown(qtbot, draft):
    page = SettingsPage(draft)
    qtbot.addWidget(page)
    small = next(action for action in page.presets.menu().actions() if action.text() == "Small and quick")
    small.trigger()
    assert draft.values("config") == {"width": 32, "discriminator_width": 32}
    assert "width 32" in page.said.text() and page.form.values["width"] == 32


def test_fine_tuning_takes_over_what_the_networks_of_the_model_need(qtbot, draft, tmp_path):
    model = write_model(tmp_path / "model.safetensors", "mr_t1_to_ct", config={"width": 48, "generator": "resnet_6"})
    draft.choose(method="cut")
    page = SettingsPage(draft)
    qtbot.addWidget(page)
    page.show()
    page.start_from(model)
    assert draft.method == "pix2pix" and draft.direction == Direction.parse("mr_t1_to_ct")
    assert draft.values("config") == {"width": 48, "generator": "resnet_6", "learning_rate": pytest.approx(2e-5)}
    assert draft.values("settings") == {"start_from": str(model)}
    assert page.form.editor("start_from").text() == str(model)
    page.start_from(tmp_path / "nothing.safetensors")
    assert "nothing.safetensors" in page.said.text() and draft.values("settings") == {"start_from": str(model)}
    page.close()


def test_the_form_leaves_out_what_other_pages_ask(draft):
    names = {field.name for field in offered_fields(draft.card)}
    assert not names & {"epochs", "iterations", "minutes", "until", "device", "devices", "precision", "spacing_mm"}
    assert {"batch_size", "crop", "schedule", "seed", "width", "learning_rate", "start_from"} <= names


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.42 s"), (45, "45 s"), (600, "10 min"), (3 * 3600 + 1200, "3 h 20 min"), (7200, "2 h"), (4 * 86_400, "4 days")],
)
def test_spans_of_time_in_words(seconds, text):
    assert span(seconds) == text


def test_when_a_run_ends_in_words():
    evening = datetime(2025, 3, 3, 21, 30)
    assert end_after(600, evening) == "about 21:40"
    assert end_after(3 * 3600, evening) == "about 0:30 tomorrow"
    assert end_after(3 * 86_400, evening) == "Thu 6 Mar, about 21:30"
    found = Estimate(memory_bytes=1, free_bytes=100, seconds_per_step=0.5, steps_per_epoch=100)
    assert length_words(TrainingSettings(epochs=60), found, evening).startswith("About 50 min")
    assert "22:20" in length_words(TrainingSettings(epochs=60), found, evening)
    assert length_words(TrainingSettings(epochs=60), None, evening) == ""
    until = length_words(TrainingSettings(until="7:00"), found, evening)
    assert until.startswith("9 h 30 min") and "about 7:00 tomorrow" in until and "6.8e+02" not in until


def test_the_length_is_one_of_four(start_page, draft):
    length = start_page.length
    assert length.values == {} and length.editor("epochs").value() == 200
    length.editor("epochs").setValue(50)
    assert draft.values("settings") == {"epochs": 50}
    length.kind.setCurrentIndex(length.kind.findData("minutes"))
    length.editor("minutes").setValue(12.5)
    assert draft.values("settings") == {"minutes": 12.5} and draft.plan().settings.epochs is None
    assert "it would end about" in length.meaning.text()
    length.kind.setCurrentIndex(length.kind.findData("until"))
    assert draft.values("settings") == {"until": "07:00"} and not draft.problem
    draft.choose(method="cut")
    draft.change("settings", {})
    assert length.editor("epochs").value() == 400 and length.kind.currentData() == "epochs"


def test_several_cards_need_several_cards(start_page, draft):
    devices, device = start_page.machine.editor("devices"), start_page.machine.editor("device")
    start_page.machine.show_cards(GraphicsCards((), "No NVIDIA graphics card was found."))
    assert not devices.isEnabled() and start_page.machine.note.text() == "No NVIDIA graphics card was found."
    assert not device.model().item(device.findData("cuda")).isEnabled()
    start_page.machine.show_cards(GraphicsCards(("H200", "H200")))
    assert devices.isEnabled() and device.model().item(device.findData("cuda")).isEnabled()
    draft.change("settings", {"batch_size": 4})
    devices.setValue(2)
    assert draft.values("settings") == {"batch_size": 4, "devices": 2}
    assert start_page.where == "process" and not start_page.place.buttons["thread"].isEnabled()
    assert "processes of their own" in start_page.place.reason.text()
    devices.setValue(3)
    assert "“Batch size” 4" in start_page.problem.text() and not start_page.start_button.isEnabled()


def test_device_and_number_format_are_told_in_words(start_page):
    for name in ("device", "precision"):
        box = start_page.machine.editor(name)
        assert all(box.itemText(row) != str(box.itemData(row)) for row in range(box.count()))


def test_cards_are_counted_as_torch_counts_them(monkeypatch):
    import torch

    assert len(graphics_cards().names) == torch.cuda.device_count()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert graphics_cards().names == () and graphics_cards().reason


def test_what_hardly_fits_goes_on_apart_and_is_made_smaller_at_one_press(start_page, draft):
    draft.change("settings", {"batch_size": 8})
    assert start_page.where == "thread"
    start_page.measured.want(draft.plan(), 64)
    tight = Estimate(memory_bytes=9 * 2**30, base_bytes=2**29, free_bytes=10 * 2**30, seconds_per_step=2.0, steps_per_epoch=8)
    start_page.measured.take(tight)
    assert "9.0 GB of the 10.0 GB" in start_page.measured.text.text() and "16 s for a pass" in start_page.measured.text.text()
    assert start_page.where == "process" and "Memory may run short" in start_page.place.reason.text()
    assert not start_page.measured.smaller.isHidden()
    start_page.measured.smaller.click()
    assert draft.values("settings")["batch_size"] == 8 and draft.values("settings")["accumulate"] > 1
    assert start_page.measured.estimate is tight  # until it is measured anew
    start_page.place.buttons["thread"].click()
    assert draft.where == "thread" and start_page.where == "thread"


def test_measuring_tries_real_steps_and_can_be_cancelled(start_page, draft, qtbot):
    draft.change("config", TINY)
    draft.change("settings", {"crop": 32, "epochs": 3})
    start_page.show()
    measured = start_page.measured
    assert measured.measuring and "Measuring" in measured.text.text()
    measured.cancel.click()
    assert measured.text.text() == "Not measured." and not measured.measuring
    measured.again.click()
    with qtbot.waitSignal(measured.found, timeout=WAIT):
        pass
    found = measured.estimate
    assert found is not None and found.fits and found.memory_bytes > 2**26 and found.steps_per_epoch == 64
    assert start_page.length.meaning.text().startswith("About")
    draft.change("settings", {"crop": 32, "epochs": 5})  # another length is no other need
    assert measured.estimate is found and not measured.measuring
    draft.change("settings", {"crop": 64, "epochs": 5})
    assert measured.estimate is None and measured.measuring
    start_page.close()
    assert not measured.measuring


def test_the_copied_line_starts_the_very_run(start_page, draft, tmp_path, capsys):
    draft.change("config", {"width": 32, "dropout": False, "learning_rate": 1e-5})
    draft.change("settings", {"minutes": 3.0, "flip": False})
    draft.change("about", {"name": "it's a \"name\" with $signs", "limitations": "--none known"})
    start_page.files.copy.click()
    line = QGuiApplication.clipboard().text()
    words = shlex.split(line)
    assert words[:3] == ["ctmri", "train", "pix2pix"] and words[words.index("--run") + 1] == str(start_page.description.folder)
    saved = tmp_path / "saved.json"
    assert command_line_program([*words[1:], "--save-config", str(saved)]) == 0
    assert json.loads(saved.read_text()) == draft.plan().stored()


def test_commands_are_quoted_for_the_terminal_of_windows(monkeypatch):
    monkeypatch.setattr("ctmri_gui.training.new_run.plan_files.os.name", "nt")
    assert command_line(["ctmri", "train", "--run", r"C:\My runs\1"]) == r'ctmri train --run "C:\My runs\1"'


def test_a_saved_configuration_is_loaded_and_dropped_again(start_page, draft, qtbot, tmp_path):
    draft.change("config", {"width": 32})
    draft.change("settings", {"minutes": 3.0, "batch_size": 2})
    draft.change("about", {"name": "Mine"})
    wanted, path = draft.plan(), tmp_path / "mine.json"
    start_page.files.save(path)
    qtbot.waitUntil(lambda: start_page.files.said.text() == "Saved as mine.json.")
    for table in ("config", "settings", "about"):
        draft.change(table, {})
    draft.choose(method="cut")
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(path))])
    actions, buttons, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    start_page.dropEvent(QDropEvent(QPointF(5, 5), actions, dropped, buttons, none))
    qtbot.waitUntil(lambda: draft.method == "pix2pix")
    assert draft.plan() == wanted and start_page.description.model.text() == "Mine"
    assert draft.values("settings") == {"minutes": 3.0, "batch_size": 2} and draft.data is HEADS
    assert "as in mine.json" in start_page.files.said.text()


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "cannot be read as JSON"), ("[1]", "does not hold settings"), ('{"config": {"witdh": 3}}', "witdh"),
     ('{"settings": {"crop": 3}}', "“Crop”"), ('{"method": "nothing"}', "nothing")],
)  # fmt: skip
def test_a_wrong_configuration_changes_nothing_and_is_said(start_page, draft, qtbot, tmp_path, content, said):
    before = draft.plan()
    path = tmp_path / "wrong.json"
    path.write_text(content)
    start_page.files.load(path)
    qtbot.waitUntil(lambda: said in start_page.files.said.text())
    assert "wrong.json" in start_page.files.said.text() and draft.plan() == before


def test_runs_are_named_by_method_and_direction_and_never_twice(tmp_path):
    card = find_card("cut")
    assert usual_name(card, CT_TO_MR, tmp_path) == "cut_ct_to_mr_t1"
    (tmp_path / "cut_ct_to_mr_t1").mkdir()
    assert usual_name(card, CT_TO_MR, tmp_path) == "cut_ct_to_mr_t1_2"
    assert name_problem("cut_ct_to_mr_t1", tmp_path).startswith("There is a run")


@pytest.mark.parametrize("name", ["", "a/b", "..", "con", "what?", "x" * 200, "end.", "a\\b"])
def test_names_that_no_folder_can_have_are_refused(start_page, name):
    assert name_problem(name, Path("runs"))
    start_page.description.run.setText(name)
    start_page.description.run.textEdited.emit(name)
    if start_page.description.run.text() == name:  # a line that is too long is cut as it is typed
        assert not start_page.start_button.isEnabled() and start_page.problem.text()


def test_a_name_like_a_patient_s_is_warned_of(start_page, qtbot):
    qtbot.keyClicks(start_page.description.model, "DOE^JANE")
    assert "looks like a patient" in start_page.description.warning.text() and not start_page.description.warning.isHidden()
    start_page.description.model.clear()
    qtbot.keyClicks(start_page.description.model, "heads second try")
    assert start_page.description.warning.isHidden()


def test_why_it_cannot_start_stands_beside_the_button(start_page, draft):
    assert start_page.start_button.isEnabled() and start_page.problem.text() == ""
    draft.choose(data=None)
    assert not start_page.start_button.isEnabled() and "Choose the data first" in start_page.problem.text()
    assert not start_page.files.copy.isEnabled()
    draft.choose(data=HEADS)
    assert start_page.start_button.isEnabled()
    start_page.description.folder.mkdir(parents=True)
    (start_page.description.folder / "letter.txt").write_text("kept")
    start_page.start()
    assert "There is a run called" in start_page.problem.text() and start_page._trainings.live is None


def test_start_trains_with_exactly_what_was_chosen(start_page, draft, qtbot):
    draft.change("config", TINY)
    draft.change("settings", {"crop": 32, "spacing_mm": 6.0, "iterations": 2, "validation_slices": 2, "tensorboard": False})
    draft.change("about", {"name": "Tiny"})
    plan, trainings, folder = draft.plan(), start_page._trainings, start_page.description.folder
    ends = []
    trainings.ended.connect(lambda _run, end: ends.append(end))
    start_page.start_button.click()
    assert trainings.live is not None and trainings.live.where == "thread"
    assert not start_page.start_button.isEnabled() and "goes on already" in start_page.problem.text()
    qtbot.waitUntil(lambda: bool(ends), timeout=WAIT)
    assert ends[0].reason == "completed", ends[0].message
    stored = json.loads((folder / "config.json").read_text())
    assert {name: stored["config"][name] for name in TINY} == TINY
    assert stored["about"] == plan.about.model_dump(mode="json") and stored["settings"]["iterations"] == 2
    assert start_page.start_button.isEnabled() and start_page.description.run.text() == "pix2pix_ct_to_mr_t1_2"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_pages_fit_a_small_window_with_large_text(qtbot, draft, dressed, theme, request):
    dressed(theme, 20)  # before they are built, whatever text the test before left
    settings, start_page = SettingsPage(draft), request.getfixturevalue("start_page")
    qtbot.addWidget(settings)
    for page in (settings, start_page):
        assert page.minimumSizeHint().width() <= 600 and page.minimumSizeHint().height() <= 450


def test_every_control_is_named_and_reached_by_keyboard(qtbot, draft, start_page):
    settings = SettingsPage(draft)
    qtbot.addWidget(settings)
    for field in offered_fields(draft.card):
        assert settings.form.editor(field.name).accessibleName() == field.label
    for page in (settings, start_page):
        for part in page.findChildren(QWidget):
            if part.metaObject().className() in _CONTROLS and not part.objectName().startswith("qt_"):
                assert part.focusPolicy() & Qt.FocusPolicy.TabFocus, part
                named = part.accessibleName() or getattr(part, "text", str)() or part.toolTip()
                assert named, part


_CONTROLS = ("QPushButton", "QToolButton", "QCheckBox", "QRadioButton", "QComboBox", "QSpinBox", "NumberBox", "QLineEdit")


def test_names_of_the_description_are_all_offered(start_page):
    offered = {field.name for field in fields_of(ModelDescription)} - {"name"}
    assert offered == {name for name in offered if start_page.description.more.editor(name) is not None}
