"""What is to be evaluated, on what, by which measures, and where the results go."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QComboBox, QFormLayout, QRadioButton, QStackedWidget, QVBoxLayout, QWidget

from ctmri_gui.evaluation.data_choice import DataChoice
from ctmri_gui.evaluation.folder_field import FolderField
from ctmri_gui.evaluation.model_choice import ModelChoice
from ctmri_gui.evaluation.picture_choice import PictureChoice
from ctmri_gui.evaluation.wanted import Wanted, new_folder, usual_place
from ctmri_gui.models.body_choice import BodyChoice
from ctmri_gui.models.library import Library
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.settings import SETTINGS, Settings
from ctmri_gui.training.new_run.flowing_row import FlowingRow
from ctmri_gui.translating.wanted import wanted as wanted_of

MODELS, PICTURES = range(2)
_METRICS = (
    ("The usual ones for CT or MR", ()), ("SynthRAD 2023 (MAE, PSNR, SSIM)", ("synthrad2023",)),
    ("SynthRAD 2025 (MAE, PSNR, MS-SSIM; Dice and HD95 of label maps)", ("synthrad2025",)),
    ("The usual ones and tissues of CT", ("ct", "tissue")), ("All", ("all",)),
)  # fmt: skip
_FEATURES = (
    ("None", ""), ("What VGG-19 sees: perceptual, Fréchet and kernel distances", "vgg"),
    ("What Inception v3 sees: Fréchet and kernel distances (FID, KID)", "inception"),
)  # fmt: skip
_HOW = ("device", "planes", "fusion", "precision", "batch", "patch", "overlap")
"""Of what is set for translating one scan: what changes the picture."""
_TIPS = {
    "doubt": "Asks the models how sure they are, and holds that against their errors. Takes as many times longer as it asks",
    "cycle": "Translates each result back and says, in a table of its own, how much of the source survives. Twice the time",
    "names": "Names of cases stand in the tables and the report. Without, cases go by number; names can tell who a patient is",
    "features": "Shows slices to a network that was trained on photographs; its features are compared. It takes its time",
    "weights": "A safetensors file of the network's weights; keys in docs/metrics.md. Without one those of torchvision",
    "body": "Where scores count in cases whose data bring no mask. Models that outline are trained as DeepLabV3+",
    "trained": "Counts cases that a model learnt from, which says how well it remembers and not how well it translates",
}


class OrderForm(QWidget):
    """`changed`: something else is wanted now."""

    changed = Signal()

    def __init__(self, library: Library, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._way = QButtonGroup(self)
        self.of_models = QRadioButton("&Models, on data")
        self.of_pictures = QRadioButton("&Finished pictures, against the real ones")
        for number, way in enumerate((self.of_models, self.of_pictures)):
            self._way.addButton(way, number)
        self.models, self.data, self.pictures = ModelChoice(library), DataChoice(settings), PictureChoice(library, settings)
        self.metrics, self.doubt, self.features = QComboBox(), QComboBox(), QComboBox()
        self.body = BodyChoice(library)
        words, pattern = "None: those of torchvision, where it is installed", "Weights (*.safetensors)"
        self.weights = FolderField("the weights of the network", words, settings, optional=True, pattern=pattern)
        self.cycle, self.names = QCheckBox("C&ycle: translate back too"), QCheckBox("&With names of cases")
        self.trained = QCheckBox("Count cases &learnt from")
        self.output = FolderField("the folder for results", f"A new folder in {usual_place()}", settings, optional=True)
        self.stack = QStackedWidget()
        self._fill()
        self._lay_out()
        self._connect()
        self.of_models.setChecked(True)
        self._follow()

    @property
    def problem(self) -> str:
        """Why nothing can be begun; empty when it can."""
        if self._way.checkedId() == PICTURES:
            return self.pictures.problem
        return self.data.problem if self.models.models else "Tick at least one model."

    def wanted(self) -> Wanted | None:
        """None where there is a `problem`. The results of a folder that was chosen are gone on with."""
        if self.problem:
            return None
        place = self.output.folder or new_folder(usual_place(), datetime.now().astimezone())
        network = self.features.currentData()
        common = {
            "output": place, "metrics": self.metrics.currentData(), "names": self.names.isChecked(), "features": network,
            "feature_weights": self.weights.folder if network else None, "body_model": self.body.outliner,
        }  # fmt: skip
        if self._way.checkedId() == PICTURES:
            chosen = self.pictures
            return Wanted(
                predictions=tuple(chosen.predictions), truth=chosen.truth.folder, sources=chosen.sources.folder,
                masks=chosen.masks.folder, made_by=chosen.made_by, patients=chosen.patients.folder, labels=chosen.labels.folder,
                predicted_labels=chosen.predicted_labels, direction=chosen.direction.currentData(), **common,
            )  # fmt: skip
        how = {name: value for name, value in wanted_of(self._settings).items() if name in _HOW}
        if self.doubt.currentData() != "none":
            how |= {"doubt": self.doubt.currentData(), "samples": self._settings["translation_samples"]}
        return Wanted(
            models=self.models.models, data=self.data.spec, side=self.data.side.currentData(),
            test_share=self.data.share.value() / 100, how=how, cycle=self.cycle.isChecked(),
            even_trained_on=self.trained.isChecked(), **common,
        )  # fmt: skip

    def take(self, folder: Path) -> None:
        """A folder that was dropped: data, or synthetic pictures."""
        if self._way.checkedId() == PICTURES:
            self.pictures.take([folder])
        else:
            self.data.take(str(folder))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "models"):
            self.models.fit()

    def _fill(self) -> None:
        for words, keys in _METRICS:
            self.metrics.addItem(words, keys)
        self.metrics.setToolTip("Each is defined in docs/metrics.md; conventions stand above the tables")
        setting = SETTINGS["translation_doubt"]
        for value, words in zip(setting.choices, setting.words, strict=True):
            self.doubt.addItem(words, value)
        self.doubt.setToolTip(_TIPS["doubt"])
        for words, network in _FEATURES:
            self.features.addItem(words, network)
        self.body.setToolTip(_TIPS["body"])
        self.features.setToolTip(_TIPS["features"])
        self.weights.choose.setToolTip(_TIPS["weights"])
        for box in (self.metrics, self.doubt, self.features):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(16)
        for tick, name in ((self.cycle, "cycle"), (self.names, "names"), (self.trained, "trained")):
            tick.setToolTip(_TIPS[name])
        self.output.choose.setToolTip("Another folder for the results; what it holds already is not computed again")
        self.models.fit()

    def _lay_out(self) -> None:
        of_models = QWidget()
        column = QVBoxLayout(of_models)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.models, 1)
        column.addWidget(self.data)
        self.stack.addWidget(of_models)
        self.stack.addWidget(self.pictures)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.addRow(naming("Measu&res", self.metrics), self.metrics)
        self._weights_name = naming("Wei&ghts", self.weights.choose)
        form.addRow(naming("E&xtra measures", self.features), self.features)
        form.addRow(self._weights_name, self.weights)
        form.addRow(naming("B&ody", self.body), self.body)
        self._doubt_name = naming("Uncert&ainty", self.doubt)
        form.addRow(self._doubt_name, self.doubt)
        form.addRow(FlowingRow(self.cycle, self.trained, self.names))
        form.addRow(naming("Results &in", self.output.choose), self.output)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(10)
        outer.addWidget(label("What is evaluated", "heading"))
        outer.addWidget(FlowingRow(self.of_models, self.of_pictures))
        outer.addWidget(self.stack, 1)
        outer.addWidget(label("How", "heading"))
        outer.addLayout(form)

    def _connect(self) -> None:
        self._way.idToggled.connect(lambda _id, _on: self._follow())
        self.features.currentIndexChanged.connect(lambda _row: self._follow())
        for told in (self.models.chosen, self.data.changed, self.pictures.changed, self.output.changed, self.weights.changed):
            told.connect(self.changed)

    def _follow(self) -> None:
        """What belongs to the other way is not shown."""
        pictures = self._way.checkedId() == PICTURES
        self.stack.setCurrentIndex(PICTURES if pictures else MODELS)
        for part in (self._doubt_name, self.doubt, self.cycle, self.trained):
            part.setVisible(not pictures)
        self._weights_name.setVisible(bool(self.features.currentData()))
        self.weights.setVisible(bool(self.features.currentData()))
        self.changed.emit()
