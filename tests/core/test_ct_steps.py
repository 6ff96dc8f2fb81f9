"""CT that comes in steps is spread over them before it is learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ctmri_core.cli.main import main
from ctmri_core.data.ct_steps import ct_step, spread_steps
from ctmri_core.data.dataset import DatasetFolder
from ctmri_core.data.layouts.layout import LayoutOptions
from ctmri_core.data.layouts.picture_files import picture_volume
from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.volume import Volume

SHAPE = (4, 50, 60)


def ct(step: float, domain: Domain = Domain.CT) -> Volume:
    """Air and tissue of -1000 to 1000 HU in steps."""
    smooth = np.random.default_rng(1).uniform(-1000, 1000, SHAPE)
    smooth[:, :10] = -1000
    return Volume((np.round(smooth / step) * step).astype(np.int16), Geometry(SHAPE, (1.0, 1.0, 1.0)), domain)


@pytest.mark.parametrize(("step", "found"), [(1.0, 0.0), (2.0, 0.0), (10.0, 10.0), (16.0, 16.0)])
def test_steps_are_measured(step: float, found: float):
    assert ct_step(ct(step).voxels) == found


def test_a_mask_or_a_label_map_has_no_steps():
    assert ct_step(np.array([0, 50, 100, 50, 0], np.int16)) == 0


def test_values_are_moved_by_half_a_step_at_most_and_stay_where_they_are_on_average():
    volume = ct(10.0)
    spread = spread_steps(volume)
    moved = spread.voxels - volume.voxels
    tissue = volume.voxels > -900
    assert np.abs(moved).max() <= 5.0
    assert abs(moved[tissue].mean()) < 0.1
    assert moved[tissue].std() == pytest.approx(10 / np.sqrt(12), rel=0.05)
    assert (moved[volume.voxels == -1000] == 0).all(), "air stays air"
    assert spread.history[-1].startswith("steps of 10 HU")


def test_the_same_voxels_are_moved_alike_and_others_otherwise():
    once, again = (spread_steps(ct(10.0)).voxels for _ in range(2))
    np.testing.assert_array_equal(once, again)
    other = ct(10.0)
    other.voxels[0, 0, 0] += 10
    assert not np.array_equal(spread_steps(other).voxels[1:], once[1:])


@pytest.mark.parametrize("volume", [ct(1.0), ct(10.0, Domain.MR_T1)], ids=["no steps", "MR"])
def test_anything_else_is_left_as_it_is(volume: Volume):
    assert spread_steps(volume) is volume


def test_real_slices_lose_their_steps_and_the_prepared_ones_know_it(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Prepared with it and without it: no more than half a step apart; the second asking prepares anew."""
    collection = tmp_path / "heads"
    for name in ("1BA001", "1BB002"):
        (collection / name).mkdir(parents=True)
        for picture in ("ct_axial.png", "mr_t1_axial.png", "mask_axial.png"):
            (collection / name / picture).write_bytes((shared_data / "synthrad_brain_slices" / name / picture).read_bytes())
    step = ct_step(picture_volume([collection / "1BA001" / "ct_axial.png"], Domain.CT, LayoutOptions()).voxels)
    assert 9 <= step <= 11
    found = []
    for flags in ((), ("--spread-ct-steps",)):
        out = tmp_path / "prepared"
        assert main(["prepare", str(collection), "--out", str(out), "--validation-share", "0.5", "--no-check", *flags]) == 0
        index = DatasetFolder(out).read()
        found.append([np.load(out / case.file)[0, 0].astype(np.float64) for case in index.cases])
    capsys.readouterr()
    for plain, spread in zip(*found, strict=True):
        apart = np.abs(plain - spread) * (2000 + 1024) / 2
        assert 1 < apart.mean() < 4
        assert apart.max() < 12 / 2 + 1
    assert index.made_from["ct_steps"] == "spread"
