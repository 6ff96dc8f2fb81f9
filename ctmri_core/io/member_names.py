"""New names for the members of an archive, as theirs may be names of patients: counters, and what readers need to know.

Kept are: which files share a folder and a stem (`a.hdr` and `a.img`), the natural order, the known ends of names, the steps
between the numbers of pictures, and words of our own vocabulary (`ct`, `t1`, `coronal`, `mask`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from ctmri_core.errors import FileRefused
from ctmri_core.io.domain_guess import known_words
from ctmri_core.io.picture_headers import SUFFIXES as PICTURES
from ctmri_core.io.picture_stacks import PLANES, last_number, natural, without_number
from ctmri_core.io.text_headers import listed_names

SIDECAR = ".provenance.json"
TEXT_HEADERS = (".mhd", ".mha", ".nhdr", ".nrrd")
_ENDS = (
    ".nii.gz", ".nii", ".hdr", ".img.gz", ".img", ".mha", ".mhd", ".zraw", ".raw.gz", ".raw", ".nrrd", ".nhdr", ".mgz", ".mgh.gz",
    ".mgh", ".brik.gz", ".brik", ".head", ".mnc", ".par", ".rec", ".dcm", ".ima", *PICTURES,
)  # fmt: skip
_AFNI_VIEW = re.compile(r"\+(orig|tlrc|acpc)$")
_REFERENCE = re.compile(rb"^(ElementDataFile\s*=|data ?file\s*:)[ \t]*([^\r\n]*?)[ \t]*(\r?)$", re.IGNORECASE | re.MULTILINE)
_HEADER_END = re.compile(rb"\n\r?\n")
_LONGEST_HEADER = 1 << 20


def renamed(members: Iterable[PurePosixPath]) -> dict[PurePosixPath, PurePosixPath]:
    """The new path (folder and name) of every member."""
    folders: dict[PurePosixPath, list[PurePosixPath]] = defaultdict(list)
    for member in members:
        folders[member.parent].append(member)
    found: dict[PurePosixPath, PurePosixPath] = {}
    for number, folder in enumerate(sorted(folders, key=lambda path: [natural(part) for part in path.parts]), 1):
        name = "_".join((f"d{number:05}", *_words(folder.name)))
        new_names = _names_in_folder(folders[folder])
        found |= {member: PurePosixPath(name, new) for member, new in new_names.items()}
    return found


def with_new_references(header: Path, new_names: Mapping[str, str]) -> None:
    """Rewrites a text header in place so that it names its data files as they are called now; one without any is left alone.

    `new_names`: of the files that were in the header's folder. What names none of them will be refused by its reader.
    """
    with header.open("rb") as handle:
        head = _HEADER_END.split(handle.read(_LONGEST_HEADER), maxsplit=1)[0]
    match = _REFERENCE.search(head)
    if match is None or match[2].lower() == b"local":
        return
    key, value, _ = match.groups()
    text, rest = value.decode("utf-8", "replace"), head[match.end() :].decode("utf-8", "replace")
    try:
        old = listed_names(header, "data file", text, rest.splitlines())
    except FileRefused:  # to be refused by the reader in its own words
        return
    new = [new_names.get(name.removeprefix("./"), "missing") for name in old]
    words = text.split()
    is_list = words[:1] == ["LIST"]
    dimension = words[1:2] if is_list else words[4:5]
    lines = [" ".join(("LIST", *dimension)), *new] if is_list or len(old) > 1 else new
    header.write_bytes(head[: match.start()] + key + b" " + "\n".join(lines).encode() + b"\n")


def _names_in_folder(members: list[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Counted in the natural order of stems, the number of a picture not looked at."""
    parts = {member: _parts(member.name) for member in members}
    order = sorted({family for family, _, _, _ in parts.values()}, key=lambda family: (natural(family), family))
    counter = {family: number for number, family in enumerate(order, 1)}
    least: dict[str, int] = {}
    for family, slice_number, _, _ in parts.values():
        if slice_number is not None:
            least[family] = min(slice_number, least.get(family, slice_number))
    found = {}
    for member, (family, slice_number, words, end) in parts.items():
        custom = ["ct"] if member.name.lower().startswith("ct_") else []  # at the very beginning it says HU + 1024
        last = [] if slice_number is None else [str(slice_number - least[family] + 1)]
        found[member] = "_".join((*custom, f"f{counter[family]:06}", *words, *last)) + end
    return found


def _parts(name: str) -> tuple[str, int | None, list[str], str]:
    """(what files that belong together share, the number of a picture, known words, the known end)."""
    sidecar = SIDECAR if name.endswith(SIDECAR) else ""
    name = name.removesuffix(SIDECAR)
    end = next((name[-len(known) :] for known in _ENDS if name.lower().endswith(known)), "")
    stem = name[: len(name) - len(end)]
    view = _AFNI_VIEW.search(stem)
    words = _words(stem)
    end = (view[0] if view else "") + end
    if end.lower() in PICTURES and (slice_number := last_number(stem)) is not None:
        return without_number(stem) + "#" + end.lower(), slice_number, words, end + sidecar
    return stem, None, words, end + sidecar


def _words(text: str) -> list[str]:
    return known_words(text, PLANES)


