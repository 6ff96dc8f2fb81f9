"""In which number format to train on this machine."""

from __future__ import annotations

import time
from typing import Literal

import torch
from torch import nn

Precision = Literal["32", "bf16-mixed"]

_WORTHWHILE = 1.15  # a smaller gain is not worth bfloat16's rounding


def choose_precision(requested: Literal["auto", "32", "bf16-mixed"], device: torch.device) -> Precision:
    """`requested`, or for `auto` bfloat16 where it pays: on CUDA where supported, on a CPU by timing it for a moment."""
    if requested != "auto":
        return requested
    if device.type == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32"
    return "bf16-mixed" if bfloat16_gain(device) > _WORTHWHILE else "32"


def bfloat16_gain(device: torch.device, repetitions: int = 3) -> float:
    """How many times as fast a convolution's forward and backward pass is under autocast as in float32; takes ~0.2 s."""
    with torch.random.fork_rng(devices=[]):
        layer = nn.Conv2d(64, 64, 3, padding=1).to(device)
        x = torch.randn(4, 64, 48, 48, device=device)
    seconds = {}
    for bfloat16 in (False, True):
        times = []
        for _ in range(repetitions + 1):
            start = time.perf_counter()
            with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
                y = layer(x)
            y.float().sum().backward()
            times.append(time.perf_counter() - start)
        seconds[bfloat16] = min(times[1:])
    return seconds[False] / seconds[True]
