"""What is to be evaluated, and how."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ctmri_core.data.layouts.layout import LayoutOptions
from ctmri_core.data.split import SplitPlan
from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError
from ctmri_core.inference.order import Order

EvaluatedSide = Literal["train", "validation", "test", "all"]
FeatureNetwork = Literal["", "vgg", "inception"]


@dataclass(frozen=True, eq=False)
class EvaluationOrder:
    """Either `models` on `data`, or `predictions` against `truth`. Raises `CtmriError` when its parts do not go together.

    `output`: the folder of the evaluation; scores that it holds already are used again. `data`: a prepared dataset's folder, a
    collection in one of the known layouts, or `phantom:COUNT[:SEED]`; of it the patients of `side`, as the dataset was split or
    as `split` says. `layout`, `layout_options`: of a collection.

    `predictions`: folders of finished pictures, one for each model; `truth`, `sources`, `masks`: folders of the real ones,
    matched by name; `made_by`: the model of each folder of predictions, to tell what it learnt from; `patients`: a table of whose
    the cases are (`patients_of`); `labels`: of label maps of the truths; `predicted_labels`: of those of each folder of
    predictions. None of `made_by` and `predicted_labels` at all, or one for each folder, which may be None. `direction`: what the
    pictures are where their files do not say it.

    `metrics`: keys or names of sets, none for those of the field. `features`: the network by whose features slices are compared,
    with `feature_weights` from a safetensors file, else those of torchvision. `translation`: how to translate; its `doubt`
    calibrates uncertainty. `body_model`: outlines the body in the truth, else in the source, of cases whose data bring no mask;
    None leaves that to a threshold. `back`: a model of the reverse direction for cycle scores, or `auto`. `even_trained_on`:
    counts cases that a model learnt from. `names`: writes names of cases into the results. `keep_unfinished`: when stopped, what
    is finished becomes an evaluation. `workers`: processes for scoring, None lets the program decide.
    """

    output: Path
    models: tuple[Path, ...] = ()
    data: str | None = None
    side: EvaluatedSide = "test"
    split: SplitPlan = field(default_factory=SplitPlan)
    layout: str = ""
    layout_options: LayoutOptions = field(default_factory=LayoutOptions)
    predictions: tuple[Path, ...] = ()
    truth: Path | None = None
    sources: Path | None = None
    masks: Path | None = None
    made_by: tuple[Path | None, ...] = ()
    patients: Path | None = None
    labels: Path | None = None
    predicted_labels: tuple[Path | None, ...] = ()
    direction: Direction | None = None
    metrics: tuple[str, ...] = ()
    features: FeatureNetwork = ""
    feature_weights: Path | None = None
    translation: Order = field(default_factory=Order)
    back: str | Path | None = None
    body_model: Path | None = None
    even_trained_on: bool = False
    names: bool = False
    keep_unfinished: bool = False
    workers: int | None = None

    def __post_init__(self) -> None:
        if bool(self.models) == bool(self.predictions):
            raise CtmriError("Evaluate either models on data, or folders of predictions against a truth.")
        if self.models and self.data is None:
            raise CtmriError("Models are evaluated on data: name a prepared dataset or a folder of scans.")
        if self.predictions and self.truth is None:
            raise CtmriError("Predictions are held against a truth: name the folder of the real pictures.")
        if self.made_by and len(self.made_by) != len(self.predictions):
            raise CtmriError("Name the model of each folder of predictions by --made-by, in their order, or of none.")
        if self.patients is not None and not self.predictions:
            raise CtmriError("A table of patients goes with finished pictures; collections and prepared data have their own.")
        if self.predicted_labels and (self.labels is None or len(self.predicted_labels) != max(1, len(self.predictions))):
            raise CtmriError("Label maps of predictions go with those of the truth, one folder for each folder of predictions.")
        if self.feature_weights is not None and not self.features:
            raise CtmriError("Weights of features go with the network that they are of. Say --features vgg or inception.")
        if len({path.absolute() for path in (*self.models, *self.predictions)}) < len(self.models) + len(self.predictions):
            raise CtmriError("A model or folder is named twice. Name each once.")

    @property
    def answering(self) -> Order:
        """How models translate: in float32 where no precision was chosen. The fastest way is found by timing, and scores are to
        be the same another time."""
        return replace(self.translation, precision="float32") if self.translation.precision == "auto" else self.translation
