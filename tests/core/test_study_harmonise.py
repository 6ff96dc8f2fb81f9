"""What the leak audit found is offered, taken away and recorded; what cannot be taken away is said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from ctmri_core.errors import CtmriError, WriteFailed
from ctmri_core.events import finish
from ctmri_core.studies.checking import check
from ctmri_core.studies.harmonise import Step, harmonised, not_offered, offers
from ctmri_core.studies.pictures import write_picture
from ctmri_core.studies.study_folder import StudyFolder, write_draft
from ctmri_core.studies.truth import REAL, Arm, ItemTruth, Order, Plan, Truth
from tests.core.simulated_study import protocol
from tests.core.test_leak_audit import head

SPACING = (4.0, 1.0, 1.0)
PATIENTS = 14


@pytest.fixture(autouse=True)
def private_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("CTMRI_CONFIG_DIR", str(tmp_path / "config"))


def draft(folder, plant, *, paired=True):
    """A study of heads whose synthetic pictures `plant(voxels, chance)` has changed."""
    chance = np.random.default_rng(5)
    asked = protocol()
    items, truths = [], []
    for patient in range(PATIENTS if paired else 2 * PATIENTS):
        shape = chance.bit_generator.state
        for arm in (REAL, "A") if paired else ((REAL, "A")[patient % 2],):
            chance.bit_generator.state = shape  # one outline for both, other noise
            voxels = head(chance)
            voxels = np.where(voxels > -1024, voxels + chance.normal(0, 3, voxels.shape), voxels)
            voxels = (voxels if arm == REAL else plant(voxels, chance)).round().astype(np.int16)
            token = f"{2 * patient + (arm == REAL):016x}"
            items.append(write_picture(folder, token, voxels, SPACING))
            truths.append(ItemTruth(token=token, arm=arm, case=f"c{patient}", patient=f"p{patient}"))
    plan = Plan(seed="5e" * 32, repeats=0, practice=0, readers=("R1",), order=Order(may_relax=True))
    truth = Truth(protocol=asked.sha256, plan=plan, arms=(Arm(name=REAL), Arm(name="A")), items=tuple(truths))
    write_draft(folder, asked, truth, items)
    return StudyFolder(folder)


def audited(study):
    return finish(check(study, study.truth())).audit


def background_by_one(voxels, _chance):
    return np.where(voxels == -1024, -1023, voxels)


def smoother(voxels, _chance):
    inside = voxels > -1024
    smooth = gaussian_filter(np.where(inside, voxels, 0).astype(float), (0, 0.7, 0.7))
    weight = np.maximum(gaussian_filter(inside.astype(float), (0, 0.7, 0.7)), 1e-3)
    return np.where(inside, smooth / weight, voxels)


def noisier(voxels, chance):
    return np.where(voxels > -1024, voxels + chance.normal(0, 12, voxels.shape), voxels)


def coarser(voxels, _chance):
    return np.where(voxels > -1024, np.round(voxels / 6) * 6, voxels)


def cut_off(voxels, _chance):
    return np.minimum(voxels, np.quantile(voxels, 0.995))


def narrower(voxels, _chance):
    inside = voxels > -1024
    columns = np.flatnonzero(inside.any(axis=(0, 1)))
    voxels[:, :, columns[-6:]] = -1024
    voxels[:, :, columns[:6]] = -1024
    return voxels


@pytest.mark.parametrize(
    ("plant", "kind"),
    [(background_by_one, "background"), (smoother, "smooth"), (noisier, "noise"), (coarser, "levels"), (cut_off, "range"),
     (narrower, "extent")],
)  # fmt: skip
def test_what_was_planted_is_offered_and_taken_away(tmp_path, plant, kind):
    study = draft(tmp_path / "study", plant)
    found = audited(study)
    steps = offers(found)
    assert found.verdict == "blocks" and kind in [step.kind for step in steps]
    made = finish(harmonised(study, steps))
    assert made.before == found and made.after.audit.verdict == "clear", made.words
    truth = made.study.truth()
    assert truth.harmonised == made.done and all(one.before > 0.6 for one in made.done)
    assert audited(made.study) == made.after.audit
    assert sorted(made.study.pictures.items) == sorted(item.token for item in truth.items)
    assert len(list((study.path / "pictures").glob("*.raw"))) == len(truth.items)


def test_real_pictures_stay_what_they_are_beside_the_step(tmp_path):
    study = draft(tmp_path / "study", background_by_one)
    before = {item.case: study.pictures.voxels(item.token) for item in study.truth().items if item.arm == REAL}
    made = finish(harmonised(study, [Step("background", "background", ("background",))]))
    after = {item.case: made.study.pictures.voxels(item.token) for item in made.study.truth().items if item.arm == REAL}
    shared = next(iter(after.values())).reshape(-1)[0]
    for case, voxels in before.items():
        changed = voxels != after[case]
        assert not changed.any() or (shared == -1023 and (voxels[changed] == -1024).all())


def test_smoothing_reaches_the_smoother_and_no_further(tmp_path):
    study = draft(tmp_path / "study", smoother)
    made = finish(harmonised(study, offers(audited(study))))
    features = {one.key: one for one in made.after.audit.features}
    assert features["sharpness"].real == pytest.approx(features["sharpness"].synthetic, rel=0.05)


def test_exchangeable_pictures_are_left_alone(tmp_path):
    study = draft(tmp_path / "study", lambda voxels, _chance: voxels)
    assert offers(audited(study)) == () and not_offered(audited(study)) == ""


def test_what_cannot_be_taken_away_is_said(tmp_path):
    study = draft(tmp_path / "study", noisier, paired=False)
    found = audited(study)
    assert found.verdict == "blocks" and "noise" not in [step.kind for step in offers(found)]
    assert "no patient is shown both real and synthetic" in not_offered(found)
    with pytest.raises(CtmriError, match="have no second picture"):
        finish(harmonised(study, [Step("noise", "noise", ("noise",))]))


def test_stopped_or_open_nothing_is_changed(tmp_path):
    study = draft(tmp_path / "study", background_by_one)
    before = study.pictures.names_in("pictures")
    asked = []
    steps = offers(audited(study))
    assert finish(harmonised(study, steps, stop=lambda: len(asked) > 30 or bool(asked.append(0)))) is None
    assert StudyFolder(study.path).pictures.names_in("pictures") == before
    opened = study.open("2026-01-01T00:00:00Z", "1.0", {})
    with pytest.raises(WriteFailed, match="is open"):
        finish(harmonised(opened, steps))
