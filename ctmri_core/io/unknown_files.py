"""What is said of files that no reader takes."""

from __future__ import annotations

from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight
from ctmri_core.io.dicom_scan import DICOM_SUFFIXES
from ctmri_core.io.formats import FILE_SUFFIXES, VOLUME_SUFFIXES
from ctmri_core.io.picture_headers import SUFFIXES as PICTURES

READABLE = (
    "DICOM, NIfTI, Analyze, MHA / MHD, NRRD, MGZ, AFNI, PAR / REC, MINC 1, pictures (PNG, JPEG, TIFF) and zip archives of them"
    " can be opened."
)
_READABLE_SUFFIXES = (*FILE_SUFFIXES, *DICOM_SUFFIXES, *VOLUME_SUFFIXES, *PICTURES)
_ARCHIVE_SUFFIXES = (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".bz2", ".xz")
_AFNI = ("an AFNI volume without its header", "Put the .HEAD file beside it.")
_PHILIPS = ("a Philips volume without its header", "Put the .PAR file beside it.")
_PICTURE = ("a picture", "Save it as PNG without loss.")
_MESH = ("a surface model, no volume", "Open the images that it was made from.")
_FOREIGN = {
    ".brik": _AFNI, ".brik.gz": _AFNI, ".rec": _PHILIPS,
    ".bmp": _PICTURE, ".gif": _PICTURE, ".webp": _PICTURE, ".jp2": _PICTURE, ".heic": _PICTURE,
    ".stl": _MESH, ".obj": _MESH, ".vtp": _MESH, ".ply": _MESH,
    ".vtk": ("a VTK file", "Convert it to NIfTI or MHA, for example with ITK-SNAP or 3D Slicer."),
    ".vti": ("a VTK file", "Convert it to NIfTI or MHA, for example with ITK-SNAP or 3D Slicer."),
    ".nd2": ("a microscope picture", "Export it as TIFF."), ".mat": ("a MATLAB file", "Write the volume as NIfTI (niftiwrite)."),
    ".npy": ("a NumPy array", "Write it as NIfTI, which says what the voxels are."),
    ".npz": ("a NumPy array", "Write it as NIfTI, which says what the voxels are."),
    ".raw": ("the voxels of a volume without its header", "Open the header beside it (.mhd, .nhdr or .hdr)."),
    ".json": ("a text of other programs", "If it was drawn with labelme, open the scan, and this as a mask over it."),
    ".pdf": ("a document", "Ask for the images themselves."), ".mp4": ("a film", "Ask for the images themselves."),
    ".avi": ("a film", "Ask for the images themselves."),
}  # fmt: skip
"""What files of other formats are, by the end of their names, and how they are brought into one of ours."""
_ARCHIVES = {"7z": "a 7z", "rar": "a RAR", "tar": "a tar", "bzip2": "a bzip2", "xz": "an xz", "gzip": "a gzip", "zip": "a zip"}
"""Kinds that `preflight.kind` tells, with their article."""


def is_worth_a_word(path: Path) -> bool:
    """Whether the name of a file says that it is, or is to be, an image."""
    return path.name.lower().endswith((*_READABLE_SUFFIXES, *_ARCHIVE_SUFFIXES, *_FOREIGN)) or path.name.upper() == "DICOMDIR"


def says_readable(path: Path) -> bool:
    """Whether the name of a file is that of an image of a format that can be opened here."""
    return path.name.lower().endswith(_READABLE_SUFFIXES)


def is_archive(path: Path, head: bytes) -> bool:
    """Whether a file that no reader takes is an archive in which images may be; documents and programs that are zips are not."""
    return preflight.kind(head) in _ARCHIVES and (not path.suffix or path.name.lower().endswith(_ARCHIVE_SUFFIXES))


def refusal_of(path: Path, head: bytes) -> FileRefused:
    """`head`: the first bytes of the file."""
    name, kind = path.name.lower(), preflight.kind(head)
    foreign = next((known for suffix, known in _FOREIGN.items() if name.endswith(suffix)), None)
    if foreign is not None:
        what, way_out = foreign
        return FileRefused(path, f"is {what} by its name, which cannot be opened here.", way_out)
    if kind in _ARCHIVES:
        what = f"is {_ARCHIVES[kind]} archive, which is not looked into"
        inside = " from within a folder" if kind == "zip" else ""
        return FileRefused(path, f"{what}{inside}.", "Open it by itself." if inside else "Unpack it and open what was in it.")
    if says_readable(path):
        return FileRefused(path, "is not what its name says: it is damaged or of another format.", "Copy or export it again.")
    return FileRefused(path, "is not an image format that is known here.", READABLE)
