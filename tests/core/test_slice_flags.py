"""Slices that were damaged, or show what a model did not learn from, are named; a sound head has none."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ctmri_core.domain import Domain
from ctmri_core.model_card import read_card
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.recognition import range_of
from ctmri_core.recognition.slice_flags import CUT_OFF, EMPTY, SIZE, SMALL, VALUES, SliceFlags, ranges, slice_flags
from ctmri_core.resources_folder import resources_folder

NAMES = {Domain.CT: "phantom_ct_to_mr_t1", Domain.MR_T1: "phantom_mr_t1_to_ct"}
CARDS = {domain: read_card(resources_folder() / "models" / f"{name}.safetensors") for domain, name in NAMES.items()}


@pytest.fixture(scope="module")
def head():
    return make_head(700, voxel_mm=2.0, table=False)


def flags(volume, card=None):
    card = card or CARDS[volume.domain]
    return slice_flags(volume, card.recipe.record_of(volume), card)


def damaged(volume, **slices):
    """`volume` with slices changed: name -> (numbers, function of their voxels)."""
    voxels = volume.voxels.astype(np.float32)
    for numbers, change in slices.values():
        for n in numbers:
            voxels[n] = change(voxels[n])
    return replace(volume, voxels=voxels.astype(volume.voxels.dtype))


@pytest.mark.parametrize("domain", NAMES)
def test_a_sound_head_has_none(head, domain):
    found = flags(head[domain])
    assert found.reasons == {} and found.finding is None
    assert found.details == {"axis": 0, "count": len(head[domain].voxels), "slices": {}}


@pytest.mark.parametrize("domain", NAMES)
@pytest.mark.parametrize("with_range", [True, False])
def test_damaged_slices_are_named_and_no_others(head, domain, with_range):
    volume, card = head[domain], CARDS[domain]
    air = volume.background
    sick = damaged(
        volume,
        lost=((30,), lambda plane: np.full_like(plane, air)),
        weak=((40,), lambda plane: (plane - air) * 0.4 + air),
        strong=((45,), lambda plane: (plane - air) * 2 + air),
    )
    found = flags(sick, card if with_range else card.model_copy(update={"training_range": None}))
    assert set(found.reasons) == {30, 40, 45}
    assert VALUES in found.reasons[40] and VALUES in found.reasons[45] and {VALUES, SIZE, EMPTY} & set(found.reasons[30])
    assert "3 of" in found.finding.message and found.finding.message.endswith(": 31, 41, 46. Look at them with care.")
    assert not found.finding.serious and json.loads(json.dumps(found.details))["slices"]["40"] == list(found.reasons[40])


def test_slices_are_counted_as_they_are_stored_whatever_way_they_lie(head):
    volume = damaged(head[Domain.CT], lost=((40, 41), lambda plane: (plane + 1000) * 0.4 - 1000))
    grid = volume.geometry
    turned = replace(grid, shape=grid.shape[::-1], spacing=grid.spacing[::-1], direction=grid.direction[::-1])
    flipped = replace(volume, voxels=np.ascontiguousarray(volume.voxels.transpose(2, 1, 0)), geometry=turned)
    found = flags(flipped)
    assert found.axis == 2 and found.count == len(volume.voxels) and set(found.reasons) == {40, 41}


def test_shoulders_and_a_body_cut_off_are_flagged_where_they_are(head):
    volume = head[Domain.CT]
    broad = damaged(volume, wide=(range(8), lambda plane: np.where(np.ones_like(plane, bool), 40, plane)))
    found = flags(broad)
    assert set(range(7)) <= set(found.reasons) <= set(range(10)) and all(CUT_OFF in found.reasons[n] for n in range(7))
    wide = CARDS[Domain.CT].training_range.model_copy(update={"width_mm": (90.0, 100.0)})
    narrow = CARDS[Domain.CT].model_copy(update={"training_range": wide})
    assert SIZE in flags(volume, narrow).reasons[50]


@pytest.mark.parametrize("domain", NAMES)
def test_what_a_model_of_single_middle_slices_never_saw_is_flagged_at_the_crown_alone(head, domain):
    """The range is that of slices about the middle, measured as that of any model."""
    volume, card = head[domain], CARDS[domain]
    middle, whole = len(volume.voxels) // 2, volume.geometry
    one = (1, *whole.shape[1:])
    places = range(middle - 5, middle + 5)
    alone = [replace(volume, voxels=volume.voxels[n : n + 1], geometry=whole.cropped((n, 0, 0), one)) for n in places]
    known = range_of(alone, card.recipe)
    areas = [np.count_nonzero(body_mask(one)) * 4.0 for one in alone]
    assert known.body_mm2 == pytest.approx((min(areas), max(areas)), rel=0.08)
    card = card.model_copy(update={"training_range": known})
    found = [n for n, reasons in flags(volume, card).reasons.items() if SMALL in reasons]
    areas = body_mask(volume).sum((1, 2)) * 4.0
    surely, hardly = (areas > 400) & (areas < 0.7 * known.body_mm2[0]), areas > 0.9 * known.body_mm2[0]
    assert set(np.flatnonzero(surely)) <= set(found) and not set(np.flatnonzero(hardly)) & set(found) and surely.sum() > 3
    assert "a smaller cut through the body" in flags(volume, card).finding.message
    assert range_of([volume], card.recipe).body_mm2 is None, "whole heads show all of them"


def test_no_body_gives_no_flags(head):
    air = replace(head[Domain.CT], voxels=np.full_like(head[Domain.CT].voxels, -1000))
    assert flags(air).reasons == {}


@pytest.mark.parametrize(
    ("numbers", "words"), [([], ""), ([0], "1"), ([0, 1, 2, 7], "1-3, 8"), ([3, 5, 6], "4, 6-7"), (list(range(8)), "1-8")]
)
def test_ranges_are_told_as_people_count(numbers, words):
    assert ranges(numbers) == words


@pytest.mark.parametrize(
    ("odd", "of", "serious"), [(1, 12, False), (3, 12, False), (4, 12, True), (12, 12, True), (1, 1, False), (2, 3, False)]
)
def test_a_scan_a_third_of_which_was_never_seen_is_not_to_be_trusted(odd: int, of: int, serious: bool):
    finding = SliceFlags(0, of, dict.fromkeys(range(odd), (SMALL,))).finding
    assert finding is not None and finding.serious is serious
    assert f"{odd} of {of} slices" in finding.message and ("too much" in finding.message) is serious
