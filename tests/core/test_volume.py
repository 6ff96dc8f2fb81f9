"""Volumes, domains and cases."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctmri_core.case import Case
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import GeometryMismatch
from ctmri_core.geometry import Geometry
from ctmri_core.volume import DicomSource, Synthetic, Volume, kind_label, once_per_volume

_GRID = Geometry((2, 3, 4), (1, 1, 1))


def _volume(domain=Domain.CT, **more):
    return Volume(np.zeros((2, 3, 4), np.int16), _GRID, domain, **more)


def test_array_and_grid_must_fit():
    with pytest.raises(GeometryMismatch, match=r"\(4, 3, 2\).*\(2, 3, 4\)"):
        Volume(np.zeros((4, 3, 2), np.int16), _GRID, Domain.CT)
    for dtype in (np.float64, np.uint8, np.int32, np.uint16):
        with pytest.raises(GeometryMismatch, match="int16 or float32"):
            Volume(np.zeros((2, 3, 4), dtype), _GRID, Domain.CT)


def test_a_volume_knows_its_unit_background_and_label():
    ct = _volume()
    assert (ct.unit, ct.background, ct.label) == ("HU", -1024, "CT")
    mr = _volume(Domain.MR_T1, synthetic=Synthetic("m", "0"))
    assert (mr.unit, mr.background, mr.label) == ("a.u.", 0, "Synthetic T1 MR")


def test_history_grows_on_copies():
    volume = _volume(history=("read",))
    changed = volume.with_history("halved", domain=Domain.MR)
    assert changed.history == ("read", "halved")
    assert changed.domain is Domain.MR
    assert volume.history == ("read",)
    with pytest.raises(FrozenInstanceError):
        volume.domain = Domain.MR


def test_representations_hold_no_patient_data(tmp_path):
    source = DicomSource("1.2.3.4", "5.6.7", "1.2.840.10008.5.1.4.1.1.2", "9.8.7", ("11.12",), {"00100010": "Doe^Jane"})
    volume = _volume(dicom=source, path=tmp_path / "Doe_Jane.nii", frame_of_reference="9.8.7")
    for text in (repr(source), repr(volume), str(volume)):
        assert not any(secret in text for secret in ("Doe", "Jane", "1.2.3.4", "5.6.7", "9.8.7", "11.12"))


def test_domains():
    assert [d.modality for d in (Domain.CT, Domain.MR_FLAIR, Domain.UNKNOWN)] == ["CT", "MR", "OT"]
    assert len({d.label for d in Domain}) == len(Domain)
    assert Domain.MR_T1.accepts(Domain.MR)
    assert Domain.MR.accepts(Domain.MR_T2)
    assert not Domain.MR_T1.accepts(Domain.MR_T2)
    assert not Domain.MR_T1.accepts(Domain.MR_T1_GD)
    assert not Domain.MR.accepts(Domain.CT)
    assert not Domain.CT.accepts(Domain.UNKNOWN)


@given(st.sampled_from(Domain), st.sampled_from(Domain))
def test_directions_are_read_as_written(source, target):
    direction = Direction(source, target)
    assert Direction.parse(str(direction)) == direction
    assert source.label in direction.label
    assert target.label in direction.label


@pytest.mark.parametrize("text", ["", "ct", "ct_to_", "ct_to_pet", "_to_ct", "ct to mr_t1"])
def test_other_directions_are_refused_with_the_known_domains(text):
    with pytest.raises(ValueError, match="mr_flair"):
        Direction.parse(text)


def test_a_case_is_asked_by_domain():
    ct, mr = _volume(), _volume(Domain.MR_T1)
    case = Case("one", {Domain.CT: ct, Domain.MR_T1: mr})
    assert case[Domain.MR_T1] is mr
    assert case.domains == (Domain.CT, Domain.MR_T1)


def test_what_is_known_of_a_volume_is_found_once_and_forgotten_with_it():
    import gc
    import weakref

    calls = []

    @once_per_volume
    def brightest(volume: Volume, share: float) -> float:
        calls.append(share)
        return float(volume.voxels.max()) * share

    volume = Volume(np.full((2, 3, 4), 7, np.int16), Geometry((2, 3, 4), (1, 1, 1)), Domain.CT)
    assert brightest(volume, 0.5) == brightest(volume, 0.5) == 3.5
    assert brightest(volume, 1.0) == 7.0
    assert calls == [0.5, 1.0]
    alive = weakref.ref(volume)
    del volume
    gc.collect()
    assert alive() is None


def test_a_label_begins_with_a_capital():
    assert kind_label(Domain.UNKNOWN, synthetic=False, phantom=False) == "Unknown kind"
    assert kind_label(Domain.UNKNOWN, synthetic=True, phantom=False) == "Synthetic unknown kind"
    assert kind_label(Domain.MR_T1, synthetic=True, phantom=True) == "Synthetic T1 MR phantom"
