"""TensorBoard as a process of its own, on a free port of this machine alone."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QProcess, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices

_ADDRESS = re.compile(rb"http://[0-9A-Za-z.:\[\]]+/")
_PATIENCE_MS = 60_000
_NO_LOGS = "This run wrote no TensorBoard logs. They are switched on in the settings of a run."
_NO_START = "TensorBoard did not start. The curves here show the same numbers."
_NO_BROWSER = "TensorBoard runs at {address}, but no browser could be opened. Open that address yourself."
_KEPT_BYTES = 100_000


class TensorBoard(QObject):
    """One process for each folder of logs, ended with the program. `said(str)`: how it goes, in words."""

    said = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: dict[Path, QProcess] = {}
        self._addresses: dict[Path, str] = {}
        self._written: dict[Path, bytes] = {}
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.end)

    def show(self, logs: Path) -> None:
        """Starts it over `logs` unless it runs, and opens the browser once it answers."""
        if not logs.is_dir():
            self.said.emit(_NO_LOGS)
        elif logs in self._addresses:
            self._open(self._addresses[logs])
        elif logs not in self._running:
            self._start(logs)

    def end(self) -> None:
        """Ends all of them."""
        for process in tuple(self._running.values()):
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(2000)
        self._running.clear()
        self._addresses.clear()

    def _start(self, logs: Path) -> None:
        process = self._running[logs] = QProcess(self)
        self._written[logs] = b""
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.readyReadStandardOutput.connect(lambda: self._read(logs, process))
        process.finished.connect(lambda *_: self._ended(logs))
        process.errorOccurred.connect(lambda *_: self._ended(logs))
        process.start(sys.executable, ["-m", "tensorboard.main", "--logdir", str(logs), "--host", "127.0.0.1", "--port", "0"])
        QTimer.singleShot(_PATIENCE_MS, process, lambda: self._look(logs, process))
        self.said.emit("TensorBoard is starting; the browser opens when it answers …")

    def _read(self, logs: Path, process: QProcess) -> None:
        """Its own words hold the address; they are read on, so that it never waits for us."""
        said = process.readAllStandardOutput().data()
        if logs in self._addresses:
            return
        written = self._written[logs] = (self._written[logs] + said)[-_KEPT_BYTES:]
        found = _ADDRESS.search(written)
        if found:
            self._addresses[logs] = found[0].decode("ascii")
            self._open(self._addresses[logs])

    def _open(self, address: str) -> None:
        opened = QDesktopServices.openUrl(QUrl(address))
        self.said.emit(f"TensorBoard runs at {address}" if opened else _NO_BROWSER.format(address=address))

    def _look(self, logs: Path, process: QProcess) -> None:
        if logs not in self._addresses and self._running.get(logs) is process:
            process.kill()

    def _ended(self, logs: Path) -> None:
        process = self._running.pop(logs, None)
        if process is None:
            return
        process.deleteLater()
        known = self._addresses.pop(logs, None)
        self.said.emit("TensorBoard has ended." if known else _NO_START)
