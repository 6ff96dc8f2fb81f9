"""labelme files: drawn as its documentation and Pillow say, hostile ones refused by name, pictures found where they may be."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from ctmri_core.errors import FileRefused
from ctmri_core.labels.label_table import LabelTable, found_table, given_table, read_table
from ctmri_core.labels.labelme_file import NoLabelme, read_labelme
from ctmri_core.labels.labelme_picture import mask_pixels, picture_of, size_of
from ctmri_core.labels.labelme_writing import labelme_json
from ctmri_core.labels.outlines import outlines
from ctmri_core.labels.rasterise import Drawn, drawn

SIZE = (50, 70)
TABLE = LabelTable(("_background_", "a", "b"))


def shape(kind: str | None, points: list, label: str = "a", **more: object) -> dict:
    return {"label": label, "shape_type": kind, "points": points, "group_id": None, "flags": {}, **more}


def written(folder: Path, *shapes: dict, name: str = "one.json", **more: object) -> Path:
    path = folder / name
    content = {"version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": "one.png", "imageData": None,
               "imageHeight": SIZE[0], "imageWidth": SIZE[1], **more}  # fmt: skip
    path.write_text(json.dumps(content), "utf-8")
    return path


def rasterised(path: Path, table: LabelTable = TABLE) -> Drawn:
    file = read_labelme(path)
    return drawn(file, size_of(file, path.parent), table, mask_pixels)


def png(values: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(values).save(content, "PNG")
    return content.getvalue()


def pillow(draw_with: str, xy: object, **options: object) -> np.ndarray:
    canvas = Image.new("L", SIZE[::-1])
    getattr(ImageDraw.Draw(canvas), draw_with)(xy, **options)
    return np.array(canvas) > 0


FILLED = {"outline": 1, "fill": 1}
TRIANGLE = [[10.2, 5.7], [60.0, 12.5], [33.3, 44.9]]


@pytest.mark.parametrize(("kind", "points", "expected"), [
    ("polygon", TRIANGLE, ("polygon", [tuple(point) for point in TRIANGLE], FILLED)),
    (None, TRIANGLE, ("polygon", [tuple(point) for point in TRIANGLE], FILLED)),
    ("oriented_rectangle", [[10, 10], [30, 5], [34, 20], [14, 25]], ("polygon", [(10, 10), (30, 5), (34, 20), (14, 25)], FILLED)),
    ("rectangle", [[40, 30], [12, 8]], ("rectangle", (12, 8, 40, 30), FILLED)),
    ("circle", [[30, 25], [33, 29]], ("ellipse", (25, 20, 35, 30), FILLED)),
    ("line", [[5, 5], [50, 40]], ("line", [(5, 5), (50, 40)], {"fill": 1, "width": 10})),
    ("linestrip", [[5, 5], [50, 8], [50, 40]], ("line", [(5, 5), (50, 8), (50, 40)], {"fill": 1, "width": 10})),
    ("point", [[20, 20]], ("ellipse", (15, 15, 25, 25), FILLED)),
])  # fmt: skip
def test_every_kind_of_shape_is_drawn_as_labelme_draws_it(tmp_path, kind, points, expected):
    figure, xy, options = expected
    np.testing.assert_array_equal(rasterised(written(tmp_path, shape(kind, points))).classes > 0, pillow(figure, xy, **options))


def test_borders_belong_to_what_is_drawn_and_centres_of_pixels_are_whole_numbers(tmp_path):
    classes = rasterised(written(tmp_path, shape("rectangle", [[3, 4], [6, 8]]))).classes
    assert np.argwhere(classes).min(0).tolist() == [4, 3] and np.argwhere(classes).max(0).tolist() == [8, 6]


def test_later_shapes_lie_over_earlier_ones_and_groups_are_one_object(tmp_path):
    path = written(
        tmp_path,
        shape("rectangle", [[0, 0], [20, 20]]), shape("rectangle", [[10, 10], [30, 30]], "b", group_id=4),
        shape("rectangle", [[40, 10], [45, 30]], "b", group_id=4), shape("rectangle", [[12, 12], [14, 14]], "_background_"),
        shape("rectangle", [[0, 40], [5, 45]], "__ignore__"), shape("rectangle", [[50, 40], [55, 45]]),
    )  # fmt: skip
    made = rasterised(path)
    assert [made.classes[at] for at in ((5, 5), (15, 15), (13, 13), (42, 2), (20, 42))] == [1, 2, 0, 255, 2]
    assert [made.objects[at] for at in ((5, 5), (15, 15), (13, 13), (42, 2), (20, 42), (42, 52))] == [1, 2, 0, 255, 2, 3]
    assert made.count == 3


def test_a_mask_lies_at_its_box_also_beyond_the_border_and_must_fit_it(tmp_path):
    inside = np.random.default_rng(0).random((11, 8)) > 0.5
    mask = base64.b64encode(png(inside.astype(np.uint8))).decode()
    made = rasterised(written(tmp_path, shape("mask", [[65.9, 3.2], [72.0, 13.0]], mask=mask))).classes
    np.testing.assert_array_equal(made[3:14, 65:70], inside[:, :5])
    assert made.sum() == inside[:, :5].sum()
    with pytest.raises(FileRefused, match=r"one\.json: shapes\[0\]\.mask has 8 x 11 pixels, its box 9 x 11"):
        rasterised(written(tmp_path, shape("mask", [[60, 3], [68, 13]], mask=mask)))


@pytest.mark.parametrize(("change", "said"), [
    ({"shapes": "none"}, "no list of shapes"),
    ({"shapes": [7]}, r"shapes\[0\] is no shape"),
    ({"shapes": [shape("polygon", [[1, 2], [3, 4]])]}, "polygon of 2 points"),
    ({"shapes": [shape("spiral", [[1, 2]])]}, r"shape_type is none of labelme's"),
    ({"shapes": [shape("point", [[float("nan"), 2]])]}, r"points\[0\] is not a number"),
    ({"shapes": [shape("point", [[1e300, 2]])]}, "far from any picture"),
    ({"shapes": [shape("point", [[10**400, 2]])]}, "far from any picture"),
    ({"shapes": [shape("point", [["1", 2]])]}, "no pair of numbers"),
    ({"shapes": [shape("point", [[True, 2]])]}, "no pair of numbers"),
    ({"shapes": [shape("point", [[1, 2, 3]])]}, "no list of pairs"),
    ({"shapes": [shape("point", [[1, 2]], label=5)]}, "label is no name"),
    ({"shapes": [shape("point", [[1, 2]], label="a\nb")]}, "cannot be printed"),
    ({"shapes": [shape("point", [[1, 2]], label="\ud800")]}, "cannot be printed"),
    ({"shapes": [shape("point", [[1, 2]], group_id=[1])]}, "group_id"),
    ({"shapes": [shape("mask", [[1, 2], [3, 4]])]}, r"mask is no picture in base64"),
    ({"shapes": [shape("mask", [[1, 2], [3, 4]], mask="AAAA")]}, r"mask holds no PNG or JPEG"),
    ({"shapes": [shape("point", [[1, 2]], label="z")]}, "'z', which is not in the list"),
    ({"imageHeight": 10**9}, "sizes from 1 to 65535"),
    ({"imageHeight": -4}, "sizes from 1 to 65535"),
    ({"imageHeight": 4.5}, "imageHeight is no whole number"),
    ({"imageData": "%%%"}, "imageData is no picture in base64"),
    ({"imageData": base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode()}, "imageData: the picture"),
    ({"imageHeight": None}, "its picture .* is not there"),
    ({"imagePath": 3}, "imagePath is no text"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_field(tmp_path, change, said):
    with pytest.raises(FileRefused, match=said) as refusal:
        rasterised(written(tmp_path, **{"shapes": [], **change}))
    assert str(refusal.value).startswith("one.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 200_000, b'{"shapes": ' + b"[" * 200_000, b"\xff\xfe{}", b"9" * 5000])
def test_what_is_no_json_is_refused(tmp_path, content):
    path = tmp_path / "one.json"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match=r"^one\.json"):
        read_labelme(path)


def test_json_of_another_program_is_told_apart(tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{"images": []}')
    with pytest.raises(NoLabelme):
        read_labelme(path)


def test_a_million_points_are_drawn_and_more_work_than_that_is_refused(tmp_path):
    def ring(count: int) -> dict:
        angle = np.linspace(0, 2 * np.pi, count)
        return shape("polygon", np.round(np.stack([35 + 20 * np.cos(angle), 25 + 20 * np.sin(angle)], 1), 3).tolist())

    area = int((rasterised(written(tmp_path, ring(1_000_000))).classes == 1).sum())
    assert abs(area - np.pi * 20**2) < 2 * np.pi * 20
    with pytest.raises(FileRefused, match="80000 corners; up to 66666"):
        rasterised(written(tmp_path, ring(80_000), imageHeight=60_000, imageWidth=8))
    everything = [shape("rectangle", [[-9e4, -9e4], [9e4, 9e4]])] * 2000
    with pytest.raises(FileRefused, match="2000 shapes cover the picture so often"):
        rasterised(written(tmp_path, *everything, imageHeight=4000, imageWidth=4000))


def test_files_of_early_versions_have_neither_size_nor_kind(tmp_path):
    grey = np.random.default_rng(1).integers(0, 255, SIZE).astype(np.uint8)
    old = {"version": "3.2.1", "flags": {}, "lineColor": [0, 255, 0, 128], "fillColor": None, "imagePath": "..\\x\\one.png",
           "imageData": base64.b64encode(png(grey)).decode(),
           "shapes": [{"label": "a", "line_color": None, "fill_color": None, "points": TRIANGLE}]}  # fmt: skip
    path = tmp_path / "old.json"
    path.write_text(json.dumps(old), "utf-8")
    xy = [tuple(point) for point in TRIANGLE]
    np.testing.assert_array_equal(rasterised(path).classes > 0, pillow("polygon", xy, **FILLED))
    np.testing.assert_array_equal(picture_of(read_labelme(path), tmp_path), grey)


@pytest.mark.parametrize(("linked", "found"), [
    ("..\\pictures\\one.png", True), ("../pictures/one.png", True), ("beside.png", True), ("D:\\study 1\\beside.png", True),
    ("/etc/beside.png", True), ("\\\\server\\share\\beside.png", True), ("../../outside.png", False), ("link.png", False),
    ("/etc/passwd", False), ("..", False), ("a\0b.png", False), ("x" * 5000, False), ("", False),
])  # fmt: skip
def test_a_linked_picture_is_found_within_the_folder_and_never_beyond(tmp_path, linked, found):
    root, grey = tmp_path / "root", np.full(SIZE, 7, np.uint8)
    for folder in (root / "drawn", root / "pictures"):
        folder.mkdir(parents=True)
    for place in (root / "pictures" / "one.png", root / "drawn" / "beside.png", tmp_path / "outside.png"):
        place.write_bytes(png(grey))
    (root / "drawn" / "link.png").symlink_to(tmp_path / "outside.png")
    file = read_labelme(written(root / "drawn", imagePath=linked))
    if found:
        np.testing.assert_array_equal(picture_of(file, root), grey)
    else:
        with pytest.raises(FileRefused, match="is not there"):
            picture_of(file, root)


def test_a_picture_of_another_size_was_not_drawn_on(tmp_path):
    (tmp_path / "one.png").write_bytes(png(np.zeros((50, 71), np.uint8)))
    with pytest.raises(FileRefused, match="70 x 50 pixels, but its picture has 71 x 50"):
        rasterised(written(tmp_path))


@pytest.mark.parametrize("kind", ["polygon", "mask"])
def test_labels_come_back_exactly(tmp_path, kind):
    random = np.random.default_rng(2)
    for number in range(24):
        size, blur = tuple(random.integers(1, 40, 2)), random.choice([0.3, 1.0, 3.0])
        labels = gaussian_filter(random.normal(size=(3, *size)), (0, blur, blur)).argmax(0).astype(np.uint8)
        path = tmp_path / f"{number}.json"
        path.write_text(labelme_json(labels, TABLE, np.zeros(size, np.uint8), "x.png", kind), "utf-8")
        np.testing.assert_array_equal(rasterised(path).classes, labels)
        if kind == "polygon":
            assert all(each.kind == "polygon" for each in read_labelme(path).shapes)


def test_nested_rings_are_polygons_over_each_other_and_a_sprinkle_is_masks():
    labels = np.zeros((40, 40), np.uint8)
    for margin, value in ((2, 1), (6, 0), (10, 2), (14, 1), (17, 0)):
        labels[margin : 40 - margin, margin : 40 - margin] = value
    assert [value for value, _ in outlines(labels)] == [1, 0, 2, 1, 0]
    assert [len(corners) for _, corners in outlines(labels)] == [4] * 5
    assert outlines((np.indices((120, 120)).sum(0) % 2).astype(np.uint8)) is None


def test_labels_are_numbered_by_list_or_by_alphabet(tmp_path):
    listed = tmp_path / "labels.txt"
    listed.write_text("__ignore__\n_background_\nbone\nbody\n", "utf-8")
    table = read_table(listed)
    assert [table.number(name) for name in ("bone", "body", "_background_", "__ignore__", "z")] == [1, 2, 0, 255, None]
    assert found_table(["bone", "body", "__ignore__"]).names == ("_background_", "body", "bone")
    listed.write_text("bone\nbone\n", "utf-8")
    with pytest.raises(FileRefused, match="names bone twice"):
        read_table(listed)
    listed.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileRefused, match="is no text"):
        read_table(listed)
    assert given_table(["a"]).text == "_background_\na\n"
