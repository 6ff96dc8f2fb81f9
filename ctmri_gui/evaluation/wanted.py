"""What is asked of an evaluation in the window, and the private file from which its cases are found again later."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ctmri_core.errors import WriteFailed
from ctmri_core.files import write_bytes
from ctmri_core.resources_folder import user_runs_folder
from ctmri_gui.private_paths import tells_of_patient

ASKED = "asked.json"
"""Beside the results: where models and data lie. Reports and tables are made without it."""
_MOST_BYTES = 1 << 20
Side = Literal["train", "validation", "test", "all"]


class Wanted(BaseModel):
    """Of an evaluation: what `EvaluationOrder` takes, as far as the page offers it. `how`: of an `Order`, by its names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    output: Path
    models: tuple[Path, ...] = ()
    data: str = ""
    side: Side = "test"
    test_share: float = 0.2
    predictions: tuple[Path, ...] = ()
    truth: Path | None = None
    sources: Path | None = None
    masks: Path | None = None
    made_by: tuple[Path | None, ...] = ()
    patients: Path | None = None
    labels: Path | None = None
    predicted_labels: tuple[Path | None, ...] = ()
    body_model: Path | None = None
    direction: str = ""
    metrics: tuple[str, ...] = ()
    features: Literal["", "vgg", "inception"] = ""
    feature_weights: Path | None = None
    how: dict[str, str | int] = {}
    cycle: bool = False
    even_trained_on: bool = False
    names: bool = False

    @property
    def places(self) -> tuple[Path, ...]:
        """What pictures are made and shown of."""
        folders = (*self.models, *self.predictions, self.truth, self.sources, self.masks, Path(self.data) if self.data else None)
        return tuple(folder for folder in folders if folder is not None)

    @property
    def read(self) -> tuple[Path, ...]:
        """All that is read."""
        more = (*self.made_by, self.patients, self.labels, *self.predicted_labels, self.feature_weights, self.body_model)
        return (*self.places, *(place for place in more if place is not None))

    @property
    def of_pictures(self) -> Wanted:
        """The same without what pictures do not follow from."""
        without = {"made_by": (), "patients": None, "labels": None, "predicted_labels": (), "features": ""}
        return self.model_copy(update={**without, "feature_weights": None, "body_model": None})


def keep(wanted: Wanted) -> None:
    """Beside the results, for the user alone; not where a path tells of a patient. A disk that refuses costs only this."""
    if any(tells_of_patient(place) for place in wanted.read):
        return
    try:
        write_bytes(wanted.output / ASKED, wanted.model_dump_json(indent=1).encode(), private=True)
    except WriteFailed:
        return


def kept(folder: Path) -> Wanted | None:
    """What was asked of the evaluation in `folder`; None where nobody knows."""
    path = folder / ASKED
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        return Wanted.model_validate_json(path.read_bytes()).model_copy(update={"output": folder})
    except (OSError, ValidationError):
        return None


def usual_place() -> Path:
    """Where evaluations of the window are kept unless told otherwise."""
    return user_runs_folder() / "evaluations"


def new_folder(place: Path, now: datetime) -> Path:
    """Of an evaluation that begins: named by its day and a number alone."""
    number = 1
    while (folder := place / f"evaluation-{now:%Y-%m-%d}-{number}").exists():
        number += 1
    return folder
