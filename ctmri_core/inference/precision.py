"""How to run a generator on this machine: device, float type and memory layout, found by timing it for a moment."""

from __future__ import annotations

import copy
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ctmri_core.errors import CtmriError, OutOfMemory
from ctmri_core.inference.fast_generator import FastGenerator
from ctmri_core.inference.order import Precision
from ctmri_core.memory import is_out_of_memory

LARGEST_DIFFERENCE = 0.01
"""Mean absolute difference to float32, as a share of the output's range of 2, above which a fast plan is not taken."""

_TIMING_SECONDS = 0.8
_TIMING_SIDE = 96
_WORTH_IT = 0.97
_BATCH_SECONDS = 0.25  # a stop is answered between batches, well within a second
_LARGEST_BATCH = {"cpu": 8, "cuda": 32}
_BESIDE = 3  # times what layers hold: padded copies, the convolutions' own memory (measured on four networks: 1.7 to 3.2)
_MEMORY_SHARE = 0.8  # of what is free


@dataclass(frozen=True)
class Plan:
    """`fast`: through `FastGenerator` with `dtype`; otherwise the module as it is, in float32.

    `batch`: slices at a time; `seconds_per_slice`, `bytes_per_slice`: estimated for the slices asked about.
    """

    device: str
    dtype: torch.dtype
    fast: bool
    batch: int
    seconds_per_slice: float
    bytes_per_slice: int = 0

    @property
    def precision(self) -> str:
        """For people: `float32`, `bfloat16, channels last`."""
        return str(self.dtype).removeprefix("torch.") + (", channels last" if self.fast else "")

    def of_slices(self, times: float) -> Plan:
        """The plan for slices of so many times as many pixels."""
        seconds = self.seconds_per_slice * times
        batch = int(min(max(_BATCH_SECONDS / max(seconds, 1e-6), 1), _LARGEST_BATCH[torch.device(self.device).type]))
        return replace(self, batch=batch, seconds_per_slice=seconds, bytes_per_slice=int(self.bytes_per_slice * times))


_ALIKE = 64  # pixels of an edge; slices of about one size are timed once
_KNOWN: dict[tuple[object, ...], tuple[Plan, int]] = {}
"""Plans with the size of the sample that they are for."""


def choose_device(name: str) -> torch.device:
    """`auto`, `cpu`, `cuda` or `cuda:1` -> device. Raises `CtmriError` when there is no such device here."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise CtmriError(f"{name!r} is no device; choose auto, cpu or cuda.") from None
    if device.type not in ("cpu", "cuda"):
        raise CtmriError(f"Translating on {name!r} is not supported; choose auto, cpu or cuda.")
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        raise CtmriError(f"There is no CUDA device {name!r} that this installation can use; choose cpu.")
    return device


def choose_plan(
    generator: nn.Module, sample: NDArray[np.float32], device: torch.device, precision: Precision = "auto"
) -> Plan:  # fmt: skip
    """The fastest way to run `generator` on slices like `sample`, float32 (c, h, w) in [-1, 1]; never slower than float32.

    Times the candidates on the middle of `sample` for at most about a second, leaving out those whose result differs; the
    answer is kept per weights, device, thread count and rough size. With a `precision` of the user's, only ways of that type.
    Raises `OutOfMemory` when not even that part fits the device, `CtmriError` where it cannot compute in that precision.
    """
    middle = _middle(sample, getattr(generator, "multiple", 0))
    rough = tuple(-(-edge // _ALIKE) for edge in middle.shape[1:])
    key = (type(generator), *_trace_of(generator), str(device), torch.get_num_threads(), precision, len(middle), *rough)
    if key not in _KNOWN:
        try:
            _KNOWN[key] = _measure(generator, torch.from_numpy(middle)[None].to(device), device, precision), middle.size
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                raise too_large(middle.shape[1:], device) from error
            raise
    plan, timed = _KNOWN[key]
    return plan.of_slices(sample.size / timed)


def usable_memory(device: str) -> int:
    """Bytes that may be planned with, of those that are free now.

    Asked before, since a processor's memory is promised freely, and the system ends the program that takes too much of it.
    """
    free = psutil.virtual_memory().available if device == "cpu" else torch.cuda.mem_get_info(torch.device(device))[0]
    return int(free * _MEMORY_SHARE)


def fitting_batch(plan: Plan, wanted: int) -> int:
    """At most `wanted` slices at a time, as many as fit the memory that is free now; 0 when one probably does not."""
    return min(wanted, usable_memory(plan.device) // max(plan.bytes_per_slice, 1))


def prepare_generator(generator: nn.Module, plan: Plan) -> nn.Module:
    """A module on the plan's device, float32 (n, c, h, w) in and out; `generator` itself is not changed."""
    device = torch.device(plan.device)
    if plan.fast:
        return FastGenerator(generator, plan.dtype, device)
    return generator.eval() if device.type == "cpu" else copy.deepcopy(generator).eval().to(device)


def run_batch(module: nn.Module, slices: NDArray[np.float32], device: torch.device) -> NDArray[np.float32]:
    """float32 (n, c, h, w) -> float32 (n, h, w). Raises `OutOfMemory` when the device's memory does not suffice."""
    try:
        with torch.inference_mode():
            result: Tensor = module(torch.from_numpy(slices).to(device))
            answer: NDArray[np.float32] = result[:, 0].float().cpu().numpy()
            return answer
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    if device.type == "cuda":
        torch.cuda.empty_cache()  # outside of the handler, which holds the failed call's tensors
    raise too_large(slices.shape[2:], device)


def too_large(shape: Sequence[int], device: torch.device) -> OutOfMemory:
    """To be raised for a slice of `shape`."""
    size = " x ".join(str(n) for n in shape)
    elsewhere = " or use the CPU" if device.type == "cuda" else ""
    return OutOfMemory(f"One slice of {size} pixels does not fit the memory of {device}. Close other programs{elsewhere}.")


def _trace_of(generator: nn.Module) -> tuple[float, ...]:
    """Tells other weights of one architecture apart: whether a short type serves them is another question for each."""
    return tuple(float(weights.detach().abs().sum()) for weights in generator.state_dict().values())


def _middle(sample: NDArray[np.float32], multiple: int) -> NDArray[np.float32]:
    """The central part of a slice, halved while it stays a size that the network takes and at least `_TIMING_SIDE`."""
    shape = list(sample.shape[1:])
    if multiple:
        shape = [min(n, -(-_TIMING_SIDE // multiple) * multiple) for n in shape]
    start = [(n - m) // 2 for n, m in zip(sample.shape[1:], shape, strict=True)]
    return np.ascontiguousarray(sample[:, start[0] : start[0] + shape[0], start[1] : start[1] + shape[1]])


def _measure(generator: nn.Module, x: Tensor, device: torch.device, precision: Precision) -> Plan:
    """The plan for `x`: interleaved, best of as many rounds as the time allows."""
    plans = [Plan(str(device), torch.float32, False, 1, 0.0)]
    if next(generator.parameters(), None) is not None:  # one that another engine computes is as it is
        plans += [Plan(str(device), dtype, True, 1, 0.0) for dtype in _fast_types(device)]
    with torch.inference_mode():
        modules = [prepare_generator(generator, plan) for plan in plans]
        with _layers_counted(modules[0]) as counted:
            reference = modules[0](x)
        runs = {plans[0]: modules[0]}
        for plan, module in zip(plans[1:], modules[1:], strict=True):
            if _difference(module, x, reference) <= 2 * LARGEST_DIFFERENCE:  # false for what is no number, too
                runs[plan] = module
        wanted = [plan for plan in runs if precision in ("auto", str(plan.dtype).removeprefix("torch."))]
        if not wanted:
            raise CtmriError(f"This model cannot be run in {precision} on {device}; leave the precision to the program.")
        best = _best_times({plan: runs[plan] for plan in wanted}, x, device)
    fastest = min(best, key=lambda plan: best[plan])
    chosen = wanted[0] if best[fastest] >= _WORTH_IT * best[wanted[0]] else fastest
    held = _BESIDE * max(counted) * chosen.dtype.itemsize // 4
    return replace(chosen, seconds_per_slice=best[chosen], bytes_per_slice=held)


@contextmanager
def _layers_counted(module: nn.Module) -> Iterator[list[int]]:
    """Inside, collects the bytes of all layers' results that are held at one time, skips among them."""
    held, known = [0], set[int]()

    def let_go(number: int, size: int) -> None:
        known.discard(number)
        held.append(held[-1] - size)

    def made(_layer: nn.Module, _given: tuple[object, ...], result: object) -> None:
        if isinstance(result, Tensor) and id(result) not in known:  # layers within layers hand on what those inside made
            size = result.numel() * result.element_size()
            known.add(id(result))
            held.append(held[-1] + size)
            weakref.finalize(result, let_go, id(result), size)

    hooks = [layer.register_forward_hook(made) for layer in module.modules()]
    try:
        yield held
    finally:
        for hook in hooks:
            hook.remove()


def _difference(module: nn.Module, x: Tensor, reference: Tensor) -> float:
    """Mean absolute difference of a fast module's answer; infinite where its layers do not take the short type."""
    try:
        return float((module(x) - reference).abs().mean())
    except RuntimeError:
        return float("inf")


def _fast_types(device: torch.device) -> list[torch.dtype]:
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return [torch.float32, torch.float16]
    return [torch.float32, torch.bfloat16]


def _best_times(runs: dict[Plan, nn.Module], x: Tensor, device: torch.device) -> dict[Plan, float]:
    best = dict.fromkeys(runs, float("inf"))
    end = time.perf_counter() + _TIMING_SECONDS / 2
    while True:
        for plan, module in runs.items():
            start = time.perf_counter()
            module(x)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            best[plan] = min(best[plan], time.perf_counter() - start)
        if time.perf_counter() > end:
            return best
