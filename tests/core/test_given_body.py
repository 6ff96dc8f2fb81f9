"""A body outlined with a threshold of one's own, or given by a person: what is found, and that it is used."""

import hashlib

import numpy as np
import pytest
import SimpleITK as sitk

from ctmri_core.domain import Domain
from ctmri_core.errors import WrongInput
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.bias_field import BiasField
from ctmri_core.preprocess.body_mask import body_mask, own_threshold
from ctmri_core.preprocess.field_window import body_boxes
from ctmri_core.preprocess.given_body import body_in, body_note, checked_body, mask_volume
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.volume import Volume

_SHAPE = (40, 70, 66)
_GEOMETRY = Geometry(_SHAPE, (2.5, 2.0, 2.0), (-66.0, -70.0, 10.0))
_PLACE = _GEOMETRY.index_to_mm(np.stack(np.indices(_SHAPE), -1)) - _GEOMETRY.centre


def _ball(radius: float) -> np.ndarray:
    return np.linalg.norm(_PLACE, axis=-1) < radius


def _ct(noise: float = 10.0) -> Volume:
    """Muscle in a shell of fat, and a table that is as dense as muscle."""
    hu = np.where(_ball(36), 40.0, np.where(_ball(46), -100.0, -1000.0))
    hu[:, 66:68, 4:60] = 60
    hu += np.random.default_rng(0).normal(0, noise, _SHAPE)
    return Volume(np.rint(hu).astype(np.int16), _GEOMETRY, Domain.CT)


def _mr() -> Volume:
    signal = np.where(_ball(30), 800.0, np.where(_ball(46), 200.0, 0.0))
    rng = np.random.default_rng(1)
    noisy = np.hypot(signal + rng.normal(0, 10, _SHAPE), rng.normal(0, 10, _SHAPE))
    return Volume(noisy.astype(np.float32), _GEOMETRY, Domain.MR_T1)


def _dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def _largest_above(volume: Volume, threshold: float) -> np.ndarray:
    """Another program's opinion: smoothed, thresholded, opened, the largest piece with its holes filled."""
    image = sitk.DiscreteGaussian(sitk.GetImageFromArray(volume.voxels.astype(np.float32)), 0.7)
    opened = sitk.BinaryMorphologicalOpening(sitk.BinaryThreshold(image, threshold, 1e9), (2, 2, 2))
    pieces = sitk.RelabelComponent(sitk.ConnectedComponent(opened))
    return sitk.GetArrayFromImage(sitk.BinaryFillhole(pieces == 1)).astype(bool)


@pytest.mark.parametrize(("threshold", "radius"), [(None, 46), (-350.0, 46), (-30.0, 36)])
def test_the_threshold_decides_where_a_ct_ends(threshold, radius):
    found = body_mask(_ct(), threshold)
    assert _dice(found, _ball(radius)) > 0.97
    assert _dice(found, _largest_above(_ct(), own_threshold(_ct()) if threshold is None else threshold)) > 0.96


@pytest.mark.parametrize(("threshold", "radius"), [(0.1, 46), (0.6, 30)])
def test_of_an_mr_it_is_a_share_of_its_range(threshold, radius):
    found = body_mask(_mr(), threshold)
    assert _dice(found, _ball(radius)) > 0.96
    assert _dice(found, _largest_above(_mr(), threshold * 800)) > 0.96


@pytest.mark.parametrize("make", [_ct, _mr])
def test_the_threshold_that_is_taken_by_itself_is_told(make):
    np.testing.assert_array_equal(body_mask(make(), own_threshold(make())), body_mask(make()))
    nothing = Volume(np.zeros(_SHAPE, np.float32), _GEOMETRY, Domain.MR)
    assert own_threshold(nothing) == 0.0 and not body_mask(nothing, 0.3).any()


def test_what_lies_outside_of_a_given_body_is_not_seen_by_a_network():
    """Whatever stands there: two scans that differ outside alone are prepared alike, but for the blocks that N4 looks at."""
    volume, body = _mr(), _ball(40) & (_PLACE[..., 0] < 20)
    other = Volume(np.where(body, volume.voxels, 5000.0).astype(np.float32), _GEOMETRY, Domain.MR_T1)
    n4 = BiasField(cell_mm=8, iterations=5, levels=1)
    for recipe, off in ((Recipe(spacing_mm=2.0), 0.0), (Recipe(spacing_mm=2.0, bias_field=n4), 0.01)):
        one, two = recipe.record_of(volume, body), recipe.record_of(other, body)
        assert one.body is body
        seen = [recipe.forward_slices(each, record, 0, record.count) for each, record in ((volume, one), (other, two))]
        np.testing.assert_allclose(*seen, atol=off)
        changed = recipe.changed(volume, body)
        assert (changed.voxels[~body] == 0).all() and changed.history[-1] == "outside of the body cleared"
    np.testing.assert_array_equal(Recipe().changed(volume, body).voxels[body], volume.voxels[body])


def test_n4_looks_at_the_given_body():
    """A gain is found where the mask is, however wrong the outline found would be."""
    k = np.linspace(-1, 1, _SHAPE[0])[:, None, None]
    gain = np.exp(0.5 * k + 0 * _PLACE[..., 0])
    rng = np.random.default_rng(2)
    signal = np.where(_ball(40), np.where(rng.random(_SHAPE) > 0.5, 300, 450), 0) * gain
    decoy = np.zeros(_SHAPE, bool)
    decoy[:, 60:, :] = True  # brighter and larger than what matters
    volume = Volume(np.where(decoy, 900, signal).astype(np.float32), _GEOMETRY, Domain.MR_T1)
    recipe, body = Recipe(bias_field=BiasField(cell_mm=5, iterations=20, levels=2)), _ball(36)
    left = recipe.changed(volume, body).voxels / np.maximum(signal / gain, 1)
    assert np.log(left[body]).std() < 0.4 * np.log(gain[body]).std()


def test_windows_of_wide_slices_lie_about_the_given_body():
    wide = Geometry((20, 200, 200), (2.0, 2.0, 2.0))
    hu = np.full(wide.shape, -1000, np.int16)
    hu[:, 20:60, 20:60] = 40
    body = np.zeros(wide.shape, bool)
    body[4:9, 120:160, 130:170] = True
    volume = Volume(hu, wide, Domain.CT)
    boxes = body_boxes(volume, body)
    assert boxes[4:9].tolist() == [[[120, 160], [130, 170]]] * 5 and not boxes[9:].any()
    recipe = Recipe(spacing_mm=None, field_mm=(100.0, 100.0))
    grid = recipe.record_of(volume, body).grid
    assert grid.rows.seen.start <= 120 and grid.rows.seen.stop >= 160 and grid.is_window


def test_masks_that_cannot_be_the_body_are_refused_in_words():
    source, inside = _ct(), _ball(40)
    with pytest.raises(WrongInput, match="empty"):
        checked_body(np.zeros(_SHAPE, bool), source)
    with pytest.raises(WrongInput, match="uint8"):
        checked_body(inside.astype(np.uint8), source)
    with pytest.raises(WrongInput, match=r"\(39, 70, 66\)"):
        Recipe().record_of(source, inside[1:])

    def mask(values: np.ndarray, geometry: Geometry = _GEOMETRY) -> Volume:
        return Volume(np.ascontiguousarray(values), geometry, Domain.UNKNOWN)

    for values, words in (
        (np.zeros(_SHAPE, np.int16), "is empty"),
        (source.voxels, "more than 0 and one other"),
        (np.full(_SHAPE, 7, np.int16), "same value everywhere"),
        (np.where(inside, np.nan, 0).astype(np.float32), "more than 0 and one other"),
    ):
        with pytest.raises(WrongInput, match=words):
            body_in(mask(values), source)
    moved = Geometry(_SHAPE, _GEOMETRY.spacing, (-65.0, -70.0, 10.0))
    with pytest.raises(WrongInput, match=r"40 x 70 x 66 voxels of 2\.5 x 2 x 2 mm"):
        body_in(mask(inside.astype(np.int16), moved), source)


def test_a_mask_may_be_stored_in_another_order_of_voxels():
    source, body = _ct(), _ball(40) & (_PLACE[..., 0] < 12) & (_PLACE[..., 2] > -9)
    np.testing.assert_array_equal(body_in(mask_volume(body, source), source), body)
    turned = _GEOMETRY.permuted((2, 0, 1), (True, False, True))
    stored = np.ascontiguousarray(255 * body.astype(np.int16).transpose(2, 0, 1)[::-1, :, ::-1])
    np.testing.assert_array_equal(body_in(Volume(stored, turned, Domain.UNKNOWN), source), body)


def test_a_record_knows_a_given_body_by_its_hash():
    source = _ct()
    found, given = body_note(body_mask(source).copy(), source), body_note(_ball(20), source)
    assert (found["origin"], given["origin"], body_note(None, source)) == ("found", "given", {"origin": "found"})
    assert given["sha256"] == hashlib.sha256(_ball(20).astype(np.uint8).tobytes()).hexdigest() != found["sha256"]
