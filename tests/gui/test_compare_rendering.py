"""Colours of differences, two slices in one picture, and masks, each against what numpy, scipy or scikit-image say."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter
from scipy.ndimage import map_coordinates
from skimage.color import rgb2lab

from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.volume import Volume
from ctmri_gui.viewer.body.bodies import find_body
from ctmri_gui.viewer.camera import Camera, Frame, Projection
from ctmri_gui.viewer.compare.colour_maps import MAPS, rgb_table
from ctmri_gui.viewer.compare.composition import ComparedPicture
from ctmri_gui.viewer.compare.difference import DifferencePicture, Scale, scale_of
from ctmri_gui.viewer.compare.label_map import LabelMap, NoMask, label_map_of, looks_like_mask
from ctmri_gui.viewer.compare.mask_model import COLOURS, Mask, MaskModel, MaskStyle
from ctmri_gui.viewer.compare.mask_overlay import MaskOverlay, borders, pane_plane
from ctmri_gui.viewer.compare.modes import Compare, Mode, partners_of
from ctmri_gui.viewer.grey_picture import GreyLayer
from ctmri_gui.viewer.roles import MAIN, Role
from ctmri_gui.viewer.screen_layout import screen_layout

HU = Scale("HU", "")
# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB
BLINDNESS = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def pixels(picture: QImage) -> np.ndarray:
    """(rows, columns, 4): red, green, blue, alpha."""
    rgba = picture.convertToFormat(QImage.Format.Format_RGBA8888)
    bytes_ = np.frombuffer(rgba.constBits(), np.uint8).reshape(rgba.height(), rgba.bytesPerLine() // 4, 4)
    return bytes_[:, : rgba.width()].copy()


def as_seen(rgb: np.ndarray, kind: str) -> np.ndarray:
    """CIELAB of sRGB bytes, as eyes of that kind see them."""
    share = rgb / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    if kind != "usual":
        linear = np.clip(linear @ np.array(BLINDNESS[kind]).T, 0, 1)
    seen = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb2lab(seen.reshape(1, -1, 3))[0]


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("kind", ["usual", *BLINDNESS])
def test_more_and_less_are_told_apart_by_every_eye(name, kind) -> None:
    lab = as_seen(rgb_table(name).astype(float), kind)
    for share in (0.25, 0.5, 1.0):
        more, less = lab[128 + round(127 * share)], lab[128 - round(127 * share)]
        assert np.linalg.norm(more - less) > 20
    for way in (1, -1):
        light = np.abs(lab[[128 + way * step for step in range(0, 128, 8)], 0] - lab[128, 0])
        assert (np.diff(light) > 0).all()  # and what is further from nothing looks so without any colour


@pytest.mark.parametrize("name", MAPS)
def test_every_difference_stands_out_from_the_black_around_the_picture(name) -> None:
    light = as_seen(rgb_table(name)[1:].astype(float), "usual")[:, 0]
    assert light.min() > 15 and light[[0, -1]].min() > 38


@pytest.mark.parametrize("limit", [80.0, 200.0])
def test_a_difference_has_the_colour_of_its_value(limit) -> None:
    rng = np.random.default_rng(1)
    synthetic = rng.integers(-1000, 2000, (40, 52)).astype(np.int16)
    truth = (synthetic + rng.normal(0, 120, synthetic.shape)).astype(np.float32)
    truth[:5] = np.nan
    found = pixels(DifferencePicture().render(synthetic, truth, HU, limit, "white"))
    difference = synthetic[5:].astype(float) - truth[5:]
    places = 128 + 127 * np.clip(difference / limit, -1, 1)
    exact = np.stack([np.interp(places, np.arange(256), rgb_table("white")[:, c]) for c in range(3)], -1)
    assert np.abs(found[5:, :, :3] - exact).max() < 4  # half a step of 127
    assert (found[:5, :, 3] == 0).all() and (found[5:, :, 3] == 255).all()


def test_no_difference_is_the_middle_and_the_sign_is_that_of_synthetic_minus_truth() -> None:
    values = np.array([[-300, 0, 300, 40]], np.float32)
    found = pixels(DifferencePicture().render(values, np.zeros_like(values), HU, 200, "white"))[0, :, :3].astype(int)
    assert (found[1] == rgb_table("white")[128]).all()
    assert found[0][2] > found[0][0] and found[2][0] > found[2][2]  # less is blue, more is red
    turned = pixels(DifferencePicture().render(values.T, np.zeros_like(values.T), HU, 200, "white"))[:, 0, :3]
    assert (turned == found).all()


class _Verdict:
    def __init__(self, comparable: bool) -> None:
        self.comparable, self.message = comparable, "Not aligned."


class _Compared:
    def __init__(self, ranges, comparable: bool = True) -> None:
        self.ranges, self.verdict = ranges, _Verdict(comparable)


def volume(values, domain=Domain.CT, geometry: Geometry | None = None) -> Volume:
    array = np.asarray(values)
    return Volume(array, geometry or Geometry(array.shape, (1.0, 1.0, 1.0)), domain)


def test_mr_is_subtracted_in_percent_of_each_images_own_range() -> None:
    pair = {Role.SYNTHETIC, Role.TRUTH}
    mr = volume(np.zeros((2, 2, 2), np.float32), Domain.MR_T1)
    volumes = {Role.SYNTHETIC: mr, Role.TRUTH: mr, Role.SOURCE: volume(np.zeros((2, 2, 2), np.int16))}
    scale = scale_of(_Compared(((10.0, 210.0), (100.0, 1100.0))), volumes, pair)
    assert isinstance(scale, Scale) and scale.unit == "%"
    for synthetic, truth, percent in ((10, 100, 0), (210, 1100, 0), (110, 100, 50), (10, 1100, -100), (250, 600, 70)):
        assert scale.gains[0] * synthetic - scale.gains[1] * truth + scale.offset == pytest.approx(percent)
    assert scale_of(_Compared(None), volumes, pair) == Scale("HU", "synthetic − truth, HU")
    assert scale_of(_Compared(None, comparable=False), volumes, pair) == "Not aligned."
    assert "not known" in scale_of(None, volumes, pair)
    assert "CT and T1 MR have no scale in common" in scale_of(None, volumes, {Role.SOURCE, Role.TRUTH})


def test_partners_are_what_tells_most() -> None:
    everything = tuple(MAIN)
    assert partners_of(Role.SYNTHETIC, everything)[0] is Role.TRUTH
    assert partners_of(Role.TRUTH, everything)[0] is Role.SYNTHETIC
    assert partners_of(Role.SOURCE, everything)[0] is Role.SYNTHETIC
    assert partners_of(Role.SOURCE, (Role.SOURCE, Role.TRUTH)) == (Role.TRUTH,)


def painted(compare: Compare, *, own: int = 60, other: int = 180, mm: float = 100.0) -> np.ndarray:
    """Two even slices of `mm` on a pane of 200 x 160 pixels, half a mm each."""
    first, picture = GreyLayer(), ComparedPicture()
    for layer, grey, shape in ((first, own, (50, 50)), (picture.other, other, (80, 70))):
        layer.set_voxels(np.full(shape, grey, np.int16))
        layer.set_levels(0, 255)
    picture.compare = compare
    frame = Frame(0, 0, mm, 80 / 1.08)
    projection = Projection(Camera((mm / 2, mm / 2)), (200, 160), (1000, 160), frame)
    canvas = QImage(200, 160, QImage.Format.Format_RGB32)
    canvas.fill(0)
    painter = QPainter(canvas)
    target = QRectF(QPointF(*projection.to_pixel(0, 0)), QPointF(*projection.to_pixel(mm, mm)))
    picture.paint(painter, target, first, projection)
    painter.end()
    return pixels(canvas)[..., 0].astype(int)


@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_a_fade_mixes_the_greys_of_both_windows(amount) -> None:
    grey = painted(Compare(Mode.FADE, amount=amount))
    assert np.abs(grey - (60 + (180 - 60) * amount)).max() <= 1


def test_a_wipe_shows_one_picture_on_either_side_of_its_line() -> None:
    grey = painted(Compare(Mode.WIPE, line=0.3))
    assert (grey[:, :60] == 60).all() and (grey[:, 60:] == 180).all()
    grey = painted(Compare(Mode.WIPE, line=0.75, upright=False))
    assert (grey[:120] == 60).all() and (grey[120:] == 180).all()


def test_squares_alternate_are_of_their_size_and_lie_fast_on_the_patient() -> None:
    grey = painted(Compare(Mode.CHECKER, checker_mm=20))
    rows, columns = np.indices(grey.shape)
    squares = np.floor((columns - 80) / 40) + np.floor((rows - 60) / 40)  # a square of 40 pixels about the middle
    assert (grey == np.where(squares % 2, 180, 60)).all()


SKEW = Geometry((18, 22, 26), (2.0, 1.5, 1.2), (-20.0, -14.0, -18.0))


def labels_on(geometry: Geometry) -> LabelMap:
    rng = np.random.default_rng(3)
    blocks = rng.integers(0, 4, (6, 6, 7)).astype(np.uint8)
    return LabelMap(np.kron(blocks, np.ones((3, 4, 4), np.uint8))[:18, :22, :26], geometry, (1, 2, 3), "Mask 1")


def test_a_mask_lies_where_the_geometry_says_on_an_oblique_plane(qapp) -> None:
    mask = labels_on(SKEW)
    turn = rigid_transform((20.0, -15.0, 30.0), (3.0, -2.0, 1.0))
    axes = np.eye(3)[::-1] @ turn[:3, :3].T
    shown = Geometry((30, 40, 50), (1.0, 1.0, 1.0), tuple(turn[:3, :3] @ (-25, -20, -15)), tuple(map(tuple, axes)))
    layout, frame = screen_layout(shown), Frame(0, 0, 40, 40)
    projection = Projection(Camera((22.0, 21.0), 1.3), (150, 120), (150, 120), frame)
    plane = pane_plane(layout, 14, projection, 1.0)
    rows, columns = np.indices((120, 150))
    mm = np.stack([layout.to_mm(*projection.to_plane(c + 0.5, r + 0.5), 14) for r, c in np.ndindex(120, 150)])
    assert np.allclose(plane.index_to_mm(np.stack([0 * rows, rows, columns], -1)).reshape(-1, 3), mm, atol=1e-9)
    exact = map_coordinates(mask.labels, SKEW.mm_to_index(mm).T, order=0, mode="grid-constant").reshape(120, 150)

    model = MaskModel()
    model.add(mask)
    model.set_style(MaskStyle.FILL)
    model.opacity = 1.0
    picture = QImage(150, 120, QImage.Format.Format_RGB32)
    picture.fill(0)
    painter = QPainter(picture)
    MaskOverlay(model, lambda: (layout, 14)).paint(painter, projection)
    painter.end()
    colours = np.array([(0, 0, 0), *(tuple(bytes.fromhex(colour[1:])) for colour in COLOURS[:3])])
    found, seen = pixels(picture)[..., :3].astype(int), slice(0, 75)  # the legend stands on the right
    assert exact[:, seen].max() == 3
    assert (found[:, seen] != colours[exact][:, seen]).any(-1).mean() < 1e-3  # ties of rounding


@pytest.mark.parametrize("zoom", [1.0, 5.0])
def test_contours_are_as_thick_at_any_zoom_and_run_between_regions(zoom) -> None:
    square = np.zeros((4, 40, 40), np.uint8)
    square[:, 10:30, 10:30] = 1
    square[:, 10:30, 20:30] = 2
    geometry = Geometry(square.shape, (1.0, 1.0, 1.0))
    layout = screen_layout(geometry)
    projection = Projection(Camera((20.0, 20.0), zoom), (400, 300), (400, 300), Frame(0, 0, 40, 40))
    labels = np.zeros((300, 400), np.uint8)
    inside = geometry.mm_to_index(pane_plane(layout, 1, projection, 1.0).index_to_mm(np.argwhere(np.ones((1, 300, 400)))))
    nearest = np.floor(inside + 0.5).astype(int)
    fits = ((nearest >= 0) & (nearest < square.shape)).all(1)
    labels.reshape(-1)[fits] = square[tuple(nearest[fits].T)]
    middle = borders(labels, 2)[150]
    edges = np.flatnonzero(np.diff(labels[150].astype(int)))
    assert middle.sum() == sum(2 if 0 in labels[150][[edge, edge + 1]] else 4 for edge in edges)


def test_label_maps_keep_the_numbers_of_their_file_and_others_are_refused() -> None:
    values = np.zeros((3, 5, 5), np.float32)
    values[1, 2], values[2, 3] = 7, 300
    found = label_map_of(volume(values, Domain.UNKNOWN), "Mask 1")
    assert found.values == (7, 300) and found.labels.dtype == np.uint8
    assert (np.array([0, 7, 300])[found.labels] == values).all()
    assert found.region(2) == "Mask 1, 300"
    for wrong, words in ((values + 0.5, "whole"), (np.zeros_like(values), "empty")):
        with pytest.raises(NoMask, match=words):
            label_map_of(volume(wrong, Domain.UNKNOWN), "")
    many = np.arange(400, dtype=np.int16).reshape(4, 10, 10)
    with pytest.raises(NoMask, match="more than 255"):
        label_map_of(volume(many), "")


def test_only_what_may_be_a_mask_is_asked_about() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (9, 30, 30)).astype(np.int16)
    assert looks_like_mask(volume(labels, Domain.UNKNOWN))
    assert not looks_like_mask(volume(rng.normal(0, 300, (9, 30, 30)).astype(np.int16)))
    assert not looks_like_mask(volume(labels.astype(np.float32) + 0.5, Domain.UNKNOWN))
    assert not looks_like_mask(volume(np.zeros((3, 9, 9), np.int16)))
    assert not looks_like_mask(volume(labels - 1000))


def test_the_body_is_a_mask_of_one_region() -> None:
    grid = Geometry((20, 40, 40), (4.0, 4.0, 4.0))
    values = np.full(grid.shape, -1000, np.int16)
    values[4:16, 8:32, 10:30] = 40
    body = finish(find_body(volume(values, geometry=grid), None, never)).map
    assert body.values == (1,) and body.region(1) == "Body of the source"
    assert (body.labels[6:14, 11:29, 13:27] == 1).all() and not body.labels[:, :4].any()
    with pytest.raises(CtmriError, match="No body"):
        finish(find_body(volume(np.full(grid.shape, -1000, np.int16), geometry=grid), None, never))


def test_masks_come_back_with_their_volume_and_another_reading_keeps_them(tmp_path) -> None:
    from dataclasses import replace

    first = replace(volume(np.zeros((18, 22, 26), np.int16), geometry=SKEW), path=tmp_path / "scan.nii")
    other = volume(np.zeros((18, 22, 26), np.int16))
    model, mask = MaskModel(), labels_on(SKEW)
    model.follow(first)
    model.add(mask)
    model.follow(other)
    assert model.masks == ()
    model.follow(first)
    assert [one.map for one in model.masks] == [mask]
    again = replace(first, domain=Domain.MR)
    model.follow(again)
    assert [one.map for one in model.masks] == [mask]
    late = labels_on(SKEW)
    model.add(late, other)  # read for another volume than the one that is shown by now
    assert [one.map for one in model.masks] == [mask]
    model.follow(other)
    assert [one.map for one in model.masks] == [late]
    assert Mask(mask, (6, 7, 8)).colour(3) == COLOURS[0]  # colours go round
