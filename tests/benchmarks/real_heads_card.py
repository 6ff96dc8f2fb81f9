"""Makes the model file that ships of one that was trained: scores by centre and plane, terms and limits in its card.

    python tests/benchmarks/real_heads_card.py MODEL OUT --prepared DIR [--data DIR] [--stored-as float16]

`--prepared`: what it learnt from, as `ctmri prepare` left it; what these pictures are like goes into the card. The weights are
those of MODEL, rounded once; scores are taken of OUT's own, of heads that were not learnt from, as `real_heads_scores.py`
counts them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from real_heads_scores import PLANES, WholeSlice, mean_of, split_of, whole_pictures
from real_heads_subjects import default_data

from ctmri_core.data.dataset import DatasetFolder
from ctmri_core.data.learnt_range import learnt_range
from ctmri_core.data.preparation import open_dataset
from ctmri_core.domain import Domain
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import load_model, save_model

_WHAT = "SynthRAD2023 derived 2-D slices"
_CREDIT = (
    "Data: SynthRAD2023, task 1, brain; Adrian Thummerer, Erik van der Bijl, Arthur Jr Galapon, Joost JC Verhoeff, Johannes A "
    "Langendijk, Stefan Both, Cornelis AT van den Berg, Matteo Maspero; UMC Groningen, Radboudumc Nijmegen, UMC Utrecht; "
    "https://doi.org/10.5281/zenodo.7260705; CC BY-NC 4.0, https://creativecommons.org/licenses/by-nc/4.0/; three slices of each "
    "head, HU estimated, MR rescaled."
)
_USE = "Research: comparison of methods, attenuation and geometry studies. Not for diagnosis, and not for dose planning."
_SEEN = (
    "Learnt from one axial, one coronal and one sagittal slice through the middle of each of {heads} heads (by hospital "
    "{centres}); the top of the head, the lower jaw and the neck hardly occur, many faces were cut off; nothing is known of "
    "other parts of the body."
)
_INTO_CT = (
    "HU of the data were estimated slice by slice, so values are off by tens of HU even where the picture is right. It fails "
    "where MR shows air and bone alike: skull base, mastoid cells, sinuses, thin bone; metal and its artefacts; children; MR of "
    "another weighting. T1 after contrast agent is taken as well."
)
_INTO_MR = (
    "Learnt from heads without contrast agent alone. A CT hardly shows what tells soft tissues apart in MR: grey and white "
    "matter, oedema and tumours are guessed from what is usual; ask for the map of uncertainty. MR has no unit: 1000 is three "
    "times the median of the interior."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=default_data())
    parser.add_argument("--stored-as", choices=("float32", "float16"), default="float16")
    options = parser.parse_args()
    trained = load_model(options.model)
    way = trained.card.direction
    weights = trained.generator.state_dict()
    prepared = open_dataset(DatasetFolder(options.prepared), "", way, multiple=trained.card.recipe.multiple)
    seen = learnt_range(prepared.train, way.source, trained.card.recipe)
    save_model(options.out, weights, trained.card, stored_as=options.stored_as)
    split = json.loads(split_of(way).read_text())
    slices = whole_pictures(options.out, options.data, split["validation"], way)
    card = described(trained.card, slices, split["train"]).model_copy(update={"training_range": seen})
    save_model(options.out, weights, card, stored_as=options.stored_as)
    print(f"{options.out.name}: {options.out.stat().st_size / 1e6:.1f} MB; {_quality(slices, way.target is Domain.CT)}")


def described(card: ModelCard, slices: list[WholeSlice], taught: Sequence[str]) -> ModelCard:
    """`card` with what is known of the model by now; the names in `taught`, whom it learnt from, tell their hospital."""
    into_ct = card.direction.target is Domain.CT
    centres = ", ".join(f"{centre} {count}" for centre, count in sorted(Counter(key[2] for key in taught).items()))
    seen = _SEEN.format(heads=len(taught), centres=centres)
    limits = " ".join([seen, _INTO_CT if into_ct else _INTO_MR, _quality(slices, into_ct)])
    unit = "hu" if into_ct else "percent"
    found = {f"mae_{unit}_centre_{centre}": mean_of(own, "error") for centre, own in _centres(slices).items()}
    ways = {f"mae_{unit}": "error", "psnr_db": "psnr", "ssim": "masked", "ssim_whole": "wide"}
    what = _WHAT if into_ct else f"{_WHAT}, T1 without contrast agent"
    data = card.training_data[0].model_copy(update={"what": what, "credit": _CREDIT})
    found |= {key: mean_of(slices, name) for key, name in ways.items()}
    return card.model_copy(
        update={
            "name": f"Heads {card.direction.label}", "body_region": "head", "intended_use": _USE, "limitations": limits,
            "demo": False, "also_takes": (Domain.MR_T1_GD,) if into_ct else (), "training_data": (data,),
            "metrics": {key: round(value, 4) for key, value in found.items()},
        }
    )  # fmt: skip


def _centres(slices: list[WholeSlice]) -> dict[str, list[WholeSlice]]:
    return {centre: [each for each in slices if each.centre == centre] for centre in sorted({each.centre for each in slices})}


def _quality(slices: list[WholeSlice], into_ct: bool) -> str:
    """In words for people."""
    unit = "HU" if into_ct else "% of the range"

    def said(own: list[WholeSlice]) -> str:
        return f"{mean_of(own, 'error'):.{0 if into_ct else 1}f}"

    centres = ", ".join(f"{centre} {said(own)}" for centre, own in _centres(slices).items())
    planes = ", ".join(f"{plane} {said([each for each in slices if each.plane == plane])}" for plane in PLANES)
    heads = len({each.subject for each in slices})
    return (
        f"Mean absolute error inside the masks on {heads} other heads of these hospitals: {said(slices)} {unit} "
        f"(by hospital {centres}; {planes} slices), PSNR {mean_of(slices, 'psnr'):.1f} dB, SSIM {mean_of(slices, 'masked'):.3f}; "
        f"worst slice {max(each.error for each in slices):.0f}."
    )


if __name__ == "__main__":
    main()
