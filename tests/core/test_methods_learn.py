"""Every method learns: tiny networks on crops of digital heads, a few dozen seeded steps.

The losses a method exists for fall, every parameter of every network receives gradients, and methods that see pairs translate a
head they were not shown with half the error of leaving it as it is, and better than the best single grey. For the methods without
pairs that takes longer; `tests/soak/unpaired_learning.py` shows it. The bounds leave room for other seeds: such short runs differ
by rounding, from processor to processor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from ctmri_core.data.prepared_slices import PreparedCase
from ctmri_core.registry import method_cards
from tests.teaching.plain_training import PlainTraining, prepared_heads

NETWORKS = {
    "generator": "resnet_6", "width": 8, "discriminator_width": 8, "receptive_field": 16, "registration_width": 4, "blocks": 2,
    "feature_size": 16, "patches": 32, "discriminator_layers": 3, "levels": 2, "latent": 8, "scales": 1, "pool_size": 8,
}  # fmt: skip


@dataclass(frozen=True)
class Lesson:
    """`falls`: beginnings of the names of losses, and the share of its first value to which their sum falls at least."""

    method: str
    falls: dict[str, float]
    steps: int = 40
    crop: int = 32
    rate: float = 2e-3
    batch_size: int = 1
    changes: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.method, *(name for name, value in self.changes.items() if value is True)])


LESSONS = (
    Lesson("pix2pix", {"l1": 0.5}, 100, 64, 3e-3, 2, changes={"generator": "plain_unet", "width": 12}),
    Lesson("regressor", {"l1": 0.75}, 60, 64, 3e-3, 2, {"context_slices": 3, "body_only": True}),
    Lesson(
        "regressor", {"l1": 0.4, "squared": 0.3, "ssim": 0.6, "edges": 0.4}, 120, 64, 3e-3, 2,
        {"context_slices": 1, "network": "residual_unet", "lambda_squared": 4.0, "lambda_ssim": 0.1, "lambda_edges": 0.2},
    ),
    Lesson("reggan", {"correction": 0.55}, 60, 64, batch_size=2),
    Lesson("cyclegan", {"cycle": 0.85, "identity": 0.85, "gan": 1.0}),
    Lesson("ssim_cyclegan", {"cycle": 0.8, "ssim": 0.95}, rate=1e-3),
    Lesson("unit", {"reconstruction": 0.7, "cycle": 0.75}, 32, rate=1e-3),
    Lesson("unit", {"reconstruction": 0.85, "cycle": 0.9}, 32, rate=1e-3, changes={"share_latent": True}),
    Lesson("aggan", {"cycle": 0.5, "attention": 0.6}, 16, 96, changes={"curriculum_epochs": 0, "faithful": True}),
    Lesson("attention_gan", {"cycle": 0.75, "identity": 0.75}, changes={"maps": 4}),
    Lesson("stargan", {"class_real": 0.8, "reconstruction": 0.5}, 60, 64, changes={"critic_steps": 2, "discriminator_layers": 4}),
    Lesson("vae_cyclegan", {"cycle": 0.8, "identity": 0.8}, 45, changes={"lambda_cycle": 10.0, "lambda_identity": 5.0}),
    Lesson("cut", {"nce": 0.9}, 30, rate=1e-3, changes={"blocks": 6}),
    Lesson("deeplab_v3_plus", {"cross_entropy": 0.5, "dice": 0.5}, 60, 64, 3e-3, 4, changes={"width": 16}),
)
PAIRED = [lesson for lesson in LESSONS if method_cards()[lesson.method].needs == "paired"]


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> list[PreparedCase]:
    return prepared_heads(tmp_path_factory.mktemp("heads"), (0, 1, 2))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("lesson", LESSONS, ids=str)
def test_what_a_method_is_for_is_learned(lesson: Lesson, heads: list[PreparedCase]):
    card = method_cards()[lesson.method]
    known = {name: value for name, value in NETWORKS.items() if name in card.config.model_fields}
    training = PlainTraining(
        card.name, card.config(**{**known, **lesson.changes}), heads[:2], paired=card.paired, crop=lesson.crop,
        rate=lesson.rate,
    ).run(lesson.steps, lesson.batch_size, end=lesson.steps)  # fmt: skip
    assert not training.unmoved
    fallen = {name: training.fall(name) for name in lesson.falls}
    assert all(fallen[name] < most for name, most in lesson.falls.items()), fallen
    if lesson in PAIRED:
        synthetic, as_it_is, grey = training.body_error(heads[2:])
        assert synthetic < 0.5 * as_it_is and synthetic < grey, (synthetic, as_it_is, grey)
    if card.outlines:
        assert training.overlap(heads[2:]) > 0.9


def test_all_methods_are_taught():
    assert {lesson.method for lesson in LESSONS} == {card.name for card in method_cards().values()}
