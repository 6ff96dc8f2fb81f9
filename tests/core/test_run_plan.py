"""What a run is started with, and the line that starts the same one."""

import argparse
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctmri_core.cli.train import add_arguments
from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError
from ctmri_core.registry import find_card, method_cards
from ctmri_core.training.run_plan import RunPlan

WAY = Direction.parse("ct_to_mr_t1")


PARSER = argparse.ArgumentParser(exit_on_error=False)
add_arguments(PARSER)


def parsed(words: list[str]) -> argparse.Namespace:
    return PARSER.parse_args(words)


@pytest.mark.parametrize("name", sorted(method_cards()))
def test_every_method_has_a_plan_that_survives_json(name: str):
    plan = RunPlan.made(
        find_card(name), "phantom:3", find_card(name).example, settings={"minutes": 2.5, "flip": False}, config={"beta_1": 0.4}
    )  # fmt: skip
    again = RunPlan.read(json.loads(json.dumps(plan.stored())))
    assert again == plan
    assert plan.changed["config"] == ({} if find_card(name).config().beta_1 == 0.4 else {"beta_1": 0.4})
    assert plan.changed["settings"].items() >= {"minutes": 2.5, "flip": False}.items()


@given(
    crop=st.integers(4, 64), minutes=st.floats(0.1, 1000), flip=st.booleans(), tensorboard=st.booleans(),
    name=st.none() | st.sampled_from(["a b", "--run", "x"]), width=st.integers(4, 256), faithful=st.booleans(),
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_the_command_means_the_same_run(crop, minutes, flip, tensorboard, name, width, faithful):
    chosen = {"crop": 4 * crop, "minutes": minutes, "flip": flip, "tensorboard": tensorboard}
    plan = RunPlan.made(
        find_card("pix2pix"), "phantom:3", WAY, config={"width": width, "faithful": faithful}, settings=chosen,
        about={"name": name},
    )  # fmt: skip
    words = plan.command("runs/first")
    assert words[:2] == ["ctmri", "train"]
    read = parsed(words[2:])
    assert (read.data, read.direction, str(read.run_folder)) == ("phantom:3", WAY, "runs/first")
    given_back = {
        table: {field: getattr(read, field) for field in kind.model_fields if hasattr(read, field)}
        for table, kind in (("config", type(plan.config)), ("settings", type(plan.settings)), ("about", type(plan.about)))
    }
    assert RunPlan.made(plan.card, read.data, read.direction, **given_back) == plan


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ({}, "method"),
        ({"method": "pix2pix", "data": "x", "direction": "up"}, "direction"),
        ({"method": "pixpix", "data": "x", "direction": "ct_to_mr_t1"}, "pix2pix"),
        ({"method": "pix2pix", "data": "x", "direction": "ct_to_mr_t1", "config": {"widht": 4}}, "width"),
        ({"method": "pix2pix", "data": "x", "direction": "ct_to_mr_t1", "setings": {}}, "settings"),
        ({"method": "pix2pix", "data": "x", "direction": "ct_to_mr_t1", "settings": []}, "table"),
    ],
)
def test_other_settings_are_refused_in_words(stored, told):
    with pytest.raises(CtmriError, match=told):
        RunPlan.read(stored)
