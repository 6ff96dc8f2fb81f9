"""The first thing that a person trains. How good it gets is measured, not tested: it takes minutes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ctmri_core import demo
from ctmri_core.cli.parser import Parser
from ctmri_core.cli.train import add_arguments
from ctmri_core.data.case_sources import find_cases
from ctmri_core.data.preparation import PreparedData
from ctmri_core.events import Validated
from ctmri_core.model_card import list_models
from ctmri_core.resources_folder import resources_folder
from ctmri_core.training.first_lesson import first_lesson
from ctmri_core.training.judging import _other_heads
from ctmri_core.training.trainer import Trainer


def shipped_translators():
    return [entry for entry in list_models([resources_folder() / "models"]) if not entry.card.outlines]


def test_its_heads_are_new_to_the_shipped_models_and_to_the_demo():
    _, count, first = first_lesson().data.split(":")
    seeds = range(int(first), int(first) + int(count))
    assert demo.SEED not in seeds
    for entry in shipped_translators():
        assert entry.card is not None
        [known] = [data.what for data in entry.card.training_data if data.phantom]
        assert "(seeds 0 to 23)" in known and seeds.start > 23


def test_a_verdict_tells_whether_the_shipped_model_may_know_its_heads():
    for entry in shipped_translators():
        assert entry.card is not None
        for spec, other in ((first_lesson().data, True), ("phantom:4", False), ("phantom:9:20", False)):
            assert _other_heads(find_cases(spec, ()).what, entry.card.training_data) is other
        assert not _other_heads("heads", entry.card.training_data)


def test_it_leaves_room_within_five_minutes_and_judges_by_five_heads():
    plan = first_lesson()
    _, count, _ = plan.data.split(":")
    assert plan.settings.minutes is not None and plan.settings.minutes <= 3.5
    assert round(int(count) * plan.settings.validation_share) >= 5
    assert plan.about.demo


def test_the_command_line_takes_it():
    parser = Parser()
    add_arguments(parser)
    words = first_lesson().command("runs/first")[2:]
    given = parser.parse_args(words)
    assert (given.data, given.name, given.minutes) == (first_lesson().data, "My first lesson", first_lesson().settings.minutes)


def test_its_settings_train(tiny_pairs, tmp_path: Path):
    plan = first_lesson()
    data: PreparedData = replace(tiny_pairs(size=64), direction=plan.direction)
    brief = plan.settings.model_copy(update={"minutes": None, "iterations": 2, "validate_every": 2, "tensorboard": False})
    events = list(Trainer(plan.card, plan.config, data, tmp_path / "run", brief, about=plan.about).run())
    assert any(isinstance(event, Validated) and event.best for event in events)
    assert events[-1].reason == "completed"
