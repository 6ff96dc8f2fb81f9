"""Scores follow the slice without holding up the window, and no number is shown that belongs to something else."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PySide6.QtCore import QElapsedTimer

from ctmri_gui.viewer import metrics_follower
from ctmri_gui.viewer.metric_kinds import CurveValues
from ctmri_gui.viewer.metrics_dock import MetricsDock
from ctmri_gui.viewer.metrics_follower import MetricsFollower


@dataclass(frozen=True)
class Scores:
    ssim: float
    psnr: float = 20.0
    mae: float = 30.0
    unit: str = "HU"
    convention: str = "inside the body"


class SlowComparison:
    """Gives one answer per `let_go`."""

    def __init__(self, tag: float = 0.0) -> None:
        self.tag = tag
        self.asked: list[int] = []
        self._gate = threading.Semaphore(0)

    def let_go(self, times: int = 1) -> None:
        for _ in range(times):
            self._gate.release()

    def scores(self, k: int) -> Scores:
        self.asked.append(k)
        assert self._gate.acquire(timeout=100)
        return Scores(self.tag + k / 1000)


class Broken:
    def scores(self, k: int) -> Scores:
        raise ZeroDivisionError(k)


@dataclass(frozen=True)
class Slice:
    """The question for one slice."""

    k: int

    def ask(self, comparison: SlowComparison | Broken) -> Scores:
        return comparison.scores(self.k)


@pytest.fixture
def follower(qtbot) -> Iterator[MetricsFollower]:
    made = MetricsFollower()
    yield made
    made.close()


def test_only_the_newest_slice_is_computed_next(follower, qtbot) -> None:
    comparison, told = SlowComparison(), []
    follower.scored.connect(lambda k, scores: told.append((k.k, scores.ssim)))
    follower.set_comparison(comparison)
    for k in range(50):
        follower.request(Slice(k))
    qtbot.waitUntil(lambda: len(comparison.asked) == 1)
    comparison.let_go(60)
    qtbot.waitUntil(lambda: bool(told) and told[-1][0] == 49)
    assert len(comparison.asked) <= 2 and told[-1] == (49, 0.049)


def test_while_scrolling_scores_come_at_intervals_and_the_last_one_comes(follower, qtbot) -> None:
    comparison, told = SlowComparison(), []
    comparison.let_go(1000)
    follower.scored.connect(lambda k, scores: told.append(k.k))
    follower.set_comparison(comparison)
    clock = QElapsedTimer()
    clock.start()
    for k in range(40):
        follower.request(Slice(k))
        qtbot.wait(5)
    qtbot.waitUntil(lambda: told[-1:] == [39])
    most = clock.elapsed() / metrics_follower._INTERVAL_MS + 2  # a busy machine takes longer, and so may be told more
    assert len(told) <= most, "fast answers are not asked for as fast as slices go by"


def test_answers_of_an_earlier_comparison_are_dropped(follower, qtbot) -> None:
    old, new, told = SlowComparison(1.0), SlowComparison(2.0), []
    follower.scored.connect(lambda k, scores: told.append(scores.ssim))
    follower.set_comparison(old)
    follower.request(Slice(5))
    qtbot.waitUntil(lambda: old.asked == [5])
    follower.set_comparison(new)
    follower.request(Slice(5))
    old.let_go()
    new.let_go()
    qtbot.waitUntil(lambda: bool(told))
    assert told == [2.005]


def test_without_a_comparison_nothing_is_computed(follower, qtbot) -> None:
    comparison = SlowComparison()
    follower.set_comparison(comparison)
    follower.set_comparison(None)
    follower.request(Slice(1))
    qtbot.wait(30)
    assert comparison.asked == []


def test_a_failing_comparison_is_not_silent_and_not_the_end(follower, qtbot) -> None:
    follower.set_comparison(Broken())
    with qtbot.captureExceptions() as failures:
        follower.request(Slice(3))
        qtbot.waitUntil(lambda: bool(failures))
    assert failures[0][0] is ZeroDivisionError
    comparison = SlowComparison()
    comparison.let_go()
    follower.set_comparison(comparison)
    with qtbot.waitSignal(follower.scored):
        follower.request(Slice(4))


def visible_text(dock: MetricsDock) -> str:
    from PySide6.QtWidgets import QLabel

    return " | ".join(label.text() for label in dock.findChildren(QLabel) if not label.isHidden() and label.isVisibleTo(dock))


def test_numbers_stand_with_unit_and_convention(qtbot, tmp_path) -> None:
    dock = MetricsDock()
    qtbot.addWidget(dock)
    dock.set_alignment(0.93, 1.21)
    dock.set_scores(Scores(0.81234), "S 12.1 mm · 41/180")
    text = visible_text(dock)
    assert "0.812" in text and "20.0 dB" in text and "30.0 HU" in text
    assert "inside the body" in text and "S 12.1 mm · 41/180" in text
    assert "outline Dice 0.93 · NMI 1.21" in text
    dock.grab().save(str(tmp_path / "dock.png"))


def test_a_reason_takes_the_place_of_every_number(qtbot) -> None:
    dock = MetricsDock()
    qtbot.addWidget(dock)
    dock.set_scores(Scores(0.81234))
    dock.set_reason("T2 MR is not the target of a T1 MR model.")
    text = visible_text(dock)
    assert "not the target" in text and not any(word in text for word in ("0.812", "dB", "SSIM", "inside the body"))
    dock.set_scores(None)
    assert "–" in visible_text(dock) and "not the target" not in visible_text(dock)


def test_identical_slices_have_infinite_psnr(qtbot) -> None:
    dock = MetricsDock()
    qtbot.addWidget(dock)
    dock.set_scores(Scores(1.0, psnr=float("inf"), mae=0.0))
    assert "∞ dB" in visible_text(dock)
    dock.set_scores(Scores(float("nan")))
    assert "nan" not in visible_text(dock)


@dataclass(frozen=True)
class OfSlice(Scores):
    voxels: int = 1000


def test_the_worst_slice_is_one_with_body_enough_and_the_dock_says_so(qtbot) -> None:
    """The ends of a stack, where hardly any body is, are always the least alike."""
    dock, values = MetricsDock(), CurveValues(6)
    qtbot.addWidget(dock)
    dock.set_comparable(True)
    ends, middle = OfSlice(0.1, mae=400.0, voxels=249), OfSlice(0.9, voxels=1000)
    values.put(range(0, 3), (None, ends, OfSlice(0.7, mae=50.0, voxels=250)))
    values.put(range(3, 6), (middle, middle, ends))
    assert values.worst("SSIM") == 2 and values.worst("MAE") == 2 and values.small == 2
    assert values.of("SSIM")[1] == 0.1, "the curve shows them all the same"
    dock.set_curve(values)
    text = visible_text(dock)
    assert "Worst: slice 3, SSIM 0.700. Not counted: 2 slices with less than 25 % of the pixels of the fullest one." in text
    whole = CurveValues(2)
    whole.put(range(2), (middle, ends))
    assert whole.worst("SSIM") == 0
    whole.put(range(2), (middle, middle))
    dock.set_curve(whole)
    assert "counted" not in visible_text(dock).partition("Worst")[2]
