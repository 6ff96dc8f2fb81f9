"""What a synthetic volume was computed from, as identifiers that lead back to it for whoever holds the source, and nobody else.

Unique identifiers of DICOM where there are any, else hashes of content. They identify a scan, so they are left out of whatever is
given away under a pseudonym.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ctmri_core.io.hashes import voxels_sha256
from ctmri_core.volume import Volume

INPUTS = "inputs"
"""Their place in `Synthetic.details`."""

_Uid = Annotated[str, Field(pattern=r"^[0-9.]{0,64}$")]
_Hash = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]


class Input(BaseModel):
    """One scan. Empty where unknown. `files_sha256`: of the one file, or of the hashes of all files one after another."""

    model_config = ConfigDict(frozen=True)

    study_uid: _Uid = ""
    series_uid: _Uid = ""
    frame_of_reference_uid: _Uid = ""
    images: int = 0
    voxels_sha256: _Hash = ""
    files_sha256: _Hash = ""


def with_inputs(volume: Volume, source: Volume | None) -> Volume:
    """`volume` with what it was made from in its record, unless that stands there already or it was not made by a model."""
    made = volume.synthetic
    if made is None or INPUTS in made.details or (told := _input_of(volume, source)) is None:
        return volume
    inputs = [told.model_dump(exclude_defaults=True)]
    return replace(volume, synthetic=replace(made, details={**made.details, INPUTS: inputs}))


def _input_of(volume: Volume, source: Volume | None) -> Input | None:
    origin = volume.dicom
    if origin is not None and origin.series_uid:
        frame = volume.frame_of_reference or origin.frame_of_reference_uid or ""
        study, series, frame = map(_plain_uid, (origin.study_uid, origin.series_uid, frame))
        images = len(set(origin.instance_uids))
        return Input(study_uid=study, series_uid=series, frame_of_reference_uid=frame, images=images)
    if source is None:
        return None
    return Input(voxels_sha256=voxels_sha256(source.voxels), files_sha256=_files_sha256(source))


def _plain_uid(text: str) -> str:
    """Empty for what is no unique identifier, and may be anything."""
    return text if re.fullmatch(r"[0-9.]{1,64}", text) else ""


def _files_sha256(volume: Volume) -> str:
    files: Sequence[Path] = volume.files or ((volume.path,) if volume.path is not None else ())
    hashes = [_file_sha256(path) for path in files]
    if not all(hashes):
        return ""
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest() if hashes else ""


def _file_sha256(path: Path) -> str:
    """Empty where it is gone meanwhile, or no file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
