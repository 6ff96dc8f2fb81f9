"""CT, T1 and T2 are told by their voxels alone, whatever the scale; what is no scan is not; files are not overruled."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.io.opening import open_volume
from ctmri_core.io.second_opinion import DISAGREES, GUESSED, INVERTED, WEIGHTING, answered, with_second_opinion
from ctmri_core.phantom import make_head
from ctmri_core.recognition import recognise
from ctmri_core.volume import DicomSource, Finding, Volume

DICOM = DicomSource("1.2", "1.3", "1.4", None, (), {})


@pytest.fixture(scope="module")
def head():
    """One that the recognition did not learn from: the phantom's own sequences, seeds and grids."""
    return make_head(4711, voxel_mm=2.0)


def plain(voxels, geometry=None):
    voxels = np.asarray(voxels)
    geometry = geometry or Geometry(voxels.shape, (2.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    return Volume(np.ascontiguousarray(voxels, np.int16 if voxels.dtype == np.int16 else np.float32), geometry, Domain.UNKNOWN)


def test_ct_t1_and_t2_heads_are_told_apart_by_their_voxels(head):
    for domain in (Domain.CT, Domain.MR_T1, Domain.MR_T2):
        seen = recognise(replace(head[domain], domain=Domain.UNKNOWN))
        assert seen.domain is domain and seen.probability > 0.85


def padded(hu):
    """As some scanners store it: a disk, and far less than air beyond it."""
    beyond = np.hypot(*np.ogrid[-1 : 1 : hu.shape[1] * 1j, -1 : 1 : hu.shape[2] * 1j]) > 1
    return np.where(beyond, -2000, hu + 1024)


STORED = {
    "shifted by 1024": lambda hu: hu + 1024,
    "shifted and padded at -2000": padded,
    "brain window, 8 bits": lambda hu: np.rint(np.clip(hu / 80, 0, 1) * 255),
    "wide window, 8 bits": lambda hu: np.rint(np.clip((hu + 160) / 400, 0, 1) * 255),
    "[-1, 1]": lambda hu: np.clip((hu + 1000) / 1500, 0, 2) - 1,
}  # fmt: skip


@pytest.mark.parametrize("stored", STORED)
def test_a_ct_is_one_however_it_is_stored(head, stored):
    ct = head[Domain.CT]
    assert recognise(plain(STORED[stored](ct.voxels.astype(np.float32)), ct.geometry)).domain is Domain.CT


def test_an_mr_is_one_in_8_bits_shifted_and_in_single_slices(head):
    t1, t2 = head[Domain.MR_T1], head[Domain.MR_T2]
    eight = np.rint(np.clip(t1.voxels / np.percentile(t1.voxels, 99.5), 0, 1) * 255).astype(np.float32)
    assert recognise(plain(eight, t1.geometry)).domain is Domain.MR_T1
    assert recognise(plain(t2.voxels.astype(np.float32) * 7 - 500, t2.geometry)).domain is Domain.MR_T2
    for volume in (t1, t2):
        middle = len(volume.voxels) * 5 // 8
        assert recognise(plain(volume.voxels[middle : middle + 1])).domain.is_mr


def test_axial_slices_are_looked_at_however_a_volume_is_stored(head):
    t1 = head[Domain.MR_T1]
    axes = t1.geometry.axes
    turned = Geometry(
        tuple(t1.voxels.shape[n] for n in (2, 0, 1)), tuple(t1.geometry.spacing[n] for n in (2, 0, 1)), t1.geometry.origin,
        tuple(map(tuple, axes[[2, 0, 1]])),
    )  # fmt: skip
    sagittal = plain(t1.voxels.transpose(2, 0, 1), turned)
    assert recognise(sagittal).shares == pytest.approx(recognise(t1).shares, abs=1e-6)


def nothing(kind, shape=(6, 80, 90)):
    random = np.random.default_rng(3)
    j, i = np.mgrid[-1 : 1 : shape[1] * 1j, -1 : 1 : shape[2] * 1j]
    return {
        "constant": np.full(shape, 7.0),
        "noise": random.normal(100, 20, shape),
        "uniform noise": random.random(shape) * 255,
        "ramp": np.broadcast_to(np.linspace(0, 4000, shape[2]), shape),
        "mask": np.broadcast_to((j**2 + i**2 < 0.5) * 255.0, shape),
        "tiny": random.random((4, 8, 8)),
        "not a number": np.full(shape, np.nan),
    }[kind]


@pytest.mark.parametrize("kind", ["constant", "noise", "uniform noise", "ramp", "mask", "tiny", "not a number"])
def test_what_is_no_scan_cannot_be_told(kind):
    seen = recognise(plain(nothing(kind).astype(np.float32)))
    assert not seen.sure and seen.label == "cannot be told"


def test_labels_cannot_be_told_and_a_negative_is_named(head):
    labels = np.asarray(head.details["tissue_map"])
    assert not recognise(plain(labels.astype(np.int16))).sure
    for domain in (Domain.CT, Domain.MR_T1):
        voxels = head[domain].voxels.astype(np.float32)
        negative = plain(voxels.max() - voxels, head[domain].geometry)
        assert recognise(negative).inverted and not recognise(negative).sure
        assert [finding.kind for finding in with_second_opinion(negative).findings] == [INVERTED]


def test_a_header_that_voxels_contradict_is_not_overruled_but_told(head):
    said = with_second_opinion(replace(head[Domain.MR_T1], domain=Domain.CT, dicom=DICOM, phantom=False))
    (finding,) = said.findings
    assert said.domain is Domain.CT and finding.kind == DISAGREES and finding.serious
    assert "DICOM header says CT" in finding.message and "T1 MR" in finding.message
    assert answered(said.findings) == ()
    same = replace(head[Domain.MR_T1], dicom=DICOM)
    assert with_second_opinion(same) is same


def test_a_weighting_that_the_header_leaves_open_is_offered_and_not_set(head):
    told = with_second_opinion(replace(head[Domain.MR_T2], domain=Domain.MR, dicom=DICOM))
    assert told.domain is Domain.MR and [(f.kind, f.serious) for f in told.findings] == [(WEIGHTING, False)]


def test_a_file_that_says_nothing_is_taken_for_what_it_looks_like(head):
    guess = Finding(GUESSED, "Taken for MR of unknown weighting; the file does not say.")
    t2 = replace(head[Domain.MR_T2], domain=Domain.MR, name="MR phantom, x.nii", findings=(guess,))
    taken = with_second_opinion(t2)
    assert taken.domain is Domain.MR_T2 and taken.name == "T2 MR phantom, x.nii"
    assert [finding.kind for finding in taken.findings] == [GUESSED] and "%" in taken.findings[0].message


REAL = [
    ("porcine_ct_t2/ct.nii.gz", Domain.CT), ("porcine_ct_t2/mr_t2.nii.gz", Domain.MR_T2),  # it learnt from five of these
    ("studyforrest_t1/t1w_from_dicom.nii.gz", Domain.MR_T1),
    ("visible_female_head_ct/head_ct.nii.gz", Domain.CT), ("totalsegmentator_examples/example_ct_sm.nii.gz", Domain.CT),
    ("totalsegmentator_examples/example_mr_sm.nii.gz", Domain.MR), ("odd_files/vtk_headsq/quarter.nhdr", Domain.CT),
    ("windowed_brain_slices/patient_07/ct", Domain.CT), ("windowed_brain_slices/patient_02/mr_t1", Domain.MR_T1),
    ("windowed_brain_slices/patient_07/mr_t2", Domain.MR_T2), ("windowed_brain_slices/patient_01/mr_t2", Domain.MR),
]  # fmt: skip


@pytest.mark.parametrize(("name", "domain"), REAL)
def test_real_scans_are_recognised_as_far_as_they_can_be(shared_data, name, domain):
    seen = recognise(open_volume(shared_data / name))
    assert seen.domain is domain


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_looking_takes_a_few_megabytes_of_any_volume(dtype):
    shape = (120, 512, 512)
    voxels = np.broadcast_to(np.random.default_rng(0).integers(-500, 500, shape[1:]).astype(dtype), shape)
    volume = Volume(voxels, Geometry(shape, (2.0, 0.5, 0.5)), Domain.MR)
    recognise(replace(volume, voxels=voxels[:20], geometry=Geometry((20, 512, 512), (2.0, 0.5, 0.5))))  # what is loaded once
    tracemalloc.start()
    recognise(volume)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20
