"""What a study found: numbers and reasons why there is none, frozen, JSON both ways; reports and pages are made of it alone.

It holds the truth: it is written when a study is closed, for whoever coordinates it. Names of files are in `flagged` only.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ctmri_core.errors import FileRefused
from ctmri_core.files import write_bytes
from ctmri_core.studies.analysis.found import Agreed, Diagnosis, Ranking, Scale, Subgroup, Telling, Value
from ctmri_core.studies.protocol import Protocol
from ctmri_core.studies.trials import Millimetres
from ctmri_core.studies.truth import Arm, Exclusion, Harmonised, Order

RESULTS = "results.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Times(_Frozen):
    """Seconds, less what another window had the keys. `of`: kind of picture, empty for all; `quantiles`: 5, 25, 50, 75, 95 %."""

    reader: str
    of: str
    trials: int
    quantiles: tuple[float, ...]


class OrderPart(_Frozen):
    """Trials `first` to `last` of every reader, numbers of the test block."""

    first: int
    last: int
    trials: int
    right: float | None
    median_s: float


class Course(_Frozen):
    """Learning and fatigue. `slope`: of the log odds of a right answer with each trial; `odds_of_ten`: ratio over ten trials.

    `real_against_synthetic`: by reader, that times for both kinds are alike; `over_readers`: signed ranks of their medians.
    """

    times: tuple[Times, ...]
    parts: tuple[OrderPart, ...]
    slope: Value
    odds_of_ten: Value
    real_against_synthetic: dict[str, Value]
    over_readers: Value


class CaseScores(_Frozen):
    """One picture (of two alternatives the pair, under the synthetic one). `right` of `readers`; `called`: how many said
    synthetic (or present); `beside`: the real one of a pair."""

    token: str
    arm: str
    case: str
    region: str = ""
    centre: str = ""
    k: int | None = None
    signal: bool
    readers: int
    right: int
    called: int
    mean_score: float
    median_s: float
    beside: str = ""


class Reason(_Frozen):
    """How often a reader ticked it: on what, and whether the answer was right then."""

    tag: str
    on_real: int
    on_synthetic: int
    when_right: int
    when_wrong: int


class Asked(_Frozen):
    """Answers to a custom question about pictures of one arm (all arms where a trial shows several)."""

    key: str
    text: str
    kind: str
    arm: str
    answers: int
    counts: dict[str, int] = {}
    mean: float | None = None
    sd: float | None = None
    median: float | None = None


class Flagged(_Frozen):
    """Where a reader saw something in a synthetic picture, to be opened in the viewer.

    `source`: the file; `k` the slice of it that was shown, None of a volume; `slice_shown`: of the picture as shown, where a mark
    is; `mm`: from its first voxel, (k, j, i), None where reasons alone were given; `lps`: the same place in the patient's space,
    mm (x, y, z), where it is known; `recognised`: the reader was right.
    """

    reader: str
    token: str
    arm: str
    case: str
    source: str
    k: int | None
    slice_shown: int | None = None
    mm: Millimetres | None = None
    lps: Millimetres | None = None
    label: str = ""
    reasons: tuple[str, ...] = ()
    confidence: int | None = None
    recognised: bool


class ReaderRow(_Frozen):
    """`late`: added after the opening; `patches`: all sittings saw both patches of the test pattern; `kappa`: with himself."""

    reader: str
    years: float | None
    specialty: str
    sittings: int
    practice: int
    trials: int
    answered: int
    repeats: int
    finished: bool
    late: bool
    patches: bool | None
    median_s: float | None
    focus_lost_s: float
    slices_seen: float | None
    kappa: Value
    order_sha256: str
    numpy: str


class Flow(_Frozen):
    """Cases from offered to shown. `shown`: pictures by block and arm; `patients`: by block."""

    offered: int
    exclusions: tuple[Exclusion, ...]
    excluded: dict[str, int]
    shown: dict[str, dict[str, int]]
    patients: dict[str, int]
    answers: int
    expected: int


class StudyCard(_Frozen):
    """What makes the study: its hashes, versions and chance."""

    protocol: Protocol
    protocol_sha256: str
    commitment: str
    opened: str
    opened_with: str
    seed: str
    proportion: float
    repeats: float
    order: Order
    relaxed: tuple[str, ...]
    arms: tuple[Arm, ...]
    harmonised: tuple[Harmonised, ...]
    said: dict[str, Any]


class StudyResults(_Frozen):
    """`anchors`: of the record when it was analysed; `faults`: what was changed in it by other hands. `closed`: no answer can
    come any more; where not, it is an interim analysis. `verdict`: the sentence of the report; `programs`: versions."""

    version: Literal[1] = 1
    made: datetime
    programs: dict[str, str]
    card: StudyCard
    anchors: tuple[str, ...]
    faults: tuple[str, ...]
    closed: bool
    flow: Flow
    readers: tuple[ReaderRow, ...]
    pooled_readers: tuple[str, ...]
    verdict: str
    telling: Telling | None = None
    diagnosis: Diagnosis | None = None
    scales: tuple[Scale, ...] = ()
    ranking: Ranking | None = None
    agreement: tuple[Agreed, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()
    course: Course | None = None
    cases: tuple[CaseScores, ...] = ()
    reasons: tuple[Reason, ...] = ()
    asked: tuple[Asked, ...] = ()
    flagged: tuple[Flagged, ...] = ()


def write_results(results: StudyResults, target: str | Path) -> Path:
    """For its owner alone: it says what every picture is. Raises `WriteFailed`."""
    path = Path(target)
    write_bytes(path, results.model_dump_json(indent=1).encode(), private=True)
    return path


def read_results(path: str | Path) -> StudyResults:
    """What `write_results` wrote. Raises `FileRefused`."""
    try:
        return StudyResults.model_validate_json(Path(path).read_bytes())
    except (OSError, ValidationError) as error:
        raise FileRefused(Path(path), "holds no results of a reader study.", "Analyse the study again.") from error
