"""DICOM Segmentations (PS3.3, A.51) as maps of labels: the number of each segment where it is, 0 elsewhere.

A file holds a plane only where a segment has something in it, so the grid reaches from the first plane to the last, and planes
that nobody drew in are empty. Names of segments go along apart from the voxels: they are anybody's words.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, Stopped
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.io import preflight
from ctmri_core.io.dicom_elements import looks_like_dicom
from ctmri_core.io.native_segmentation import SegmentationHeader
from ctmri_core.io.reader_process import shared_reader
from ctmri_core.io.series import Series
from ctmri_core.io.series_judgement import heights, slice_axes
from ctmri_core.volume import Finding, Volume

SEGMENTATION = "DICOM Segmentation"
_CLASSES = (b"1.2.840.10008.5.1.4.1.1.66.4", b"1.2.840.10008.5.1.4.1.1.66.7")  # the second, of label maps, is refused in words
_META_CLASS = b"\x02\0\x02\0UI"
_TIMEOUT_S = 30.0
_BESIDE_MM = 0.05
_FARTHEST_MM = 1e6
_UNEVEN = 0.05  # of a step
_HIGHEST = 32_767
_AGAIN = "Export it again."


class SegmentationReader:
    """Follows `ctmri_core.io.series.Reader`. In a folder the images are looked for; a Segmentation is opened by itself."""

    @property
    def name(self) -> str:
        return SEGMENTATION

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  # the protocol's signature
        """By the class that the file's first group names."""
        at = head.find(_META_CLASS, 132)
        if at < 0 or not looks_like_dicom(head):
            return False
        length = int.from_bytes(head[at + 6 : at + 8], "little")
        return head[at + 8 : at + 8 + length].rstrip(b"\0 ") in _CLASSES

    def scan(self, path: Path) -> tuple[Series, ...]:
        """Raises `FileRefused`."""
        header: SegmentationHeader = shared_reader().call(
            "ctmri_core.io.native_segmentation:segmentation_header", path, timeout_s=_TIMEOUT_S
        )
        geometry, _ = _grid(path, header)
        _check_length(path, header)
        count = len({number for number, _ in header.frames})
        return (
            Series(
                path=path,
                format_name=SEGMENTATION,
                domain=Domain.UNKNOWN,
                label=f"Segmentation of {count} {'label' if count == 1 else 'labels'}, {path.name}",
                files=(path,),
                shape=geometry.shape,
                spacing=geometry.spacing,
                plane=geometry.plane,
            ),
        )

    def load(self, series: Series, stop: StopSignal) -> Work[Volume]:
        """Raises `FileRefused`; `Stopped` when `stop` ended it."""
        path = series.files[0]
        header: SegmentationHeader = shared_reader().call(
            "ctmri_core.io.native_segmentation:segmentation_header", path, timeout_s=_TIMEOUT_S
        )
        geometry, places = _grid(path, header)
        _check_length(path, header)
        preflight.check_memory(path, 2 * math.prod(geometry.shape))
        voxels, hidden = np.zeros(geometry.shape, np.int16), 0
        for n, ((number, _), k) in enumerate(zip(header.frames, places, strict=True)):
            if stop():
                raise Stopped(f"Opening {path.name} was stopped.")
            inside = _frame(path, header, n)
            before = voxels[k][inside]
            hidden += int(np.count_nonzero((before != 0) & (before != number)))
            voxels[k][inside] = number
            yield Progress(done=n + 1, total=len(header.frames), unit="frames")
        return Volume(
            voxels,
            geometry,
            Domain.UNKNOWN,
            series.label,
            frame_of_reference=header.frame_of_reference,
            findings=(*series.findings, *_overlap(hidden)),
            history=(f"read from {SEGMENTATION}",),
            path=series.path,
            label_names=header.names,
        )

    def preview(self, series: Series) -> Volume | None:  # noqa: ARG002  # the protocol's signature
        return None


SEGMENTATION_READER = SegmentationReader()


def _overlap(voxels: int) -> tuple[Finding, ...]:
    if not voxels:
        return ()
    message = f"Segments overlap in {voxels} voxels, where only the last of them is kept: the others are too small there."
    return (Finding("overlap", message, serious=True),)


def _grid(path: Path, header: SegmentationHeader) -> tuple[Geometry, list[int]]:
    """The grid of all planes, and the k of each frame."""
    numbers = [number for number, _ in header.frames]
    if not 1 <= min(numbers) <= max(numbers) <= _HIGHEST:
        raise FileRefused(path, f"numbers its segments from {min(numbers)} to {max(numbers)}.", _AGAIN)
    preflight.check_spacing(path, header.pixel_spacing, "PixelSpacing")
    axes = slice_axes(path, header.orientation)
    points = np.array([place for _, place in header.frames], np.float64)
    if not (np.abs(points) < _FARTHEST_MM).all():
        raise FileRefused(path, "has frames that ImagePositionPatient does not place in the patient.", _AGAIN)
    along = heights(axes, points)
    beside = (points - points[0]) @ axes[1:].T
    if np.abs(beside).max() > _BESIDE_MM:
        raise FileRefused(path, "its frames do not lie straight above each other.", "Export it as one volume.")
    step = _step(path, along, header.step)
    preflight.check_spacing(path, [step], "SpacingBetweenSlices")
    places = (along - along.min()) / step
    shape = (round(float(places.max())) + 1, header.rows, header.columns)
    preflight.check_shape(path, shape, "its number of planes, rows or columns")
    affine = np.eye(4)
    affine[:3, :3] = (axes * np.asarray((step, *header.pixel_spacing))[:, None]).T
    affine[:3, 3] = points[int(along.argmin())]
    return preflight.checked_geometry(path, shape, affine, "ImageOrientationPatient"), np.rint(places).astype(int).tolist()


def _step(path: Path, along: FloatArray, said: float | None) -> float:
    """mm from plane to plane: what the file says where all planes lie on such a grid, else the least distance of two, where they
    lie on that. Raises `FileRefused`."""
    gaps = np.diff(np.unique(np.round(along, 3)))
    gaps = gaps[gaps > 2 * _BESIDE_MM]
    if not gaps.size:
        return said or 1.0
    for step in (said, float(gaps.min())):
        places = (along - along.min()) / step if step else np.array([0.5])
        if step and np.abs(places - np.rint(places)).max() <= _UNEVEN:
            return float(np.ptp(along) / np.rint(places).max())
    problem = f"its planes lie {gaps.min():.3g} to {gaps.max():.3g} mm apart, on no even grid."
    raise FileRefused(path, problem, "Export it on the grid of the images.")


def _check_length(path: Path, header: SegmentationHeader) -> None:
    size = header.rows * header.columns * len(header.frames)
    needed = -(-size // 8) if header.bits == 1 else size
    present = header.length
    if not header.deflated:
        present = min(present, preflight.regular_file(path) - header.offset)
    preflight.check_claim(path, needed, max(present, 0))


def _frame(path: Path, header: SegmentationHeader, n: int) -> NDArray[np.bool_]:
    """(rows, columns). Bits of all frames follow each other without a gap, the first pixel in the lowest (PS3.5, 8.2)."""
    size = header.rows * header.columns
    first, last = n * size, (n + 1) * size
    if header.bits == 8:
        return np.not_equal(_stored(path, header, first, last), 0).reshape(header.rows, header.columns)
    packed = _stored(path, header, first // 8, -(-last // 8))
    bits = np.unpackbits(packed, count=None, bitorder="little")[first % 8 : first % 8 + size]
    return bits.view(np.bool_).reshape(header.rows, header.columns)


def _stored(path: Path, header: SegmentationHeader, start: int, end: int) -> NDArray[np.uint8]:
    """Bytes of the pixels."""
    if header.deflated:
        content = shared_reader().call("ctmri_core.io.native_dicom:deflated_pixels", path, header.offset + start, end - start)
        found = np.asarray(content, np.uint8)
    else:
        with path.open("rb") as handle:
            handle.seek(header.offset + start)
            found = np.frombuffer(handle.read(end - start), np.uint8)
    if found.size != end - start:
        raise FileRefused(path, "is incomplete: its pixels end too early.", _AGAIN)
    return found
