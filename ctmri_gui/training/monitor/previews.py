"""Sample pictures of a run over time: the same few slices again and again, translated."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QPushButton, QScrollArea, QSlider, QVBoxLayout, QWidget

from ctmri_core.events import Finished, Sample
from ctmri_core.training.run_record import RunRecord
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.training.monitor.flow import Flow
from ctmri_gui.training.monitor.preview_canvas import PreviewCanvas
from ctmri_gui.training.monitor.reading import Grey, read_sample
from ctmri_gui.training.monitor.words import count

_PLAY_MS = 600
_KEPT = 40
_NOT_FOR_DIAGNOSIS = "Synthetic, not for diagnosis"
_NONE_YET = "There is no sample picture yet. The first comes with the first validation, or with “Sample now”."
_NONE = "This run wrote no sample picture."


class Previews(QWidget):
    """Follows the newest picture until an older one is looked at."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._latest = Latest(jobs)
        self._folder = Path()
        self._record = RunRecord()
        self._samples: list[Sample] = []
        self._kept: OrderedDict[str, Grey] = OrderedDict()
        self._wanted = ""
        self._clock = QTimer(self)
        self._clock.setInterval(_PLAY_MS)
        self._clock.timeout.connect(self._next)
        self._make_parts()
        self._lay_out()

    def _make_parts(self) -> None:
        self.canvas = PreviewCanvas()
        self.newest = QCheckBox()
        self.canvas.set_words(_NONE_YET)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Sample picture, in the order of the steps")
        self.slider.setToolTip("Earlier and later pictures of the same slices (arrow keys)")
        self.slider.setPageStep(1)
        self.slider.valueChanged.connect(lambda _place: self._show())
        self.slider.actionTriggered.connect(lambda _action: self.newest.setChecked(False))
        self.place = label("", wrap=False)
        self.direction = QComboBox()
        self.direction.setAccessibleName("Direction")
        self.direction.activated.connect(lambda _row: self._choose())
        self.newest.setText("Follow the &newest")
        self.newest.setToolTip("Shows each new picture as it comes")
        self.newest.setChecked(True)
        self.newest.toggled.connect(lambda on: self._to_newest() if on else None)
        self.play = QPushButton("Play")
        self.play.setCheckable(True)
        self.play.setToolTip("Shows all pictures one after the other")
        self.play.toggled.connect(self._play)
        self.size_choice = QComboBox()
        self.size_choice.addItems(["Fit", "100 %"])
        self.size_choice.setAccessibleName("Size of the picture")
        self.size_choice.setToolTip("As large as there is room, or one pixel of the picture on each of the screen")
        self.size_choice.currentIndexChanged.connect(lambda row: self.canvas.set_whole(row == 1))

    def _lay_out(self) -> None:
        self._direction_name = naming("&Direction", self.direction)
        ways = QWidget()
        row = QHBoxLayout(ways)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._direction_name)
        row.addWidget(self.direction)
        tools = Flow(gap=10)
        warning = label(_NOT_FOR_DIAGNOSIS, "badge", wrap=False)
        for part in (warning, ways, self.newest, self.play, self.size_choice):
            tools.addWidget(part)
        self._ways = ways
        along = QHBoxLayout()
        along.addWidget(self.slider, 1)
        along.addWidget(self.place)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setAccessibleName("Sample picture")
        area.setWidget(self.canvas)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addLayout(tools)
        column.addWidget(area, 1)
        column.addLayout(along)

    def show_record(self, record: RunRecord, folder: Path) -> None:
        """Another run."""
        self._latest.drop()
        self._record, self._folder = record, folder
        self._kept.clear()
        self._samples, self._wanted = [], ""
        self.direction.clear()
        self.newest.setChecked(True)
        self.play.setChecked(False)
        self.follow()

    def follow(self) -> None:
        """Takes over what is new in the record."""
        for way in dict.fromkeys(map(_direction, self._record.samples)):
            if self.direction.findText(way) < 0:
                self.direction.addItem(way)
        self._ways.setVisible(self.direction.count() > 1)
        self._choose()

    def _choose(self) -> None:
        """The pictures of the chosen direction."""
        way = self.direction.currentText()
        self._samples = [sample for sample in self._record.samples if _direction(sample) == way]
        there = bool(self._samples)
        for part in (self.slider, self.play, self.newest, self.size_choice):
            part.setEnabled(there)
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(len(self._samples) - 1, 0))
        if self.newest.isChecked() and not self.play.isChecked():
            self.slider.setValue(self.slider.maximum())
        self.slider.blockSignals(False)
        self._show()

    def _to_newest(self) -> None:
        self.play.setChecked(False)
        self.slider.setValue(self.slider.maximum())

    def _play(self, on: bool) -> None:
        self.play.setText("Stop playing" if on else "Play")
        if on:
            self.newest.setChecked(False)
            if self.slider.value() == self.slider.maximum():
                self.slider.setValue(0)
            self._clock.start()
        else:
            self._clock.stop()

    def _next(self) -> None:
        if self.slider.value() < self.slider.maximum():
            self.slider.setValue(self.slider.value() + 1)
        else:
            self.play.setChecked(False)

    def _show(self) -> None:
        if not self._samples:
            self.place.setText("")
            self._wanted = ""
            self.canvas.set_words(_NONE if self._record.finished else _NONE_YET)
            return
        sample = self._samples[min(self.slider.value(), len(self._samples) - 1)]
        self.place.setText(f"step {count(sample.iteration)} ({self.slider.value() + 1} of {len(self._samples)})")
        if sample.path == self._wanted:
            return
        self._wanted = sample.path
        kept = self._kept.get(sample.path)
        if kept is not None:
            self._take(sample, kept)
            return
        begin = partial(read_sample, Path(sample.path), self._folder)
        self._latest.ask("Read sample", begin, partial(self._take, sample), ended=self._ended, listed=False)

    def _take(self, sample: Sample, values: Grey) -> None:
        self._kept[sample.path] = values
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        columns = tuple(part.strip() for part in sample.caption.partition(":")[2].split(",") if part.strip())
        said = f"{sample.caption or 'Sample'}, after {count(sample.iteration)} steps. {_NOT_FOR_DIAGNOSIS}."
        self.canvas.set_picture(values, columns, said)

    def _ended(self, end: Finished) -> None:
        if end.reason in ("failed", "crashed"):
            self.canvas.set_words(f"This picture cannot be shown: {end.message}")


def _direction(sample: Sample) -> str:
    """As its caption says: `CT → T1 MR`."""
    return sample.caption.partition(":")[0]
