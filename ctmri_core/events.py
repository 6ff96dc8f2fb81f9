"""What a running job says. Frozen, and JSON both ways, so that a terminal, a window and another process hear the same.

Long work is a generator that yields these; a yield is where it may stop. Its return value, if any, is the result.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ctmri_core.errors import Stopped

Item = TypeVar("Item")

StopSignal = Callable[[], bool]
"""Asked between small pieces of work; True means: end soon, keep what is whole.

Work that was asked to end, and had no result yet, returns None: its types are `Work[Something | None]`. Where a stop is
noticed below a generator (in a reader, between two layers of a network), `errors.Stopped` carries it up to the one who
turns it into that None.
"""


def now() -> datetime:
    """For `at`."""
    return datetime.now(UTC)


def never() -> bool:
    """The stop signal of work that nobody wants to end."""
    return False


def until(stop: StopSignal, items: Iterable[Item]) -> Iterator[Item]:
    """`items` one by one. Raises `Stopped` as soon as `stop` asks to end."""
    for item in items:
        if stop():
            raise Stopped("Stopped.")
        yield item


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")  # a diverged loss must be readable


class Started(_Event):
    """Work begins. `total` pieces of `unit` are expected where known; `details` are facts worth a line (device, precision).

    `at`: when, where that is worth knowing afterwards; so in the events below.
    """

    kind: Literal["started"] = "started"
    at: datetime | None = None
    job: str
    total: int | None = None
    unit: str = ""
    details: dict[str, Any] = {}


class Progress(_Event):
    """`done` of `total` pieces; `rate` pieces per second and `seconds_left` where they can be told."""

    kind: Literal["progress"] = "progress"
    done: int
    total: int | None = None
    unit: str = ""
    rate: float | None = None
    seconds_left: float | None = None
    message: str = ""


class Step(_Event):
    """One optimisation step: losses by name. `share` of the run that is behind, and `seconds_left`, where they can be told.

    `elapsed`: seconds of the run so far, without pauses.
    """

    kind: Literal["step"] = "step"
    iteration: int
    epoch: int
    losses: dict[str, float]
    learning_rate: float
    seconds: float
    share: float | None = None
    seconds_left: float | None = None
    elapsed: float | None = None


class Health(_Event):
    """Signs of how training goes, by name: lengths of gradients, what discriminators say, how much of a picture is saturated,
    memory in use. What a person should do something about is said in a `Noted` beside it."""

    kind: Literal["health"] = "health"
    iteration: int
    signals: dict[str, float]


class Validated(_Event):
    """Metrics on validation cases, by name; with several directions `<direction>/<metric>`. `best`: a model was kept."""

    kind: Literal["validated"] = "validated"
    iteration: int
    metrics: dict[str, float]
    best: bool = False


class Sample(_Event):
    """A preview picture was written."""

    kind: Literal["sample"] = "sample"
    iteration: int
    path: str
    caption: str = ""


class CheckpointSaved(_Event):
    """The run can be resumed from here. `seconds`: what writing took."""

    kind: Literal["checkpoint_saved"] = "checkpoint_saved"
    iteration: int
    path: str
    seconds: float | None = None
    at: datetime | None = None


class Paused(_Event):
    """A run waits from here on, or no longer."""

    kind: Literal["paused"] = "paused"
    iteration: int
    paused: bool


class Noted(_Event):
    """Something worth saying that does not end the work. `serious` notes are shown as a banner."""

    kind: Literal["noted"] = "noted"
    message: str
    serious: bool = False


class CaseTold(_Event):
    """One case of many: how it stands. `name`: the case; `status`: a word such as `done`; `reason`: why; `question`: what kind of
    answer it waits for; `seconds`: what it took; `share`: how much of it is behind, where it goes on; `place`: where it lies
    below what was given; `output`: what was written, within the folder of all, by `model`.
    """

    kind: Literal["case"] = "case"
    name: str
    status: str
    reason: str = ""
    question: str = ""
    seconds: float | None = None
    share: float | None = None
    place: str = ""
    output: str = ""
    model: str = ""


class Finished(_Event):
    """Always the last event, whatever happened. `failed` is for causes the user can act on, `crashed` for our bugs.

    `log`: the last lines that a process wrote which did not end well.
    """

    kind: Literal["finished"] = "finished"
    reason: Literal["completed", "stopped", "failed", "crashed"]
    message: str = ""
    paths: dict[str, str] = {}
    log: str = ""
    at: datetime | None = None


Event = Annotated[
    Started | Progress | Step | Health | Validated | Sample | CheckpointSaved | Paused | Noted | CaseTold | Finished,
    Field(discriminator="kind"),
]
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)

Result = TypeVar("Result")
Work = Generator[Event, None, Result]
"""A running job: yields events, returns its result."""


def to_json(event: Event) -> str:
    """One line of JSON."""
    return event.model_dump_json()


def from_json(line: str | bytes) -> Event:
    """The event that `to_json` wrote. Raises `pydantic.ValidationError` on anything else."""
    return _ADAPTER.validate_json(line)


def finish(work: Work[Result]) -> Result:
    """Runs `work` to its end without listening and returns its result."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: Result = stop.value
            return result


def relayed(work: Work[Result], hear: Callable[[Event], Event | None]) -> Work[Result]:
    """`work` with each event as `hear` passes it on; None keeps it back. The result is the same."""
    while True:
        try:
            event = hear(next(work))
        except StopIteration as end:
            result: Result = end.value
            return result
        if event is not None:
            yield event
