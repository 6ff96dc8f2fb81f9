"""Every measure by name: what it is called, its unit, range and better end, where it comes from, what it takes, and how.

Evaluations and docs/metrics.md are made from this list. Functions compare (truth, synthetic) in this order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from ctmri_core.metrics.alignment import mutual_information, normalized_mutual_information, outline_dice
from ctmri_core.metrics.correlation import ncc
from ctmri_core.metrics.errors import bias, mae, mse, rmse
from ctmri_core.metrics.feature_pairs import feature_distance, perceptual_distance
from ctmri_core.metrics.feature_sets import frechet_distance, kernel_distance
from ctmri_core.metrics.gradients import gradient_deviation, gradient_similarity
from ctmri_core.metrics.histogram import histogram_distance
from ctmri_core.metrics.metric import AS_IMAGES, Metric
from ctmri_core.metrics.overlap import hausdorff
from ctmri_core.metrics.psnr import psnr
from ctmri_core.metrics.ssim import ssim
from ctmri_core.metrics.ssim_scales import ms_ssim
from ctmri_core.metrics.synthrad import ms_ssim_2025, psnr_hu, ssim_2023
from ctmri_core.metrics.tissue import BONE_HU, TISSUE_HU, TISSUES, Tissue, bone_dice, tissue_bias, tissue_mae

_INF = math.inf
_WANG = "Wang et al., IEEE TIP 13, 2004"
_XUE = "Xue et al., IEEE TIP 23, 2014"
_2023 = "SynthRAD2023 (Thummerer et al., Med Phys 50, 2023)"
_2025 = "SynthRAD2025"
_VOXELS = "over the mask where given, else over the whole image; not clipped"
_WINDOWS = (
    "K1 0.01, K2 0.03; only windows wholly inside the image, with their centre in the mask where given (they reach over its "
    "edge); values as given, and not invariant to shifts: say what was added"
)
_UNIFORM = f"uniform 7 × 7 (× 7) window, sample covariance; {_WINDOWS}"
_GAUSSIAN = f"Gaussian window of σ 1.5 cut off at 11 × 11 (× 11), population covariance; {_WINDOWS}"
_SCALES = (
    "five scales, weights 0.0448, 0.2856, 0.3001, 0.2363, 0.1333; luminance at the coarsest only; negative means count as 0; "
    f"means of blocks of two, an odd end dropped; 176 pixels along each axis needed; {_GAUSSIAN}"
)
_GRADIENTS = (
    "means of blocks of two along each axis; Prewitt gradients wholly inside, with their centre in the mask where given; "
    "c = 170 / 255² of the data range squared"
)
_BINS = "64 even bins between each image's own 0.5 and 99.5 % quantile in the mask, what lies beyond in the end bins"
_SORTED = "Wasserstein-1 distance of the values, without bins, over the mask where given; at most the MAE"
_CT = "HU clipped to [−1024, 3000], data range 4024, over the mask"
_SSIM_2023 = (
    "−1024 HU outside the mask, not clipped, + 1024, data range 4024; uniform 7 × 7 × 7, sample covariance; mean over the mask "
    "without a border of 3"
)
_MS_SSIM_2025 = (
    "HU clipped to [−1024, 3000], −1024 outside the mask, + 1024, data range 4024; padded with the edge to 97; uniform 7 × 7 × 7 "
    "on five scales, luminance in each, negative SSIM counts as 0; mask thinned; mean over the mask without a border of 3"
)
_SURFACES = (
    "surface voxels, distances of centres in mm; 95th percentile of either way, the larger; none where the label was missed"
)
NAMED = "name network and weights beside it; comparable with published values only with theirs"
_FRECHET = f"sample covariances; falls with the number of pictures: equal numbers, more than features; {NAMED}"
_KERNEL = f"cubic kernel, unbiased (may fall below 0), once over all pictures; {NAMED}"
_LAYERS = f"mean of each layer, mean over the layers; {NAMED}"
_LPIPS = f"channels of unit length, mean over places, sum over channels and layers; {NAMED}"

_ERRORS = (
    Metric("mae", "MAE", mae, "definition", _VOXELS, AS_IMAGES, 0, _INF, "lower"),
    Metric("bias", "Mean error", bias, "mean of synthetic − truth", _VOXELS, AS_IMAGES, -_INF, _INF, "nearer to 0"),
    Metric("mse", "MSE", mse, "definition", _VOXELS, f"{AS_IMAGES}, squared", 0, _INF, "lower"),
    Metric("rmse", "RMSE", rmse, "definition", _VOXELS, AS_IMAGES, 0, _INF, "lower"),
    Metric(
        "psnr", "PSNR", psnr, "definition", f"10 log10(data range² / MSE), infinite for equal images; {_VOXELS}", "dB", -_INF,
        _INF, data_range=True,
    ),
)  # fmt: skip
_STRUCTURE = (
    Metric("ssim", "SSIM (uniform 7)", ssim, _WANG, _UNIFORM, lowest=-1, data_range=True),
    Metric(
        "ssim_gaussian", "SSIM (Gaussian 1.5)", partial(ssim, window="gaussian1.5"), _WANG, _GAUSSIAN, lowest=-1, data_range=True,
    ),
    Metric("ms_ssim", "MS-SSIM", ms_ssim, "Wang et al., Asilomar 2003", _SCALES, data_range=True),
    Metric("gradient_similarity", "Gradient similarity (GMSM)", gradient_similarity, _XUE, _GRADIENTS, data_range=True),
    Metric(
        "gradient_deviation", "Gradient deviation (GMSD)", gradient_deviation, _XUE, _GRADIENTS, highest=0.5, better="lower",
        data_range=True,
    ),
)  # fmt: skip
_STATISTICS = (
    Metric("ncc", "NCC", ncc, "Pearson's correlation", "over the mask where given", lowest=-1),
    Metric(
        "mutual_information", "Mutual information", mutual_information, "Viola and Wells, IJCV 24, 1997", _BINS, "bit", highest=6
    ),
    Metric(
        "normalized_mutual_information", "Normalised mutual information", normalized_mutual_information,
        "Studholme et al., Pattern Recognition 32, 1999", f"(H(a) + H(b)) / H(a, b); {_BINS}", lowest=1, highest=2,
    ),
    Metric(
        "histogram_distance", "Histogram distance", histogram_distance, "Rubner et al., IJCV 40, 2000", _SORTED, AS_IMAGES, 0,
        _INF, "lower",
    ),
)  # fmt: skip
_CHALLENGES = (
    Metric(
        "psnr_hu", "PSNR (SynthRAD)", psnr_hu, f"{_2023}; {_2025}", f"{_CT}; infinite for equal images", "dB", -_INF, _INF,
        mask="required", ct_only=True,
    ),
    Metric(
        "ssim_2023", "SSIM (SynthRAD2023)", ssim_2023, _2023, _SSIM_2023, lowest=-1, dimensions=(3,), mask="required",
        ct_only=True,
    ),
    Metric(
        "ms_ssim_2025", "MS-SSIM (SynthRAD2025)", ms_ssim_2025, f"{_2025}, its published code", _MS_SSIM_2025, dimensions=(3,),
        mask="required", ct_only=True,
    ),
)  # fmt: skip


def _hu(bound: float) -> str:
    return f"{bound:g}".replace("-", "−")


def _of_tissue(name: Tissue) -> tuple[Metric, Metric]:
    low, high = TISSUE_HU[name]
    bounds = f"{_hu(low)} to {_hu(high)} HU"
    if math.inf in (-low, high):
        bounds = f"below {_hu(high)} HU" if high < _INF else f"{_hu(low)} HU or more"
    convention = f"where the truth is {bounds}, over the mask where given; not clipped"
    key, source = name.replace(" ", "_"), "bounds of this program; papers differ"
    return (
        Metric(
            f"mae_{key}", f"MAE in {name}", partial(tissue_mae, tissue=name), source, convention, "HU", 0, _INF, "lower",
            ct_only=True,
        ),
        Metric(
            f"bias_{key}", f"Mean error in {name}", partial(tissue_bias, tissue=name), source, convention, "HU", -_INF, _INF,
            "nearer to 0", ct_only=True,
        ),
    )  # fmt: skip


_TISSUE = (
    *(metric for name in TISSUES for metric in _of_tissue(name)),
    Metric(
        "bone_dice", "Bone Dice", bone_dice, "Dice, Ecology 26, 1945; threshold of this program",
        f"of what is {_hu(BONE_HU)} HU or more, over the mask where given", ct_only=True,
    ),
)  # fmt: skip
_OUTLINES = (
    Metric(
        "dice", "Dice", outline_dice, f"Dice, Ecology 26, 1945; {_2025}", "of each label the truth holds; 0 where it was missed",
        takes="outlines", mask="none",
    ),
    Metric(
        "hausdorff_95", "HD95", hausdorff, f"Huttenlocher et al., IEEE TPAMI 15, 1993; {_2025}", _SURFACES, "mm", 0, _INF,
        "lower", takes="outlines", mask="none", spacing=True,
    ),
)  # fmt: skip
_FEATURES = (
    Metric(
        "frechet_distance", "Fréchet distance of features", frechet_distance, "FID: Heusel et al., NeurIPS 2017", _FRECHET, "", 0,
        _INF, "lower", takes="feature sets", mask="none",
    ),
    Metric(
        "kernel_distance", "Kernel distance of features", kernel_distance, "KID: Bińkowski et al., ICLR 2018", _KERNEL, "", -_INF,
        _INF, "lower", takes="feature sets", mask="none",
    ),
    Metric(
        "feature_distance", "Mean squared difference of features", feature_distance, "Johnson et al., ECCV 2016", _LAYERS, "", 0,
        _INF, "lower", takes="feature layers", mask="none",
    ),
    Metric(
        "perceptual_distance", "Perceptual distance of features", perceptual_distance, "LPIPS: Zhang et al., CVPR 2018", _LPIPS,
        "", 0, _INF, "lower", takes="feature layers", mask="none",
    ),
)  # fmt: skip

GROUPS: Mapping[str, tuple[Metric, ...]] = MappingProxyType({
    "Errors": _ERRORS,
    "Structure": _STRUCTURE,
    "Statistics": _STATISTICS,
    "Scores of the SynthRAD challenges": _CHALLENGES,
    "CT by tissue": _TISSUE,
    "Outlines": _OUTLINES,
    "Features of a network": _FEATURES,
})  # fmt: skip
METRICS: Mapping[str, Metric] = MappingProxyType({metric.key: metric for group in GROUPS.values() for metric in group})
"""By `Metric.key`, in the order in which they are shown."""
