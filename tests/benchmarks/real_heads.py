"""Every translation method on the same real heads for the same processor time, and how good each then is.

    python tests/benchmarks/real_heads.py WORK [--data DIR] [--minutes 10] [--only cyclegan,pix2pix] [--directions mr_t1_to_ct]
        [--train-only | --score-only]

DATA: the folder `synthrad_brain_slices` (default: below CTMRI_SHARED or ../shared). Everything is kept in WORK, outside of
the repository: prepared slices, runs, scores. The same command goes on where it was stopped, within a run too.

Into CT all 120 subjects teach and 30 validate (`real_heads/split.json`); into T1 those without contrast agent alone
(`split_unenhanced.json`): the mean of two contrasts is none. Slices of all planes are prepared at 2 mm. A method's settings
are in `real_heads/METHOD.toml`; what is the same for all stands in `SAME`. A run ends after `--minutes` of two processor
cores, counted in processor time and start and validation included, so that other programs take nothing from it. Rates stay
constant, since nobody knows beforehand how many steps that makes; the mean of the weights is judged in place of a falling
rate.

Scores are those of `ctmri evaluate` on the pictures themselves, of 1 mm, inside the masks that come with them, and those of
`real_heads_scores.py`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
from real_heads_scores import whole_pictures
from real_heads_subjects import KEPT, default_data
from real_heads_table import Row, written

from ctmri_core.domain import Direction
from ctmri_core.evaluation.results import read_evaluation
from ctmri_core.events import Validated, from_json
from ctmri_core.model_card import read_card

SPLITS = {"mr_t1_to_ct": "split", "ct_to_mr_t1": "split_unenhanced"}
PREPARED = ("--mr-scaling", "interior", "--three-planes", "--spacing-mm", "2", "--no-check")
SAME = (
    "--crop", "128", "--schedule", "constant", "--ema", "0.99", "--turn", "10", "--zoom", "0.1", "--validation-slices", "30",
    "--iterations", "1000000", "--no-tensorboard",
)  # fmt: skip
METRICS = {"mr_t1_to_ct": "mae,psnr_hu,ssim,mae_bone,mae_soft_tissue", "ct_to_mr_t1": "mae,psnr,ssim,ncc"}
PROGRAM = (sys.executable, "-m", "ctmri_core.cli")


def main() -> None:
    options = _options()
    methods = options.only.split(",") if options.only else sorted(path.stem for path in KEPT.glob("*.toml"))
    for name in options.directions.split(","):
        data = _prepared(options.work, options.data, name)
        for method in methods if not options.score_only else ():
            _train(options.work / "runs" / name / method, method, name, data, options.minutes * 2 * 60)
        if not options.train_only:
            table = written(_rows(options.work, options.data, name, methods), Direction.parse(name), options.minutes)
            (options.work / f"{name}.md").write_text(table)
            print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--data", type=Path, default=default_data())
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--directions", default=",".join(SPLITS))
    parser.add_argument("--train-only", action="store_true")
    parser.add_argument("--score-only", action="store_true")
    return parser.parse_args()


def _prepared(work: Path, data: Path, name: str) -> Path:
    """The prepared slices of a direction."""
    folder = work / f"prepared_{name}"
    steps = ("--spread-ct-steps",) if name.startswith("ct_") else ()
    split = ("--split", str(KEPT / f"{SPLITS[name]}.json"))
    subprocess.run([*PROGRAM, "prepare", str(data), "--out", str(folder), *split, *PREPARED, *steps], check=True)
    return folder


def _train(run: Path, method: str, name: str, data: Path, seconds: float) -> None:
    """Until the run has had so many seconds of processor time in all."""
    notes = run.parent / f"{method}.json"
    spent = json.loads(notes.read_text()) if notes.exists() else {"seconds": 0.0, "memory": 0}
    if spent["seconds"] >= seconds:
        return
    begun = (run / "checkpoints").exists()
    how = ("--resume",) if begun else ("--config", str(KEPT / f"{method}.toml"), "--data", str(data), "--direction", name, *SAME)
    command = [*PROGRAM, "train", method, "--run", str(run), *how, "--orders", "--json"]
    run.parent.mkdir(parents=True, exist_ok=True)
    with (run.parent / f"{method}.log").open("a") as log:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, text=True)
        asked = False
        used, memory = 0.0, spent["memory"]
        while child.poll() is None:
            try:
                used, memory = _used(psutil.Process(child.pid), memory)
            except psutil.Error:  # it has just ended
                break
            if not asked and spent["seconds"] + used >= seconds:
                assert child.stdin is not None
                child.stdin.write("stop\n")
                child.stdin.flush()
                asked = True
            time.sleep(0.5)
        child.wait()
    notes.write_text(json.dumps({"seconds": spent["seconds"] + used, "memory": memory}))
    if not asked:
        raise SystemExit(f"{method} {name} ended by itself after {used:.0f} s; see {run.parent / method}.log")
    print(f"{name} {method}: {spent['seconds'] + used:.0f} s of processor time", flush=True)


def _used(process: psutil.Process, memory: int) -> tuple[float, int]:
    """(seconds of processor time, most bytes so far) of a process."""
    times = process.cpu_times()
    return times.user + times.system, max(memory, process.memory_info().rss)


def _rows(work: Path, data: Path, name: str, methods: list[str]) -> list[Row]:
    """Of all methods that have a model."""
    direction, split = Direction.parse(name), KEPT / f"{SPLITS[name]}.json"
    models = {method: path for method in methods if (path := _model(work / "runs" / name / method, f"{method}-{name}"))}
    if not models:
        raise SystemExit(f"There is no model of {name} yet. Train first.")
    known = [key for key in json.loads(split.read_text())["validation"] if (data / key).is_dir()]
    scores = work / "scores" / name
    asked = [part for path in models.values() for part in ("--model", str(path))]
    subprocess.run(
        [*PROGRAM, "evaluate", *asked, "--data", str(data), "--split", "validation", "--split-lists", str(split),
         "--output", str(scores), "--metrics", METRICS[name], "--names"],
        check=True,
    )  # fmt: skip
    evaluation, rows = read_evaluation(scores), []
    for number, (method, path) in enumerate(models.items(), 1):
        notes = json.loads((work / "runs" / name / f"{method}.json").read_text())
        whole = whole_pictures(path, data, known, direction)
        curve = _curve(work / "runs" / name / method / "events.jsonl")
        rows.append(Row(method, read_card(path), evaluation, number, whole, curve, notes["memory"], path.stat().st_size))
    return rows


def _model(run: Path, name: str) -> Path | None:
    """The best in validation; the last where there was none yet."""
    return next((path for end in ("", "-last") if (path := run / "models" / f"{name}{end}.safetensors").exists()), None)


def _curve(events: Path) -> list[tuple[int, float]]:
    """(step, error inside the body) at every validation, of the direction that was asked for."""
    found = []
    for line in events.read_text().splitlines():
        event = from_json(line)
        if isinstance(event, Validated):
            found.append((event.iteration, next(value for key, value in event.metrics.items() if "mae" in key)))
    return found


if __name__ == "__main__":
    main()
