"""The readers of MetaImage (.mha, .mhd) and NRRD (.nrrd, .nhdr)."""

from __future__ import annotations

from pathlib import Path

from ctmri_core.io import preflight
from ctmri_core.io.meta_image import read_meta_image
from ctmri_core.io.nrrd import read_nrrd
from ctmri_core.io.raw_image import RawImageReader


def _is_meta_image(path: Path, head: bytes) -> bool:  # noqa: ARG001  # the reader's signature
    return preflight.kind(head) == "metaimage"


def _is_nrrd(path: Path, head: bytes) -> bool:  # noqa: ARG001  # the reader's signature
    return preflight.kind(head) == "nrrd"


META_IMAGE_READER = RawImageReader("MetaImage", _is_meta_image, read_meta_image)
NRRD_READER = RawImageReader("NRRD", _is_nrrd, read_nrrd)
