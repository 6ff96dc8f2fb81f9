"""What a network sees in true and synthetic slices: how far pairs lie apart, and features for how far whole sets do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.evaluation.order import EvaluationOrder
from ctmri_core.evaluation.prepared_images import prepared
from ctmri_core.evaluation.results import CaseScores, SliceScores
from ctmri_core.evaluation.scoring import ScoringJob, slices_of
from ctmri_core.evaluation.shown_metrics import MOST_SEEN, OF_PAIRS, OF_SETS
from ctmri_core.evaluation.slice_pictures import upright
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.metrics.catalogue import METRICS
from ctmri_core.networks.picture_features import InceptionPictures, Pictures, VggPictures
from ctmri_core.preprocess.slice_grid import slice_order

Features = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Seen:
    """Of one answer: `k` of the slices that were shown; `vectors` (2, slices, features) of truth and synthetic; `pairs`: by
    metric, the distance of each slice."""

    k: tuple[int, ...]
    vectors: Features = field(repr=False)
    pairs: Mapping[str, tuple[float, ...]]

    def beside(self, scores: CaseScores) -> CaseScores:
        """`scores` with these: slices that were not shown have None."""
        values = {key: float(np.mean(column)) for key, column in self.pairs.items()}
        shown = {key: dict(zip(self.k, column, strict=True)) for key, column in self.pairs.items()}
        columns = {key: tuple(found.get(k) for k in scores.slices.k) for key, found in shown.items()}
        slices = SliceScores(k=scores.slices.k, values={**scores.slices.values, **columns})
        return scores.model_copy(update={"values": {**scores.values, **values}, "slices": slices})


class FeatureScores:
    """Shows slices to the network of an order. Raises `ModelRefused` where its weights are not to be had."""

    def __init__(self, order: EvaluationOrder, metrics: Sequence[str]) -> None:
        kind = VggPictures if order.features == "vgg" else InceptionPictures
        self._network = kind(order.feature_weights)
        self._pairs = tuple(key for key in metrics if key in OF_PAIRS)

    @property
    def name(self) -> str:
        """Network and print of its weights."""
        return self._network.name

    def seen(self, job: ScoringJob, stop: StopSignal) -> Work[Seen | None]:
        """None when stopped; of no slices where these are too small for the network."""
        images = prepared(job.truth, job.synthetic, job.mask, job.target)
        truth, synthetic = images.photographs()
        order, flips = slice_order(job.geometry)
        ks = evenly(slices_of(job.mask, order[0]), MOST_SEEN)
        vectors, columns = [], []
        for place, k in enumerate(ks, 1):
            if stop():
                return None
            pair = np.stack([upright(image, order, flips, k) for image in (truth, synthetic)])
            try:
                found, distances = self._of_pair(pair)
            except GeometryMismatch:
                return Seen((), np.zeros((2, 0, 0), np.float32), {})
            vectors.append(found)
            columns.append(distances)
            yield Progress(done=0, message=f"features of slice {place} of {len(ks)}")
        each = {key: tuple(row[place] for row in columns) for place, key in enumerate(self._pairs)}
        return Seen(tuple(ks), np.stack(vectors, axis=1), each)

    def _of_pair(self, pair: Pictures) -> tuple[Features, list[float]]:
        """(2, features), and the distances in the order of `_pairs`. Raises `GeometryMismatch`."""
        if not (self._pairs and isinstance(self._network, VggPictures)):
            return self._network.vectors(pair), []
        layers = [self._network.layers(picture) for picture in pair]
        vectors = np.stack([each[-1].mean((1, 2)) for each in layers])  # as the network's own, without asking it again
        return vectors, [METRICS[key].function(*layers) for key in self._pairs]


def evenly(ks: Sequence[int], most: int) -> list[int]:
    """At most `most` of them, evenly spread, with both ends."""
    places = np.unique(np.linspace(0, len(ks) - 1, min(len(ks), most)).round().astype(int))
    return [ks[place] for place in places]


def set_scores(each: Sequence[Features], metrics: Sequence[str]) -> tuple[dict[str, float], int, int]:
    """Distances of all true slices from all synthetic ones, and how many slices and features these are of.

    `each`: (2, slices, features) of every case. Nothing where there are fewer than two slices.
    """
    if not each:
        return {}, 0, 0
    truth, synthetic = (np.concatenate([vectors[side] for vectors in each]) for side in (0, 1))
    found = {}
    for key in metrics:
        if key in OF_SETS:
            try:
                found[key] = float(METRICS[key].function(truth, synthetic))
            except (NotComparable, GeometryMismatch):
                continue
    return found, len(truth), truth.shape[1]
