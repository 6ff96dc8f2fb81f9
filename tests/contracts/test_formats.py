"""What every reader owes its users. A new format adds one `Sample` to SAMPLES and gets all of this.

Each file is written by one independent library and read back by another; ours must agree with both.
"""

from __future__ import annotations

import os
import pickle
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from ctmri_core.errors import FileRefused
from ctmri_core.events import Progress, finish
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.io import opening
from ctmri_core.io.formats import READERS, reader_named
from ctmri_core.volume import Volume
from tests.contracts import picture_samples as pictures
from tests.contracts import segmentation_samples as segmentations
from tests.contracts import volume_samples as volumes

SHAPE = (5, 7, 6)
_TURN = rigid_transform((12.0, -25.0, 40.0), (0.0, 0.0, 0.0))[:3, :3]
GEOMETRIES = {
    "axial": Geometry(SHAPE, (3.0, 0.5, 0.7), (-10.5, 20.25, -300.125)),
    "sagittal": Geometry(SHAPE, (1.5, 0.9, 0.6), (1.0, 2.0, 3.0), ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))),
    "flipped": Geometry(SHAPE, (2.0, 1.0, 1.0), (5.0, -6.0, 7.0), ((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0))),
    "left-handed": Geometry(SHAPE, (2.0, 1.0, 1.0), (5.0, -6.0, 7.0), ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))),
    "oblique": Geometry(SHAPE, (2.5, 0.8, 0.7), (-40.0, 33.0, 210.0), tuple(map(tuple, _TURN[:, ::-1].T.tolist()))),
}
NAME = volumes.NAME
MUTATIONS = int(os.environ.get("CTMRI_MUTATIONS", "20"))
"""Damaged variants per file; raise it for a long run."""


@dataclass(frozen=True)
class Sample:
    """`write(folder, voxels, geometry)` gives the path to open; `read(path)` the voxels and grid by another library.

    `places`: the format holds any grid; `previews`: a slice can be had for less than the volume.
    """

    format_name: str
    write: Callable[[Path, np.ndarray, Geometry], Path]
    read: Callable[[Path], tuple[np.ndarray, Geometry]]
    places: bool = True
    checksum: bool = False
    previews: bool = True


def _write_nifti(suffix: str, kind: type = nib.Nifti1Image) -> Callable[[Path, np.ndarray, Geometry], Path]:
    def write(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ geometry.affine[:, [2, 1, 0, 3]]
        path = folder / f"{NAME}{suffix}"
        nib.save(kind(voxels.T, affine), path)
        return path

    return write


def _write_itk(suffix: str, compressed: bool) -> Callable[[Path, np.ndarray, Geometry], Path]:
    def write(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
        image = sitk.GetImageFromArray(voxels)
        spacing, origin, direction = geometry.to_itk()
        image.SetSpacing(spacing)
        image.SetOrigin(origin)
        image.SetDirection(direction)
        path = folder / f"{NAME}{suffix}"
        sitk.WriteImage(image, str(path), compressed)
        return path

    return write


def _write_dicom(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
    path = folder / NAME
    path.mkdir()
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for k, plane in enumerate(voxels):
        slice_ = Dataset()
        slice_.SOPClassUID, slice_.SOPInstanceUID, slice_.Modality = CTImageStorage, generate_uid(), "CT"
        slice_.StudyInstanceUID, slice_.SeriesInstanceUID, slice_.FrameOfReferenceUID = study, series, frame
        slice_.ImageType, slice_.InstanceNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], k + 1
        slice_.ImagePositionPatient = [f"{value:.9g}" for value in geometry.index_to_mm((k, 0, 0))]
        slice_.ImageOrientationPatient = [f"{value:.12g}" for axis in (2, 1) for value in geometry.axes[axis]]
        slice_.PixelSpacing, slice_.SliceThickness = list(geometry.spacing[1:]), geometry.spacing[0]
        slice_.Rows, slice_.Columns = plane.shape
        slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
        slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit, slice_.PixelRepresentation = 16, 16, 15, 0
        slice_.RescaleIntercept, slice_.RescaleSlope = -1024, 1
        slice_.PixelData = (plane.astype(np.int32) + 1024).astype("<u2").tobytes()
        slice_.file_meta = FileMetaDataset()
        slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        pydicom.dcmwrite(path / f"{k:03}.dcm", slice_, enforce_file_format=True)
    return path


def _read_dicom(path: Path) -> tuple[np.ndarray, Geometry]:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(path)))
    return _of_itk(reader.Execute())


def _read_itk(path: Path) -> tuple[np.ndarray, Geometry]:
    return _of_itk(sitk.ReadImage(str(path)))


def _read_nibabel(path: Path) -> tuple[np.ndarray, Geometry]:
    """For NIfTI-2, which ITK does not know."""
    image = nib.load(path)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine[:, [2, 1, 0, 3]]
    return np.asanyarray(image.dataobj).T, Geometry.from_affine(image.shape[::-1], affine)


def _of_itk(image: sitk.Image) -> tuple[np.ndarray, Geometry]:
    grid = Geometry.from_itk(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    return sitk.GetArrayFromImage(image), grid


SAMPLES = {
    "nii": Sample("NIfTI", _write_nifti(".nii"), _read_itk),
    "nii.gz": Sample("NIfTI", _write_nifti(".nii.gz"), _read_itk, checksum=True),
    "nifti2": Sample("NIfTI", _write_nifti(".nii", nib.Nifti2Image), _read_nibabel),
    "hdr+img": Sample("NIfTI", _write_nifti(".hdr", nib.Nifti1Pair), _read_itk),
    "mha": Sample("MetaImage", _write_itk(".mha", False), _read_itk),
    "mha zlib": Sample("MetaImage", _write_itk(".mha", True), _read_itk, checksum=True),
    "mhd": Sample("MetaImage", _write_itk(".mhd", False), _read_itk),
    "mhd zlib": Sample("MetaImage", _write_itk(".mhd", True), _read_itk, checksum=True),
    "nrrd": Sample("NRRD", _write_itk(".nrrd", False), _read_itk),
    "nrrd gzip": Sample("NRRD", _write_itk(".nrrd", True), _read_itk, checksum=True),
    "nhdr": Sample("NRRD", _write_itk(".nhdr", False), _read_itk),
    "mgh": Sample("FreeSurfer", volumes.write_nibabel(".mgh", nib.MGHImage), volumes.read_mgh),
    "mgz": Sample("FreeSurfer", volumes.write_nibabel(".mgz", nib.MGHImage), volumes.read_mgh, checksum=True),
    "analyze": Sample("Analyze", volumes.write_analyze("<"), volumes.read_nibabel, places=False),
    "analyze big endian": Sample("Analyze", volumes.write_analyze(">"), volumes.read_nibabel, places=False),
    "afni": Sample("AFNI", volumes.write_afni, volumes.read_nibabel),
    "minc": Sample("MINC", volumes.write_minc, volumes.read_minc, previews=False),
    "par rec": Sample("PAR/REC", volumes.write_par_rec, volumes.read_par_rec, places=False, previews=False),
    "png": Sample("pictures", pictures.write_stack(".png", np.uint16), pictures.read_stack, places=False, checksum=True),
    "jpeg": Sample("pictures", pictures.write_stack(".jpg", np.uint8, 16), pictures.read_stack, places=False),
    "tiff": Sample("pictures", pictures.write_stack(".tif", np.uint16), pictures.read_stack, places=False),
    "tiff pages": Sample("pictures", pictures.write_pages, pictures.read_pages, places=False),
    "zip of mhd": Sample("MetaImage", pictures.write_zip(_write_itk(".mhd", False)), pictures.read_zip(_read_itk), checksum=True),
    "zip of dicom": Sample("DICOM", pictures.write_zip(_write_dicom), pictures.read_zip(_read_dicom), checksum=True),
    "dicom": Sample("DICOM", _write_dicom, _read_dicom),
    "segmentation": Sample(
        "DICOM Segmentation", segmentations.write_segmentation, segmentations.read_segmentation, places=False, previews=False
    ),
}


def _voxels() -> np.ndarray:
    return np.random.default_rng(7).integers(-1000, 1500, SHAPE).astype(np.int16)


@pytest.fixture(params=list(SAMPLES))
def sample(request) -> Sample:
    return SAMPLES[request.param]


@pytest.fixture
def written(sample: Sample, tmp_path: Path) -> Path:
    return sample.write(tmp_path, _voxels(), GEOMETRIES["axial"])


def _files(path: Path) -> list[Path]:
    """All files of a sample, the one that holds voxels first."""
    inside = path if path.is_dir() else path.parent
    return sorted((file for file in inside.iterdir() if file.is_file()), key=lambda file: -file.stat().st_size)


def _assert_same_place(voxels: np.ndarray, grid: Geometry, expected: np.ndarray, expected_grid: Geometry) -> None:
    """Equal values at equal millimetres, whatever the order of the slices."""
    index = np.moveaxis(np.indices(expected.shape), 0, -1).reshape(-1, 3)
    found = grid.mm_to_index(expected_grid.index_to_mm(index))
    np.testing.assert_allclose(found, np.rint(found), atol=2e-4)
    k, j, i = np.rint(found).astype(int).T
    np.testing.assert_array_equal(voxels[k, j, i], expected.reshape(-1))


class TestEveryReader:
    def test_has_a_sample_here(self):
        assert {sample.format_name for sample in SAMPLES.values()} == {reader.name for reader in READERS}

    @pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES.keys())
    def test_puts_the_same_values_at_the_same_place_as_another_library(self, sample, geometry, tmp_path):
        path = sample.write(tmp_path, _voxels(), geometry)
        volume = opening.open_volume(path)
        assert volume.voxels.flags.c_contiguous
        _assert_same_place(volume.voxels, volume.geometry, *sample.read(path))
        if sample.places:
            _assert_same_place(volume.voxels, volume.geometry, _voxels(), geometry)

    def test_says_shape_and_spacing_before_loading(self, sample, written):
        (series,) = opening.scan(written)
        volume = opening.open_volume(written)
        assert series.format_name == sample.format_name
        assert reader_named(series.format_name).name == sample.format_name
        assert series.shape == volume.geometry.shape == SHAPE
        assert series.spacing == pytest.approx(volume.geometry.spacing, abs=1e-4)
        assert pickle.loads(pickle.dumps(series)) == series  # noqa: S301  # made on the line itself
        assert "größe" not in volume.name or not written.is_dir()

    @pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES.keys())
    def test_previews_the_middle_slice_in_its_place(self, sample, geometry, tmp_path):
        (series,) = opening.scan(sample.write(tmp_path, _voxels(), geometry))
        preview = opening.preview(series)
        assert (preview is not None) == sample.previews
        volume = finish(opening.load(series))
        if sample.places:
            assert series.plane == volume.geometry.plane
        if preview is None:
            return
        assert preview.geometry.shape == (1, *SHAPE[1:])
        index = volume.geometry.mm_to_index(preview.geometry.corners)
        k = round(index[0, 0])
        np.testing.assert_allclose(index[:, 0], k, atol=1e-3)
        np.testing.assert_allclose(index[0, 1:], 0, atol=1e-3)
        assert k == SHAPE[0] // 2
        np.testing.assert_array_equal(preview.voxels[0], volume.voxels[k])
        assert preview.geometry.spacing[1:] == pytest.approx(volume.geometry.spacing[1:])

    def test_tells_progress_and_stops_when_asked(self, written):
        (series,) = opening.scan(written)
        assert any(isinstance(event, Progress) for event in opening.load(series))
        assert finish(opening.load(series, lambda: True)) is None

    def test_refuses_a_truncated_file_at_any_offset(self, written):
        whole_volume = opening.open_volume(written)
        for victim in _files(written)[:2]:
            whole = victim.read_bytes()
            for cut in np.random.default_rng(1).integers(1, len(whole), 12):
                victim.write_bytes(whole[: int(cut)])
                _assert_refused_or_told(written, whole_volume)
            victim.write_bytes(whole)

    def test_refuses_an_empty_file(self, written):
        whole_volume = opening.open_volume(written)
        for victim in _files(written):
            whole = victim.read_bytes()
            victim.write_bytes(b"")
            _assert_refused_or_told(written, whole_volume)
            victim.write_bytes(whole)

    @pytest.mark.parametrize("sample", ["png", "jpeg", "tiff", "dicom"], indirect=True)  # of one file per slice
    def test_tells_a_slice_that_is_missing_between_others(self, written):
        whole_volume = opening.open_volume(written)
        middle = opening.scan(written)[0].files[2]
        middle.unlink()
        _assert_refused_or_told(written, whole_volume)

    def test_refuses_a_missing_file(self, written):
        (series,) = opening.scan(written)
        shutil.rmtree(written) if written.is_dir() else written.unlink()
        with pytest.raises(FileRefused, match="does not exist"):
            opening.scan(written)
        with pytest.raises(FileRefused):
            finish(opening.load(series))

    @pytest.mark.parametrize("sample", [name for name, kind in SAMPLES.items() if kind.checksum], indirect=True)
    def test_finds_flipped_bits_in_what_has_a_checksum(self, sample, written):
        reference = opening.open_volume(written)
        victim = _files(written)[0]
        whole = victim.read_bytes()
        random = np.random.default_rng(2)
        for position in random.integers(len(whole) // 2, len(whole), 15):  # the second half: behind a text header
            damaged = bytearray(whole)
            damaged[position] ^= 1 << random.integers(8)
            victim.write_bytes(damaged)
            try:
                volume = opening.open_volume(written)
            except FileRefused:
                continue
            np.testing.assert_array_equal(volume.voxels, reference.voxels)

    def test_answers_any_damage_with_a_volume_or_a_refusal(self, sample, written):
        random = np.random.default_rng(zlib.crc32(sample.format_name.encode()))
        for victim in _files(written)[:2]:
            whole = victim.read_bytes()
            for _ in range(MUTATIONS):
                victim.write_bytes(_mutated(whole, random))
                try:
                    opening.open_volume(written)
                except FileRefused as refusal:
                    assert len(str(refusal)) < 600
            victim.write_bytes(whole)

    def test_names_the_file_but_never_its_folder(self, written):
        victim = _files(written)[0]
        victim.write_bytes(victim.read_bytes()[:200])
        try:
            opening.open_volume(written)
        except FileRefused as refusal:
            assert str(written.parent) not in str(refusal)
            assert "\n" not in str(refusal)


def _mutated(whole: bytes, random: np.random.Generator) -> bytes:
    """`whole` with a few bytes overwritten, mostly in the header, or a piece cut out, doubled or replaced."""
    content = bytearray(whole)
    reach = min(len(content), int(random.choice([64, 400, len(content)])))
    start = int(random.integers(0, reach))
    length = int(random.integers(1, 9))
    piece = [b"-1", b"999999999", b"nan", b"%s%n", b"\xff" * 4, b"\0" * 4, b"\n", b"inf 1e99"][int(random.integers(8))]
    match int(random.integers(4)):
        case 0:
            content[start : start + length] = random.bytes(length)
        case 1:
            del content[start : start + length]
        case 2:
            content[start:start] = content[start : start + length * 8]
        case _:
            content[start : start + len(piece)] = piece
    return bytes(content)


def _assert_refused_or_told(path: Path, whole: Volume) -> None:
    """A damaged file is refused, unless nothing that matters is missing; else a new serious finding tells it."""
    try:
        now = opening.open_volume(path)
    except FileRefused:
        return
    if now.geometry == whole.geometry and np.array_equal(now.voxels, whole.voxels):
        return
    assert any(finding.serious for finding in set(now.findings) - set(whole.findings)), "a truncated file was accepted"


class TestTheFacade:
    def test_lists_everything_in_a_mixed_folder(self, tmp_path):
        for name in ("nii.gz", "mha", "nhdr", "dicom"):
            folder = tmp_path / name.replace(".", "-")
            folder.mkdir()
            SAMPLES[name].write(folder, _voxels(), GEOMETRIES["axial"])
        (tmp_path / "notes.txt").write_text("no image")
        found = opening.scan(tmp_path)
        assert sorted(series.format_name for series in found) == ["DICOM", "MetaImage", "NIfTI", "NRRD"]
        assert all(finish(opening.load(series)).geometry.shape == SHAPE for series in found)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
    def test_never_waits_for_a_fifo(self, tmp_path):
        os.mkfifo(tmp_path / "head.nii")
        with pytest.raises(FileRefused, match="not an ordinary file"):
            opening.scan(tmp_path / "head.nii")
        with pytest.raises(FileRefused, match="not an ordinary file"):
            opening.scan(tmp_path)

    def test_refuses_what_it_does_not_know(self, tmp_path):
        archive = b"PK\x03\x04" + b"0" * 60
        for name, content in (("a.bin", b"\x17" * 4096), ("b.nii.gz", zlib.compress(b"x" * 500)), ("c.zip", archive)):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(FileRefused, match=name):
                opening.scan(tmp_path / name)
