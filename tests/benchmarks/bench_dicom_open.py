"""Opens a 409 x 512 x 512 16-bit CT series, scan and load included, against SimpleITK's ImageSeriesReader, in one run.

    python tests/benchmarks/bench_dicom_open.py [SLICES]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from ctmri_core.io.opening import open_volume

SIDE, REPEATS, HEADER_FILLERS = 512, 3, 60


def write_series(folder: Path, count: int) -> None:
    """A CT series with a header of the usual size."""
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    stored = np.random.default_rng(0).integers(-1024, 3000, (SIDE, SIDE), np.int16)
    for k in range(count):
        slice_ = Dataset()
        slice_.SOPClassUID, slice_.SOPInstanceUID, slice_.Modality = CTImageStorage, generate_uid(), "CT"
        slice_.SeriesInstanceUID, slice_.StudyInstanceUID, slice_.FrameOfReferenceUID = series, study, frame
        slice_.ImageType, slice_.InstanceNumber, slice_.SeriesNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], count - k, 2
        slice_.ImageOrientationPatient, slice_.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-125, -125, 0.625 * k - 60]
        slice_.PixelSpacing, slice_.SliceThickness = [0.488, 0.488], 0.625
        slice_.Rows = slice_.Columns = SIDE
        slice_.BitsAllocated = slice_.BitsStored = 16
        slice_.HighBit, slice_.PixelRepresentation, slice_.SamplesPerPixel = 15, 1, 1
        slice_.PhotometricInterpretation, slice_.RescaleSlope, slice_.RescaleIntercept = "MONOCHROME2", 1, -24
        private = slice_.private_block(0x0019, "FILLER", create=True)
        for n in range(HEADER_FILLERS):
            private.add_new(n, "LO", f"scanner setting {n}")
        slice_.PixelData = np.roll(stored, k, 1).tobytes()
        slice_.file_meta = FileMetaDataset()
        slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        slice_.save_as(folder / f"IM{k:05d}", enforce_file_format=True)


def with_itk(folder: Path) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def best_seconds(work, folder: Path) -> float:
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work(folder)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 409
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder, count)
        assert np.array_equal(open_volume(folder).voxels, sitk.GetArrayFromImage(with_itk(folder)))
        itk, own = best_seconds(with_itk, folder), best_seconds(open_volume, folder)
    print(f"{count} x {SIDE} x {SIDE}, 16 bit, best of {REPEATS}, warm cache, scan and load; voxels equal")
    print(f"SimpleITK ImageSeriesReader {itk:.3f} s   open_volume {own:.3f} s   ratio {itk / own:.2f}")


if __name__ == "__main__":
    main()
