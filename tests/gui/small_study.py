"""Small studies of noise, made by the product's own functions, for tests of the windows around them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import numpy as np

from ctmri_core.files import atomic_folder
from ctmri_core.studies.pictures import write_picture
from ctmri_core.studies.protocol import Protocol
from ctmri_core.studies.rehearsal import simulate
from ctmri_core.studies.study_folder import StudyFolder, write_draft
from ctmri_core.studies.truth import REAL, Arm, Exclusion, ItemTruth, Order, Plan, Truth

MODEL = "hidden-model"
REASONS = get_args(Exclusion.model_fields["reason"].annotation)
"""For which a case may be left out: one for each is."""
SHAPE, SPACING = (5, 24, 22), (4.0, 2.0, 2.0)
ORIGIN = (-20.0, -22.0, 7.0)


def draft(folder: Path, cases=10, *, readers=("R1", "R2"), leak=0, passphrase="", relax=True, **more) -> StudyFolder:
    """Real and synthetic of each case; `leak` is added outside of the body of synthetic ones."""
    chance = np.random.default_rng(3)
    asked = Protocol(**{"study": "0f" * 8, "title": "Heads", "marks": True, "reasons": ("edges",), **more})
    plan = Plan(seed="5e" * 32, repeats=0.1, practice=2, order=Order(may_relax=relax), readers=readers)
    truths, items = [], []
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(folder) as place:
        for block, count in (("test", cases), ("practice", 1)):
            for case in range(count):
                for arm in (REAL, MODEL):
                    voxels = chance.integers(1, 1000, SHAPE).astype(np.int16)
                    voxels[:, :3] = voxels[:, -3:] = voxels[:, :, :3] = voxels[:, :, -3:] = leak if arm == MODEL else 0
                    token, key = chance.bytes(8).hex(), f"{block}{case}"
                    items.append(write_picture(place, token, voxels, SPACING))
                    truths.append(ItemTruth(token=token, arm=arm, case=key, patient=key, block=block, source=key, origin=ORIGIN))
        out = tuple(Exclusion(case="other", reason=reason, words="A model learnt from it") for reason in REASONS)
        truth = Truth(protocol=asked.sha256, plan=plan, arms=(Arm(name=REAL), Arm(name=MODEL, weights_sha256="ab" * 32)),
                      items=tuple(truths), exclusions=out)  # fmt: skip
        write_draft(place, asked, truth, items, passphrase)
    return StudyFolder(folder)


def opened(folder: Path, *, read=(), passphrase="", **more) -> StudyFolder:
    """Open, and read to its end by those in `read`."""
    study = draft(folder, passphrase=passphrase, **more)
    study.open(datetime.now(UTC).isoformat(timespec="seconds"), "1.0", {"audit": None, "override": ""}, passphrase)
    for number, reader in enumerate(read):
        simulate(folder, reader, 0.9, number, passphrase)
    return StudyFolder(folder)
