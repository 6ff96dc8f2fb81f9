"""Measurements against numbers had otherwise: by hand, from numpy, from scikit-image."""

import csv
import io
import json
import math

import nibabel
import numpy as np
import pytest
from skimage.draw import polygon2mask
from skimage.measure import points_in_poly

from ctmri_core.domain import Domain
from ctmri_core.errors import WriteFailed
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.io.opening import open_volume
from ctmri_core.measuring.export import Measured, Measurement, measurements_csv, measurements_json, write_measurements
from ctmri_core.measuring.joint_histogram import joint_histogram, pairs_in_body, pairs_in_region, pairs_on_slice
from ctmri_core.measuring.polygon import polygon_area, polygon_mask
from ctmri_core.measuring.profile import line_profile
from ctmri_core.measuring.shapes import Kind, Shape
from ctmri_core.measuring.statistics import Sampling, region_statistics, region_values
from ctmri_core.volume import Finding, Synthetic, Volume

RNG = np.random.default_rng(3)
SHAPE = (9, 40, 50)


def tilted(shape=SHAPE, spacing=(3.0, 1.25, 0.7), turn=(12.0, -20.0, 33.0)) -> Geometry:
    """An anisotropic grid at an angle to all axes of the patient."""
    straight = Geometry(shape, spacing, (-20.0, -30.0, 10.0))
    return Geometry.from_affine(shape, rigid_transform(turn, (4.0, 5.0, -6.0)) @ straight.affine)


def noise(grid: Geometry, domain: Domain = Domain.CT, **facts) -> Volume:
    if domain is Domain.CT:
        return Volume(RNG.integers(-1000, 2000, grid.shape, dtype=np.int16), grid, domain, **facts)
    return Volume(RNG.normal(300, 50, grid.shape).astype(np.float32), grid, domain, **facts)


def slice_of(grid: Geometry, k: float) -> Geometry:
    return grid.cropped((k, 0, 0), (1, *grid.shape[1:]))


def on(lattice: Geometry, *places) -> list:
    return [lattice.index_to_mm((0, row, column)) for row, column in places]


def box(kind: Kind, lattice: Geometry, first, last) -> Shape:
    return Shape.box(kind, *on(lattice, first, last), lattice)


def freehand(lattice: Geometry, places) -> Shape:
    return Shape(Kind.FREEHAND, tuple(on(lattice, *places)), lattice)


def test_lengths_and_angles_are_those_in_space_whatever_the_voxels() -> None:
    grid = tilted()
    lattice = slice_of(grid, 4)
    length = Shape(Kind.LENGTH, tuple(on(lattice, (2, 3), (10, 15))), lattice)
    assert length.length_mm == pytest.approx(math.hypot(8 * 1.25, 12 * 0.7))
    angle = Shape(Kind.ANGLE, tuple(on(lattice, (2, 3), (2, 13), (12, 13))), lattice)
    assert angle.angle_degrees == pytest.approx(90)
    slanting = Shape(Kind.ANGLE, tuple(on(lattice, (2, 3), (2, 13), (12, 3))), lattice)
    assert slanting.angle_degrees == pytest.approx(math.degrees(math.atan2(12.5, 7)))
    assert length.angle_degrees is None and length.area_mm2 is None and angle.length_mm is None
    straight = Shape(Kind.ANGLE, tuple(on(lattice, (2, 3), (2, 13), (2, 23))), lattice)
    assert straight.angle_degrees == pytest.approx(180)
    assert math.isnan(Shape(Kind.ANGLE, tuple(on(lattice, (2, 3), (2, 3), (2, 3))), lattice).angle_degrees)


def test_areas_are_those_of_geometry() -> None:
    lattice = slice_of(tilted(), 4)
    assert box(Kind.RECTANGLE, lattice, (2, 3), (10, 23)).area_mm2 == pytest.approx(8 * 1.25 * 20 * 0.7)
    assert box(Kind.ELLIPSE, lattice, (10, 23), (2, 3)).area_mm2 == pytest.approx(math.pi / 4 * 8 * 1.25 * 20 * 0.7)
    turns = np.linspace(0, 2 * np.pi, 9, endpoint=False)
    octagon = [(20 + 8 * np.sin(t), 25 + 10 * np.cos(t)) for t in turns]
    corners = np.array(octagon) * (1.25, 0.7)
    shoelace = 0.5 * abs(np.sum(corners[:, 0] * np.roll(corners[:, 1], -1) - corners[:, 1] * np.roll(corners[:, 0], -1)))
    assert freehand(lattice, octagon).area_mm2 == pytest.approx(shoelace)


def test_what_an_outline_goes_around_twice_counts_once() -> None:
    square = np.array([(0.0, 0.0), (0, 10), (10, 10), (10, 0)])
    assert polygon_area(np.concatenate((square, square + 1e-9))) == pytest.approx(100, abs=1e-5)
    eight = np.array([(0.0, 0.0), (10, 10), (10, 0), (0, 10)])  # two triangles that meet in the middle
    assert polygon_area(eight) == pytest.approx(50)
    overshoot = np.array([(0.0, 0.0), (0, 10), (10, 10), (10, 0), (-5, 0), (-5, 4), (4, 4), (4, 0)])
    fine = 40
    counted = polygon_mask((overshoot + 6) * fine, (18 * fine, 18 * fine)).sum() / fine**2
    assert polygon_area(overshoot) == pytest.approx(counted, rel=5e-3)


@pytest.mark.parametrize("seed", range(8))
def test_membership_is_that_of_scikit_image(seed) -> None:
    random = np.random.default_rng(seed)
    turns = np.sort(random.uniform(0, 2 * np.pi, 40))
    reach = random.uniform(4, 18, 40)
    outline = np.stack((20.3 + reach * np.sin(turns), 24.7 + reach * np.cos(turns)), -1)
    mine = polygon_mask(outline, (40, 50))
    assert np.array_equal(mine, polygon2mask((40, 50), outline))
    points = np.stack(np.meshgrid(np.arange(40), np.arange(50), indexing="ij"), -1).reshape(-1, 2)
    assert np.array_equal(mine.ravel(), points_in_poly(points, outline))


def test_statistics_are_those_of_the_files_voxels() -> None:
    grid = tilted()
    volume, lattice = noise(grid), slice_of(grid, 4)
    found = region_statistics(box(Kind.RECTANGLE, lattice, (2.5, 3.5), (10.5, 23.5)), volume)
    own = volume.voxels[4, 3:11, 4:24].astype(float)
    assert found.sampling is Sampling.VOXELS and (found.count, found.missing) == (own.size, 0)
    assert found.mean == pytest.approx(own.mean()) and found.sd == pytest.approx(np.std(own, ddof=1))
    assert (found.minimum, found.maximum) == (own.min(), own.max())


@pytest.mark.shared_data
def test_hounsfield_units_under_a_region_are_those_of_the_file(shared_data) -> None:
    path = shared_data / "porcine_ct_t2" / "ct.nii.gz"
    volume = open_volume(path)
    image = nibabel.load(path)
    truth, to_ras = np.asarray(image.dataobj), image.affine
    lattice = slice_of(volume.geometry, 100)
    shape = box(Kind.ELLIPSE, lattice, (110, 90), (150, 130))
    i, j = np.mgrid[: truth.shape[0], : truth.shape[1]]
    k = volume.geometry.shape[0] - 101 if to_ras[2, 2] * volume.geometry.affine[2, 0] < 0 else 100
    lps = (np.stack((i, j, np.full_like(i, k), np.ones_like(i)), -1) @ to_ras.T)[..., :3] * (-1, -1, 1)
    (x, y), (far_x, far_y) = shape.array[0, :2], shape.array[2, :2]
    away = [(lps[..., n] - (a + b) / 2) / ((b - a) / 2) for n, (a, b) in enumerate(((x, far_x), (y, far_y)))]
    inside = away[0] ** 2 + away[1] ** 2 <= 1 + 1e-9
    found = region_statistics(shape, volume)
    own = truth[..., k][inside].astype(float)
    assert found.sampling is Sampling.VOXELS and found.count == own.size
    assert (found.mean, found.minimum, found.maximum) == (pytest.approx(own.mean()), own.min(), own.max())
    assert found.sd == pytest.approx(own.std(ddof=1))


def test_an_ellipse_holds_the_voxels_whose_centres_lie_in_it() -> None:
    grid = tilted()
    volume, lattice = noise(grid), slice_of(grid, 2)
    found = region_values(box(Kind.ELLIPSE, lattice, (5, 8), (25, 38)), volume)
    rows, columns = np.mgrid[:40, :50]
    inside = ((rows - 15) / 10) ** 2 + ((columns - 23) / 15) ** 2 <= 1
    assert np.array_equal(np.sort(found.values), np.sort(volume.voxels[2][inside].astype(float)))
    ellipse = box(Kind.ELLIPSE, lattice, (5, 8), (25, 38))
    assert found.values.size * 1.25 * 0.7 == pytest.approx(ellipse.area_mm2, rel=0.02)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_reformatted_planes_show_the_volumes_own_voxels_too(axis) -> None:
    grid = tilted()
    volume = noise(grid)
    order = (axis, *(n for n in range(3) if n != axis))
    turned = grid.permuted(order, (False, True, False))
    lattice = turned.cropped((5, 0, 0), (1, *turned.shape[1:]))
    found = region_values(box(Kind.RECTANGLE, lattice, (1.5, 2.5), (6.5, 7.5)), volume)
    own = volume.voxels.transpose(order)[5][::-1][2:7, 3:8]
    assert found.sampling is Sampling.VOXELS
    assert np.array_equal(np.sort(found.values), np.sort(own.ravel().astype(float)))


def test_another_grid_is_sampled_on_the_lattice_of_the_drawing() -> None:
    drawn_on, other = tilted(), Geometry((40, 50, 60), (2.0, 1.7, 1.9), (-45.0, -45.0, -30.0))
    slope = np.array([2.0, -3.0, 5.0])
    mm = other.index_to_mm(np.moveaxis(np.indices(other.shape), 0, -1))
    volume = Volume((mm @ slope + 100).astype(np.float32), other, Domain.MR_T1)
    lattice = slice_of(drawn_on, 4)
    found = region_values(box(Kind.RECTANGLE, lattice, (2.5, 3.5), (10.5, 23.5)), volume)
    rows, columns = np.mgrid[3:11, 4:24]
    at = lattice.index_to_mm(np.stack((np.zeros_like(rows), rows, columns), -1)).reshape(-1, 3)
    assert found.sampling is Sampling.SAMPLES and found.missing == 0
    assert np.sort(found.values) == pytest.approx(np.sort(at @ slope + 100), abs=0.01)  # trilinear is exact on a plane


def test_between_slices_values_are_interpolated_and_said_to_be() -> None:
    grid = Geometry((9, 20, 20), (3.0, 1.0, 1.0))
    volume = Volume(np.broadcast_to(np.arange(9, dtype=np.int16)[:, None, None] * 100, grid.shape).copy(), grid, Domain.CT)
    for k, value, sampling in ((4, 400, Sampling.VOXELS), (4.5, 450, Sampling.SAMPLES), (4.005, 400, Sampling.VOXELS)):
        found = region_statistics(box(Kind.ELLIPSE, slice_of(grid, k), (3, 3), (12, 12)), volume)
        assert (found.mean, found.sampling) == (pytest.approx(value, abs=0.1), sampling)


def test_what_lies_beyond_the_volume_is_counted_as_missing() -> None:
    grid = tilted()
    volume, lattice = noise(grid), slice_of(grid, 4)
    found = region_statistics(box(Kind.RECTANGLE, lattice, (-5.5, -3.5), (4.5, 6.5)), volume)
    own = volume.voxels[4, :5, :7]
    assert (found.count, found.missing) == (35, 10 * 10 - 35)
    assert found.mean == pytest.approx(own.mean())
    far = Shape.box(Kind.RECTANGLE, *(np.asarray(on(lattice, (2, 2), (9, 9))) + 400), lattice)
    assert region_statistics(far, volume) is None


def test_values_that_are_no_number_and_regions_without_a_voxel() -> None:
    grid = tilted()
    volume, lattice = noise(grid, Domain.MR), slice_of(grid, 4)
    volume.voxels[4, 5, 5] = np.nan
    found = region_statistics(box(Kind.RECTANGLE, lattice, (3.5, 3.5), (6.5, 6.5)), volume)
    assert (found.count, found.missing) == (8, 1) and np.isfinite(found.mean)
    assert region_statistics(box(Kind.RECTANGLE, lattice, (3.2, 3.2), (3.8, 3.8)), volume) is None
    one = region_statistics(box(Kind.RECTANGLE, lattice, (2.5, 2.5), (3.5, 3.5)), volume)
    assert one.count == 1 and math.isnan(one.sd)
    assert region_statistics(Shape(Kind.LENGTH, tuple(on(lattice, (3, 3), (9, 9))), lattice), volume) is None


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        (Kind.LENGTH, [(1, 1)]),
        (Kind.ANGLE, [(1, 1), (2, 2)]),
        (Kind.FREEHAND, [(1, 1), (2, 2)]),
        (Kind.LENGTH, [(1, np.nan), (2, 2)]),
    ],
)
def test_what_is_no_shape_is_refused(kind, places) -> None:
    lattice = slice_of(tilted(), 4)
    with pytest.raises(ValueError, match=r"is none|not finite"):
        Shape(kind, tuple(on(lattice, *places)), lattice)
    with pytest.raises(ValueError, match="one slice"):
        Shape(Kind.LENGTH, tuple(on(lattice, (1, 1), (2, 2))), tilted())


def test_a_profile_runs_through_all_volumes_at_the_same_places() -> None:
    grid = tilted()
    volume, lattice = noise(grid), slice_of(grid, 4)
    line = Shape(Kind.LENGTH, tuple(on(lattice, (7, 2), (7, 42))), lattice)
    far = noise(Geometry((4, 4, 4), (1.0, 1.0, 1.0), (500.0, 0.0, 0.0)), Domain.MR)
    profile = line_profile(line, {"ct": volume, "mr": far})
    assert profile.distance_mm[-1] == pytest.approx(40 * 0.7) and len(profile.distance_mm) == 81
    assert profile.values["ct"][::2] == pytest.approx(volume.voxels[4, 7, 2:43], abs=0.05)
    halves = (volume.voxels[4, 7, 2:42].astype(float) + volume.voxels[4, 7, 3:43]) / 2
    assert profile.values["ct"][1::2] == pytest.approx(halves, abs=0.05)
    assert np.isnan(profile.values["mr"]).all()
    with pytest.raises(ValueError, match="line"):
        line_profile(box(Kind.RECTANGLE, lattice, (1, 1), (5, 5)), {"ct": volume})


def test_the_joint_histogram_is_numpys() -> None:
    grid = tilted()
    one, other = noise(grid), noise(grid, Domain.MR)
    made = joint_histogram(pairs_on_slice(one, other, slice_of(grid, 3)), bins=16)
    expected = np.histogram2d(one.voxels[3].ravel(), other.voxels[3].ravel(), bins=[made.one_edges, made.other_edges])[0]
    assert np.array_equal(made.counts, expected) and made.pairs == 40 * 50 and made.counts.sum() >= 0.99 * made.pairs
    region = box(Kind.RECTANGLE, slice_of(grid, 3), (2.5, 3.5), (10.5, 23.5))
    first, second = pairs_in_region(one, other, region)
    assert np.array_equal(first, one.voxels[3, 3:11, 4:24].ravel())
    assert np.array_equal(second, other.voxels[3, 3:11, 4:24].ravel())
    far = noise(Geometry((4, 4, 4), (1.0, 1.0, 1.0), (500.0, 0.0, 0.0)), Domain.MR)
    assert joint_histogram(pairs_on_slice(one, far, slice_of(grid, 3))) is None
    flat = np.zeros(5, np.float32)
    assert joint_histogram((flat, flat)).counts.sum() == 5


def test_the_joint_histogram_of_the_body_leaves_the_air_out() -> None:
    grid = Geometry((24, 48, 48), (4.0, 4.0, 4.0), (-94.0, -94.0, -46.0))
    mm = grid.index_to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))
    head = np.linalg.norm(mm, axis=-1) < 80
    ct = Volume(np.where(head, 40, -1000).astype(np.int16), grid, Domain.CT)
    mr = Volume(np.where(head, 300, 0).astype(np.float32), grid, Domain.MR_T1)
    one, other = pairs_in_body(ct, mr)
    assert (one == 40).mean() > 0.95 and (other[one == 40] == 300).all()
    assert len(one) == pytest.approx(head.sum(), rel=0.05)


def measured(volumes: dict[str, Volume], lattice: Geometry) -> list[Measured]:
    region = Measurement('=HYPERLINK("x")', box(Kind.RECTANGLE, lattice, (2.5, 3.5), (10.5, 23.5)), "source")
    length = Measurement("Länge, „quer“", Shape(Kind.LENGTH, tuple(on(lattice, (2, 3), (10, 15))), lattice), "source")
    found = {key: region_statistics(region.shape, volume) for key, volume in volumes.items()}
    return [Measured(region, found), Measured(length, {})]


def test_files_hold_numbers_units_places_and_nothing_of_the_patient(tmp_path) -> None:
    grid = tilted()
    lattice = slice_of(grid, 4)
    far = Geometry((4, 4, 4), (1.0, 1.0, 1.0), (500.0, 0.0, 0.0))
    volumes = {
        "source": noise(grid, name="Doe^Jane.nii", frame_of_reference="1.2.3", findings=(Finding("gap", "Doe", serious=True),)),
        "synthetic": noise(grid, Domain.MR_T1, synthetic=Synthetic("m", "0" * 64)),
        "truth": noise(far, Domain.MR_T1),
    }
    table, tree = tmp_path / "m.csv", tmp_path / "m.JSON"
    made = measured(volumes, lattice)
    write_measurements(table, made, volumes)
    write_measurements(tree, made, volumes)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.JSON", "m.csv"]
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"))))
    assert [row["volume"] for row in rows] == ["source", "synthetic", "truth", ""]
    own = volumes["source"].voxels[4, 3:11, 4:24].astype(float)
    assert float(rows[0]["mean"]) == pytest.approx(own.mean()) and float(rows[0]["sd"]) == pytest.approx(own.std(ddof=1))
    assert rows[0]["unit"] == "HU" and rows[0]["sampling"] == "voxels" and rows[0]["notice"] == "measurements are doubtful: gap"
    assert rows[1]["notice"] == "synthetic, not for diagnosis" and rows[1]["image"] == "Synthetic T1 MR"
    assert rows[2]["count"] == "0" and rows[2]["mean"] == ""
    assert rows[0]["name"].startswith("'="), "no formula for a spreadsheet"
    assert rows[3]["name"] == "Länge, „quer“" and float(rows[3]["length_mm"]) == pytest.approx(math.hypot(10, 8.4), abs=1e-3)
    assert np.array(json.loads(rows[3]["points_lps_mm"])) == pytest.approx(np.array(made[1].measurement.shape.points), abs=1e-3)
    content = json.loads(tree.read_text("utf-8"))
    first = content["measurements"][0]
    assert first["area_mm2"] == pytest.approx(8 * 1.25 * 20 * 0.7) and first["values"][0]["max"] == own.max()
    assert np.array(first["normal_lps"]) == pytest.approx(grid.axes[0], abs=1e-6)
    assert "LPS" in content["conventions"]["coordinates"] and content["volumes"][1]["notice"] == "synthetic, not for diagnosis"
    for text in (table.read_text("utf-8"), tree.read_text("utf-8")):
        assert "Doe" not in text and "1.2.3" not in text and "NaN" not in text
    assert measurements_json([], {}) and measurements_csv([], {})


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path) -> None:
    with pytest.raises(ValueError, match="txt"):
        write_measurements(tmp_path / "m.txt", [], {})
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteFailed):
        write_measurements(tmp_path / "file" / "m.csv", [], {})
