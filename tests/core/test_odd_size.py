"""A voxel size that no patient has is said; what is but large or small is not."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.io.odd_size import size_findings
from ctmri_core.io.opening import load, scan


@pytest.mark.parametrize(
    ("shape", "spacing", "kinds"),
    [
        ((400, 512, 512), (5.0, 0.98, 0.98), []),  # a whole body
        ((60, 128, 128), (0.1, 0.1, 0.1), []),  # the brain of a mouse
        ((1, 512, 512), (5.0, 0.5, 0.5), []),
        ((40, 64, 64), (3000.0, 2000.0, 2000.0), ["odd_size"]),
        ((40, 64, 64), (3.0, 500.0, 500.0), ["odd_size"]),
        ((160, 256, 256), (0.001, 0.001, 0.001), ["odd_size"]),  # metres taken for millimetres
        ((3, 3, 3), (1.0, 1.0, 1.0), []),
        ((80, 128, 1), (2.0, 1.2, 1.2), ["thin"]),
    ],
)
def test_only_impossible_sizes_are_doubted(shape, spacing, kinds) -> None:
    assert [finding.kind for finding in size_findings(Geometry(shape, spacing))] == kinds


def test_the_doubt_stands_on_the_opened_volume_and_names_the_size(tmp_path: Path) -> None:
    path = tmp_path / "large.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((64, 64, 40), np.int16), np.diag([2000.0, 2000.0, 3000.0, 1.0])), path)
    volume = finish(load(scan(path)[0]))
    finding = next(finding for finding in volume.findings if finding.kind == "odd_size")
    assert finding.serious
    assert "(2000 × 2000 × 3000 mm)" in finding.message and "128 m long" in finding.message


def test_the_plane_that_shows_a_thin_stack_is_named() -> None:
    axes = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    (finding,) = size_findings(Geometry((80, 128, 1), (2.0, 1.2, 1.2), (0.0, 0.0, 0.0), axes))
    assert "sagittal" in finding.message and not finding.serious
