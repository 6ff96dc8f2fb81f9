"""RIRE (Vanderbilt): `patient_001/ct`, `mr_T1`, `mr_T2`, `mr_PD`, as MetaImage or as `header.ascii` with `image.bin`.

The volumes of a patient lie in spaces of their own; registering them is what the collection is for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ctmri_core.case import Case
from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, files, folders
from ctmri_core.data.layouts.volume_files import stem_of
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.geometry import Geometry
from ctmri_core.io import preflight
from ctmri_core.io.opening import open_volume
from ctmri_core.volume import Finding, Volume

_PATIENT = re.compile(r"(patient|training)_\d{3}")
_FOLDERS = (
    (Domain.CT, "ct"), (Domain.MR_T1, "mr_T1"), (Domain.MR_T1, "mr_MP-RAGE"), (Domain.MR_T2, "mr_T2"), (Domain.MR_PD, "mr_PD"),
)  # fmt: skip
_ORIENTATION = "L:P:H"
"""Where columns, rows and slices go, which is the same in all of RIRE: the patient's left, posterior, head."""
_ORDER = Finding("orientation_assumed", "RIRE headers give no positions: slices are taken for axial ones from the feet up.")


class Rire:
    """Head CT and MR of one patient, not registered."""

    name = "rire"
    looks = "RIRE: patient_001/ct, mr_T1, mr_T2, mr_PD with header.ascii and image.bin, or .mhd / .mha"

    def recognises(self, folder: Path) -> bool:
        """Whether there are folders of such patients."""
        return any(_files(patient) for patient in _patients(folder)[:50])

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:  # noqa: ARG002  # the protocol's signature
        for patient in _patients(folder):
            known = _files(patient)
            asked = {domain: known[domain] for domain in domains if domain in known}
            if Domain.MR in domains and Domain.MR_T1 in known:
                asked.setdefault(Domain.MR, known[Domain.MR_T1])
            if asked:
                load = partial(_load, patient.name, asked)
                yield CaseReference(patient.name, load, domains=tuple(asked), together=False)


def _patients(folder: Path) -> list[Path]:
    """The folders of patients; `folder` itself where it is one's."""
    return [path for path in (folder, *folders(folder)) if _PATIENT.fullmatch(path.name)]


def _files(patient: Path) -> dict[Domain, Path]:
    found: dict[Domain, Path] = {}
    for domain, name in _FOLDERS:
        inside = patient / name
        candidates = [*(files(inside) if inside.is_dir() else ()), *files(patient)]
        headers = [path for path in candidates if path.name == "header.ascii" and path.parent == inside]
        whole = [path for path in candidates if stem_of(path) and stem_of(path).lower().endswith(name.lower())]
        chosen = [path for path in whole if path.suffix.lower() in (".mhd", ".mha", ".nrrd", ".nii", ".gz")] or headers
        if chosen:
            found.setdefault(domain, chosen[0])
    return found


def _load(identifier: str, paths: Mapping[Domain, Path]) -> Case:
    volumes = {}
    for domain, path in paths.items():
        volume = read_ascii_header(path, domain) if path.name == "header.ascii" else open_volume(path)
        volumes[domain] = replace(volume, domain=domain)
    return Case(identifier, volumes)


def read_ascii_header(path: Path, domain: Domain) -> Volume:
    """The volume of `header.ascii` (`Rows := 256` and so on) and `image.bin`, 16-bit big endian. Raises `FileRefused`."""
    text = preflight.head_of(path, 1 << 16).decode("ascii", "replace")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":=") for line in text.splitlines())}
    try:
        shape = (int(fields["slices"]), int(fields["rows"]), int(fields["columns"]))
        row, column = (float(size) for size in fields["pixel size"].split(":"))
        thickness = float(fields["slice thickness"])
    except (KeyError, ValueError) as error:
        problem = "lacks Slices, Rows, Columns, Pixel size or Slice thickness, or one of them is no number."
        raise FileRefused(path, problem, "Download it again.") from error
    if fields.get("patient orientation", _ORIENTATION).replace(" ", "").upper() != _ORIENTATION:
        problem = f"has another Patient Orientation than {_ORIENTATION}."
        raise FileRefused(path, problem, "Convert it to NIfTI, orientation included.")
    preflight.check_shape(path, shape, "Slices x Rows x Columns")
    preflight.check_spacing(path, (thickness, row, column), "Pixel size")
    image = preflight.beside(path, "image.bin")
    if preflight.regular_file(image) != 2 * math.prod(shape):
        raise FileRefused(image, "has another size than its header says.", "Unpack it (image.bin.Z), or download it again.")
    voxels = np.fromfile(image, ">i2").reshape(shape).astype(np.int16)
    return Volume(voxels, Geometry(shape, (thickness, row, column)), domain, findings=(_ORDER,), path=path, files=(path, image))
