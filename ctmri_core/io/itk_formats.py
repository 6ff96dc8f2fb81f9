"""The readers of MetaImage (.mha, .mhd) and NRRD (.nrrd, .nhdr)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ctmri_core.events import StopSignal, Work
from ctmri_core.io import preflight
from ctmri_core.io.meta_image import read_meta_image
from ctmri_core.io.nrrd import read_nrrd
from ctmri_core.io.raw_image import RawImage, load_image, series_of
from ctmri_core.io.series import Series
from ctmri_core.volume import Volume


class RawImageReader:
    """A format with a text header and one block of voxels. `read_header` raises `FileRefused`."""

    def __init__(self, name: str, kind: str, read_header: Callable[[Path], RawImage]) -> None:
        self.name = name
        self._kind = kind
        self._read_header = read_header

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  # the protocol's signature
        return preflight.kind(head) == self._kind

    def scan(self, path: Path) -> tuple[Series, ...]:
        return (series_of(path, self.name, self._read_header(path)),)

    def load(self, series: Series, stop: StopSignal) -> Work[Volume]:
        return (yield from load_image(series, self._read_header(series.files[0]), stop))

    def preview(self, series: Series) -> Volume | None:  # noqa: ARG002  # the protocol's signature
        return None


META_IMAGE_READER = RawImageReader("MetaImage", "metaimage", read_meta_image)
NRRD_READER = RawImageReader("NRRD", "nrrd", read_nrrd)
