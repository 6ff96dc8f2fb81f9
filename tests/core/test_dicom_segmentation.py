"""Segmentations of other programs and of ours are opened as labels; the contract of readers is tested beside all others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import Geometry
from ctmri_core.io.opening import open_volume, scan
from ctmri_core.labels.dicom_seg import write_dicom_seg
from ctmri_core.preprocess.resample import resample_array
from tests.contracts.segmentation_samples import images_on, segmentation
from tests.core.test_dicom_seg import GRIDS, scan_on

GRID = GRIDS[1]
_FLIPPED = Geometry((4, 11, 7), (1.5, 1.0, 1.2), (3.0, 4.0, 5.0), ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)))


def drawn(grid: Geometry, *segments: tuple[slice, slice, slice]) -> np.ndarray:
    masks = np.zeros((*grid.shape, len(segments)), np.uint8)
    for n, box in enumerate(segments):
        masks[(*box, n)] = 1
    return masks


@pytest.mark.parametrize("grid", [*GRIDS, _FLIPPED], ids=["axial", "oblique", "left-handed"])
def test_what_we_wrote_lies_where_it_lay_and_keeps_its_names(tmp_path, grid):
    labels = np.random.default_rng(1).integers(0, 4, grid.shape).astype(np.uint8)
    labels[1] = 0
    volume = open_volume(write_dicom_seg(labels, scan_on(grid), tmp_path / "seg.dcm", {1: "body", 2: "bone", 3: "skin"}))
    np.testing.assert_array_equal(resample_array(volume.voxels, volume.geometry, grid, order=0), labels)
    assert volume.label_names == ((1, "body"), (2, "bone"), (3, "skin")) and volume.frame_of_reference == "1.2.3.9"
    assert "bone" not in repr(volume) and not volume.findings


def test_planes_that_nobody_drew_in_are_empty(tmp_path):
    masks = drawn(GRIDS[0], (slice(0, 1), slice(2, 9), slice(3, 8)), (slice(4, 5), slice(2, 9), slice(3, 8)))
    segmentation(images_on(GRIDS[0]), masks, ["a", "b"]).save_as(tmp_path / "seg.dcm")
    volume = open_volume(tmp_path / "seg.dcm")
    assert volume.geometry.is_close(GRIDS[0])
    np.testing.assert_array_equal(volume.voxels, masks[..., 0] + 2 * masks[..., 1])


def test_deflated_ones_are_read_and_other_kinds_refused_in_words(tmp_path):
    masks = drawn(GRID, (slice(0, 3), slice(2, 9), slice(1, 6)))
    for syntax in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        made = segmentation(images_on(GRID), masks, ["a"])
        made.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(tmp_path / "seg.dcm", made, enforce_file_format=True)
        np.testing.assert_array_equal(open_volume(tmp_path / "seg.dcm").voxels, masks[:3, ..., 0])
    for kind, given in (("FRACTIONAL", masks / 2.0), ("LABELMAP", masks[..., 0])):
        segmentation(images_on(GRID), given, ["a"], segmentation_type=kind).save_as(tmp_path / "other.dcm")
        with pytest.raises(FileRefused, match=f"of the type {kind}; BINARY can be read. Export it as binary"):
            open_volume(tmp_path / "other.dcm")


def test_overlapping_segments_are_told(tmp_path):
    box = (slice(0, 2), slice(2, 9), slice(1, 6))
    masks = drawn(GRID, box, (slice(0, 2), slice(8, 11), slice(1, 6)))
    segmentation(images_on(GRID), masks, ["a", "b"]).save_as(tmp_path / "seg.dcm")
    volume = open_volume(tmp_path / "seg.dcm")
    (finding,) = volume.findings
    assert finding.serious and "overlap in 10 voxels" in finding.message
    assert np.bincount(volume.voxels.ravel())[1:].tolist() == [60, 30]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda place: place + 3, "do not lie straight above each other"),
        (lambda place: place + np.array((0, 0, 0.7)), "on no even grid"),
        (lambda place: place + 9e8, "does not place"),
    ],
)
def test_frames_on_no_grid_are_refused(tmp_path, change, words):
    made = segmentation(images_on(GRIDS[0]), drawn(GRIDS[0], (slice(0, 4), slice(2, 9), slice(3, 8))), ["a"])
    frame = made.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0]
    place = np.array(frame.ImagePositionPatient, float)
    frame.ImagePositionPatient = [f"{value:.6g}" for value in change(place)]
    made.save_as(tmp_path / "seg.dcm")
    with pytest.raises(FileRefused, match=words):
        scan(tmp_path / "seg.dcm")


def test_in_a_folder_of_images_it_is_told_and_left_to_be_opened_by_itself(tmp_path):
    for k, image in enumerate(images_on(GRIDS[0])):
        image = replace_pixels(image)
        pydicom.dcmwrite(tmp_path / f"{k}.dcm", image, enforce_file_format=True)
    (series,) = scan(tmp_path)
    segmentation(images_on(GRIDS[0]), drawn(GRIDS[0], (slice(0, 4),) * 3), ["a"]).save_as(tmp_path / "seg.dcm")
    (beside,) = scan(tmp_path)
    assert beside.shape == series.shape and beside.format_name == "DICOM"
    folder = tmp_path / "alone"
    folder.mkdir()
    (tmp_path / "seg.dcm").rename(folder / "seg.dcm")
    (alone,) = scan(folder)
    assert alone.format_name == "DICOM Segmentation"


def replace_pixels(image: pydicom.Dataset) -> pydicom.Dataset:
    """With pixels, so that it is a picture."""
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 0
    image.RescaleIntercept, image.RescaleSlope = -1024, 1
    image.PixelData = np.full((image.Rows, image.Columns), 1000, "<u2").tobytes()
    return image


def test_one_of_another_program_is_read_or_refused_in_words(shared_data: Path):
    folder = shared_data / "odd_files/pydicom_test_files"
    with pytest.raises(FileRefused, match="describes 3"):  # it was cut down to one frame
        scan(folder / "liver_1frame.dcm")
    with pytest.raises(FileRefused, match="Big Endian, which cannot be read"):
        scan(folder / "liver_expb_1frame.dcm")
