"""Every defective series is refused in a sentence or loaded with a finding that fits; no clean one is suspected of anything."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ctmri_core.errors import FileRefused
from ctmri_core.events import finish
from ctmri_core.io.opening import load, preview, scan
from ctmri_core.io.series import straightened
from tests.hostile.clean_series import clean_series
from tests.hostile.defective_series import DEFECTS
from tests.hostile.dicom_bytes import UID
from tests.hostile.series import stack, write

PRIVATE = ("Doe", "4711", "2.25.1234", "IM0")


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defective_series_gets_the_verdict_that_is_due(tmp_path, defect):
    folder = write(tmp_path / "series", defect.make())
    try:
        found = scan(folder)
        volume = finish(load(found[0]))
    except FileRefused as refusal:
        assert defect.refused and re.search(defect.refused, str(refusal)), refusal
        assert str(refusal).startswith(("series", "IM0")) and not any(word in refusal.problem for word in PRIVATE)
        return
    assert not defect.refused, "this must not open"
    assert len(found) == defect.series
    said = {finding.kind + "!" * finding.serious for finding in volume.findings}
    due = set(defect.findings.split())
    assert due <= said and {kind for kind in said if kind.endswith("!")} <= due, said
    if not volume.history:
        expected = [each.values() for each in defect.make()]
        assert all(any(np.array_equal(part, values) for values in expected) for part in volume.voxels)
    messages = " ".join(finding.message for finding in volume.findings)
    assert re.search(defect.words, messages), messages
    assert not any(word in messages for word in PRIVATE)


def test_the_kinds_are_many():
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS) >= 50


@pytest.mark.parametrize("clean", list(clean_series()), ids=lambda clean: clean.name)
def test_a_clean_series_opens_without_alarm_and_as_it_is(tmp_path, clean):
    found = list(scan(write(tmp_path, clean.slices)))
    assert len(found) == len(clean.truths)
    for truth in clean.truths:
        series, volume = next((each, volume) for each in found if (volume := finish(load(each))) and shows(volume, truth))
        found.remove(series)
        assert not volume.findings
        assert volume.geometry.spacing == pytest.approx(truth.spacing, abs=truth.tolerance) and volume.history == ()
        grid = volume.geometry
        ends = grid.index_to_mm([(0, 0, 0), (grid.shape[0] - 1, 0, 0)])
        assert np.abs(ends - truth.ends).max() <= truth.tolerance
        assert series.localizer == truth.localizer and series.shape == grid.shape and series.plane == grid.plane
        assert_is_the_middle_slice(preview(series), volume)


def shows(volume, truth):
    if volume.voxels.dtype == np.int16:
        return np.array_equal(volume.voxels, truth.voxels)
    return volume.voxels.shape == truth.voxels.shape and np.allclose(volume.voxels, truth.voxels, rtol=1e-6, atol=1e-3)


def assert_is_the_middle_slice(first, volume):
    k = volume.geometry.shape[0] // 2
    assert np.allclose(first.voxels[0], volume.voxels[k])
    assert np.allclose(first.geometry.corners[0], volume.geometry.index_to_mm((k, 0, 0)), atol=0.5)


def test_no_half_values_appear_where_tilted_slices_are_straightened_across_a_gap(tmp_path):
    """All that was measured here is 0 HU or more, all around it is air."""
    slices = next(defect for defect in DEFECTS if defect.name == "tilted_with_a_gap").make()
    (series,) = scan(write(tmp_path, slices))
    volume = finish(load(straightened(series)))
    inside = volume.voxels != -1024
    assert volume.voxels[inside].min() >= 0
    assert (inside.sum(axis=(1, 2)) == slices[0].stored.size).all()  # each slice keeps its size, the one made up too


@pytest.mark.parametrize(
    ("sort", "told"),
    [
        ("echoes", ["TE 12 ms", "TE 95 ms"]),
        ("b_values", ["b 0", "b 500", "b 1000"]),
        ("phases", ["phase 1", "phase 2", "phase 3"]),
    ],
)
def test_volumes_of_one_series_are_called_by_what_tells_them_apart(tmp_path, sort, told):
    slices = next(clean.slices for clean in clean_series() if f"_{sort}_in" in f"_{clean.name}")
    labels = [series.label for series in scan(write(tmp_path, slices))]
    assert (
        sorted(labels) == sorted(f"MR, series 1, {each}, {len(slices) // len(told)} slices" for each in told) or sort == "phases"
    )
    assert all(any(each in label for label in labels) for each in told)


def test_kinds_of_picture_have_names_but_no_text_of_the_header_is_shown(tmp_path):
    slices = []
    for n, kind in enumerate(("M", "P", "DOE")):
        for each in stack(4, seed=n, modality="MR", ImageType=f"ORIGINAL\\PRIMARY\\{kind}\\NONE"):
            each.edits["SOPInstanceUID"] = f"{each.edits['SOPInstanceUID']}.{n}"
            slices.append(each)
    labels = {series.label for series in scan(write(tmp_path, slices))}
    assert labels == {f"MR, series 1, {told}4 slices" for told in ("magnitude, ", "phase, ", "")}


def test_what_only_some_slices_say_is_no_name(tmp_path):
    """Slices numbered place by place, one of which says another time."""
    slices = []
    for k in range(6):
        for n in range(2):
            each = stack(6, 3.0, seed=n, modality="MR")[k]
            each.edits |= {"SOPInstanceUID": f"{UID}.{n}.{k}", "InstanceNumber": str(2 * k + n + 1)}
            each.edits |= {"TriggerTime": str(20 * n), "EchoTime": str(12 if (n, k) == (0, 3) else 95)}
            slices.append(each)
    found = scan(write(tmp_path, slices))
    assert sorted(series.label for series in found) == ["MR, series 1, 6 slices", "MR, series 1, TE 95 ms, 6 slices"]


def test_series_of_several_patients_say_which_belong_together_and_not_whose_they_are(tmp_path):
    slices = [
        *stack(5, series=1), *stack(6, series=2, seed=1, PatientID="4712"), *stack(7, series=3, seed=2, PatientID="4712"),
    ]  # fmt: skip
    labels = {series.label for series in scan(write(tmp_path, slices))}
    patients = [{label: label.split(", ")[2] for label in labels if f", {count} slices" in label} for count in (5, 6, 7)]
    told = [next(iter(one.values())) for one in patients]
    assert set(told) == {"patient 1 of 2", "patient 2 of 2"} and told[0] != told[1] == told[2]
    assert "471" not in str(labels)


def test_clean_series_are_many():
    assert sum(1 for _ in clean_series()) >= 50


@pytest.mark.parametrize("name", ["tilted", "tilted_sideways"])
def test_a_tilted_series_is_as_acquired_unless_asked(tmp_path, name):
    slices = next(defect for defect in DEFECTS if defect.name == name).make()
    (series,) = scan(write(tmp_path, slices))
    positions = np.array([[float(value) for value in each.edits["ImagePositionPatient"].split("\\")] for each in slices])
    volume = finish(load(series))
    assert np.array_equal(volume.voxels, [each.stored for each in slices]) and volume.history == ()
    assert np.allclose(volume.dicom.positions, positions, atol=1e-4)
    shown = volume.geometry.index_to_mm([(k, 0, 0) for k in range(20)])
    apart = np.linalg.norm(shown - positions, axis=1)
    assert apart[10] < 1e-4 and apart.max() == pytest.approx(apart[0]) and apart[0] > 2
    assert f"up to {apart[0]:.1f} mm" in next(finding.message for finding in volume.findings if finding.kind == "tilt")
    straight = finish(load(straightened(series)))
    assert np.array_equal(preview(straightened(series)).voxels[0], slices[10].stored)
    k, j, i = np.rint(straight.geometry.mm_to_index(positions[10])).astype(int)
    rows, columns = slices[10].stored.shape
    assert np.array_equal(straight.voxels[10, j : j + rows, i : i + columns], slices[10].stored) and k == 10
    assert straight.dicom.positions == () and straight.history and not [each for each in straight.findings if each.serious]
