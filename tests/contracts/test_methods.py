"""What every method promises to the trainer, run for each one that the registry finds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ctmri_core.data.preparation import PreparedData
from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import TrainingFailed, WrongInput
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.inference.outlining import outline
from ctmri_core.inference.translate import translate
from ctmri_core.method import JUDGED, MethodCard, MethodConfig, SliceBatch
from ctmri_core.model_card import TrainingData
from ctmri_core.model_file import load_model
from ctmri_core.registry import load_method, method_cards
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.trainer import Trainer
from ctmri_core.volume import Volume
from tests.teaching.plain_training import RECIPE, head, prepared_heads

SMALL = {
    "generator": "resnet_6", "width": 8, "discriminator_width": 4, "receptive_field": 16, "registration_width": 4,
    "feature_size": 16, "patches": 32, "discriminator_layers": 3, "critic_steps": 1, "levels": 3, "latent": 4,
    "scales": 2, "network": "unet_plus_plus", "backbone": "mobilenet_v2",
}  # fmt: skip
"""Settings that make networks tiny; each method takes those it knows."""


@pytest.fixture(params=sorted(method_cards()))
def card(request: pytest.FixtureRequest) -> MethodCard:
    return method_cards()[request.param]


@pytest.fixture
def config(card: MethodCard):
    fields = card.config.model_fields
    small = {name: value for name, value in SMALL.items() if name in fields}
    if "blocks" in fields:
        small["blocks"] = next(bound.ge for bound in fields["blocks"].metadata if hasattr(bound, "ge"))
    config = card.config(**small)
    return config.for_crop(crop_of(config))


@pytest.fixture
def batch(card: MethodCard, config) -> SliceBatch:
    generator = torch.Generator().manual_seed(7)
    size = crop_of(config)
    way = card.example
    source, target = torch.rand(2, 2, 1, size, size, generator=generator) * 2 - 1
    if card.outlines:
        target = (target > 0).float()
    context = torch.rand(2, config.context, size, size, generator=generator) * 2 - 1 if config.context > 1 else None
    pictures = {way.source: source, way.target: target}
    return SliceBatch(pictures, {domain: (picture > -0.5).float() for domain, picture in pictures.items()}, context)


def crop_of(config: MethodConfig) -> int:
    """The least crop from 32 pixels on that fits."""
    return -(-max(config.least_crop, 32) // config.size_multiple) * config.size_multiple


def random_batch(config: MethodConfig, direction: Direction, size: int, count: int) -> SliceBatch:
    pictures = {domain: torch.rand(count, 1, size, size) * 2 - 1 for domain in config.domains_of(direction)}
    if Domain.MASK in pictures:
        pictures[Domain.MASK] = (pictures[Domain.MASK] > 0).float()
    context = torch.rand(count, config.context, size, size) * 2 - 1 if config.context > 1 else None
    return SliceBatch(pictures, {domain: torch.ones_like(picture) for domain, picture in pictures.items()}, context)


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> list[PreparedCase]:
    return prepared_heads(tmp_path_factory.mktemp("heads"), (0, 1))


@pytest.fixture(scope="module")
def volumes() -> dict[Domain, Volume]:
    """Five slices of a digital head, not square, in CT and T1."""
    case = head(1, voxel_mm=4.0)
    found = {}
    for domain in (Domain.CT, Domain.MR_T1):
        whole = case.aligned(domain)
        grid = Geometry((5, 60, 50), whole.geometry.spacing, (3.0, -40.0, 7.0), whole.geometry.direction)
        found[domain] = replace(whole, voxels=whole.voxels[20:25, 2:62, 6:56], geometry=grid)
    return found


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Recorder:
    """Applies plain gradient steps and remembers who received gradients."""

    def __init__(self, method) -> None:
        self.method, self.losses, self.moved = method, [], set()

    def __call__(self, group: str, loss: Tensor) -> None:
        assert loss.ndim == 0 and loss.requires_grad
        self.losses.append(float(loss.detach()))
        names = self.method.optimised[group]
        parameters = {name: list(self.method.networks[name].parameters()) for name in names}
        flat = [parameter for group_parameters in parameters.values() for parameter in group_parameters]
        gradients = iter(torch.autograd.grad(loss, flat, allow_unused=True))
        with torch.no_grad():
            for name, own in parameters.items():
                for parameter in own:
                    gradient = next(gradients)
                    if gradient is not None:
                        parameter -= 1e-3 * gradient
                        self.moved.update({name} if bool(gradient.abs().sum() > 0) else set())


def make(card: MethodCard, config, seed: int = 0):
    torch.manual_seed(seed)
    return load_method(card.name)(config, card.example)


def state(method) -> dict[str, Tensor]:
    return {f"{name}.{key}": value.clone() for name, net in method.networks.items() for key, value in net.state_dict().items()}


class TestEveryMethod:
    def test_losses_are_finite_and_detached_every_network_learns_and_judgements_are_told(self, card, config, batch):
        method = make(card, config)
        update = Recorder(method)
        losses = method.training_step(batch, update)
        assert losses and all(loss.ndim == 0 and not loss.requires_grad and torch.isfinite(loss) for loss in losses.values())
        assert all(abs(loss) < 1e6 for loss in update.losses)
        assert update.moved == set(method.networks)
        told = {name for name in losses if name.startswith(JUDGED)}
        judges = [name for name in method.networks if name.startswith(("judge", "discriminator"))]
        assert len(told) == 2 * len(judges) and all(re.match(r"judged_(real|synthetic)_\w+$", name) for name in told)

    def test_every_network_belongs_to_exactly_one_optimiser(self, card, config):
        method = make(card, config)
        named = [name for names in method.optimised.values() for name in names]
        assert sorted(named) == sorted(method.networks)

    def test_translation_keeps_shape_type_and_range(self, card, config, batch):
        method = make(card, config)
        assert method.directions[0] == card.example and (len(method.directions) > 1) is card.both_ways
        for direction in method.directions:
            with torch.no_grad():
                result = method.translate(batch.seen(direction.source), direction)
            count, _, *size = batch[direction.source].shape
            channels = len(config.label_names) if card.outlines else 1
            assert result.shape == (count, channels, *size) and result.dtype == batch[direction.source].dtype
            assert float(result.abs().max()) <= 1

    def test_the_exported_module_is_the_one_that_the_registry_builds(self, card, config):
        method = make(card, config)
        for direction in method.directions:
            exported = method.generator(direction).state_dict()
            built = type(method).build_generator(config, direction).state_dict()
            assert {key: value.shape for key, value in exported.items()} == {key: value.shape for key, value in built.items()}

    def test_a_direction_that_was_not_learned_is_refused(self, card, config):
        method = make(card, config)
        other = Direction.parse("mr_flair_to_mr_pd")
        assert other not in method.directions
        with pytest.raises(ValueError, match="mr_flair_to_mr_pd"):
            method.generator(other)

    def test_the_same_seed_gives_the_same_step(self, card, config, batch):
        results = []
        for _ in range(2):
            method = make(card, config, seed=3)
            losses = method.training_step(batch, Recorder(method))
            results.append((losses, state(method)))
        (losses_a, state_a), (losses_b, state_b) = results
        assert all(torch.equal(losses_a[name], losses_b[name]) for name in losses_a)
        assert all(torch.equal(state_a[key], state_b[key]) for key in state_a)

    def test_the_state_comes_back_exactly(self, card, config, batch):
        method = make(card, config)
        method.training_step(batch, Recorder(method))
        other = make(card, config, seed=99)
        for name, network in method.networks.items():
            other.networks[name].load_state_dict(network.state_dict())
        other.load_state_dict(method.state_dict())
        torch.manual_seed(5)
        expected = method.training_step(batch, Recorder(method))
        torch.manual_seed(5)
        losses = other.training_step(batch, Recorder(other))
        assert all(torch.equal(losses[name], expected[name]) for name in expected)

    def test_it_trains_on_the_least_crop_alone_and_smaller_ones_are_refused(self, card, config):
        least = -(-config.least_crop // config.size_multiple) * config.size_multiple
        with pytest.raises(TrainingFailed, match=f"--crop {least - config.size_multiple}: .* {least} pixels or more"):
            config.model_copy(update={"picture_size": 0}).for_crop(least - config.size_multiple)
        smallest = config.model_copy(update={"picture_size": 0}).for_crop(least)
        torch.manual_seed(0)
        method = load_method(card.name)(smallest, card.example)
        losses = method.training_step(random_batch(smallest, card.example, least, 1), Recorder(method))
        assert all(torch.isfinite(loss) for loss in losses.values())

    def test_the_trainer_takes_it_in_short_precision_and_its_model_files_translate(
        self, card, config, heads, volumes, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("ctmri_core.inference.precision._TIMING_SECONDS", 0.0)  # one round is enough
        domains = (card.example.source, card.example.target)
        train, held = (PreparedSlices(heads[n : n + 1], domains, paired=card.paired, context=config.context) for n in (0, 1))
        recipe = RECIPE.model_copy(update={"multiple": config.size_multiple})
        facts = TrainingData(what="heads", licence="none needed", cases=1, phantom=True)
        settings = TrainingSettings(
            iterations=2, batch_size=2, crop=crop_of(config), precision="bf16-mixed", device="cpu", tensorboard=False,
            validation_slices=1, best_metric="dice" if card.outlines else "mae",
        )  # fmt: skip
        data = PreparedData("heads", card.example, recipe, train, held, facts)
        result = finish(Trainer(card, config, data, tmp_path / "run", settings).run(never))
        assert result.reason == "completed", result.message
        assert set(result.models) == {direction.name for direction in load_method(card.name)(config, card.example).directions}
        for name, path in result.models.items():
            direction = Direction.parse(name)
            source = volumes[direction.source]
            if card.outlines:
                found = finish(outline(source, load_model(path)))
                assert found.labels.shape == source.geometry.shape and found.labels.max() <= len(found.names)
                with pytest.raises(WrongInput, match="does not translate"):
                    finish(translate(source, path))
                continue
            made = finish(translate(source, path))
            assert made.geometry is source.geometry and made.domain is direction.target
            assert made.voxels.dtype == (np.int16 if direction.target is Domain.CT else np.float32)
            assert np.isfinite(made.voxels).all() and np.ptp(made.voxels) > 0

    def test_the_config_survives_json_and_is_frozen(self, card, config):
        assert card.config.model_validate_json(config.model_dump_json()) == config
        with pytest.raises(ValueError, match="frozen"):
            config.learning_rate = 1.0
        with pytest.raises(ValueError, match="extra"):
            card.config(no_such_setting=1)

    def test_it_takes_directions_to_what_it_makes_and_no_others(self, card):
        to_mask, to_picture = Direction(Domain.MR_T1, Domain.MASK), Direction(Domain.MR_T1, Domain.CT)
        assert not card.problem_with(card.example)
        assert bool(card.problem_with(to_mask)) is not card.outlines and bool(card.problem_with(to_picture)) is card.outlines
        assert card.problem_with(to_mask.reverse)

    def test_the_card_is_complete(self, card):
        assert re.search(r"\b(19|20)\d\d\b", card.citation) and "Eq" in card.citation
        assert card.title and card.summary.endswith(".") and card.config.__doc__
        assert card.implementation.startswith("ctmri_core.methods." + card.name)
        for name, field in card.config.model_fields.items():
            assert field.description, f"{name} has no description"
            if field.annotation in (int, float):
                kinds = {type(bound).__name__ for bound in field.metadata}
                assert kinds & {"Ge", "Gt"} and kinds & {"Le", "Lt"}, f"{name} is not bounded on both sides"
