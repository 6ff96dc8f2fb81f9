"""Makes one model of two that went on from the same weights: each weight the mean of theirs (Wortsman et al. 2022, uniform soup).

    python tests/benchmarks/real_heads_mean.py MODEL OTHER OUT

The card is that of MODEL, which says with what it was averaged. Costs nothing in use.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ctmri_core.model_file import load_model, save_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    model, other = load_model(options.model), load_model(options.other)
    own, theirs = model.generator.state_dict(), other.generator.state_dict()
    if {name: value.shape for name, value in own.items()} != {name: value.shape for name, value in theirs.items()}:
        parser.error(f"{options.model.name} and {options.other.name} have other networks")
    mean = {name: (value + theirs[name]) / 2 if value.is_floating_point() else value for name, value in own.items()}
    told = {**model.card.training, "averaged_with": {"file": options.other.name, "weights_sha256": other.card.weights_sha256}}
    save_model(options.out, mean, model.card.model_copy(update={"training": told}))
    print(f"{options.out.name}: mean of {len(mean)} tensors")


if __name__ == "__main__":
    main()
