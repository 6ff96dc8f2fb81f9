"""Opens thousands of mutated model files, checkpoints and ONNX models; only refusals in one line may come out (promise R9).

    python tests/soak/fuzz_models.py [--cases 10000] [--seed 2026] [--only NUMBER --keep FOLDER]

Prints a line per defect with its kind and number, from which `--only` makes the file again, and counts at the end. Ends with 1
when there was a defect.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from ctmri_core.errors import ModelRefused
from ctmri_core.exchange.checkpoint_file import contents
from ctmri_core.exchange.found_model import look
from ctmri_core.model_card import CARD_KEY
from ctmri_core.model_file import load_model
from tests.hostile.model_mutants import MUTANTS, sound_model

_OURS = "model file"


def outcome_of(kind: str, path: Path) -> tuple[str, str]:
    """(outcome, what is wrong with it)."""
    outcome = "refused"
    try:
        if kind == _OURS:
            known = json.loads(sound_model()[0]["__metadata__"][CARD_KEY])["weights_sha256"]
            return "opened", "" if load_model(path).card.weights_sha256 == known else "other weights were opened"
        if path.suffix == ".pth":
            contents(path)
            outcome = "read"  # that its weights are of no known layout is said below
        look(path)
    except ModelRefused as refusal:
        said = str(refusal)
        return outcome, "" if said.startswith(f"{path.name}: ") and said.isprintable() else f"says: {said[:200]!r}"
    except Exception as error:  # noqa: BLE001  # the very thing that is looked for
        return "crashed", f"{type(error).__name__}: {error}"[:200]
    return "read", ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    defects = 0
    with tempfile.TemporaryDirectory() as made:
        folder = asked.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        for kind, make in MUTANTS.items():
            outcomes, seconds = Counter[str](), []
            for number in range(asked.cases) if asked.only is None else [asked.only]:
                path = make(folder, Random(f"{asked.seed}-{kind}-{number}"))
                begun = time.perf_counter()
                outcome, fault = outcome_of(kind, path)
                seconds.append(time.perf_counter() - begun)
                outcomes[outcome] += 1
                if fault:
                    defects += 1
                    print(f"{kind} {number}: {fault}", flush=True)
            late = np.percentile(seconds, 99)
            print(f"{kind}: {dict(outcomes)}; p99 {late:.4f} s, at most {max(seconds):.2f} s", flush=True)
    print(f"{defects} defects")
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
