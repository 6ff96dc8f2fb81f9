"""Pictures of prepared cases and of digital heads, made beside the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from ctmri_core.data.label_values import UNDECIDED
from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError, FileRefused
from ctmri_core.events import Progress, StopSignal, Work

if TYPE_CHECKING:
    from ctmri_core.preprocess.recipe import Recipe
    from ctmri_gui.training.new_run.case_rows import CaseRow

SIDE = 160
_CT_LOW, _CT_HIGH = -160.0, 320.0  # HU: skull, soft tissue and the outline of the body can be told apart
_OUTLINE = QColor(250, 210, 60)
_HEAD_MM = 2.5


@dataclass(frozen=True, eq=False)
class Tiles:
    """`labels`: of `pictures`; `outline`: of the first picture's body, or of what was drawn, transparent beside it; `slices`: in
    the case, of which these are the `shown`-th.
    """

    labels: tuple[str, ...]
    pictures: tuple[QImage, ...]
    outline: QImage
    slices: int
    shown: int

    @property
    def overlay(self) -> QImage:
        """The last picture that is no mask with the outline."""
        shown = [image for name, image in zip(self.labels, self.pictures, strict=True) if name != Domain.MASK.label]
        return _drawn_on(shown[-1], self.outline)


def small_pictures(folder: Path, recipe: Recipe, rows: Sequence[CaseRow], stop: StopSignal) -> Work[dict[int, Tiles] | None]:
    """By number, the middle slices of `rows`, fitted into `SIDE` px; those that cannot be read are left out."""
    made: dict[int, Tiles] = {}
    for row in rows:
        if stop():
            return None
        yield Progress(done=len(made), total=len(rows), message="making small pictures")
        try:
            made[row.number] = _fitted(_tiles(folder, recipe, row, None))
        except CtmriError:  # said when the case is opened
            continue
    return made


def one_slice(folder: Path, recipe: Recipe, row: CaseRow, number: int | None, _stop: StopSignal) -> Work[Tiles]:
    """The `number`-th slice of a case, the middle one for None. Raises `FileRefused`."""
    yield Progress(done=0, message="reading a slice")
    return _tiles(folder, recipe, row, number)


def digital_head(seed: int, _stop: StopSignal) -> Work[Tiles]:
    """The middle slice of one of the heads that a phantom run learns from, drawn coarsely."""
    yield Progress(done=0, message="drawing a digital head")
    from ctmri_core.phantom import make_head

    case = make_head(seed, voxel_mm=_HEAD_MM)
    ct, mr = case[Domain.CT], case.aligned(Domain.MR_T1)
    middle = ct.geometry.shape[0] * 11 // 20
    top = float(np.percentile(mr.voxels, 99.5)) or 1.0
    grey = (_ct_grey(ct.voxels[middle].astype(np.float32)), _grey(mr.voxels[middle].astype(np.float32), 0.0, top))
    body = ct.voxels[middle] > -300
    return _fitted(
        Tiles((ct.domain.label, mr.domain.label), tuple(map(_image, grey)), _outline(body), ct.geometry.shape[0], middle)
    )


def faded(tiles: Tiles, over: int, share: float, *, outline: bool) -> QImage:
    """The `over`-th picture laid over the first with `share` (0 to 1) of its strength."""
    result = tiles.pictures[0].convertToFormat(QImage.Format.Format_RGB32)
    top = tiles.pictures[min(over, len(tiles.pictures) - 1)]
    painter = QPainter(result)
    painter.setOpacity(share)
    painter.drawImage(result.rect(), top)
    painter.setOpacity(1.0)
    if outline:
        painter.drawImage(0, 0, tiles.outline)
    painter.end()
    return result


def _tiles(folder: Path, recipe: Recipe, row: CaseRow, number: int | None) -> Tiles:
    labels, pictures, outline, count, shown = [], [], None, 0, 0
    for file in row.files:
        try:
            planes: NDArray[Any] = np.load(folder / file.file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise FileRefused(folder / file.file, "is missing or damaged.", "Prepare the data again.") from error
        if planes.ndim != 4 or not len(planes) or planes.shape[1] != len(file.domains) + 1:
            continue
        count = len(planes)
        shown = count // 2 if number is None else min(max(number, 0), count - 1)
        here = np.asarray(planes[shown], np.float32)
        outline = outline or _outline(here[-1] > 0)
        for domain, plane in zip(file.domains, here, strict=False):
            labels.append(domain.label)
            if domain is Domain.MASK:
                drawn = (plane > 0) & (plane < UNDECIDED)
                outline = _outline(drawn)
                pictures.append(_image(_grey(drawn, 0.0, 1.0)))
                continue
            grey = _ct_grey(recipe.ct.nominal.from_unit(plane)) if _linear(recipe, domain) else _grey(plane, -1.0, 1.0)
            pictures.append(_image(grey))
    if outline is None:
        raise FileRefused(folder, "holds no picture of this case.", "Prepare the data again.")
    return Tiles(tuple(labels), tuple(pictures), outline, count, shown)


def _linear(recipe: Recipe, domain: Domain) -> bool:
    """Whether a plane holds HU on a straight line: the whole range of them would show soft tissue as one grey."""
    return domain is Domain.CT and recipe.ct.kind == "hu_range" and recipe.ct.high - recipe.ct.low > _CT_HIGH - _CT_LOW


def _ct_grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    return _grey(values, _CT_LOW, _CT_HIGH)


def _grey(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    scaled = np.nan_to_num((values.astype(np.float32) - low) / (high - low))
    grey: NDArray[np.uint8] = np.round(np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    return grey


def _image(grey: NDArray[np.uint8]) -> QImage:
    rows, columns = grey.shape
    content = np.ascontiguousarray(grey)
    return QImage(content.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()


def _outline(body: NDArray[np.bool_]) -> QImage:
    """The pixels at the border of `body` in yellow, the others transparent."""
    wide = np.pad(body, 1)
    inner = body & wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    content = np.zeros((*body.shape, 4), np.uint8)
    content[body & ~inner] = _OUTLINE.blue(), _OUTLINE.green(), _OUTLINE.red(), 255
    rows, columns = body.shape
    return QImage(content.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32).copy()


def _fitted(tiles: Tiles) -> Tiles:
    pictures = tuple(_square(picture) for picture in tiles.pictures)
    return Tiles(tiles.labels, pictures, _square(tiles.outline, clear=True), tiles.slices, tiles.shown)


def _square(picture: QImage, *, clear: bool = False) -> QImage:
    """Fitted into `SIDE` x `SIDE` px, the aspect kept."""
    small = picture.scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    square = QImage(SIDE, SIDE, QImage.Format.Format_ARGB32_Premultiplied)
    square.fill(Qt.GlobalColor.transparent if clear else Qt.GlobalColor.black)
    painter = QPainter(square)
    painter.drawImage(QRect((SIDE - small.width()) // 2, (SIDE - small.height()) // 2, small.width(), small.height()), small)
    painter.end()
    return square


def _drawn_on(picture: QImage, outline: QImage) -> QImage:
    result = picture.convertToFormat(QImage.Format.Format_RGB32)
    painter = QPainter(result)
    painter.drawImage(0, 0, outline)
    painter.end()
    return result
