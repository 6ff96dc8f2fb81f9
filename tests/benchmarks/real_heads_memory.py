"""Whether a model hands out heads that it learnt from: errors of those against others, and what its answers are nearest to.

    python tests/benchmarks/real_heads_memory.py MODEL [--data DIR] [--split FILE] [--most 30]

Slices are cut to the bounding box of their mask, shrunk to 64 x 64 and, of CT, clipped to -1000 to 1000 HU; distances are
root mean squares. Of every slice of a held-out head: how far the synthetic one is from its own truth, from the nearest real
slice of the same plane among all that were learnt from, and how far the real one is from that. A model that remembers answers
with slices nearer to what it learnt than to the truth, or much nearer to it than real slices of strangers are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from real_heads_scores import PLANES, mean_of, split_of, whole_pictures
from real_heads_subjects import default_data
from skimage.transform import resize

from ctmri_core.data.layouts.layout import LayoutOptions
from ctmri_core.data.layouts.picture_files import picture_volume
from ctmri_core.domain import Direction, Domain
from ctmri_core.events import finish
from ctmri_core.inference.translate import translate
from ctmri_core.model_file import LoadedModel, load_model

EDGE = 64
Small = NDArray[np.float32]


def small(picture: NDArray[np.float32], inside: NDArray[np.bool_], is_ct: bool) -> Small:
    """(64, 64), in HU, or % of what lies inside."""
    values = picture if is_ct else 100 * (picture - picture[inside].min()) / max(float(np.ptp(picture[inside])), 1e-6)
    values = np.where(inside, np.clip(values, -1000, 1000), -1000 if is_ct else 0)
    rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    box = values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    result: Small = resize(box, (EDGE, EDGE), order=1, anti_aliasing=True, preserve_range=True).astype(np.float32)
    return result


def read(folder: Path, domain: Domain, plane: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A real slice and its mask."""
    volume = picture_volume([folder / f"{domain.value}_{plane}.png"], domain, LayoutOptions())
    mask = picture_volume([folder / f"mask_{plane}.png"], Domain.UNKNOWN, LayoutOptions())
    return volume.voxels[0].astype(np.float32), mask.voxels[0] > 0


def answered(model: LoadedModel, folder: Path, plane: str) -> NDArray[np.float32]:
    """What the model makes of a slice."""
    way = model.card.direction
    source = picture_volume([folder / f"{way.source.value}_{plane}.png"], way.source, LayoutOptions())
    made = finish(translate(source, model))
    assert made is not None
    result: NDArray[np.float32] = made.voxels[0].astype(np.float32)
    return result


def nearest(one: Small, others: Sequence[Small]) -> float:
    """Root mean square distance to the nearest."""
    return float(np.sqrt(min(((one - other) ** 2).mean() for other in others)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, default=default_data())
    parser.add_argument("--split", type=Path, help="default: the one that the model's direction was learnt by")
    parser.add_argument("--most", type=int, default=30)
    options = parser.parse_args()
    if options.most < 1:
        parser.error("--most: at least one head")
    model = load_model(options.model)
    way: Direction = model.card.direction
    split = json.loads((options.split or split_of(way)).read_text())
    is_ct, known, strangers = way.target is Domain.CT, split["train"], split["validation"][: options.most]
    for name, keys in (("learnt from", known[:: max(1, len(known) // options.most)]), ("held out", strangers)):
        found = whole_pictures(options.model, options.data, keys, way)
        error, alike = mean_of(found, "error"), mean_of(found, "masked")
        print(f"{name}: error {error:.1f}, SSIM inside the mask {alike:.3f}, {len(keys)} heads")
    columns: list[tuple[float, float, float]] = []
    for plane in PLANES:
        learnt = [small(*read(options.data / key, way.target, plane), is_ct) for key in known]
        for key in strangers:
            real, inside = read(options.data / key, way.target, plane)
            truth, made = small(real, inside, is_ct), small(answered(model, options.data / key, plane), inside, is_ct)
            columns.append((nearest(made, [truth]), nearest(made, learnt), nearest(truth, learnt)))
    own, to_known, of_real = np.array(columns).T
    print(f"synthetic slices: {own.mean():.1f} from their truth, {to_known.mean():.1f} from the nearest learnt from;")
    print(f"real ones: {of_real.mean():.1f} from the nearest learnt from (ratio {np.median(to_known / of_real):.2f}, median)")
    print(f"nearer to something learnt from than to their truth: {np.mean(to_known < own):.0%} of {len(own)}")


if __name__ == "__main__":
    main()
