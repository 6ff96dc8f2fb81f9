"""What makes scores nonsense: each found before it is believed, and said in a sentence that tells what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.alignment import alignment_of, looks_mirrored
from ctmri_core.domain import Direction, Domain
from ctmri_core.evaluation.cases import OpenedCase
from ctmri_core.evaluation.results import Problem, ProblemKind
from ctmri_core.evaluation.scene import Scene
from ctmri_core.recognition.hounsfield import looks_like_hounsfield
from ctmri_core.volume import Volume

Voxels = NDArray[np.number[Any]]
_AIR, _HIGHEST_BYTE = -500.0, 255.0


def of_real(opened: OpenedCase, direction: Direction) -> Iterator[Problem]:
    """What is wrong with the real pictures of a case, as they come."""
    yield from opened.problems
    truth, source = opened.truth, opened.source
    if truth.synthetic is not None:
        message = "The truth is itself synthetic, so there is nothing real to compare with. Take it out."
        yield _left_out("synthetic_truth", message)
    for what, volume in (("truth", truth), ("source", source)):
        if volume is not None and volume.voxels.size and float(np.nanmin(volume.voxels)) == float(np.nanmax(volume.voxels)):
            yield _left_out("constant", f"The {what} is one value everywhere: it shows nothing.")
            return
    if source is not None:
        if same_voxels(source.voxels, truth.voxels):
            yield _left_out("swapped", "Source and truth are one picture, bit for bit. Name the folder of each.")
            return
        yield from _exchanged(source, truth, direction)
    if direction.target is Domain.CT and not opened.windowed and float(np.nanmin(truth.voxels)) > _AIR:
        low, high = float(np.nanmin(truth.voxels)), float(np.nanmax(truth.voxels))
        message = f"The truth goes from {low:g} to {high:g}: it holds no air near -1000, so its values may be no HU."
        eight = low >= 0 and high <= _HIGHEST_BYTE
        yield Problem(kind="not_hounsfield", message=f"{message} Convert it to HU.", left_out=eight)


def of_alignment(opened: OpenedCase, direction: Direction) -> Iterator[Problem]:
    """Whether source and truth show each place at one place; costs about a second. Nothing where it was looked at before."""
    if opened.source is None or opened.looked_at or min(opened.truth.geometry.shape) < 2:
        return
    source, truth = opened.source, opened.truth
    alignment = alignment_of(source, truth)
    both = f"{direction.source.label} and {direction.target.label}"
    if alignment.state == "no overlap":
        yield _left_out("misaligned", f"{both} show different parts of space. Register them first.")
    elif looks_mirrored(source, truth, alignment):
        yield _left_out("misaligned", f"{both} fit better with left and right exchanged: one of them is mirrored.")
    elif not alignment.good:
        message = f"{both} do not lie on each other ({alignment.numbers}), so that every score is one of that."
        yield _left_out("misaligned", f"{message} Register them first.")


def of_synthetic(synthetic: Volume, scene: Scene, *, windowed: bool = False, by_model: bool = False) -> Iterator[Problem]:
    """What is wrong with an answer on the scene's grid. `by_model`: answered just now, so that its unit is known, and what is bad
    about it is the model's: that counts, else the hardest cases would be left out."""
    values, truth = synthetic.voxels, scene.truth.voxels
    if values.shape != truth.shape:
        yield _left_out("geometry", f"The prediction has {values.shape} voxels, the truth {truth.shape}.")
        return
    inside = values[scene.mask]
    if not np.isfinite(inside).all():
        share = float(np.mean(~np.isfinite(inside)))
        yield _left_out("not_finite", f"{share:.1%} of the prediction inside the mask are no numbers (NaN or infinity).")
        return
    if float(inside.min()) == float(inside.max()):
        message = f"The prediction is {float(inside.min()):g} everywhere inside the mask: it shows nothing."
        yield Problem(kind="constant", message=message, left_out=not by_model)
        return
    if same_voxels(values, truth):
        yield _left_out("swapped", "The prediction equals the truth, bit for bit: it is the truth, or was made from it.")
    elif scene.source is not None and same_voxels(values, scene.source.voxels):
        message = "The prediction equals the source, bit for bit: nothing was translated, or folders are exchanged."
        yield _left_out("swapped", message)
    elif scene.truth.domain is Domain.CT and not windowed and not by_model:
        yield from _eight_bits(values, truth)


def of_finished(synthetic: Volume, opened: OpenedCase) -> Iterator[Problem]:
    """What is wrong with a finished picture as its file holds it, before it is brought to the grid of the truth."""
    if same_voxels(synthetic.voxels, opened.truth.voxels):
        yield _left_out("swapped", "The prediction equals the truth, bit for bit: it is the truth, or was made from it.")
    elif opened.source is not None and same_voxels(synthetic.voxels, opened.source.voxels):
        message = "The prediction equals the source, bit for bit: nothing was translated, or folders are exchanged."
        yield _left_out("swapped", message)


def of_place(synthetic: Volume, opened: OpenedCase) -> Iterator[Problem]:
    """Whether a finished picture shows the truth's patient where the truth does; costs about a second.

    One that fits much better some way off was saved at another position, or is of another patient. One whose outline is another
    counts: a bad model makes such.
    """
    if min(opened.truth.geometry.shape) < 2:
        return
    alignment = alignment_of(opened.truth, synthetic)
    if alignment.state == "no overlap" or alignment.displacement_mm > 0:
        message = f"The prediction does not lie on the truth ({alignment.numbers}): its file says another position, or it is of"
        yield _left_out("misaligned", f"{message} another patient.")
    elif not alignment.good:
        message = f"The prediction has another outline than the truth ({alignment.numbers}). Look whether it is of this patient."
        yield Problem(kind="misaligned", message=message)


def of_reading(volume: Volume, mask: NDArray[np.bool_] | None, what: str) -> Iterator[Problem]:
    """What its reader found of a picture. `mask`: where it counts, None where its voxels are elsewhere by now.

    Readers show what is no number as the lowest value, so that voxels of that value inside the mask may be none.
    """
    for finding in volume.findings:
        if finding.kind == "not_finite" and mask is not None:
            share = float(np.mean(volume.voxels[mask] == volume.voxels.min()))
            if share:
                yield _left_out("not_finite", f"{share:.1%} of the {what} inside the mask are no numbers (NaN or infinity).")
        elif finding.serious:
            yield Problem(kind="other", message=f"The {what}: {finding.message}")


def same_voxels(one: Voxels, other: Voxels) -> bool:
    """Whether two arrays hold the same values, whatever their types."""
    if one.shape != other.shape or one.flat[one.size // 2] != other.flat[other.size // 2]:
        return False
    return bool(np.array_equal(one, other))


def _eight_bits(values: Voxels, truth: Voxels) -> Iterator[Problem]:
    """A grey picture where HU are needed."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low >= -1.0 and high <= _HIGHEST_BYTE and float(np.nanmin(truth)) < _AIR:
        span = "0 to 255" if high > 1 else "-1 to 1" if low < 0 else "0 to 1"
        message = f"The prediction goes from {low:g} to {high:g}, as grey levels of {span} do, but the truth holds HU."
        yield _left_out("not_hounsfield", f"{message} Bring it back to HU before it is compared.")


def _exchanged(source: Volume, truth: Volume, direction: Direction) -> Iterator[Problem]:
    """Whether the source is what the truth should be."""
    if (direction.source is Domain.CT) == (direction.target is Domain.CT):
        return
    ct, mr = (source, truth) if direction.source is Domain.CT else (truth, source)
    if looks_like_hounsfield(mr.voxels) and not looks_like_hounsfield(ct.voxels):
        message = f"What should be {direction.source.label} and what should be {direction.target.label} seem to be exchanged."
        yield _left_out("swapped", f"{message} Name the folder of each.")
    elif looks_like_hounsfield(mr.voxels):
        yield _left_out("wrong_kind", f"The {mr.domain.label} has the values of a CT. Name the files by what they show.")


def _left_out(kind: ProblemKind, message: str) -> Problem:
    return Problem(kind=kind, message=message, left_out=True)
