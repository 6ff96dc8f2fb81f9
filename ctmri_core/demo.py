"""The demo case: a digital head made on the spot, translated by the model that ships, and compared with its own truth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ctmri_core import NOT_FOR_DIAGNOSIS
from ctmri_core.case import Case
from ctmri_core.comparison import Comparison, Scores
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import WriteFailed
from ctmri_core.events import Finished, Progress, StopSignal, Work
from ctmri_core.files import atomic_file, check_writable, write_text
from ctmri_core.model_card import choose_model
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.mr_range import body_range
from ctmri_core.preprocess.resample import sample_plane
from ctmri_core.resources_folder import model_folders
from ctmri_core.volume import Volume

SEED = 2026  # a head that no shipped model was trained on: the training script uses seeds below 1000
DIRECTION = Direction(Domain.CT, Domain.MR_T1)
_ABOUT = "about_this_demo.txt"
_OUTPUT = re.compile(
    rf"{re.escape(_ABOUT)}|scores\.csv|three_panes_slice_\d+\.png|(ct|mr_t1|synthetic_mr_t1)\.nii\.gz(\.provenance\.json)?"
)
_ABOUT_TEXT = f"""Written by the demo of CT-MRI Studio: a digital head, nobody's scan, and its synthetic twin.
{NOT_FOR_DIAGNOSIS}. The next run of the demo writes over the files in this folder.
"""


@dataclass(frozen=True, eq=False)
class DemoCase:
    """Source, its synthetic twin and the truth."""

    source: Volume
    synthetic: Volume
    truth: Volume


def make_demo_case(stop: StopSignal, *, device: str = "auto", voxel_mm: float = 1.0) -> Work[DemoCase | None]:
    """Makes the head (`voxel_mm`: as in `make_head`) and translates its CT. Returns None when stopped.

    Raises `ModelRefused` when no model fits.
    """
    from ctmri_core.inference.translate import translate

    model = choose_model(DIRECTION, model_folders(), phantom=True)
    yield Progress(done=0, total=2, unit="steps", message="making a digital head")
    head: Case = make_head(SEED, voxel_mm=voxel_mm)
    source, truth = head[DIRECTION.source], head[DIRECTION.target]
    if stop():
        return None
    yield Progress(done=1, total=2, unit="steps", message="translating its CT")
    synthetic = yield from translate(source, model, device=device, stop=stop)
    return None if synthetic is None else DemoCase(source, synthetic, truth)


def run_headless(
    folder: Path, stop: StopSignal, *, device: str = "auto", voxel_mm: float = 1.0
) -> Work[DemoCase | None]:
    """The demo without a window: volumes as NIfTI, pictures of the three panes with their scores, and `scores.csv`.

    Raises `WriteFailed` for a folder that holds anything but the output of an earlier run.
    """
    from ctmri_core.io.saving import save

    _check_folder(folder)
    case = yield from make_demo_case(stop, device=device, voxel_mm=voxel_mm)
    if case is None:
        return None
    write_text(folder / _ABOUT, _ABOUT_TEXT)
    paths: dict[str, str] = {}
    for name, volume in (("ct", case.source), ("synthetic_mr_t1", case.synthetic), ("mr_t1", case.truth)):
        written = yield from save(volume, folder / f"{name}.nii.gz", stop=stop)
        if written is None:
            yield Finished(reason="stopped", message="Stopped before all files were written.", paths=paths)
            return None
        paths[name] = str(written)
    paths |= _write_pictures(case, folder)
    yield Finished(reason="completed", paths=paths)
    return case


def _check_folder(folder: Path) -> None:
    """The note that the demo writes first says that what is there is its own; other names beside it are not."""
    names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    if names and (_ABOUT not in names or not all(map(_OUTPUT.fullmatch, names))):
        raise WriteFailed(f"{folder.absolute().name} holds files that are not of the demo. Name a new or an empty folder for it.")
    check_writable(folder / _ABOUT)


def _write_pictures(case: DemoCase, folder: Path) -> dict[str, str]:
    comparison = Comparison(case.source, case.synthetic, case.truth)
    count = case.source.geometry.shape[0]
    rows = ["slice,ssim,psnr_db,mae,unit"]
    paths = {}
    for k in range(count):
        scores = comparison.scores(k)
        if scores is not None:
            rows.append(f"{k},{scores.ssim:.4f},{scores.psnr:.2f},{scores.mae:.2f},{scores.unit}")
    for percent in (30, 45, 60, 75):
        k = count * percent // 100
        target = folder / f"three_panes_slice_{k:03d}.png"
        with atomic_file(target) as temporary:
            three_panes(case, k, comparison.scores(k)).save(temporary)
        paths[f"picture, slice {k}"] = str(target)
    write_text(folder / "scores.csv", "\n".join(rows) + "\n")
    return paths | {"scores": str(folder / "scores.csv")}


_PLAIN = str.maketrans({"×": "x", "–": "-"})  # Pillow's own font lacks these


def three_panes(case: DemoCase, k: int, scores: Scores | None, pane: int = 420) -> Image.Image:
    """Source, synthetic and truth at slice `k` of the source, as the window shows them, with the scores below."""
    geometry = case.source.geometry
    plane = geometry.cropped((k, 0, 0), (1, *geometry.shape[1:]))
    picture = Image.new("RGB", (3 * pane, pane + 86), (16, 18, 22))
    draw = ImageDraw.Draw(picture)
    large, small = ImageFont.load_default(17), ImageFont.load_default(14)
    for column, volume in enumerate((case.source, case.synthetic, case.truth)):
        window = (0.0, 80.0) if volume.domain is Domain.CT else body_range(volume)
        grey = Image.fromarray(_grey(sample_plane(volume, plane), window))
        picture.paste(grey.resize((pane, pane), Image.Resampling.BILINEAR), (column * pane, 30))
        title = ("Source: ", "", "Ground truth: ")[column] + volume.label
        draw.text((column * pane + 10, 6), title, font=large, fill=(225, 228, 232))
        for letter, across in (("R", 8), ("L", pane - 18)):  # the phantom's CT is stored as radiologists look at it
            draw.text((column * pane + across, 30 + pane // 2), letter, font=large, fill=(225, 228, 232))
        if volume.synthetic is not None:
            draw.text((column * pane + 10, 36), NOT_FOR_DIAGNOSIS, font=small, fill=(255, 190, 70))
    line = "no scores for this slice" if scores is None else _score_line(k, scores)
    draw.text((10, pane + 36), line, font=large, fill=(225, 228, 232))
    convention = "" if scores is None else scores.convention.translate(_PLAIN)
    draw.text((10, pane + 60), convention, font=small, fill=(150, 156, 166))
    return picture


def _score_line(k: int, scores: Scores) -> str:
    return f"slice {k}:  SSIM {scores.ssim:.3f}   PSNR {scores.psnr:.1f} dB   MAE {scores.mae:.1f} {scores.unit}"


def _grey(values: NDArray[np.float32], window: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = window
    share = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    return np.asarray(share * 255, np.uint8)


