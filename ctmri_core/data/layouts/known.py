"""The layouts that are known, in the order in which a folder is asked; the particular before the general."""

from __future__ import annotations

from pathlib import Path

from ctmri_core.data.layouts.aligned_pictures import AlignedPictures
from ctmri_core.data.layouts.chaos import Chaos
from ctmri_core.data.layouts.domain_folders import DomainFolders, LetteredFolders
from ctmri_core.data.layouts.labelme import Labelme
from ctmri_core.data.layouts.layout import Layout
from ctmri_core.data.layouts.named_volumes import Ixi, NamedVolumes
from ctmri_core.data.layouts.patient_files import PatientFiles, SynthRad
from ctmri_core.data.layouts.rire import Rire
from ctmri_core.data.layouts.series_folders import SeriesFolders
from ctmri_core.data.layouts.slice_files import SliceFiles
from ctmri_core.data.layouts.slice_folders import SliceFolders
from ctmri_core.data.layouts.voc import Voc
from ctmri_core.errors import TrainingFailed
from ctmri_core.hints import nearest_hint

LAYOUTS: tuple[Layout, ...] = (
    Voc(), Labelme(), LetteredFolders(), Ixi(), Chaos(), Rire(), SliceFiles(), SynthRad(), PatientFiles(), SliceFolders(),
    DomainFolders(), NamedVolumes(), AlignedPictures(), SeriesFolders(),
)  # fmt: skip


def layout_of(folder: Path) -> Layout | None:
    """The first layout that `folder` looks like."""
    return next((layout for layout in LAYOUTS if layout.recognises(folder)), None)


def layout_named(name: str) -> Layout:
    """Raises `TrainingFailed` naming the known ones."""
    known = {layout.name: layout for layout in LAYOUTS}
    if name not in known:
        raise TrainingFailed(f"There is no layout {name!r}; there are {', '.join(known)}.{nearest_hint(name, known)}")
    return known[name]
