"""Distances of features against closed forms, loops written out, scipy and MONAI."""

import numpy as np
import pytest
import scipy.linalg
import torch
from monai.metrics import FIDMetric
from torch.nn import functional

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.feature_pairs import feature_distance, perceptual_distance
from ctmri_core.metrics.feature_sets import frechet_distance, kernel_distance


def _covariance(size, seed):
    root = np.random.default_rng(seed).normal(0, 1, (size, size))
    return root @ root.T / size + 0.1 * np.eye(size)


def _samples(mean, covariance, count, seed):
    """With exactly this sample mean and covariance."""
    raw = np.random.default_rng(seed).normal(0, 1, (count, len(mean)))
    raw -= raw.mean(0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    return white @ np.linalg.cholesky(covariance).T + mean


def _closed_form(m, c, n, d):
    root = scipy.linalg.sqrtm(c @ d)
    return ((m - n) ** 2).sum() + np.trace(c + d - 2 * root.real)


def test_frechet_distance_of_gaussians_is_the_closed_form():
    c, d = _covariance(12, 1), 2 * _covariance(12, 2)
    m, n = np.arange(12.0), np.ones(12)
    found = frechet_distance(_samples(m, c, 200, 3), _samples(n, d, 150, 4))
    assert found == pytest.approx(_closed_form(m, c, n, d), rel=1e-9)


def test_frechet_distance_in_one_dimension():
    a, b = np.array([[0.0], [2.0], [4.0]]), np.array([[5.0], [9.0]])
    expected = (2 - 7) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert frechet_distance(a, b) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:The `disp` argument:DeprecationWarning")  # MONAI's call of scipy
@pytest.mark.parametrize("counts", [(300, 200), (20, 25)])  # more, and fewer, pictures than features
def test_frechet_distance_is_that_of_scipy_and_monai_on_the_same_features(counts):
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (counts[0], 40)), rng.gamma(2, 1, (counts[1], 40))
    m, n = a.mean(0), b.mean(0)
    covariances = [np.cov(x, rowvar=False) for x in (a, b)]
    roots = np.sqrt(np.linalg.eigvals(covariances[0] @ covariances[1]).real.clip(0)).sum()
    spelled = ((m - n) ** 2).sum() + np.trace(covariances[0] + covariances[1]) - 2 * roots
    assert frechet_distance(a, b) == pytest.approx(spelled, rel=1e-4)
    if counts[0] > 40:
        assert frechet_distance(a, b) == pytest.approx(_closed_form(m, covariances[0], n, covariances[1]), rel=1e-9)
        assert frechet_distance(a, b) == pytest.approx(float(FIDMetric()(torch.from_numpy(b), torch.from_numpy(a))), rel=1e-6)


def test_frechet_distance_is_symmetric_and_none_of_a_set_with_itself():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, (50, 10)).astype(np.float32), rng.normal(1, 2, (60, 10)).astype(np.float32)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)
    assert frechet_distance(a, a[:, ::-1]) == pytest.approx(frechet_distance(a[::-1], a[:, ::-1]), rel=1e-9)


@pytest.mark.parametrize("counts", [(7, 5), (600, 530)])  # the larger takes several blocks
def test_kernel_distance_is_the_unbiased_estimate_written_out(counts):
    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 1, (counts[0], 6)), rng.normal(0.3, 1, (counts[1], 6))

    def kernel(x, y):
        return (x @ y / 6 + 1) ** 3

    n, m = counts
    total = sum(kernel(a[i], a[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1)) if n < 10 else _off_diagonal(a)
    total += sum(kernel(b[i], b[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1)) if m < 10 else _off_diagonal(b)
    cross = sum(kernel(x, y) for x in a for y in b) / (n * m) if n < 10 else ((a @ b.T / 6 + 1) ** 3).mean()
    assert kernel_distance(a, b) == pytest.approx(total - 2 * cross, rel=1e-9)
    assert kernel_distance(b, a) == pytest.approx(kernel_distance(a, b), rel=1e-9)


def _off_diagonal(a):
    kernel = (a @ a.T / a.shape[1] + 1) ** 3
    return kernel[~np.eye(len(a), dtype=bool)].mean()


def test_kernel_distance_of_one_distribution_is_zero_on_average():
    rng = np.random.default_rng(3)
    values = [kernel_distance(*rng.normal(0, 1, (2, 20, 4))) for _ in range(400)]
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 3 * np.std(values) / 20


def test_feature_distance_is_that_of_torch():
    rng = np.random.default_rng(4)
    layers = [[rng.normal(0, 1, shape).astype(np.float32) for shape in ((3, 8, 9), (5, 4, 4))] for _ in range(2)]
    expected = np.mean([float(functional.mse_loss(*map(torch.from_numpy, pair))) for pair in zip(*layers, strict=True)])
    assert feature_distance(*layers) == pytest.approx(expected, rel=1e-6)
    assert feature_distance(layers[0], layers[0]) == 0


def test_perceptual_distance_is_that_of_torch():
    rng = np.random.default_rng(5)
    a, b = ([rng.normal(0, 1, shape) for shape in ((3, 8, 9), (5, 4, 4))] for _ in range(2))
    weights = [rng.random(3), rng.random(5)]
    plain = weighted = 0.0
    for x, y, w in zip(a, b, weights, strict=True):
        unit = [functional.normalize(torch.from_numpy(layer), dim=0) for layer in (x, y)]
        squares = (unit[0] - unit[1]) ** 2
        plain += float(squares.sum(0).mean())
        weighted += float((squares * torch.from_numpy(w)[:, None, None]).sum(0).mean())
    assert perceptual_distance(a, b) == pytest.approx(plain, rel=1e-9)
    assert perceptual_distance(a, b, weights) == pytest.approx(weighted, rel=1e-9)
    assert perceptual_distance(a, [3 * layer for layer in a]) == pytest.approx(0, abs=1e-12)  # blind to strength
    assert perceptual_distance([np.zeros((2, 3, 3))], [np.zeros((2, 3, 3))]) == 0


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_sets_without_meaning_are_refused(distance):
    a = np.random.default_rng(0).normal(0, 1, (10, 4))
    with pytest.raises(NotComparable, match="set of 1 pictures"):
        distance(a[:1], a)
    with pytest.raises(GeometryMismatch, match="4 and 3 features"):
        distance(a, a[:, :3])
    with pytest.raises(GeometryMismatch, match="3 dimensions"):
        distance(a, a[None])
    holed = a.copy()
    holed[2, 2] = np.nan
    with pytest.raises(NotComparable, match="not finite"):
        distance(a, holed)


@pytest.mark.parametrize("distance", [feature_distance, perceptual_distance])
def test_layers_without_meaning_are_refused(distance):
    layer = np.ones((3, 4, 4))
    with pytest.raises(GeometryMismatch, match="different shapes"):
        distance([layer], [layer[:2]])
    with pytest.raises(GeometryMismatch, match="different shapes"):
        distance([layer], [layer, layer])
    with pytest.raises(NotComparable, match="no features"):
        distance([], [])
    with pytest.raises(NotComparable, match="not finite"):
        distance([layer], [layer * np.nan])
    with pytest.raises(GeometryMismatch, match="every layer"):
        perceptual_distance([layer], [layer], [np.ones(4)])
