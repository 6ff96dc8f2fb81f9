"""Which measures an evaluation takes, how, and the sentences that belong beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError
from ctmri_core.evaluation.measure_words import OF_LABELS
from ctmri_core.evaluation.results import ShownMetric
from ctmri_core.hints import nearest_hint
from ctmri_core.metrics.catalogue import METRICS, NAMED
from ctmri_core.metrics.metric import AS_IMAGES, Metric

CYCLE_PEAK = "_peak"
"""What a key of a cycle's best slice ends in."""
OF_SETS = ("frechet_distance", "kernel_distance")
OF_PAIRS = ("feature_distance", "perceptual_distance")
OF_NETWORKS: Mapping[str, tuple[str, ...]] = MappingProxyType({"vgg": (*OF_PAIRS, *OF_SETS), "inception": OF_SETS})
"""What is measured by what a network sees."""
MOST_SEEN = 32
"""Slices of a case that a network is shown, evenly spread: neighbours are nearly the same, and it takes its time."""
_MEAN_OF_SLICES = frozenset({"ssim", "ssim_gaussian", "ms_ssim", "gradient_similarity", "gradient_deviation"})
_PER_SLICE = _MEAN_OF_SLICES | {"mae", "bias", "mse", "rmse", "psnr", "psnr_hu", "ncc"}
_TISSUE = tuple(key for key in METRICS if key.startswith(("mae_", "bias_")) or key == "bone_dice")
SETS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "ct": ("mae", "bias", "psnr_hu", "ssim_2023", "ms_ssim_2025", "ssim", "mae_soft_tissue", "mae_bone"),
    "mr": ("mae", "psnr", "ssim", "ncc", "mutual_information"),
    "synthrad2023": ("mae", "psnr_hu", "ssim_2023"),
    "synthrad2025": ("mae", "psnr_hu", "ms_ssim_2025", "dice", "hausdorff_95"),
    "tissue": _TISSUE,
    "all": tuple(key for key, metric in METRICS.items() if metric.takes in ("images", "outlines")),
})  # fmt: skip
"""Names that stand for several measures. `ct` and `mr` are taken where none are named."""
THINNEST = 7
"""Slices, rows and columns that 3-D scores need at least."""


def chosen_metrics(asked: Sequence[str], target: Domain, features: str = "") -> tuple[str, ...]:
    """Keys in the catalogue's order, with all that the network `features` measures unless some of it is asked for.

    Raises `CtmriError` for a name that is none, a measure of HU for MR, or one that the network has not.
    """
    is_ct = target is Domain.CT
    seen = OF_NETWORKS.get(features, ())
    if not asked:
        return tuple(key for key in METRICS if key in (*SETS["ct" if is_ct else "mr"], *seen))
    wanted: set[str] = set()
    for word in asked:
        if word not in SETS and word not in METRICS:
            known = (*SETS, *METRICS)
            raise CtmriError(f"There is no measure {word!r}.{nearest_hint(word, known)} All are in docs/metrics.md.")
        keys = SETS.get(word, (word,))
        fitting = [key for key in keys if is_ct or not METRICS[key].ct_only]
        if not fitting or (word.startswith("synthrad") and not is_ct):
            raise CtmriError(f"{word!r} is defined for CT in HU; these pictures are {target.label}.")
        wanted.update(fitting)
    of_features = [key for key in METRICS if key in wanted and METRICS[key].takes.startswith("feature")]
    unseen = next((key for key in of_features if key not in seen), None)
    if unseen is not None:
        networks = " or ".join(name for name, own in OF_NETWORKS.items() if unseen in own)
        raise CtmriError(f"{METRICS[unseen].title}: choose the network that sees them, by --features {networks}.")
    if not of_features:
        wanted.update(seen)
    return tuple(key for key in METRICS if key in wanted)


def is_of_slices(key: str) -> bool:
    """Whether a case's score is the mean of its slices'."""
    return key in _MEAN_OF_SLICES


def has_slices(key: str) -> bool:
    """Whether slices have a score of it too."""
    return key in _PER_SLICE


def unit_of(domain: Domain) -> str:
    """Of errors, as they are printed."""
    return "HU" if domain is Domain.CT else "% of range"


def shown(keys: Iterable[str], target: Domain, network: str = "") -> tuple[ShownMetric, ...]:
    """What belongs beside the numbers of true translations. `network`: name of the one whose features are compared."""
    return tuple(
        _of_features(METRICS[key], target, network) if key in (*OF_PAIRS, *OF_SETS) else _shown(METRICS[key], target)
        for key in keys if key not in OF_LABELS
    )  # fmt: skip


def shown_cycle(source: Domain) -> tuple[ShownMetric, ...]:
    """Of source -> target -> source."""
    measured = [METRICS[key] for key in cycle_metrics(source)]
    peaks = [_shown(metric, source) for metric in measured if metric.key != "mae"]
    changes = {"kind": "cycle", "of": "best slice", "per_slice": False}
    return (
        *(_shown(metric, source).model_copy(update={"kind": "cycle"}) for metric in measured),
        *(
            one.model_copy(update={**changes, "key": one.key + CYCLE_PEAK, "title": f"Peak {one.title}"})
            for one in peaks
        ),
    )  # fmt: skip


def cycle_metrics(source: Domain) -> tuple[str, ...]:
    """By which a source is held against what comes back."""
    return ("mae", "psnr_hu" if source is Domain.CT else "psnr", "ssim")


def conventions(target: Domain, *, given_masks: bool, prepared: bool, by: str = "") -> tuple[str, ...]:
    """Sentences to print above every table. `by`: the model that outlines bodies."""
    sentences = [_mask_said(given_masks, by), _SCALES["ct" if target is Domain.CT else "mr"]]
    if prepared:
        sentences.append(
            "The data are prepared slices: resampled, and values beyond the range that the data were prepared with are clipped,"
            " which flatters. Scores of original volumes are others; evaluate the scans themselves for figures to publish."
        )
    return (*sentences, _PATIENTS)


def _mask_said(given: bool, by: str) -> str:
    if given:
        return "Scores are inside the body masks that come with the data."
    return f"Scores are inside the body, as {by} outlines it." if by else _FOUND


_FOUND = "Scores are inside the body of the truth, as this program outlines it."
_SCALES = {
    "ct": "Errors are in HU as they are, not clipped. SSIM of slices and gradients: HU clipped to [−1024, 3000], + 1024, data"
    " range 4024, 0 outside the mask.",
    "mr": "MR has no unit: of each image the 0.5 to 99.5 % quantiles inside the mask become 0 and 100, clipped, data range 100;"
    " errors are % of that range. SSIM of slices and gradients: 0 outside the mask.",
}
_PATIENTS = (
    "Means are over patients (of each the mean of its cases), ± their standard deviation, with 95 % bootstrap intervals over"
    " patients; slices are never counted as if they were patients."
)


def _of_features(metric: Metric, target: Domain, network: str) -> ShownMetric:
    """Named with the network and the print of its weights, without which the number says nothing."""
    is_set = metric.key in OF_SETS
    window = "−1000 to 1000 HU" if target is Domain.CT else "the range"
    told = metric.convention.removesuffix(f"; {NAMED}")
    seen = f"axial slices, at most {MOST_SEEN} of a case, {window} as black to white, black outside the mask"
    return _shown(metric, target).model_copy(update={
        "title": f"{metric.title.removesuffix(' of features')}, {network}" if network else metric.title,
        "convention": f"{told}; {seen}; comparable only with the same network, weights and pictures",
        "of": "all slices" if is_set else "mean of slices", "per_slice": not is_set,
    })  # fmt: skip


def _shown(metric: Metric, target: Domain) -> ShownMetric:
    """As it is taken here; the mean of slices is said in the convention."""
    unit = metric.unit.replace(AS_IMAGES, unit_of(target))
    sliced = is_of_slices(metric.key)
    return ShownMetric(
        key=metric.key, title=metric.title, unit=unit, better=metric.better, lowest=metric.lowest, highest=metric.highest,
        convention=f"{metric.convention}; mean over slices" if sliced else metric.convention, source=metric.source,
        of="mean of slices" if sliced else "volume", per_slice=has_slices(metric.key),
    )  # fmt: skip
