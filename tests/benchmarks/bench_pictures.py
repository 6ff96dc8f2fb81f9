"""Opening stacks of pictures against decoding them with Pillow or tifffile alone, and a zip against its folder.

Run: python tests/benchmarks/bench_pictures.py [slices]
"""

import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from ctmri_core.io.opening import open_volume


def seconds(work, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    noise = np.random.default_rng(0).normal(1000, 60, (512, 512)).clip(0, 4000).astype(np.uint16)
    stack = np.stack([np.roll(noise, k, 0) for k in range(count)])
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for suffix, values in (("png", stack), ("jpg", (stack // 16).astype(np.uint8))):
            (root / suffix).mkdir()
            for k, plane in enumerate(values):
                Image.fromarray(plane).save(root / suffix / f"{k}.{suffix}")
        for label, options in (("plain", {}), ("deflate", {"compression": "zlib", "predictor": True})):
            tifffile.imwrite(root / f"{label}.tif", stack, photometric="minisblack", **options)
        with zipfile.ZipFile(root / "png.zip", "w") as archive:
            for file in (root / "png").iterdir():
                archive.write(file, file.name)
        open_volume(root / "plain.tif")
        for suffix in ("png", "jpg"):
            alone = seconds(lambda suffix=suffix: [np.asarray(Image.open(file)) for file in (root / suffix).iterdir()])
            ours = seconds(lambda suffix=suffix: open_volume(root / suffix))
            print(f"{count} {suffix}: {ours:.2f} s, {ours / alone:.1f} times Pillow alone")
        for label in ("plain", "deflate"):
            alone = seconds(lambda label=label: tifffile.imread(root / f"{label}.tif"))
            ours = seconds(lambda label=label: open_volume(root / f"{label}.tif"))
            print(f"{count} pages of {label} TIFF: {ours:.2f} s, {ours / alone:.1f} times tifffile alone")
        folder = seconds(lambda: open_volume(root / "png"), 1)
        print(f"zip of {count} png: {seconds(lambda: open_volume(root / 'png.zip'), 1) / folder:.1f} times the folder")


if __name__ == "__main__":
    main()
