#!/usr/bin/env python3
"""How well bodies are outlined in slices of three centres that nothing here learnt from: classically, and by shipped models.

    .venv/bin/python tests/benchmarks/bench_body_masks.py [--every 5]

Truth is the mask of the set, which reaches a centimetre or more beyond the skin: for either it is drawn in by up to 16 mm, as
fits it best. What is no body beside it still costs, and so do cavities that are missing. Needs `CTMRI_SHARED`, or `../shared`
beside the checkout.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import distance_transform_edt

from ctmri_core.domain import Domain
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.inference.order import Order
from ctmri_core.inference.outlining import outline
from ctmri_core.model_file import load_model
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.resources_folder import resources_folder
from ctmri_core.volume import Volume

PLANES = ("axial", "coronal", "sagittal")
_FURTHEST_MM = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=5, help="of so many subjects one")
    parser.add_argument("--models", type=Path, default=resources_folder() / "models")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    shared = Path(os.environ.get("CTMRI_SHARED") or Path(__file__).parents[3] / "shared")
    subjects = sorted(path for path in (shared / "data" / "synthrad_brain_slices").iterdir() if path.is_dir())
    for domain in (Domain.CT, Domain.MR_T1):
        model = load_model(arguments.models / f"body_{'ct' if domain is Domain.CT else 'mr'}.safetensors")
        for plane in PLANES:
            rows = []
            for subject in subjects[:: arguments.every]:
                volume, truth = _slice(subject, domain, plane)
                found = finish(outline(volume, model, Order(device="cpu", precision="float32"))).body
                rows.append([_overlap(mask[0], truth) for mask in (body_mask(volume), found)])
            classical, learnt = np.array(rows).T
            told = f"classical {_told(classical)}   model {_told(learnt)}"
            print(f"{domain.label:6} {plane:9} {len(rows)} slices  {told}", flush=True)


def _slice(subject: Path, domain: Domain, plane: str) -> tuple[Volume, np.ndarray]:
    name = "ct" if domain is Domain.CT else "mr_t1"
    values = np.asarray(Image.open(subject / f"{name}_{plane}.png")).astype(np.float32) - (1024 if domain is Domain.CT else 0)
    grid = Geometry((1, *values.shape), (1.0, 1.0, 1.0))
    truth = np.asarray(Image.open(subject / f"mask_{plane}.png")) > 0
    return Volume(values[None], grid, domain, "slice"), truth


def _overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    """Dice with the truth, drawn in by as many pixels as fits best: it lies beyond the skin by some."""
    depth = distance_transform_edt(truth)
    nearer = [depth > pixels for pixels in range(_FURTHEST_MM + 1)]
    return max(2 * float((mask & each).sum()) / max(float(mask.sum() + each.sum()), 1.0) for each in nearer)


def _told(scores: np.ndarray) -> str:
    return f"{scores.mean():.4f} (worst {scores.min():.3f}, below 0.95: {100 * np.mean(scores < 0.95):.0f} %)"


if __name__ == "__main__":
    main()
