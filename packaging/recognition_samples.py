"""Pictures of known kind to fit the recognition of CT and MR with: digital heads and bodies in many sequences, windows and crops.

Nobody's scan is among them, so what is fitted may be shipped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ctmri_core.phantom.anatomy import build_anatomy
from ctmri_core.phantom.parameters import HeadParameters
from ctmri_core.phantom.render_mr import spin_echo, spoiled_gradient_echo
from ctmri_core.phantom.tissues import Tissue, table

Array = NDArray[Any]
Random = np.random.Generator
KINDS = ("ct", "mr_t1", "mr_t2", "mr_flair", "other")
_ANY_MR = (0.0, 1 / 3, 1 / 3, 1 / 3, 0.0)
_BRAIN = [Tissue.CSF, Tissue.VENTRICLE, Tissue.GREY_MATTER, Tissue.WHITE_MATTER, Tissue.DEEP_GREY, Tissue.BRAINSTEM, Tissue.BLOOD]
_FATTY = [Tissue.FAT, Tissue.MARROW, Tissue.DIPLOE]
_ENHANCING = [Tissue.BLOOD, Tissue.MUCOSA, Tissue.GLAND, Tissue.SKIN, Tissue.MUSCLE]


class Properties:
    """Tissue properties of one imaginary person and scanner, each a little off the table."""

    def __init__(self, rng: Random) -> None:
        count = len(Tissue)

        def about(name: str, share: float) -> Array:
            return np.asarray(table(name) * np.exp(share * rng.standard_normal(count)), np.float64)

        field = rng.uniform(0.95, 1.45)  # 1.5 to 3 T
        self.t1 = about("t1_ms", 0.1) * field
        self.t1[[Tissue.CSF, Tissue.VENTRICLE, Tissue.VITREOUS]] *= rng.uniform(0.95, 1.6) / field
        self.t2 = about("t2_ms", 0.12)
        self.density = about("proton_density", 0.06)
        self.hu = table("hu") + rng.normal(0, 4, count)
        bone = table("hu") > 150
        self.hu[bone] = (table("hu")[bone]) * np.exp(rng.normal(0, 0.15) + 0.1 * rng.standard_normal(count)[bone])
        self.hu[[Tissue.OUTSIDE, Tissue.AIR]] = -1000
        self.texture = table("texture") * rng.uniform(0.7, 3)
        self.hu_texture = table("hu_texture") * rng.uniform(0.4, 1.2)


def t1_signal(p: Properties, rng: Random) -> Array:
    t1 = p.t1.copy()
    if rng.random() < 0.35:  # after gadolinium
        t1[_ENHANCING] *= rng.uniform(0.25, 0.8, len(_ENHANCING))
    way = rng.integers(3)
    if way == 0:
        return spoiled_gradient_echo(t1, p.density, rng.uniform(7, 30), rng.uniform(14, 40))
    if way == 1:
        return spin_echo(t1, p.t2, p.density, rng.uniform(350, 750), rng.uniform(7, 18))
    inversion, repetition = rng.uniform(800, 1150), rng.uniform(1800, 2500)  # MPRAGE, as inversion recovery
    return np.asarray(p.density * np.abs(1 - 1.8 * np.exp(-inversion / t1) + np.exp(-repetition / t1)))


def t2_signal(p: Properties, rng: Random) -> Array:
    return spin_echo(p.t1, p.t2, p.density, rng.uniform(2800, 7500), rng.uniform(75, 135))


def flair_signal(p: Properties, rng: Random) -> Array:
    repetition, echo = rng.uniform(5000, 11000), rng.uniform(80, 150)
    fluid = p.t1[Tissue.CSF]
    null = fluid * (np.log(2) - np.log1p(np.exp(-repetition / fluid)))
    inversion = null * rng.uniform(0.93, 1.05)
    longitudinal = np.abs(1 - 2 * np.exp(-inversion / p.t1) + np.exp(-repetition / p.t1))
    return np.asarray(p.density * longitudinal * np.exp(-echo / p.t2))


def pd_signal(p: Properties, rng: Random) -> Array:
    return spin_echo(p.t1, p.t2, p.density, rng.uniform(2200, 4500), rng.uniform(9, 32))


_SIGNALS: dict[str, Callable[[Properties, Random], Array]] = {
    "mr_t1": t1_signal, "mr_t2": t2_signal, "mr_flair": flair_signal, "pd": pd_signal,
}  # fmt: skip


def head_labels(seed: int, voxel_mm: float = 2.0) -> NDArray[np.uint8]:
    """The tissue map of a digital head, (k, j, i), feet first."""
    return build_anatomy(HeadParameters.draw(np.random.default_rng([seed, 7])), voxel_mm, seed).labels


def torso_labels(rng: Random) -> NDArray[np.uint8]:
    """A trunk or a limb out of ellipses, of the head's tissues: fat about muscle, organs, lungs or bowel gas, a spine."""
    size = int(rng.integers(96, 150))
    j, i = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    planes = np.zeros((1, size, size), np.uint8)

    def disk(y: float, x: float, h: float, w: float) -> Array:
        return np.asarray(((j - y) / h) ** 2 + ((i - x) / w) ** 2 < 1)

    h, w = rng.uniform(0.35, 0.7), rng.uniform(0.5, 0.95)
    fat = rng.uniform(0.02, 0.15)
    lungs, organs = rng.random() < 0.4, int(rng.integers(1, 7))
    places = rng.uniform(-0.45, 0.45, (organs, 2)) * (h, w)
    kinds = rng.choice([Tissue.GLAND, Tissue.FIBROUS, Tissue.BLOOD, Tissue.CSF, Tissue.FAT, Tissue.AIR, Tissue.LESION], organs)
    spread = rng.uniform(0.06, 0.3, (organs, 2))
    for plane in planes:
        plane[disk(0, 0, h, w)] = Tissue.SKIN
        plane[disk(0, 0, h - 0.015, w - 0.015)] = Tissue.FAT
        plane[disk(0, 0, h - fat, w - fat)] = Tissue.MUSCLE
        if lungs:
            for side in (-1, 1):
                plane[disk(-0.05, side * w * 0.45, h * 0.6, w * 0.33)] = Tissue.AIR
        for (y, x), kind, (a, b) in zip(places + rng.normal(0, 0.02, places.shape), kinds, spread, strict=True):
            plane[disk(y, x, a, b) & (plane == Tissue.MUSCLE)] = kind
        plane[disk(h * 0.55, 0, 0.13, 0.14)] = Tissue.CORTICAL_BONE
        plane[disk(h * 0.55, 0, 0.1, 0.11)] = Tissue.MARROW
    return planes


def slab(labels: NDArray[np.uint8], rng: Random, count: int = 1) -> NDArray[np.uint8]:
    """`count` slices along one axis, maybe mirrored, turned by quarters, cropped or with air around."""
    axis = int(rng.choice(3, p=(0.6, 0.2, 0.2))) if count == 1 else 0
    turned = np.moveaxis(labels, axis, 0)
    if count == 1:
        first = int(rng.uniform(0.25, 0.9) * len(turned))
        chosen = turned[first : first + 1]
    else:
        low, high = np.sort(rng.uniform((0, 0.6), (0.5, 1))) * len(turned)
        chosen = turned[np.linspace(low + 0.125 * (high - low), low + 0.875 * (high - low) - 1, count).round().astype(int)]
    if axis != 0:
        chosen = chosen[:, ::-1]
        if rng.random() < 0.7:  # less of the neck
            chosen = chosen[:, : int(chosen.shape[1] * rng.uniform(0.55, 1.0))]
    if rng.random() < 0.5:
        chosen = chosen[:, :, ::-1]
    chosen = np.rot90(chosen, int(rng.choice(4, p=(0.7, 0.1, 0.1, 0.1))), (1, 2))
    down, across = (int(max(rng.normal(2, 9), -0.14 * n if rng.random() < 0.5 else 0)) for n in chosen.shape[1:])
    chosen = _margin(_margin(chosen, down, 1), across, 2)
    zoom = rng.uniform(0.75, 1.25)
    return np.stack([ndimage.zoom(plane, zoom, order=0) for plane in chosen])


def _margin(planes: Array, pixels: int, axis: int) -> Array:
    if pixels >= 0:
        width = [(0, 0)] * 3
        width[axis] = (pixels, pixels)
        return np.pad(planes, width)
    kept = [slice(None)] * 3
    kept[axis] = slice(-pixels, pixels)
    return planes[tuple(kept)]


def as_ct(labels: NDArray[np.uint8], p: Properties, rng: Random, *, head: bool = True) -> Array:
    """HU."""
    hu = (p.hu[labels] + p.hu_texture[labels] * rng.standard_normal(labels.shape)).astype(np.float32)
    if not head:
        hu[labels == Tissue.AIR] = rng.choice([-850.0, -1000.0])
    if head and rng.random() < 0.4:
        _head_rest(hu, labels, rng)
    hu = _soft(hu, rng, 0.3, 1.0)
    if rng.random() < 0.08:  # dental metal
        for plane in hu:
            y, x = (int(rng.uniform(0.3, 0.7) * n) for n in plane.shape)
            plane[y : y + 3, x : x + 3] = 3071
            plane[y + 1] += rng.normal(0, 150, plane.shape[1])
    shade = 1 + rng.normal(0, 0.01) if rng.random() < 0.85 else 1 + 0.1 * _smooth(hu.shape, rng)  # cone beam
    return np.asarray(((hu + 1000) * shade - 1000 + rng.normal(0, rng.uniform(2, 22), hu.shape)).clip(-1024, 3071), np.float32)


def _head_rest(hu: Array, labels: NDArray[np.uint8], rng: Random) -> None:
    rows = np.flatnonzero((labels > 0).any((0, 2)))
    if rows.size:
        row = min(int(rows[-1] + rng.integers(0, 5)), hu.shape[1] - 2)
        free = labels[:, row : row + 2] == 0
        hu[:, row : row + 2][free] = rng.uniform(-700, 200)


def ct_stored(hu: Array, rng: Random) -> Array:
    """HU as files hold them: as they are, shifted, scaled, or through a window into 8 bits."""
    way = rng.random()
    if way < 0.06:
        return hu
    if way < 0.2:
        return hu + 1024
    if way < 0.32:  # the whole range into 8 or 16 bits
        low, high = rng.choice([-1024, -1000, -500]), rng.choice([1000, 2000, 3071, 1500])
        return np.asarray(np.rint((hu.clip(low, high) - low) / (high - low) * rng.choice([255, 4095, 65535])))
    if way < 0.37:
        return np.asarray((hu.clip(-1000, 2000) - 500) / 1500 * rng.choice([1.0, 100.0]))
    centre, width = [(rng.uniform(25, 55), rng.uniform(60, 200)), (rng.uniform(20, 60), rng.uniform(250, 500)),
                     (rng.uniform(200, 600), rng.uniform(1200, 2500))][int(rng.choice(3, p=(0.6, 0.25, 0.15)))]  # fmt: skip
    shown = ((hu - centre) / width + 0.5).clip(0, 1)
    return np.asarray(np.rint(shown * 255))


def as_mr(labels: NDArray[np.uint8], p: Properties, sequence: str, rng: Random, *, whole: bool = False) -> Array:
    """Magnitudes of arbitrary scale. `whole`: never of the brain alone."""
    signal = _SIGNALS[sequence](p, rng)
    signal[[Tissue.OUTSIDE, Tissue.AIR]] = 0
    if rng.random() < 0.6:  # echo trains, short echoes and coils near the skin
        signal[_FATTY] *= rng.uniform(0.8, 2.2)
    if rng.random() < 0.2:  # fat suppressed
        signal[_FATTY] *= rng.uniform(0.05, 0.5)
    signal = signal / max(float(signal[Tissue.GREY_MATTER]), 1e-6)
    values = _veined(signal[labels], labels, rng)
    values = (values * (1 + p.texture[labels] * rng.standard_normal(labels.shape))).astype(np.float32)
    if not whole and rng.random() < 0.1:  # the brain alone
        values[~np.isin(labels, _BRAIN)] = 0
    values = _soft(values, rng, 0.3, 1.1) * np.exp(rng.uniform(0, 0.7) * _smooth(values.shape, rng))
    level = float(np.percentile(values[labels > 0], 95)) if (labels > 0).any() else 1.0
    sigma = level * float(np.exp(rng.uniform(np.log(0.003), np.log(0.04))))
    noisy = np.hypot(values + rng.normal(0, sigma, values.shape), rng.normal(0, sigma, values.shape))
    if rng.random() < 0.3:  # cleared outside of the body
        noisy[labels == 0] = 0
    return np.asarray(noisy, np.float32)


def _veined(values: Array, labels: NDArray[np.uint8], rng: Random) -> Array:
    """With fine lines, brighter or darker, through what is not air: vessels, sulci and membranes that the heads lack."""
    if rng.random() < 0.3:
        return values
    for _ in range(int(rng.integers(1, 3))):
        scale = rng.uniform(1.5, 5)
        waves = np.abs(ndimage.gaussian_filter(rng.standard_normal(labels.shape), (0, scale, scale)))
        lines = (waves < np.quantile(waves, rng.uniform(0.01, 0.12))) & (labels > Tissue.AIR)
        values = np.where(lines, values * rng.uniform(0.3, 2.5), values)
    return values


def mr_stored(values: Array, rng: Random) -> Array:
    if rng.random() < 0.45:
        return np.asarray(np.rint(values / max(float(values.max()), 1e-6) * 10 ** rng.uniform(2, 4)))
    low, high = np.percentile(values, (rng.choice([0.0, 0.5, 1.0]), rng.choice([100.0, rng.uniform(98.8, 100)])))
    shown = ((values - low) / max(high - low, 1e-6)).clip(0, 1) ** rng.uniform(0.75, 1.3)
    return np.asarray(np.rint(shown * 255) if rng.random() < 0.7 else shown * rng.choice([1.0, 2.0]) - rng.choice([0.0, 1.0]))


def nothing_known(rng: Random, labels: NDArray[np.uint8]) -> Array:
    """Noise, ramps, textures, shapes, label maps, and heads with black and white exchanged or tissues at random."""
    shape = (1, *rng.integers(60, 200, 2))
    way = int(rng.integers(8))
    if way == 0:
        return np.asarray(rng.normal(0, 1, shape) if rng.random() < 0.5 else rng.random(shape))
    if way == 1:
        return np.asarray(np.abs(ndimage.gaussian_filter(rng.normal(0, 1, shape), (0, *(2 * (rng.uniform(1, 8),)))))) * 100
    if way == 2:
        return np.asarray(np.broadcast_to(np.linspace(0, 1, shape[2]), shape) + rng.normal(0, rng.uniform(0, 0.05), shape))
    if way in (3, 4):  # disks and boxes of a few values, as of a test object
        planes = np.zeros(shape)
        j, i = np.mgrid[-1 : 1 : shape[1] * 1j, -1 : 1 : shape[2] * 1j]
        for _ in range(int(rng.integers(1, 14))):
            y, x, h, w = (*rng.uniform(-0.6, 0.6, 2), *rng.uniform(0.05, 0.8, 2))
            inside = ((j - y) / h) ** 2 + ((i - x) / w) ** 2 < 1 if rng.random() < 0.6 else (abs(j - y) < h) & (abs(i - x) < w)
            planes[:, inside] = rng.random()
        return np.asarray((planes + rng.normal(0, rng.choice([0, 0.01, 0.05]), shape)) * 255)
    if way == 5:
        return labels.astype(np.float32) * rng.integers(1, 10)
    if way == 6:  # tissues at random
        signal = rng.random(len(Tissue))
        signal[:2] = rng.choice([0.0, 0.5])
        return np.asarray(_soft(signal[labels].astype(np.float32), rng, 0.2, 1.0) * 255)
    return np.asarray(rng.integers(0, 2, shape) * 255 if rng.random() < 0.3 else (labels > 0) * 255.0)


def draw(rng: Random, heads: list[NDArray[np.uint8]], count: int = 1) -> tuple[Array, tuple[float, ...], str]:
    """(voxels (n, h, w), probabilities of `KINDS` to be learnt, what it is). `count`: slices of a head."""
    labels = slab(heads[int(rng.integers(len(heads)))], rng, count)
    while (labels > 0).mean() < 0.06:
        labels = slab(heads[int(rng.integers(len(heads)))], rng, count)
    properties, way = Properties(rng), rng.random()
    if way < 0.12:
        return nothing_known(rng, labels), _certain("other"), "other"
    if way < 0.15:
        is_ct = rng.random() < 0.5
        exchanged = ct_stored(as_ct(labels, properties, rng), rng) if is_ct else as_mr(labels, properties, "mr_t1", rng)
        return -exchanged, _certain("other"), "inverted"
    if way < 0.21:
        hu = as_ct(torso_labels(rng), properties, rng, head=False)
        return ct_stored(hu, rng), _certain("ct"), "body ct"
    if way < 0.27:
        sequence = str(rng.choice(list(_SIGNALS)))
        return mr_stored(as_mr(torso_labels(rng), properties, sequence, rng), rng), _ANY_MR, "body mr"
    if way < 0.31:
        return mr_stored(as_mr(labels, properties, "pd", rng), rng), _ANY_MR, "pd"
    kind = KINDS[int(rng.choice(4, p=(0.3, 0.26, 0.22, 0.22)))]
    if kind == "ct":
        return ct_stored(as_ct(labels, properties, rng), rng), _certain(kind), kind
    return mr_stored(as_mr(labels, properties, kind, rng), rng), _certain(kind), kind


def draw_scan(rng: Random, scan: Array, kind: str, head: bool) -> tuple[Array, tuple[float, ...], str]:
    """As `draw`, of a person's scan (feet first): a slice along one axis, maybe mirrored, cut, zoomed, stored in many ways."""
    axis = int(rng.choice(3, p=(0.4, 0.3, 0.3)))
    turned = np.moveaxis(scan, axis, 0)
    plane = turned[int(rng.uniform(0.25, 0.75) * len(turned))].astype(np.float32)
    if axis != 0:
        plane = plane[::-1]
        if head and rng.random() < 0.7:  # less of the neck
            plane = plane[: int(len(plane) * rng.uniform(0.6, 1.0))]
    if rng.random() < 0.5:
        plane = plane[:, ::-1]
    planes = ndimage.zoom(plane, rng.uniform(0.75, 1.25), order=1)[None]
    if kind == "ct":
        return ct_stored(_soft(planes, rng, 0.1, 0.8), rng), _certain(kind), f"scan {kind}"
    low = float(planes.min())
    return mr_stored(_soft(planes - low, rng, 0.1, 0.8), rng), _certain(kind) if kind in KINDS else _ANY_MR, f"scan {kind}"


def _certain(kind: str) -> tuple[float, ...]:
    return tuple(float(kind == each) for each in KINDS)


def _soft(values: Array, rng: Random, low: float, high: float) -> Array:
    sigma = rng.uniform(low, high)
    return np.asarray(ndimage.gaussian_filter(values, (0, sigma, sigma)))


def _smooth(shape: tuple[int, ...], rng: Random) -> Array:
    """A field between about -1 and 1 that changes slowly in plane."""
    j, i = np.mgrid[-1 : 1 : shape[1] * 1j, -1 : 1 : shape[2] * 1j]
    a = rng.uniform(-1, 1, 5)
    return np.asarray((a[0] * j + a[1] * i + a[2] * j * j + a[3] * i * i + a[4] * i * j) / 2, np.float32)
