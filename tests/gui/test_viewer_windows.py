"""Grey values: presets, windows that go together, and what is drawn for a value."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing
from PySide6.QtGui import QImage

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.volume import DicomSource, Synthetic, Volume
from ctmri_gui.viewer.grey_picture import GreyPicture
from ctmri_gui.viewer.preset_book import CT_PRESETS
from ctmri_gui.viewer.presets import Window, first_window, percentile_window
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.viewer_model import ViewerModel

GRID = Geometry((24, 40, 40), (4.0, 4.0, 4.0))


def mr(scale: float = 1.0, **facts) -> Volume:
    """A ball of values from 200 to 800 in air, which fills a tenth of the volume."""
    axes = np.meshgrid(*[np.linspace(-1.7, 1.7, n) for n in GRID.shape], indexing="ij")
    inside = sum(axis**2 for axis in axes) < 1
    values = np.random.default_rng(0).uniform(200, 800, GRID.shape)
    return Volume((np.where(inside, values, 0) * scale).astype(np.float32), GRID, Domain.MR_T1, **facts)


def ct(**facts) -> Volume:
    return Volume(np.full(GRID.shape, 40, np.int16), GRID, Domain.CT, **facts)


def greys(picture: QImage) -> np.ndarray:
    buffer = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.width(), 4)
    assert (buffer[..., 0] == buffer[..., 1]).all() and (buffer[..., 0] == buffer[..., 2]).all()
    assert (buffer[..., 3] == 255).all()
    return buffer[..., 0].copy()


def test_dicom_windows_follow_the_standards_linear_function() -> None:
    values = np.arange(-100, 300, dtype=np.int16).reshape(20, 20)
    dataset = Dataset()
    dataset.WindowCenter, dataset.WindowWidth = 40, 80
    dataset.PhotometricInterpretation, dataset.BitsStored, dataset.PixelRepresentation = "MONOCHROME2", 16, 1
    standard = apply_windowing(values, dataset)
    standard = np.rint((standard - standard.min()) / (standard.max() - standard.min()) * 255)
    drawn = greys(GreyPicture().render(values, *Window(40, 80).levels(dicom=True)))
    assert np.abs(drawn - standard).max() <= 1
    assert Window(40, 80).levels(dicom=False) == (0, 80)


def test_grey_picture_takes_any_layout_inverts_and_survives_what_is_no_number() -> None:
    values = np.array([[0, 50, 100], [np.nan, -np.inf, np.inf]], np.float32)
    np.testing.assert_array_equal(greys(GreyPicture().render(values, 0, 100)), [[0, 128, 255], [0, 0, 255]])
    np.testing.assert_array_equal(greys(GreyPicture().render(values[:1, ::-1].T, 100, 0)), [[0], [128], [255]])


def test_presets_are_the_agreed_ones() -> None:
    by_key = {preset.key: preset.window for preset in CT_PRESETS}
    assert by_key["1"] == Window(40, 80) and by_key["2"] == Window(400, 2000) and by_key["3"] == Window(-600, 1500)
    assert by_key["9"].levels(dicom=False) == (-1024, 3000)


def test_the_files_own_window_comes_first() -> None:
    assert first_window(ct(window=(60.0, 360.0))) == Window(60, 360)
    assert first_window(ct(window=(60.0, 0.0))) == first_window(ct())


def cylinder(across_mm: float, *, reach: int = 60, **facts) -> Volume:
    """An upright body of that width from right to left in air, in a picture of 2 x `reach` voxels of 4 mm."""
    grid = Geometry((30, 2 * reach, 2 * reach), (4.0, 4.0, 4.0), (-4.0 * reach, -4.0 * reach, 0.0))
    x, y = (np.arange(2 * reach)[None, :] - reach) * 4.0, (np.arange(2 * reach)[:, None] - reach) * 4.0
    body = (x / (across_mm / 2)) ** 2 + (y / 100) ** 2 < 1
    voxels = np.broadcast_to(np.where(body, 40, -1000).astype(np.int16), grid.shape)
    return Volume(np.ascontiguousarray(voxels), grid, Domain.CT, **facts)


@pytest.mark.parametrize(("across_mm", "width"), [(90, 400), (150, 80), (200, 80), (300, 400), (420, 400)])
def test_the_ct_of_a_head_opens_in_the_brain_window(across_mm, width) -> None:
    volume = cylinder(across_mm)
    assert first_window(volume) == first_window(replace(volume, synthetic=Synthetic("m", "0"))) == Window(40, width)
    order, flips = (2, 0, 1), (True, False, False)
    turned = np.ascontiguousarray(np.flip(volume.voxels.transpose(order), 0))
    sagittal = replace(volume, voxels=turned, geometry=volume.geometry.permuted(order, flips))
    assert first_window(sagittal) == Window(40, width)
    assert first_window(replace(volume, window=(60.0, 360.0))) == Window(60, 360)


def test_a_cut_out_of_a_trunk_is_no_head() -> None:
    assert first_window(cylinder(420, reach=20)) == Window(40, 400)


def test_automatic_mr_window_does_not_depend_on_the_air_around() -> None:
    volume, margin = mr(), 16
    padded = np.pad(volume.voxels, margin)
    surrounded = replace(volume, voxels=padded, geometry=GRID.cropped((-margin,) * 3, padded.shape))
    window, other = percentile_window(volume, 0.5, 99.5), percentile_window(surrounded, 0.5, 99.5)
    assert (other.centre, other.width) == pytest.approx((window.centre, window.width), rel=0.03)
    assert window.levels(dicom=False)[1] == pytest.approx(797, abs=6)


def test_ct_panes_share_a_window_and_mr_panes_move_in_proportion() -> None:
    model = ViewerModel()
    model.set_volume(Role.SOURCE, ct())
    model.set_volume(Role.SYNTHETIC, mr(synthetic=Synthetic("m", "0")))
    model.set_volume(Role.TRUTH, mr(scale=3.0))
    before = dict(model.windows)
    model.drag_window(Role.SYNTHETIC, 60, -30)
    assert model.windows[Role.SOURCE] == before[Role.SOURCE]
    assert model.windows[Role.SYNTHETIC].width == pytest.approx(1.2 * before[Role.SYNTHETIC].width)
    assert model.windows[Role.TRUTH].width == pytest.approx(3 * model.windows[Role.SYNTHETIC].width, rel=1e-3)
    assert model.windows[Role.TRUTH].centre == pytest.approx(3 * model.windows[Role.SYNTHETIC].centre, rel=1e-3)


def test_two_cts_share_one_window_from_the_start() -> None:
    model = ViewerModel()
    model.set_volume(Role.SYNTHETIC, ct(synthetic=Synthetic("m", "0")))
    model.set_window(Role.SYNTHETIC, Window(10, 20))
    model.set_volume(Role.TRUTH, ct())
    assert model.windows[Role.TRUTH] == Window(10, 20)
    model.apply_preset("2", Role.TRUTH)
    assert model.windows[Role.SYNTHETIC] == model.windows[Role.TRUTH] == Window(400, 2000)


@pytest.mark.parametrize("automatic", [False, True])
def test_two_cts_keep_one_window_when_it_is_found_anew(automatic) -> None:
    model = ViewerModel()
    model.set_volume(Role.TRUTH, ct(window=(50.0, 350.0)))
    bone = Volume(np.full(GRID.shape, 900, np.int16), GRID, Domain.CT, synthetic=Synthetic("m", "0"))
    model.set_volume(Role.SYNTHETIC, bone)
    assert model.windows[Role.SYNTHETIC] == model.windows[Role.TRUTH] == Window(50, 350)
    model.set_window(Role.SYNTHETIC, Window(10, 20))
    if automatic:
        model.apply_preset("0", Role.TRUTH)
        assert model.windows[Role.TRUTH] == percentile_window(ct(), 0.5, 99.5)
    else:
        model.reset_window(Role.TRUTH)
        assert model.windows[Role.TRUTH] == Window(50, 350)
    assert model.windows[Role.SYNTHETIC] == model.windows[Role.TRUTH]


def test_match_truth_gives_synthetic_mr_the_truths_window_until_auto() -> None:
    model = ViewerModel()
    model.set_volume(Role.SYNTHETIC, mr(synthetic=Synthetic("m", "0")))
    model.set_volume(Role.TRUTH, mr(scale=3.0))
    model.apply_preset("3", Role.SYNTHETIC)
    assert model.windows[Role.SYNTHETIC] == model.windows[Role.TRUTH]
    model.drag_window(Role.SYNTHETIC, 30, 5)
    assert model.windows[Role.SYNTHETIC] == model.windows[Role.TRUTH]
    model.apply_preset("0", Role.SYNTHETIC)
    assert model.windows[Role.SYNTHETIC].width == pytest.approx(model.windows[Role.TRUTH].width / 3, rel=1e-3)


def test_keys_without_a_preset_and_empty_panes_change_nothing() -> None:
    model = ViewerModel()
    model.apply_preset("1", Role.TRUTH)
    model.reset_window(Role.TRUTH)
    model.set_volume(Role.SOURCE, mr())
    before = dict(model.windows)
    model.apply_preset("9", Role.SOURCE)
    assert model.windows == before


def test_levels_of_a_dicom_source_are_half_a_value_narrower() -> None:
    source = DicomSource("1", "2", "3", None, (), {})
    model = ViewerModel()
    model.set_volume(Role.SOURCE, ct(dicom=source, window=(40.0, 80.0), path=Path("x")))
    assert model.levels(Role.SOURCE) == (0.0, 79.0)
