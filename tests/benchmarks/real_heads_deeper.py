"""Makes a model of `residual_unet` deeper without changing what it does, to begin a further training with.

    python tests/benchmarks/real_heads_deeper.py MODEL OUT [--blocks 3]

At each resolution on the way down residual blocks are added that begin as their shortcuts (Goyal et al. 2017, section 5.1): what
OUT makes of a slice is what MODEL makes of it, until it learns.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ctmri_core.model_file import load_model, save_model
from ctmri_core.networks.residual_unet import ResidualUnet
from ctmri_core.registry import validated_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--blocks", type=int, default=3)
    options = parser.parse_args()
    model = load_model(options.model)
    config = validated_config(model.card)
    if not isinstance(model.generator, ResidualUnet):
        parser.error(f"{options.model.name} is no residual_unet")
    if options.blocks <= config.blocks:
        parser.error(f"--blocks: {options.model.name} has {config.blocks}; more than that makes it deeper")
    config = config.model_copy(update={"blocks": options.blocks})
    torch.manual_seed(0)
    deeper = ResidualUnet(config.context_slices, config.width, config.blocks, mirrored=config.mirrored).eval()
    missing, unexpected = deeper.load_state_dict(model.generator.state_dict(), strict=False)
    assert not unexpected
    slices = torch.rand(2, config.context_slices, 64, 64) * 2 - 1
    with torch.inference_mode():
        assert torch.allclose(deeper(slices), model.generator.eval()(slices), atol=1e-5)
    save_model(options.out, deeper.state_dict(), model.card.model_copy(update={"config": config.model_dump(mode="json")}))
    weights = sum(each.numel() for each in deeper.parameters())
    print(f"{options.out.name}: {weights:,} weights; new tensors: {len(missing)}")


if __name__ == "__main__":
    main()
