"""Panes in rows that can be resized, one of them maximised, others in windows of their own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent
from PySide6.QtWidgets import QApplication, QSplitter, QVBoxLayout, QWidget

from ctmri_gui.viewer import palette
from ctmri_gui.viewer.layouts import Sizes
from ctmri_gui.viewer.slice_view import LEAST_HEIGHT, SliceView

_EVEN = 10_000
_LEAST_ALTOGETHER = 360  # all rows have to fit into the smallest window
_DETACHED_SIZE, _SHARE_OF_SCREEN = QSize(900, 960), 0.9


class PaneGrid(QWidget):
    """Holds panes; knows nothing of what they show. `changed` after sizes, maximising or detaching."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[list[SliceView]] = []
        self._outer = QSplitter(Qt.Orientation.Vertical)
        self._inner: list[QSplitter] = []
        self._windows: dict[SliceView, _PaneWindow] = {}
        self._maximised: SliceView | None = None
        self._sizes_kept: Sizes = ()
        self._dress(self._outer)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._outer)

    def show_rows(self, rows: Sequence[Sequence[SliceView]], sizes: Sizes = ()) -> None:
        """Arranges panes anew; those that are in no row any more are left to their owner, without a parent. Panes stay in windows
        of their own unless nothing were left here."""
        wanted = [view for row in rows for view in row]
        alone = all(view in self._windows for view in wanted)
        self._arrange(rows, sizes, [view for view in self._windows if alone or view not in wanted])

    def _arrange(self, rows: Sequence[Sequence[SliceView]], sizes: Sizes, back: Sequence[SliceView]) -> None:
        """`back`: what comes out of windows of its own."""
        wanted = [view for row in rows for view in row]
        held = self._let_go_of_keys()
        self._maximised = None
        for view in back:
            self._windows.pop(view).release()
        old = [view for row in self._rows for view in row]
        self._rows = [list(row) for row in rows]
        for view in old:
            if view not in self._windows:
                view.setParent(None)
        for splitter in self._inner:
            splitter.setParent(None)
            splitter.deleteLater()
        self._inner = [self._make_row(row) for row in self._rows]
        for view in wanted:
            view.set_least_height(min(LEAST_HEIGHT, _LEAST_ALTOGETHER // len(rows)))
            view.setVisible(True)
        self._share(sizes)
        self._hide_empty_rows()
        if held is not None:
            holder = next((view for view in wanted if view.objectName() == held), wanted[0])
            holder.activateWindow()
            holder.setFocus()
        self.changed.emit()

    @property
    def sizes(self) -> Sizes:
        """Heights of the rows, then widths in each row, with all panes shown; empty before there are any."""
        return self._sizes_now if self.isVisible() and self._maximised is None else self._sizes_kept

    @property
    def _sizes_now(self) -> Sizes:
        return tuple(self._outer.sizes()), *(tuple(row.sizes()) for row in self._inner)

    def hideEvent(self, event: QHideEvent) -> None:
        if self._maximised is None:
            self._sizes_kept = self._sizes_now
        super().hideEvent(event)

    @property
    def maximised(self) -> SliceView | None:
        return self._maximised

    def maximise(self, view: SliceView | None) -> None:
        """Shows one pane alone, or all again; panes in windows of their own stay there."""
        self._sizes_kept = self.sizes
        self._maximised = None if view in self._windows else view
        for row, panes in zip(self._inner, self._rows, strict=True):
            inside = [pane for pane in panes if pane not in self._windows]
            for pane in inside:
                pane.setVisible(self._maximised in (None, pane))
            row.setVisible(any(self._maximised in (None, pane) for pane in inside))
        self.changed.emit()

    def is_detached(self, view: SliceView) -> bool:
        return view in self._windows

    def detach(self, view: SliceView, title: str) -> None:
        """Puts a pane into a window of its own, which brings it back when it is closed."""
        if view in self._windows:
            self._windows[view].activateWindow()
            return
        if view is self._maximised:
            self.maximise(None)
        window = self._windows[view] = _PaneWindow(view, title, self)
        window.closed.connect(partial(self.attach, view))
        parent = self.parentWidget()
        window.addActions(parent.actions() if parent is not None else [])  # the viewer's keys work there too
        self._hide_empty_rows()
        window.show()
        view.show()
        self.changed.emit()

    def attach(self, view: SliceView) -> None:
        """Brings a pane back to its place."""
        if view in self._windows:
            self._arrange(self._rows, self.sizes, [view])

    def _let_go_of_keys(self) -> str | None:
        """The name of the pane that has the keyboard; it loses it, for Qt would hand it on from pane to pane as they are taken
        away, to end outside of all."""
        active = QApplication.activeWindow()
        focus = (active if isinstance(active, _PaneWindow) and active in self._windows.values() else self.window()).focusWidget()
        for view in (view for row in self._rows for view in row):
            if focus is not None and (focus is view or view.isAncestorOf(focus)):
                focus.clearFocus()
                return view.objectName()
        return None

    def _make_row(self, panes: Sequence[SliceView]) -> QSplitter:
        row = QSplitter(Qt.Orientation.Horizontal)
        self._dress(row)
        for pane in panes:
            if pane not in self._windows:
                row.addWidget(pane)
        row.splitterMoved.connect(partial(self._follow_columns, row))
        self._outer.addWidget(row)
        return row

    def _share(self, sizes: Sizes) -> None:
        self._sizes_kept = sizes
        heights, *widths = sizes or ((),)
        self._outer.setSizes(heights if len(heights) == len(self._inner) and any(heights) else [_EVEN] * len(self._inner))
        for number, row in enumerate(self._inner):
            given = widths[number] if number < len(widths) else ()
            row.setSizes(given if len(given) == row.count() and any(given) else [_EVEN] * row.count())

    def _hide_empty_rows(self) -> None:
        for row in self._inner:
            row.setVisible(row.count() > 0)

    def _follow_columns(self, moved: QSplitter, *_: int) -> None:
        """Columns stay under one another where rows have as many."""
        for row in self._inner:
            if row is not moved and row.count() == moved.count():
                row.setSizes(moved.sizes())
        self.changed.emit()

    @staticmethod
    def _dress(splitter: QSplitter) -> None:
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(4)
        splitter.setStyleSheet(f"QSplitter::handle {{ background: {palette.OUTLINE.name()}; }}")


class _PaneWindow(QWidget):
    """A window around one pane. It belongs to the viewer and closes with it."""

    closed = Signal()

    def __init__(self, view: SliceView, title: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.resize(_DETACHED_SIZE.boundedTo(self.screen().availableSize() * _SHARE_OF_SCREEN))
        self._view = view
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(view)
        self._held = True

    def release(self) -> None:
        """Gives the pane away and ends."""
        self._held = False
        self._view.setParent(None)
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if self._held:
            self.closed.emit()
