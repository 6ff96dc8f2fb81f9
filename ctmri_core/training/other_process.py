"""Training in a process of its own: the same events, the same orders, and nothing that happens there ends this program."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ctmri_core.errors import WriteFailed
from ctmri_core.events import Finished, StopSignal, Work, now
from ctmri_core.files import write_text
from ctmri_core.training.child_process import ChildProcess
from ctmri_core.training.orders import Orders
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan

PATIENCE_S = 10.0
_KEPT = "What it had learned until its last checkpoint is kept"
_KILLED = (
    "The training process was killed, most likely by the system because memory ran out. {kept}: close other programs, then resume"
    " the run. If it happens again, start one with a smaller crop or batch size, or a narrower generator."
)


def train_in_process(
    plan: RunPlan, folder: Path, *, resume: bool, orders: Orders, stop: StopSignal, patience: float = PATIENCE_S
) -> Work[Finished]:
    """Starts, or resumes, the run of `plan` in `folder` as `ctmri train` does; how it ended. Its last event is `Finished`.

    Asked to stop, it has `patience` seconds, in which it writes a checkpoint, then as many again after SIGTERM; then it is
    killed. Closing the generator kills it at once. Raises `TrainingFailed` or `WriteFailed` when it cannot be started.
    """
    stop = orders.or_stop(stop)
    end: Finished | None = None
    with _settings_file(plan, resume) as settings, ChildProcess(_words(plan, folder, resume, settings)) as child:
        orders.pass_on(child.give)
        asked = 0.0
        while (event := child.next_event()) is not None or child.running:
            if isinstance(event, Finished):
                end = event
            elif event is not None:
                yield event
            if stop():
                asked = asked or time.monotonic()
                child.end(time.monotonic() - asked, patience)
        end = _with_log(end, child) if end is not None else _of_the_dead(child, RunFolder(folder))
    yield end
    return end


def _words(plan: RunPlan, folder: Path, resume: bool, settings: Path | None) -> list[str]:
    words = [sys.executable, "-m", "ctmri_core.cli", "train", plan.card.name, "--run", str(folder), "--json", "--orders"]
    return [*words, "--resume"] if resume else [*words, "--config", str(settings)]


@contextmanager
def _settings_file(plan: RunPlan, resume: bool) -> Iterator[Path | None]:
    """Settings name the folder of the data: they are told through a private file, not where every process can be seen."""
    if resume:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="ctmri-") as private:
        path = Path(private) / "settings.json"
        write_text(path, json.dumps(plan.stored()))
        yield path


def _with_log(end: Finished, child: ChildProcess) -> Finished:
    """What a process said of its end; with its last lines where that was not a good one."""
    return end if end.reason in ("completed", "stopped") else end.model_copy(update={"log": "\n".join(child.log)})


def _of_the_dead(child: ChildProcess, folder: RunFolder) -> Finished:
    """How a process ended that did not say it itself. The run's folder keeps it, where there is one."""
    if child.killed:
        end = Finished(reason="failed", message=_KILLED.format(kept=_KEPT))
    elif child.ended_by_us:
        end = Finished(reason="stopped", message=f"Training did not answer and was ended. {_KEPT}.")
    else:
        end = Finished(reason="crashed", message=f"The training process ended unexpectedly ({child.how_it_ended()}). {_KEPT}.")
    end = end.model_copy(update={"log": "\n".join(child.log), "paths": {"run": str(folder.path)}, "at": now()})
    if folder.config.exists():
        with suppress(WriteFailed):
            folder.log(end)
        return end
    return end.model_copy(update={"message": end.message.replace(_KEPT, "It had not begun to learn")})
