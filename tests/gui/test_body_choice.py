"""Models that outline the body, offered where many cases are worked on."""

from __future__ import annotations

from ctmri_core.model_file import save_model
from ctmri_gui.batch import batch_work
from ctmri_gui.evaluation.evaluation_work import order_of
from ctmri_gui.preparing.command import command_for
from ctmri_gui.training.new_run.data_choices import DataChoices, form_fields
from tests.teaching.outliner import outliner


def test_batches_and_evaluations_take_a_model_that_outlines_and_translate_with_none(make_window, tmp_path, qtbot, monkeypatch):
    by, place = outliner(), tmp_path / "models" / "by.safetensors"
    place.parent.mkdir()
    save_model(place, by.generator.state_dict(), by.card)
    main = make_window()
    batch, evaluation = main.batch.window.order, main.evaluation.window.new.order
    qtbot.addWidget(main.batch.window)
    qtbot.addWidget(main.evaluation.window)
    for form in (batch, evaluation):
        assert [form.body.itemText(row) for row in range(form.body.count())] == ["Found by threshold", f"{by.card.name} (in CT)"]
        assert form.body.outliner is None
        form.body.setCurrentIndex(1)
    assert batch.model.findData(place) < 0
    batch.add([tmp_path / "scans"])
    wanted = batch.wanted()
    assert wanted is not None and wanted.body_model == place
    orders = []
    monkeypatch.setattr("ctmri_core.batch.run.translate_cases", lambda order, *_, **__: orders.append(order) or iter(()))
    list(batch_work.translate_many(wanted, lambda: False))
    assert orders[0].order.body_model == place
    evaluation.of_pictures.setChecked(True)
    evaluation.pictures.take([tmp_path / "models"])
    evaluation.pictures.truth.set_folder(tmp_path)
    asked = evaluation.wanted()
    assert asked is not None and order_of(asked).body_model == place and place in asked.read
    assert order_of(asked.of_pictures).body_model is None


def test_preparing_asks_for_a_file_and_the_command_names_it(tmp_path):
    field = next(field for field in form_fields() if field.name == "body_model")
    assert field.kind == "file"
    choices = DataChoices.of({"body_model": "by.safetensors", "domains": ["ct", "mr_t1"]})
    assert "--body-model=by.safetensors" in command_for("scans", choices, tmp_path)
