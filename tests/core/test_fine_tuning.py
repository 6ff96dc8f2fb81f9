"""Going on from a model that is there: the weights that a run begins with, what fits, and what the new card tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import torch

from ctmri_core.config_fields import fields_of
from ctmri_core.data.preparation import PreparedData
from ctmri_core.domain import Direction
from ctmri_core.errors import TrainingFailed
from ctmri_core.events import Event, Noted, never
from ctmri_core.method import MethodCard
from ctmri_core.model_card import ModelCard, TrainingData, read_card
from ctmri_core.model_file import load_model, save_model
from ctmri_core.preprocess.intensity import HuCurve
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.registry import find_card, load_method, method_cards
from ctmri_core.training.checkpoint import load_checkpoint
from ctmri_core.training.fine_tuning import begin_from, check_start
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.train import train
from ctmri_core.training.trainer import RunResult, Trainer

WAY = Direction.parse("ct_to_mr_t1")
SMALL = {
    "generator": "resnet_6", "width": 8, "discriminator_width": 4, "receptive_field": 16, "registration_width": 4,
    "feature_size": 16, "patches": 32, "discriminator_layers": 3, "levels": 3, "latent": 4, "scales": 2,
    "network": "unet_plus_plus", "context_slices": 1,
}  # fmt: skip
OLD = TrainingData(what="earlier scans", licence="none needed", cases=2, salt="old", fingerprints=("0" * 16, "1" * 16))


def small(card: MethodCard, **changes: Any) -> Any:
    return card.config(**({name: value for name, value in SMALL.items() if name in card.config.model_fields} | changes))


def model_file(path: Path, card: MethodCard, config: Any, direction: Direction, **facts: Any) -> Mapping[str, torch.Tensor]:
    """A model of random weights."""
    torch.manual_seed(len(path.name))
    weights = load_method(card.name)(config, WAY if card.both_ways else direction).generator(direction).state_dict()
    told = {"recipe": Recipe(multiple=config.size_multiple), "training_data": (OLD,)} | facts
    about = ModelCard(
        name="Earlier", method=card.name, config=config.told(), direction=direction, body_region="head",
        created=datetime.now(UTC), **told,
    )  # fmt: skip
    save_model(path, weights, about)
    return weights


def settings(**changes: Any) -> TrainingSettings:
    base = {"iterations": 2, "batch_size": 2, "crop": 16, "precision": "32", "device": "cpu", "tensorboard": False}
    return TrainingSettings(**(base | changes))


def run(trainer: Trainer, stop=never) -> tuple[list[Event], RunResult]:
    events, work = [], trainer.run(stop)
    while True:
        try:
            events.append(next(work))
        except StopIteration as ended:
            return events, ended.value


@pytest.mark.parametrize("name", method_cards())
def test_every_method_begins_with_the_weights_of_the_file(tiny_pairs, tmp_path: Path, name: str):
    card = find_card(name)
    config = small(card)
    path = tmp_path / f"{name}-{WAY.name}.safetensors"
    weights = model_file(path, card, config, WAY)
    check_start(str(path), card, config, WAY)
    torch.manual_seed(99)
    method = load_method(name)(config, WAY)
    before = {key: value.clone() for key, value in method.generator(WAY).state_dict().items()}
    started, notes = begin_from(str(path), method, tiny_pairs(multiple=config.size_multiple))
    after = method.generator(WAY).state_dict()
    assert all(torch.equal(after[key], value) for key, value in weights.items())
    assert any(not torch.equal(after[key], value) for key, value in before.items())
    assert started.training_data == (OLD,)
    assert all(each.requires_grad for each in method.generator(WAY).parameters())
    both = card.both_ways and card.needs != "multi_domain"
    assert any("begins anew" in note.message for note in notes) == both


def test_the_file_beside_it_is_for_the_other_direction(tiny_pairs, tmp_path: Path):
    card = find_card("cyclegan")
    config = small(card)
    files = {way: tmp_path / f"cyclegan-{way.name}-last.safetensors" for way in (WAY, WAY.reverse)}
    weights = {way: model_file(path, card, config, way) for way, path in files.items()}
    method = load_method("cyclegan")(config, WAY)
    started, notes = begin_from(str(files[WAY.reverse]), method, tiny_pairs())
    assert not notes and set(started.models) == {WAY.name, WAY.reverse.name}
    for way, wanted in weights.items():
        assert all(torch.equal(method.generator(way).state_dict()[key], value) for key, value in wanted.items())
    other = replace_data(OLD, salt="another")
    model_file(files[WAY], card, config, WAY, training_data=(other,))  # of another run: not taken
    started, notes = begin_from(str(files[WAY.reverse]), method, tiny_pairs())
    assert set(started.models) == {WAY.reverse.name} and len(notes) == 1


def replace_data(data: TrainingData, **changes: Any) -> TrainingData:
    return data.model_copy(update=changes)


def test_what_does_not_fit_is_refused_by_name(tmp_path: Path):
    pix2pix, cyclegan = find_card("pix2pix"), find_card("cyclegan")
    config = small(pix2pix, norm="instance", dropout=False)
    path = tmp_path / "earlier.safetensors"
    model_file(path, pix2pix, config, WAY)

    def refusal(card: MethodCard, config: Any, way: Direction = WAY) -> str:
        with pytest.raises(TrainingFailed) as refused:
            check_start(str(path), card, config, way)
        return str(refused.value)

    assert refusal(cyclegan, small(cyclegan)) == (
        "earlier.safetensors was made by pix2pix, this run is of CycleGAN. Choose pix2pix, or another model."
    )
    assert "translates CT → T1 MR, this run learns T1 MR → CT" in refusal(pix2pix, config, WAY.reverse)
    said = refusal(pix2pix, small(pix2pix, norm="instance", dropout=False, width=12, lambda_l1=7.0))
    assert said == "earlier.safetensors has other networks: --width (8 there, 12 here). Take its settings, or another model."
    assert "--norm (instance there, batch here)" in refusal(pix2pix, small(pix2pix, dropout=False))
    check_start(str(path), pix2pix, small(pix2pix, norm="instance", dropout=False, lambda_l1=7.0, learning_rate=0.01), WAY)


def test_a_run_tells_in_its_cards_what_it_began_with_and_does_not_begin_again(tiny_pairs, tmp_path: Path):
    card = find_card("pix2pix")
    config, path = small(card, dropout=False), tmp_path / "a folder" / "earlier.safetensors"
    weights = model_file(path, card, config, WAY)
    digest = read_card(path).weights_sha256
    data: PreparedData = tiny_pairs()
    chosen = settings(start_from=str(path), iterations=1, validate_every=1)
    slow = config.model_copy(update={"learning_rate": 1e-12})
    folder = RunFolder(tmp_path / "run")
    _, result = run(Trainer(card, slow, data, folder.path, chosen))
    made = load_model(result.models[WAY.name])
    for key, value in weights.items():
        if "running" not in key and "num_batches" not in key:
            torch.testing.assert_close(made.generator.state_dict()[key], value, atol=1e-6, rtol=0)
    assert made.card.training["started_from"] == {"file": "earlier.safetensors", "weights_sha256": digest}
    assert "a folder" not in made.card.model_dump_json()
    assert made.card.training_data == (data.facts, OLD)
    assert folder.read_config()["settings"]["start_from"] == str(path)

    path.unlink()  # what was taken over is in the checkpoint
    again, result = run(Trainer(card, slow, data, folder.path, settings(start_from=str(path), iterations=3), resume=True))
    assert result.reason == "completed", again[-1]
    last = read_card(folder.models / f"pix2pix-{WAY.name}-last.safetensors")
    assert last.training["started_from"] == {"file": "earlier.safetensors", "weights_sha256": digest}
    assert last.training_data == (data.facts, OLD)
    assert load_checkpoint(folder.checkpoint)["started_from"]["models"] == {WAY.name: ["earlier.safetensors", digest]}


def test_slices_prepared_otherwise_and_cases_it_has_seen_are_said(tiny_pairs, tmp_path: Path):
    card = find_card("pix2pix")
    config, path = small(card), tmp_path / "earlier.safetensors"
    data = tiny_pairs()
    mark = data.validation.files[0].stem.rpartition("-")[2]
    seen = replace_data(OLD, salt=data.facts.salt, fingerprints=(mark,))
    model_file(path, card, config, WAY, recipe=Recipe(spacing_mm=2.0, ct=HuCurve()), training_data=(seen,))
    events, _ = run(Trainer(card, config, data, tmp_path / "run", settings(start_from=str(path), iterations=1)))
    said = [event.message for event in events if isinstance(event, Noted) and event.serious]
    assert any("prepared otherwise (spacing mm, ct)" in message for message in said)
    assert any(message.startswith("1 validation cases are among those") for message in said)


def test_it_is_refused_before_anything_is_prepared(tmp_path: Path):
    card = find_card("pix2pix")
    path = tmp_path / "earlier.safetensors"
    model_file(path, card, small(card), WAY)
    for start, message in ((path, "--width"), (tmp_path / "none.safetensors", "none.safetensors")):
        config = small(card, width=16)
        work = train("pix2pix", config, "phantom:3", WAY, tmp_path / "run", settings(start_from=str(start)))
        events = list(work)
        assert [event.kind for event in events] == ["finished"]
        assert events[0].reason == "failed" and message in events[0].message
    assert not (tmp_path / "run").exists()


def test_a_plan_takes_over_what_a_model_needs(tmp_path: Path):
    card = find_card("cut")
    path = tmp_path / "earlier.safetensors"
    model_file(path, card, small(card), WAY.reverse)
    plan = RunPlan.from_model(path, "phantom:3")
    assert (plan.card, plan.direction, plan.config, plan.data) == (card, WAY.reverse, small(card), "phantom:3")
    assert plan.settings.start_from == str(path)
    words = plan.command("run")
    assert words[words.index("--start-from") + 1] == str(path)
    assert next(field for field in fields_of(TrainingSettings) if field.name == "start_from").kind == "file"


def test_more_of_the_same_data_is_told_once(tiny_pairs, tmp_path: Path):
    card, data = find_card("pix2pix"), tiny_pairs()
    config, path = small(card, dropout=False), tmp_path / "earlier.safetensors"
    model_file(path, card, config, WAY, training_data=(data.facts, OLD))
    _, result = run(Trainer(card, config, data, tmp_path / "run", settings(start_from=str(path), iterations=1, validate_every=1)))
    assert load_model(result.models[WAY.name]).card.training_data == (data.facts, OLD)
