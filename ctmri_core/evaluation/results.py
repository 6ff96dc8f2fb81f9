"""What an evaluation found: numbers alone, JSON both ways, from which tables, reports and pages are made without models or data.

Cases go by number and salted key; names are there only where the user asked for them. Models, cases and metrics refer to each
other by place: `EvaluatedModel.number` and `EvaluatedCase.number` count from 1.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctmri_core.errors import FileRefused
from ctmri_core.files import write_bytes

EVALUATION = "evaluation.json"
PICTURES = "pictures"
"""Folder of the pictures beside it."""
FEWEST_PATIENTS = 6
"""With fewer no two-sided signed-rank test comes below 0.05, whatever the scores (2 / 2**5 = 0.0625)."""

Kind = Literal["translation", "cycle"]
"""`translation`: synthetic against the real image of the same patient. `cycle`: source against source -> target -> source, which
says how much of a picture survives, not whether its translation is right. Never side by side in one table."""
ProblemKind = Literal[
    "missing", "unreadable", "geometry", "resampled", "empty_mask", "mask", "constant", "not_finite", "swapped", "not_hounsfield",
    "wrong_kind", "misaligned", "trained_on", "synthetic_truth", "not_scored", "few_patients", "prepared", "windowed", "other",
]  # fmt: skip
Share = Annotated[float, Field(ge=0, le=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")  # PSNR of equal images is infinite


class ShownMetric(_Frozen):
    """A measure as it was taken here: all that belongs beside its numbers. `key`: of scores; `title`, `unit`, `better`: for heads
    of tables; `convention`, `source`: to print; `lowest`, `highest`: possible values.

    `per_slice`: whether slices have it too, in 2-D; `of`: what a case's number is: of the volume, the mean of its slices, or of
    the best slice. `set_level`: of all slices of a model together, without scores of cases.
    """

    key: str
    kind: Kind = "translation"
    title: str
    unit: str = ""
    better: Literal["higher", "lower", "nearer to 0"] = "higher"
    lowest: float
    highest: float
    convention: str
    source: str
    of: Literal["volume", "mean of slices", "best slice", "all slices"] = "volume"
    per_slice: bool = False

    @property
    def set_level(self) -> bool:
        return self.of == "all slices"


class EvaluatedModel(_Frozen):
    """A model, or a folder of finished pictures. `name`: of its card, or `pictures 1`; `weights_sha256`: empty for pictures.

    `trained_on`: numbers of cases that it learnt from; `training_known`: whether its card says which these are, so that it can be
    told; `licences`: of the data that it learnt from; `set_scores`: by metric, those of all its slices together (FID, KID).
    """

    number: int = Field(ge=1)
    name: str
    weights_sha256: str = ""
    method: str = ""
    direction: str
    pictures: bool = False
    trained_on: tuple[int, ...] = ()
    training_known: bool = False
    licences: tuple[str, ...] = ()
    set_scores: dict[str, float] = {}


class EvaluatedCase(_Frozen):
    """`key`, `patient`: salted; `name`: only where names were asked for. `shape` (k, j, i), `spacing` mm in array order.

    `slice_axis`: the array axis that counts axial slices, and so `k` everywhere; `voxels`: in the mask.
    """

    number: int = Field(ge=1)
    key: str
    patient: str
    centre: str = ""
    name: str = ""
    shape: tuple[int, int, int] = (0, 0, 0)
    spacing: tuple[float, float, float] = (0.0, 0.0, 0.0)
    slice_axis: int = 0
    voxels: int = 0

    @property
    def label(self) -> str:
        """For people: the name where there is one, else `case 3`."""
        return self.name or f"case {self.number}"


class SliceScores(_Frozen):
    """Of the slices of one case that hold enough of the mask, column by column. `k`: indices along the case's `slice_axis` (of
    the prepared slices, for prepared data); `values`: by metric, one for each of `k`, None where it says nothing."""

    k: tuple[int, ...] = ()
    values: dict[str, tuple[float | None, ...]] = {}


class LabelScore(_Frozen):
    """One label, or `bone` of CT, of one case. `hausdorff_95` mm, None where the synthetic one lacks it; `dice` None without
    label maps of the synthetic pictures; `mae` of the voxels that are of the label in the truth, inside the mask."""

    label: str
    dice: float | None = None
    hausdorff_95: float | None = None
    mae: float | None = None


class CalibrationPoint(_Frozen):
    """Of a tenth of the voxels: root mean square of the spread that was told, and of the error that there was."""

    spread: float
    error: float


class Calibration(_Frozen):
    """How the spread of a model's answers goes with its errors, inside the mask. `points`: of tenths of the voxels, from the
    surest up, in the target's unit; a calibrated one has spread = error. `correlation`: Spearman's, of spread and absolute error;
    `inside`: share of voxels whose error is at most 1, 2 and 3 times the spread (of a calibrated Gaussian: 0.683, 0.954, 0.997).
    """

    points: tuple[CalibrationPoint, ...]
    correlation: float
    inside: tuple[Share, Share, Share]


class Agreement(_Frozen):
    """Bland-Altman: synthetic - truth over their mean, voxels inside the mask. `counts[row][column]`: voxels by difference (rows,
    from -`difference` to +`difference`) and mean (columns, from `low` to `high`), what lies beyond in the end bins.

    `bias`, `sd` of the differences as they are; limits of agreement are bias +- 1.96 sd.
    """

    low: float
    high: float
    difference: float
    counts: tuple[tuple[int, ...], ...]
    bias: float
    sd: float
    voxels: int

    @property
    def limits(self) -> tuple[float, float]:
        return self.bias - 1.96 * self.sd, self.bias + 1.96 * self.sd


class CaseScores(_Frozen):
    """Of one model on one case. `values`, `cycle`: by metric key, None where the metric says nothing on it.

    `worst_slice`: k of the slice with the largest error, for the viewer; `seconds`: of translating; `left_out`: why these scores
    are not in any summary, empty where they are (the model learnt from the case, or another model has no scores of it).
    """

    model: int = Field(ge=1)
    case: int = Field(ge=1)
    values: dict[str, float | None] = {}
    slices: SliceScores = SliceScores()
    cycle: dict[str, float | None] = {}
    cycle_slices: SliceScores = SliceScores()
    labels: tuple[LabelScore, ...] = ()
    calibration: Calibration | None = None
    agreement: Agreement | None = None
    worst_slice: int | None = None
    seconds: float | None = None
    left_out: str = ""

    @property
    def counted(self) -> bool:
        return not self.left_out

    def of(self, kind: Kind) -> dict[str, float | None]:
        return self.values if kind == "translation" else self.cycle


class Summary(_Frozen):
    """One metric of one model over patients (the mean of each patient's cases first). `centre`: empty for all.

    `sd`, `low`, `high` are None of one patient; `low` to `high`: 95 % bootstrap interval of the mean over patients. `metric` is
    `dice:LABEL`, `hausdorff_95:LABEL` or `label_mae:LABEL` for labels.
    """

    model: int = Field(ge=1)
    kind: Kind = "translation"
    metric: str
    centre: str = ""
    patients: int = Field(ge=1)
    cases: int = Field(ge=1)
    mean: float
    sd: float | None = None
    median: float
    low: float | None = None
    high: float | None = None
    least: float
    most: float


class Comparison(_Frozen):
    """Two models on the same patients. `difference`: mean of `first` - `second`, with its 95 % paired bootstrap interval.

    `p`: two-sided Wilcoxon signed-rank test over patients; `p_holm`: corrected for all tests of the evaluation with one `kind`.
    Both None with fewer than two patients. `better`: number of the model that is better on average, None where neither is.
    """

    first: int = Field(ge=1)
    second: int = Field(ge=1)
    kind: Kind = "translation"
    metric: str
    patients: int = Field(ge=1)
    difference: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_holm: float | None = None
    better: int | None = None

    @property
    def clear(self) -> bool:
        """Whether it is beyond chance at 5 %, all tests considered."""
        return self.p_holm is not None and self.p_holm < 0.05


class ModelCurves(_Frozen):
    """Of one model over all counted cases: what figures are made of. Calibration is the mean over cases."""

    model: int = Field(ge=1)
    calibration: Calibration | None = None
    agreement: Agreement | None = None


class CasePicture(_Frozen):
    """The worst slice of a case. Four 8-bit grey PNGs of one size below the evaluation's folder, head or front of the patient up.

    `source_window`, `target_window`: (low, high) of black and white, in the unit of each; `difference`: white in
    `difference_file`, which holds |synthetic - truth| inside the mask, in the target's unit. `aspect`: height of a pixel by its
    width.
    """

    which: Literal["best", "median", "worst"]
    model: int = Field(ge=1)
    case: int = Field(ge=1)
    k: int = Field(ge=0)
    error: float
    source_file: Annotated[str, Field(max_length=200)] = ""
    synthetic_file: Annotated[str, Field(max_length=200)]
    truth_file: Annotated[str, Field(max_length=200)]
    difference_file: Annotated[str, Field(max_length=200)]
    source_window: tuple[float, float] | None = None
    target_window: tuple[float, float]
    difference: float
    aspect: float = 1.0
    caption: str


class Problem(_Frozen):
    """Something to know before believing. `case`, `model`: numbers, None for all; `left_out`: whether the case is in no summary
    because of it; `serious`: whether numbers mean something else than they seem to."""

    kind: ProblemKind
    message: str
    case: int | None = None
    model: int | None = None
    serious: bool = True
    left_out: bool = False


class DataTold(_Frozen):
    """What was evaluated on. `prepared`: slices that were clipped and resampled when they were prepared; `pictures`: folders."""

    what: str
    side: str = ""
    prepared: bool = False
    pictures: bool = False
    phantom: bool = False
    salt: str = ""


class Evaluation(_Frozen):
    """All of it. `source`, `target`: domains of the pictures (`ct`, `mr_t1`); `unit`: of errors of the target as printed.

    `conventions`: sentences to print above every table. `main_metric`: by which cases are ranked. `finished`: False for what was
    kept of one that was stopped. `details`: program version, device, how it was asked for.
    """

    format: Literal["ctmri-evaluation-1"] = "ctmri-evaluation-1"
    made: datetime
    source: str
    target: str
    unit: str
    data: DataTold
    main_metric: str
    conventions: tuple[str, ...]
    metrics: tuple[ShownMetric, ...]
    models: tuple[EvaluatedModel, ...]
    cases: tuple[EvaluatedCase, ...]
    scores: tuple[CaseScores, ...] = ()
    summaries: tuple[Summary, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    curves: tuple[ModelCurves, ...] = ()
    pictures: tuple[CasePicture, ...] = ()
    problems: tuple[Problem, ...] = ()
    finished: bool = True
    details: dict[str, Any] = {}

    def model(self, number: int) -> EvaluatedModel:
        return self.models[number - 1]

    def case(self, number: int) -> EvaluatedCase:
        return self.cases[number - 1]

    def metric(self, key: str, kind: Kind = "translation") -> ShownMetric | None:
        """None for metrics of single labels (`dice:LABEL`)."""
        return next((metric for metric in self.metrics if metric.key == key and metric.kind == kind), None)

    def scores_of(self, model: int) -> tuple[CaseScores, ...]:
        """In the order of cases, those that are in no summary too."""
        return tuple(scores for scores in self.scores if scores.model == model)

    def summary(self, model: int, metric: str, kind: Kind = "translation", centre: str = "") -> Summary | None:
        wanted = (model, metric, kind, centre)
        return next((one for one in self.summaries if (one.model, one.metric, one.kind, one.centre) == wanted), None)

    @property
    def centres(self) -> tuple[str, ...]:
        """Those that are told apart, in order; none where all cases come from one."""
        found = sorted({case.centre for case in self.cases if case.centre})
        return tuple(found) if len(found) > 1 else ()


def write_evaluation(folder: Path, evaluation: Evaluation) -> Path:
    """Into `folder`, for its owner alone; the path of the file. Raises `WriteFailed`."""
    path = folder / EVALUATION
    write_bytes(path, evaluation.model_dump_json(indent=1).encode(), private=True)
    return path


def read_evaluation(folder: str | Path) -> Evaluation:
    """What `write_evaluation` wrote into a folder, or the file itself. Raises `FileRefused`."""
    path = Path(folder)
    path = path / EVALUATION if path.is_dir() else path
    try:
        return Evaluation.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise FileRefused(path, "is no evaluation that can be read.", "Evaluate again.") from error
