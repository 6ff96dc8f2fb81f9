"""Where in a folder the collection begins: in it, or in the folders of a split, of centres or of an archive within."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from ctmri_core.data.layouts.heeding import go_on
from ctmri_core.data.layouts.known import layout_of
from ctmri_core.data.layouts.layout import CaseReference, Layout, LayoutOptions, Side, folders, side_of
from ctmri_core.data.layouts.picture_files import is_picture
from ctmri_core.data.layouts.volume_files import stem_of
from ctmri_core.domain import Domain
from ctmri_core.errors import shown_name
from ctmri_core.io import preflight
from ctmri_core.io.dicom_scan import DICOM_SUFFIXES
from ctmri_core.io.folder_files import FolderFiles

_DEEPEST = 4
_MOST_BELOW = 20  # folders of a split, of centres or of an archive are few; those of patients are many
_COUNTED = 5000
_OPENED = 20
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar")


@dataclass(frozen=True)
class Place:
    """A folder in a known layout; `side`, `centre`: what the folders above it say."""

    folder: Path
    side: Side = ""
    centre: str = ""

    def cases(self, layout: Layout, domains: Sequence[Domain], options: LayoutOptions) -> list[CaseReference]:
        """Those of `layout`. Patients of one name in several places stay one patient, so that no split takes them apart."""
        above = self.side or self.centre
        found = []
        for case in layout.find(self.folder, domains, options):
            go_on()
            name = f"{above}/{case.identifier}" if above else case.identifier
            found.append(replace(case, identifier=name, side=case.side or self.side, centre=case.centre or self.centre))
        return found


def located(folder: Path, asked: Layout | None = None, depth: int = _DEEPEST) -> tuple[Layout, list[Place]] | None:
    """The layout, `asked` or the one that is recognised, and where it lies: `folder`, else those of its few subfolders that share
    one layout, which are sides of a split by their names, or centres. None when there is none, or there are several layouts.
    """
    layout = layout_of(folder) if asked is None else asked if asked.recognises(folder) else None
    if layout is not None:
        return layout, [Place(folder)]
    below = [path for path in folders(folder) if not path.is_symlink()]
    if depth == 0 or len(below) > _MOST_BELOW:
        return None
    fitting = [(path, found) for path in below if (found := located(path, asked, depth - 1)) is not None]
    if len({found.name for _, (found, _) in fitting}) != 1:
        return None
    places = []
    for path, (_, inner) in fitting:
        side = side_of(path.name)
        centre = path.name if len(fitting) > 1 and not side else ""
        places += [Place(each.folder, each.side or side, each.centre or centre) for each in inner]
    return fitting[0][1][0], places


def what_is_there(folder: Path) -> str:
    """What a folder in no known layout holds, and which layout it comes nearest to, in one or two sentences."""
    fitting = [(path, found[0]) for path in folders(folder)[:_MOST_BELOW] if (found := located(path, depth=1)) is not None]
    if fitting:
        said = ", ".join(f"{shown_name(path)} ({layout.name})" for path, layout in fitting[:4])
        return f"Folders in it do: {said}. Name one of them."
    counts = _counted(folder)
    if not counts:
        return "It holds no files."
    there = " and ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.most_common())
    return f"It holds {there}. {_WAYS_OUT[counts.most_common(1)[0][0]]}"


_WAYS_OUT = {
    "archive": "Unpack it.",
    "volume": "Nearest is PATIENT/ct.nii.gz beside mr_t1.nii.gz: a folder for each patient, files named by what they show.",
    "picture": (
        "Nearest is PATIENT/ct/001.png beside PATIENT/mr_t1/001.png, or for unpaired pictures trainA/ and trainB/; A|B in one"
        " picture must be twice as wide as high, or be said to be (--layout aligned)."
    ),
    "DICOM file": "Nearest is a folder for each patient, with the series in it.",
    "other file": "What can be read are NIfTI and other volumes, DICOM, PNG, JPEG and TIFF.",
}


def _counted(folder: Path) -> Counter[str]:
    """How many files of which kind are in `folder`, as far as names and a few heads tell."""
    counts: Counter[str] = Counter()
    opened = 0
    for path in islice(FolderFiles(folder), _COUNTED):
        if path.name.lower().endswith(_ARCHIVES):
            kind = "archive"
        elif stem_of(path):
            kind = "volume"
        elif is_picture(path):
            kind = "picture"
        elif path.suffix.lower() in DICOM_SUFFIXES:
            kind = "DICOM file"
        else:
            opened += 1
            kind = "DICOM file" if opened <= _OPENED and _is_dicom(path) else "other file"
        counts[kind] += 1
    return counts


def _is_dicom(path: Path) -> bool:
    return path.stat().st_size > 0 and preflight.kind(preflight.head_of(path)) == "dicom"
