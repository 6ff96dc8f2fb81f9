"""The models that ship to outline the body: small, of data that anybody may use, and as good as their cards say."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt

from ctmri_core.domain import Domain
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.inference.order import Order
from ctmri_core.inference.outlining import outline
from ctmri_core.model_card import find_model, read_card
from ctmri_core.model_file import load_model
from ctmri_core.phantom import make_head
from ctmri_core.phantom.tissues import Tissue
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.resources_folder import model_folders
from ctmri_core.volume import Volume

PLAIN = Order(device="cpu", precision="float32")
NAMES = {Domain.CT: "body_ct", Domain.MR_T1: "body_mr", Domain.MR_T2: "body_mr"}


pytestmark = pytest.mark.usefixtures("no_timing")


@pytest.fixture(scope="module")
def head():
    """Of no seed that was learnt from."""
    return make_head(4712, voxel_mm=3.0)


def model(domain: Domain):
    return load_model(find_model(NAMES[domain], model_folders()))


def overlap(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.mark.parametrize("name", ["body_ct", "body_mr"])
def test_they_are_small_and_free(name):
    path = find_model(name, model_folders())
    card = read_card(path)
    assert path.stat().st_size < 5_000_000 and card.outlines and not card.demo
    assert card.licences and not card.noncommercial and card.metrics["dice"] > 0.95
    assert "synthrad" not in card.model_dump_json().lower() and "Visible Human" in card.limitations


@pytest.mark.parametrize("domain", NAMES)
def test_they_outline_a_head_that_they_never_saw(head, domain):
    volume = head[domain]
    on_ct = head.details["tissue_map"] != Tissue.OUTSIDE
    truth = resample_array(on_ct, head[Domain.CT].geometry, volume.geometry)
    seen = resample_array(np.ones_like(on_ct), head[Domain.CT].geometry, volume.geometry)  # MR reaches further than the CT
    found = finish(outline(volume, model(domain), PLAIN)).body
    assert overlap(found & seen, truth) > 0.96


def test_cavities_are_filled_where_a_threshold_leaves_them(shared_data):
    """In single slices, where nothing closes a sinus: what is air far below the border of the set's own mask."""
    by = model(Domain.CT)
    held = {"model": 0, "threshold": 0}
    for folder in sorted((shared_data / "synthrad_brain_slices").glob("1B*"))[::30]:
        values = np.asarray(Image.open(folder / "ct_sagittal.png")).astype(np.float32) - 1024
        volume = Volume(values[None], Geometry((1, *values.shape), (1.0, 1.0, 1.0)), Domain.CT, "slice")
        depth = distance_transform_edt(np.asarray(Image.open(folder / "mask_sagittal.png")) > 0)
        cavity = (depth > 25) & (values < -500)
        held["model"] += (finish(outline(volume, by, PLAIN)).body[0] & cavity).sum()
        held["threshold"] += (body_mask(volume)[0] & cavity).sum()
    assert held["model"] > 1.2 * held["threshold"] > 0
