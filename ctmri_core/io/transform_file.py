"""ITK's text files of transforms (.tfm, .txt): read as text, here, and written so that ITK, 3D Slicer and others take them.

As ITK's resampling wants them: from the space of the fixed image into that of the moving one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ctmri_core.errors import FileRefused, GeometryMismatch
from ctmri_core.files import write_text
from ctmri_core.geometry import FloatArray
from ctmri_core.preprocess.spatial_transform import SpatialTransform, spline_from

_FIRST_LINE = "#Insight Transform File V1.0"
_LARGEST, _MOST_PARTS = 64 << 20, 32
_FROM_OTHERS = "Save it as a rigid, affine or B-spline transform, as a .tfm file."
_Numbers = Sequence[float]


def write_transform(path: Path, transform: SpatialTransform) -> None:
    """Raises `WriteFailed`."""
    numbers = [*transform.matrix[:3, :3].ravel(), *transform.matrix[:3, 3]]
    parts = [_part("AffineTransform", numbers, [0.0, 0.0, 0.0])]
    if transform.spline is not None:
        spacing, origin, direction = transform.spline.grid.to_itk()
        fixed = [*transform.spline.grid.shape[::-1], *origin, *spacing, *direction]
        parts = [_part("CompositeTransform"), *parts, _part("BSplineTransform", transform.spline.coefficients.ravel(), fixed)]
    lines = [_FIRST_LINE]
    for number, part in enumerate(parts):
        lines += [f"#Transform {number}", *part]
    write_text(path, "\n".join(lines) + "\n")


def read_transform(path: Path) -> SpatialTransform:
    """Raises `FileRefused` for what is no transform of points that keeps left and right, and for kinds that are not known."""
    parts = _parts(path)
    matrix, spline = np.eye(4), None
    for kind, numbers, fixed in parts:  # the last one comes first
        if kind == "CompositeTransform":
            continue
        if spline is not None:
            raise FileRefused(path, "holds a transform after a B-spline, which is not known here.", _FROM_OTHERS)
        try:
            if kind == "BSplineTransform":
                spline = spline_from(tuple(fixed), tuple(numbers))
            else:
                matrix = matrix @ _matrix(kind, numbers, fixed)
        except (ValueError, IndexError, GeometryMismatch):
            raise FileRefused(path, f"holds a {kind} whose numbers do not go together.", _FROM_OTHERS) from None
        except KeyError:
            raise FileRefused(path, f"holds a {kind[:60]}, which is not known here.", _FROM_OTHERS) from None
    _check(path, matrix)
    return SpatialTransform(matrix, spline)


def _check(path: Path, matrix: FloatArray) -> None:
    size = float(np.linalg.det(matrix[:3, :3]))
    if size <= 0:
        raise FileRefused(path, "exchanges left and right, which no patient does.", _FROM_OTHERS)
    if not 0.1 < size < 10 or np.abs(matrix[:3, 3]).max() > 1e5:
        raise FileRefused(path, f"changes volumes by a factor of {size:.3g}, or moves them metres away.", _FROM_OTHERS)


def _parts(path: Path) -> list[tuple[str, list[float], list[float]]]:
    """(kind, parameters, fixed parameters) of each, in the order of the file."""
    try:
        if path.stat().st_size > _LARGEST:
            raise FileRefused(path, "is larger than 64 MiB, so it is no transform.", _FROM_OTHERS)
        lines = path.read_bytes().decode("ascii", "replace").splitlines()
    except OSError as error:
        raise FileRefused(path, "cannot be read.", "Check that the file is there and may be read.") from error
    if not lines or lines[0].strip() != _FIRST_LINE:
        raise FileRefused(path, f"does not begin with {_FIRST_LINE!r}, so it is no text file of ITK's transforms.", _FROM_OTHERS)
    found: list[tuple[str, list[float], list[float]]] = []
    for line in lines[1:]:
        word, _, rest = line.partition(":")
        if word == "Transform":
            found.append((rest.strip().split("_")[0], [], []))
        elif word in ("Parameters", "FixedParameters") and found:
            _, parameters, fixed = found[-1]
            (parameters if word == "Parameters" else fixed).extend(_numbers(path, word, rest))
    if not found or len(found) > _MOST_PARTS:
        raise FileRefused(path, f"holds {len(found)} transforms.", _FROM_OTHERS)
    return found


def _numbers(path: Path, word: str, text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split()]
    except ValueError:
        raise FileRefused(path, f"holds {word} that are no numbers.", _FROM_OTHERS) from None
    if not np.isfinite(numbers).all():
        raise FileRefused(path, f"holds {word} that are not finite.", _FROM_OTHERS)
    return numbers


def _matrix(kind: str, numbers: _Numbers, fixed: _Numbers) -> FloatArray:
    count, turn, shift = _KINDS[kind]
    if len(numbers) != count:
        raise ValueError
    centre = np.asarray([*fixed, 0.0, 0.0, 0.0][:3]) if len(fixed) >= 3 else np.zeros(3)
    matrix = np.eye(4)
    matrix[:3, :3] = turn(numbers, fixed)
    matrix[:3, 3] = np.asarray(numbers[shift : shift + 3] or (0.0, 0.0, 0.0)) + centre - matrix[:3, :3] @ centre
    return matrix


def _euler(numbers: _Numbers, fixed: _Numbers) -> FloatArray:
    x, y, z = numbers[:3]
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    turned_last = len(fixed) > 3 and fixed[3] != 0
    return np.asarray(about_z @ about_y @ about_x if turned_last else about_z @ about_x @ about_y)


def _versor(numbers: _Numbers, _fixed: _Numbers) -> FloatArray:
    from scipy.spatial.transform import Rotation

    axis = np.asarray(numbers[:3])
    if axis @ axis > 1:
        raise ValueError
    return np.asarray(Rotation.from_quat([*axis, np.sqrt(1 - axis @ axis)]).as_matrix())


def _similarity(numbers: _Numbers, fixed: _Numbers) -> FloatArray:
    return _versor(numbers, fixed) * numbers[6]


def _whole(numbers: _Numbers, _fixed: _Numbers) -> FloatArray:
    return np.asarray(numbers[:9]).reshape(3, 3)


def _unturned(_numbers: _Numbers, _fixed: _Numbers) -> FloatArray:
    return np.eye(3)


_KINDS: dict[str, tuple[int, Callable[[_Numbers, _Numbers], FloatArray], int]] = {
    "Euler3DTransform": (6, _euler, 3),
    "VersorRigid3DTransform": (6, _versor, 3),
    "Similarity3DTransform": (7, _similarity, 3),
    "AffineTransform": (12, _whole, 9),
    "MatrixOffsetTransformBase": (12, _whole, 9),
    "Rigid3DTransform": (12, _whole, 9),
    "TranslationTransform": (3, _unturned, 0),
    "IdentityTransform": (0, _unturned, 0),
}
"""How many numbers each kind has, how its matrix comes of them, and where its shift begins."""


def _part(kind: str, numbers: Sequence[float] | FloatArray = (), fixed: Sequence[float] = ()) -> list[str]:
    named = f"Transform: {kind}_double_3_3"
    if kind == "CompositeTransform":
        return [named]
    told = (" ".join(repr(float(value)) for value in values) for values in (numbers, fixed))
    return [named, *(f"{word}: {text}" for word, text in zip(("Parameters", "FixedParameters"), told, strict=True)), ""]
