"""Labelled pictures as folders of files that training programs read: palette masks alone, Pascal VOC, or labelme."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from ctmri_core.errors import FileRefused
from ctmri_core.labels.label_table import LabelTable
from ctmri_core.labels.labelled_slices import LabelledSlice
from ctmri_core.labels.labelme_writing import ShapeKind, labelme_json
from ctmri_core.labels.palette_png import eight_bits, palette_png, picture_jpeg, picture_png
from ctmri_core.labels.rasterise import as_drawn_objects

PictureKind = Literal["png", "jpeg"]
CLASS_NAMES, MASKS = "class_names.txt", "SegmentationClass"
_LISTS = {"train": ("train", "trainval"), "validation": ("val", "trainval"), "test": ("test",)}


def write_mask(folder: Path, one: LabelledSlice, table: LabelTable) -> None:
    """`NAME.png`, whose numbers are those of the table. Raises `FileRefused`."""
    (folder / f"{one.name}.png").write_bytes(palette_png(one.labels(table).classes))


def write_voc(folder: Path, one: LabelledSlice, table: LabelTable, pictures: PictureKind) -> None:
    """Masks of labels and of objects, and the picture: `PNGImages` without loss, or `JPEGImages`. Raises `FileRefused`."""
    labels, picture = one.labels(table), _picture(one)
    encoded = picture_jpeg(picture) if pictures == "jpeg" else picture_png(picture)
    suffix, place = ("jpg", "JPEGImages") if pictures == "jpeg" else ("png", "PNGImages")
    parts = {
        f"{place}/{one.name}.{suffix}": encoded,
        f"{MASKS}/{one.name}.png": palette_png(labels.classes),
        f"SegmentationObject/{one.name}.png": palette_png(as_drawn_objects(labels.objects, one.path)),
    }
    for name, content in parts.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def write_lists(folder: Path, sides: Mapping[str, str]) -> None:
    """`ImageSets/Segmentation/`: names of pictures by side, one in each line."""
    place = folder / "ImageSets" / "Segmentation"
    place.mkdir(parents=True)
    lists: dict[str, list[str]] = {"train": [], "val": [], "trainval": [], "test": []}
    for name, side in sides.items():
        for which in _LISTS.get(side, ()):
            lists[which].append(name)
    for which, names in lists.items():
        (place / f"{which}.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def write_labelme(folder: Path, one: LabelledSlice, table: LabelTable, shapes: ShapeKind) -> None:
    """`NAME.json` with the picture in it. Raises `FileRefused`."""
    picture = _picture(one)
    text = labelme_json(one.labels(table).classes, table, eight_bits(picture), f"{one.name}.png", shapes)
    (folder / f"{one.name}.json").write_text(text, encoding="utf-8")


def _picture(one: LabelledSlice) -> NDArray[Any]:
    if one.picture is None:
        raise FileRefused(one.path, "holds labels without a picture.", "Name the scan that they were drawn on (--scan).")
    return one.picture()
