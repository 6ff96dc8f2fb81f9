"""Folders of PNG slices: read by Pillow, and read back as the volume they were."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ctmri_core.domain import Domain
from ctmri_core.errors import Stopped, WriteFailed
from ctmri_core.events import Noted, finish
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.io.opening import open_volume, scan
from ctmri_core.io.png_export import scale_of, write_png_slices
from ctmri_core.io.png_slices import KEYWORD, encode
from ctmri_core.io.saving import save
from ctmri_core.volume import Finding, Synthetic, Volume

_TURN = rigid_transform((8.0, -15.0, 30.0), (0.0, 0.0, 0.0))[:3, :3]
GRID = Geometry((12, 6, 5), (3.3, 0.6667, 0.71), (-100.0, 20.0, -30.0), tuple(map(tuple, _TURN[:, ::-1].T.tolist())))
MODEL = Synthetic("demo", "ab" * 32, {"recipe": "x"})


def _volume(domain=Domain.CT, low=-1024, high=3000, dtype=np.int16, **changes) -> Volume:
    values = np.random.default_rng(3).uniform(low, high, GRID.shape)
    values.flat[:2] = low, high
    return replace(Volume(values.astype(dtype), GRID, domain, "x", synthetic=MODEL), **changes)


def _pictures(folder):
    return sorted(folder.glob("*.png"))


def _values(path) -> tuple[np.ndarray, dict]:
    with Image.open(path) as picture:
        facts = json.loads(picture.text[KEYWORD])
        return np.asarray(picture).astype(float) * facts["slope"] + facts["intercept"], facts


_WHOLE = np.round(np.random.default_rng(4).uniform(0, 60000, GRID.shape)).astype(np.float32)
CASES = {
    "ct": _volume(),
    "ct beyond air": _volume(low=-3024),
    "ct, all of int16": _volume(low=-32768, high=32767),
    "mr": _volume(Domain.MR_T1, 0, 1200),
    "mr below zero": _volume(Domain.MR, -500, 1200),
    "mr, whole floats": _volume(Domain.MR_T2, voxels=_WHOLE),
    "mr, one value": _volume(Domain.MR_T2, voxels=np.full(GRID.shape, 0.3, np.float32)),
    "acquired": _volume(synthetic=None),
    "phantom": _volume(phantom=True),
}


@pytest.mark.parametrize("volume", CASES.values(), ids=CASES)
def test_pillow_finds_every_value_and_the_place_of_every_slice(tmp_path, volume):
    finish(write_png_slices(volume, tmp_path / "out"))
    assert len(_pictures(tmp_path / "out")) == GRID.shape[0]
    for k, path in enumerate(_pictures(tmp_path / "out")):
        values, facts = _values(path)
        np.testing.assert_array_equal(values, volume.voxels[k])
        assert (facts["version"], facts["k"], facts["count"], facts["note"]) == (1, k, GRID.shape[0], "")
        assert Geometry(GRID.shape, facts["spacing"], facts["origin"], facts["direction"]) == GRID
        assert facts["mark"].startswith("synthetic, not for diagnosis" if volume.synthetic else "CT-MRI Studio")


@pytest.mark.parametrize("volume", CASES.values(), ids=CASES)
def test_the_folder_opens_as_the_volume_that_it_was(tmp_path, volume):
    volume = replace(volume, findings=(Finding("demo_model", "A demonstration model."),), history=("translated",))
    finish(save(volume, tmp_path / "out", slices="png"))
    (series,) = scan(tmp_path / "out")
    assert series.synthetic == (volume.synthetic is not None)
    again = open_volume(tmp_path / "out")
    np.testing.assert_array_equal(again.voxels, volume.voxels)
    assert again.geometry.is_close(GRID, 1e-4)
    assert (again.synthetic, again.domain, again.phantom) == (volume.synthetic, volume.domain, volume.phantom)
    assert (again.findings, again.history[0]) == (volume.findings, "translated")


def test_hounsfield_units_are_stored_as_pairs_commonly_are(tmp_path):
    finish(write_png_slices(_volume(), tmp_path / "out"))
    assert [path.name for path in _pictures(tmp_path / "out")][::11] == ["ct_0001.png", "ct_0012.png"]
    assert _values(tmp_path / "out" / "ct_0001.png")[1]["intercept"] == -1024
    finish(write_png_slices(_volume(low=-3024), tmp_path / "beyond"))
    assert (tmp_path / "beyond" / "slice_0001.png").is_file()  # whose offset is another


def test_what_is_rounded_is_said_with_its_error(tmp_path):
    volume = _volume(Domain.MR_T1, 0.1, 0.9, np.float32)
    heard = [event.message for event in save(volume, tmp_path / "out", slices="png") if isinstance(event, Noted)]
    assert len(heard) == 1 and "6.1e-06" in heard[0]
    error = max(np.abs(_values(path)[0] - volume.voxels[k]).max() for k, path in enumerate(_pictures(tmp_path / "out")))
    assert error <= 0.8 / 65535 / 2 * 1.01
    assert "6.1e-06" in (tmp_path / "out" / "README.txt").read_text()
    again = open_volume(tmp_path / "out")
    assert [finding.kind for finding in again.findings] == ["rounded"]
    assert again.synthetic == MODEL
    hounsfield = _volume(dtype=np.float32)
    finish(save(hounsfield, tmp_path / "ct", slices="png"))
    np.testing.assert_array_equal(open_volume(tmp_path / "ct").voxels, np.rint(hounsfield.voxels))
    with pytest.raises(WriteFailed, match="NaN"):
        scale_of(replace(volume, voxels=np.full(GRID.shape, np.nan, np.float32)))


def test_people_are_told_too(tmp_path):
    finish(write_png_slices(_volume(), tmp_path / "out"))
    assert (tmp_path / "out" / "README.txt").read_text().startswith("SYNTHETIC IMAGES, NOT FOR DIAGNOSTIC USE")
    finish(write_png_slices(_volume(synthetic=None), tmp_path / "two"))
    assert "SYNTHETIC" not in (tmp_path / "two" / "README.txt").read_text()


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    asked = iter([False] * 5 + [True])
    with pytest.raises(Stopped):
        finish(write_png_slices(_volume(), tmp_path / "out", stop=lambda: next(asked)))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(WriteFailed, match="not empty"):
        finish(save(_volume(), tmp_path / "out", slices="png"))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_what_is_encoded_is_decoded_by_pillow(rows, columns, seed):
    values = np.random.default_rng(seed).integers(0, 65536, (rows, columns)).astype(np.uint16)
    with Image.open(io.BytesIO(encode(values, '{"k": 1}'))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), values)
        assert picture.text == {KEYWORD: '{"k": 1}'}
