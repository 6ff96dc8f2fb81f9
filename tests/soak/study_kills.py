"""R16: a program that records answers is killed (SIGKILL) two hundred times; no acknowledged answer may be missing.

    python -m tests.soak.study_kills [TIMES]
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ctmri_core.studies.record import StudyRecord
from tests.core.test_study_record import STUDY, WRITER


def main(times: int) -> int:
    chance, acknowledged, lost = random.Random(16), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.sqlite"
        StudyRecord.create(path, STUDY).close()
        for _ in range(times):
            with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
                assert writer.stdout is not None
                lines = [writer.stdout.readline()]
                time.sleep(chance.uniform(0, 0.2))
                writer.send_signal(signal.SIGKILL)
                lines += writer.stdout.readlines()
            acknowledged = max([acknowledged, *(int(line) + 1 for line in lines if line.endswith("\n"))])
            with StudyRecord(path) as record:
                lost += max(0, acknowledged - len(record.answers())) + len(record.faults())
    sys.stdout.write(f"{times} kills, {acknowledged} answers acknowledged, {lost} lost or broken\n")
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
