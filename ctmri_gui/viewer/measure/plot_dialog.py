"""The window beside the panes with the profile of all images along a line and the joint histogram of two of them."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QTabWidget, QVBoxLayout, QWidget

from ctmri_gui.panels.small_parts import resize_dialog
from ctmri_gui.viewer.measure.histogram_page import HistogramPage
from ctmri_gui.viewer.measure.profile_page import ProfilePage


class PlotDialog(QDialog):
    """Stays beside the panes while they are used."""

    def __init__(self, profile: ProfilePage, histogram: HistogramPage, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Plots of measurements")
        self.setObjectName("measure_plots")
        self.profile, self.histogram = profile, histogram
        self.tabs = QTabWidget()
        self.tabs.setProperty("role", "views")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.addTab(profile, "&Profile")
        self.tabs.addTab(histogram, "Joint &histogram")
        column = QVBoxLayout(self)
        column.addWidget(self.tabs)
        resize_dialog(self, 620, 460)

    def show_page(self, page: QWidget) -> None:
        self.tabs.setCurrentWidget(page)
        self.show()
        self.raise_()
