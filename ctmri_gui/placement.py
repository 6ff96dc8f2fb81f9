"""Where an opened volume goes: pure rules, so that a drop asks only when in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from ctmri_core.domain import Direction, Domain
from ctmri_core.volume import Volume
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.io.series import Series

Image = TypeVar("Image", bound="Volume | Series")
_PATIENT_ID = "00100020"


def choose_at_once(series: Sequence[Series], role: Role | None) -> tuple[Series, ...]:
    """The series to load without asking: the only one, or one CT and one MR together. Empty means: ask.

    Localizers count only when there is nothing else, and then only after asking. What cannot be loaded counts only when
    there is nothing else: loading it says why not, where it is one; of several the list says so.
    """
    usable = [entry for entry in series if entry.refusal is None] or (series if len(series) == 1 else ())
    volumes = [entry for entry in usable if not entry.localizer]
    if len(volumes) == 1:
        return tuple(volumes)
    if role is None and sorted(entry.domain.modality for entry in volumes) == ["CT", "MR"]:
        return tuple(volumes)
    return ()


def place_for(volume: Volume, source: Volume | None, direction: Direction | None) -> Role:
    """The pane of a volume that was dropped on none.

    The first volume is the source. Beside a source, the kind that the model makes is ground truth, and so is the other
    modality (its contrast may turn out to be the wrong one; that is said, not hidden). The source's own kind replaces it.
    Where a kind is not known, nothing is replaced: its pane shows where it went, and its kind can be corrected there.
    """
    if source is None:
        return Role.SOURCE
    if volume.synthetic is not None:
        return Role.SYNTHETIC
    if Domain.UNKNOWN in (volume.domain, source.domain):
        return Role.TRUTH
    if volume.domain.modality != source.domain.modality:
        return Role.TRUTH
    made_by_model = direction is not None and direction.target is volume.domain and direction.source.accepts(source.domain)
    return Role.TRUTH if made_by_model and volume.domain is not source.domain else Role.SOURCE


def hides_a_better_truth(volume: Volume, truth: Volume | None) -> bool:
    """Whether `volume`, of no known kind, would push out a ground truth that is known to be one: nobody asked for that."""
    return volume.domain is Domain.UNKNOWN and truth is not None and truth.domain is not Domain.UNKNOWN


def source_first(volumes: Iterable[Image], directions: Sequence[Direction]) -> list[Image]:
    """Volumes or series opened together: real before synthetic, then the one that a model can translate, then CT before MR."""
    takes = {direction.source for direction in directions}

    def rank(volume: Image) -> tuple[bool, bool, bool]:
        translatable = any(kind.accepts(volume.domain) for kind in takes)
        return bool(volume.synthetic), not translatable, volume.domain is not Domain.CT

    return sorted(volumes, key=rank)


def roles_together(images: Iterable[Image], directions: Sequence[Direction]) -> dict[Role, Image]:
    """The panes of volumes or series opened together: a source, its truth, its synthetic twin; further ones have no place."""
    source, *others = source_first(images, directions)
    roles: dict[Role, Image] = {Role.SOURCE: source}
    for image in reversed(others):  # the first of a kind comes last, and stays
        roles[Role.SYNTHETIC if image.synthetic else Role.TRUTH] = image
    return roles


def same_patient(one: Volume, other: Volume) -> bool:
    """Whether the files themselves say so: one file, one DICOM study, or one frame of reference.

    A patient ID alone does not: anonymised scans of many patients share theirs.
    """
    same_file = one.path is not None and one.path == other.path
    same_frame = one.frame_of_reference is not None and one.frame_of_reference == other.frame_of_reference
    same_study = one.dicom is not None and other.dicom is not None and one.dicom.study_uid == other.dicom.study_uid
    return same_file or same_frame or same_study


def other_patient(one: Volume, other: Volume) -> bool:
    """Whether the files themselves say so: two DICOM studies with two patient IDs."""
    if one.dicom is None or other.dicom is None or same_patient(one, other):
        return False
    first, second = one.dicom.term(_PATIENT_ID), other.dicom.term(_PATIENT_ID)
    return bool(first and second) and first.casefold() != second.casefold()


def belongs(volumes: Sequence[Volume], shown: Mapping[Role, Volume | None]) -> bool:
    """Whether volumes are known to belong beside `shown`: they are of one patient, or synthetic and on the source's grid."""
    held, source = [volume for volume in shown.values() if volume is not None], shown[Role.SOURCE]
    if any(same_patient(volume, present) for volume in volumes for present in held):
        return True
    made = [volume for volume in volumes if volume.synthetic is not None]
    return source is not None and bool(made) and all(volume.geometry.is_close(source.geometry) for volume in made)


def joins(volumes: Sequence[Volume], shown: Mapping[Role, Volume | None], direction: Direction | None) -> bool:
    """Whether volumes of whose patient nothing is known may be put beside `shown`: one, where a pane waits for its kind.

    So nothing that is open is pushed out by what was opened on no pane. `direction`: of the case's model.
    """
    if any(other_patient(volume, present) for volume in volumes for present in shown.values() if present is not None):
        return False
    return len(volumes) == 1 and shown[place_for(volumes[0], shown[Role.SOURCE], direction)] is None
