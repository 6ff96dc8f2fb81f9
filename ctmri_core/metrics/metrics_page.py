"""docs/metrics.md, written from the catalogue."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ctmri_core.metrics.catalogue import GROUPS
from ctmri_core.metrics.metric import Metric

_HEAD = """# Measures

Written from `ctmri_core/metrics/catalogue.py` by `packaging/write_metrics_page.py`; change it there.

A number without its convention says little: on one pair of images the convention alone moves SSIM from 0.972 to 0.991 and PSNR
from 35 to 41 dB. Every report prints it beside the number.

- All functions take (truth, synthetic), numpy arrays of any real type and memory order, slices (rows, columns) or volumes
  (slices, rows, columns). A data range belongs to the convention, never to the images, and must be given where it is needed.
- What cannot be compared is refused in a sentence: `GeometryMismatch` for shapes that differ or are too small, `NotComparable`
  for an empty mask, values that are not finite, a data range of 0 or less, 8 bits where HU are needed, and images on which a
  measure says nothing (correlation with a constant, bone where there is none, the distance to an empty outline).
- MAE, MSE, RMSE, PSNR, SSIM and the gradient measures are defined on constant images too. Mutual information with a constant is 0
  and its normalised form 1.
- Scores inside the body come before those of the whole image, which background flatters. Scores of 8-bit pictures or of
  slices normalised one by one never share a table with scores in HU; nor do scores against a real image of the patient with
  scores of a cycle (CT → MR → CT against the CT).
- "As the images" means HU for CT, and parts of the range for MR brought to [0, 1].
- Features come from a network which is named, with its weights, beside the score. A Fréchet distance is an FID, and a kernel
  distance a KID, only with the standard Inception weights and picture preparation; a perceptual distance is LPIPS only with its
  published weights.
- `ctmri_core/networks/picture_features.py` makes the features, of pictures brought to [0, 1] by one window for truth and
  synthetic alike: VGG-19 (keys `features.0.weight` to `features.34.bias`) and Inception v3 (`Conv2d_1a_3x3.conv.weight` and
  so on, pooled as in the network of the FID), from a safetensors file that you supply. Where torchvision is installed its
  weights will do, too; its Inception v3 is another one, and its name says so. None ships with the program.
"""


def metrics_page() -> str:
    """The page as Markdown, with a line end at its end."""
    return "\n".join([_HEAD, *(line for title, group in GROUPS.items() for line in _section(title, group))])


def _section(title: str, group: tuple[Metric, ...]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| measure | name | unit | range | better | takes | source |"
    yield "|---|---|---|---|---|---|---|"
    for metric in group:
        span = f"{_bound(metric.lowest)} to {_bound(metric.highest)}"
        cells = (metric.title, f"`{metric.key}`", metric.unit or "-", span, metric.better, _needs(metric), metric.source)
        yield f"| {' | '.join(cells)} |"
    yield ""
    titles: dict[str, list[str]] = {}
    for metric in group:
        titles.setdefault(metric.convention, []).append(metric.title)
    for convention, told in titles.items():
        yield f"- {', '.join(told)}: {convention}."
    yield ""


def _bound(value: float) -> str:
    return ("−" if value < 0 else "") + ("∞" if math.isinf(value) else f"{abs(value):g}")


def _needs(metric: Metric) -> str:
    if metric.takes != "images":
        return f"{metric.takes}, spacing in mm" if metric.spacing else metric.takes
    parts = [" or ".join(f"{n}-D" for n in metric.dimensions)]
    parts += ["CT in HU"] * metric.ct_only + ["data range"] * metric.data_range
    parts += {"optional": ["mask if wanted"], "required": ["mask"], "none": []}[metric.mask]
    return ", ".join(parts)
