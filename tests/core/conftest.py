"""Tiny training data whose answer is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from scipy.ndimage import gaussian_filter

from ctmri_core.data.preparation import PreparedData
from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.domain import Direction
from ctmri_core.model_card import TrainingData
from ctmri_core.preprocess.recipe import Recipe

PairsMaker = Callable[..., PreparedData]

# An example has no time that it may take: on a machine with other programs 200 ms, the usual limit, are none.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads that wait for each other make tiny networks slower, on a busy machine by far."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def no_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A translation does not try first which precision is fastest here."""
    monkeypatch.setattr("ctmri_core.inference.precision._TIMING_SECONDS", 0.0)


@pytest.fixture
def tiny_pairs(tmp_path: Path, one_thread: None) -> PairsMaker:
    """Blobs in an ellipse as source; the target is the inverted picture with a bright rim: no identity, but learnable."""

    def make(cases: int = 3, slices: int = 4, size: int = 24, direction: str = "ct_to_mr_t1", multiple: int = 4) -> PreparedData:
        files, way = [], Direction.parse(direction)
        for case in range(cases):
            random = np.random.default_rng(case)
            j, i = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
            mask = np.broadcast_to(j**2 / 0.8 + i**2 / 0.6 < 1, (slices, size, size))
            blobs = gaussian_filter(random.normal(size=(slices, size, size)), (0, 2, 2))
            source = np.where(mask, np.clip(blobs / blobs.std() / 2, -1, 1), -1)
            target = np.where(mask, -0.8 * source + 0.1, -1)
            path = tmp_path / f"case{case}-{case:016x}.npy"
            np.save(path, np.stack([source, target, mask], 1).astype(np.float16))
            files.append(PreparedCase(path, (way.source, way.target)))
        facts = TrainingData(what="blobs", licence="none needed", cases=cases - 1)
        recipe = Recipe(multiple=multiple)
        train, validation = (PreparedSlices(part, (way.source, way.target)) for part in (files[1:], files[:1]))
        return PreparedData("blobs", way, recipe, train, validation, facts)

    return make
