"""What was drawn with labelme on the slices of a scan that is open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.labels.label_table import found_table
from ctmri_core.labels.label_volume import label_volume
from ctmri_core.labels.labelled_slices import labelme_files, labelme_slices, stacked
from ctmri_core.labels.labelme_file import NoLabelme, label_names
from ctmri_core.volume import Volume


def drawn_over(path: Path, scan: Volume, stop: StopSignal) -> Work[Volume | None]:
    """A map of labels on the grid of `scan` that knows their names; None when stopped. `path`: a labelme file of a scan of one
    slice; of a scan of several one of the files that lie in one folder, one for each slice in the order of their names.

    JSON of other programs beside it is passed over. Raises `FileRefused`.
    """
    alone = scan.geometry.shape[0] == 1
    files = labelme_files(path if alone else path.parent, deep=False)
    kept, names = [], dict.fromkeys(label_names(path))
    for number, file in enumerate(files, 1):
        if stop():
            return None
        try:
            names |= dict.fromkeys(label_names(file.path))
            kept.append(file)
        except NoLabelme:
            continue
        yield Progress(done=number, total=len(files), unit="files", message="looking at what was drawn")
    table = found_table(names)
    labels = stacked(labelme_slices(kept), table, scan)
    return None if stop() else replace(label_volume(labels, scan), label_names=tuple(enumerate(table.names))[1:])
