"""Text of the viewer in every size and theme: the warning whole, the numbers large, everything readable."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF, QPalette
from PySide6.QtWidgets import QLabel, QToolButton

from ctmri_gui.theme import PALETTES
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.compare.colour_bar import ColourBar
from ctmri_gui.viewer.compare.colour_maps import HEAT
from ctmri_gui.viewer.metrics_dock import MetricsDock
from ctmri_gui.viewer.pane_frame import Header, Strip
from ctmri_gui.viewer.panes import PaneSpec
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_view import SliceView


@pytest.fixture
def pane(qtbot) -> Iterator[SliceView]:
    made = SliceView(PaneSpec(Role.SYNTHETIC))
    qtbot.addWidget(made)
    made.strip.set_synthetic("MRI", "A model with a long name")
    made.show()
    yield made


@pytest.mark.parametrize("text_size", [12, 13, 24])
def test_the_warning_of_a_synthetic_picture_is_whole_at_every_width(pane, dressed, text_size) -> None:
    dressed("dark", text_size)
    metrics = QFontMetricsF(palette.font(12))
    for width in (1, 200, 300, 500, 1200):
        pane.resize(width, 400)
        shown = pane.strip.shown_text
        lines = shown.split("\n")
        assert "not for diagnosis" in shown.lower() and "synthetic" in shown.lower()
        assert max(metrics.horizontalAdvance(line) for line in lines) <= pane.strip.width() - 20
        assert metrics.height() * len(lines) <= pane.strip.height()


def test_the_panes_text_grows_with_the_programs(pane, dressed) -> None:
    dressed("dark", 13)
    small = pane.strip.height(), pane.header.sizeHint().height()
    dressed("dark", 24)
    assert pane.strip.height() > small[0] and pane.header.sizeHint().height() > small[1]


@pytest.mark.parametrize(("text_size", "figure"), [(13, 20), (24, 37)])
@pytest.mark.parametrize("theme", list(PALETTES))
def test_metric_values_are_large_and_their_labels_readable(qtbot, dressed, theme, text_size, figure) -> None:
    dressed("dark", 13)
    dock = MetricsDock()
    qtbot.addWidget(dock)
    dock.show()
    dressed(theme, text_size)
    by_text = {label.text(): label for label in dock.findChildren(QLabel)}
    values = [label for label in dock.findChildren(QLabel) if label.accessibleName() in ("SSIM", "PSNR", "MAE")]
    assert [value.font().pixelSize() for value in values] == [figure] * 3
    assert by_text["PSNR"].font().pixelSize() == text_size
    assert by_text["PSNR"].palette().color(QPalette.ColorRole.WindowText).name() == PALETTES[theme].muted


def test_a_state_stands_beside_a_note_and_never_in_the_place_of_the_warning(qtbot) -> None:
    strip = Strip()
    qtbot.addWidget(strip)
    strip.resize(300, strip.height())
    strip.set_note("a_file_with_a_long_name_indeed.nii.gz")
    strip.set_state("not comparable")
    assert "…" in strip.shown_text and strip.accessibleName().endswith("≠ not comparable")
    strip.set_synthetic("MRI", "demo")
    assert "not for diagnosis" in strip.shown_text


def test_in_a_narrow_header_the_name_has_the_room_and_the_link_is_a_sign(qtbot, dressed) -> None:
    dressed("dark", 20)
    header = Header(Role.SYNTHETIC)
    qtbot.addWidget(header)
    header.set_title("Synthetic T2 MR")
    header.resize(700, 40)
    header.show()
    link = header.findChild(QToolButton)
    assert link.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextOnly
    header.resize(190, 40)
    qtbot.waitUntil(lambda: link.width() < 60)
    linked = link.icon().pixmap(32).toImage()
    assert "follows" in link.toolTip()
    header.set_linked(False)
    assert link.icon().pixmap(32).toImage() != linked  # another shape, not only another colour


def test_words_in_a_narrow_pane_get_smaller_before_they_are_cut(qapp, dressed) -> None:
    dressed("dark", 20)
    large = palette.font(15, bold=True)
    assert palette.narrowed(large, "Translating …", 1000) is large
    smaller = palette.narrowed(large, "Translating …", 130)
    assert QFontMetricsF(smaller).horizontalAdvance("Translating") <= 130 < QFontMetricsF(large).horizontalAdvance("Translating")


@pytest.mark.parametrize("text_size", [13, 24])
def test_the_words_under_a_colour_bar_never_run_into_each_other(qapp, dressed, text_size) -> None:
    dressed("dark", text_size)
    metrics = QFontMetricsF(palette.font(12))
    bar = ColourBar(150, "a.u.", "", HEAT, signed=False)
    for width in (60, 100, 150, 190, 400):
        left, middle, right = bar.ticks(width, metrics)
        half = metrics.horizontalAdvance(middle) / 2
        assert not middle or width / 2 + half < width - metrics.horizontalAdvance(right)
        assert (left, right) == ("0", "150 a.u.")
    assert bar.ticks(400, metrics)[1] == "75"
