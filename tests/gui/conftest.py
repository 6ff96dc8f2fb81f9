"""Real windows without a screen: private settings, small scans, and nothing left open behind a test."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from ctmri_core.domain import Domain
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.volume import Volume
from ctmri_gui.jobs.job import stop_and_join_all
from ctmri_gui.main_window import MainWindow
from ctmri_gui.settings import Settings
from ctmri_gui.theme import apply_theme

SHAPE = (10, 24, 28)
LEAST_PATIENCE = 200_000
"""ms. A wait that is answered costs nothing; on a machine with ten other programs five seconds are none."""


class PatientBot(QtBot):
    """Waits at least `LEAST_PATIENCE` for what a test says must come; what must not come is waited for as the test says."""

    def waitUntil(self, callback: Any, *, timeout: int = LEAST_PATIENCE) -> None:
        super().waitUntil(callback, timeout=max(timeout, LEAST_PATIENCE))

    def waitSignal(self, signal: Any, *, timeout: int = LEAST_PATIENCE, **options: Any) -> Any:
        return super().waitSignal(signal, timeout=max(timeout, LEAST_PATIENCE), **options)

    def waitSignals(self, signals: Any, *, timeout: int = LEAST_PATIENCE, **options: Any) -> Any:
        return super().waitSignals(signals, timeout=max(timeout, LEAST_PATIENCE), **options)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    return PatientBot(request)


def laid_out(qtbot: QtBot, part: QWidget) -> None:
    """Waits until a part of a window keeps its size: layouts within layouts, and what is said above it, come in a few turns."""
    sizes: list[QSize] = []
    qtbot.waitUntil(lambda: sizes.append(part.size()) or sizes[-9:] == [part.size()] * 9)


@pytest.fixture(autouse=True)
def private_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, logs and models of a test lie in its own folder."""
    monkeypatch.setenv("CTMRI_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("CTMRI_LOG_DIR", str(tmp_path / "log"))
    monkeypatch.setenv("CTMRI_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("CTMRI_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("CTMRI_DATASETS_DIR", str(tmp_path / "datasets"))


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Fails a test that leaves a window open; ends its threads."""
    yield
    stop_and_join_all()
    app = QApplication.instance()
    if isinstance(app, QApplication):
        app.processEvents()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        left = [widget.objectName() or type(widget).__name__ for widget in app.topLevelWidgets() if widget.isVisible()]
        assert not left, f"windows left open: {left}"


@pytest.fixture(scope="session", autouse=True)
def reader_ended() -> Iterator[None]:
    yield
    if "ctmri_core.io.reader_process" in sys.modules:
        sys.modules["ctmri_core.io.reader_process"].shutdown()


def head_voxels(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """An ellipsoid of 40 HU with a rim of 900 HU in air, int16."""
    axes = np.meshgrid(*[np.linspace(-1.2, 1.2, n) for n in shape], indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    return np.select([radius < 0.8, radius < 1.0], [40, 900], -1000).astype(np.int16)


def make_volume(domain: Domain = Domain.CT, shape: tuple[int, int, int] = SHAPE, voxels=None, **more) -> Volume:
    content = head_voxels(shape) if voxels is None else voxels
    return Volume(content, Geometry(shape, (3.0, 2.0, 2.0)), domain, name=f"{domain.label} of a test", **more)


@pytest.fixture
def ct_file(tmp_path: Path) -> Path:
    """A CT as NIfTI."""
    path = tmp_path / "scan.nii.gz"
    image = nibabel.Nifti1Image(head_voxels().transpose(2, 1, 0), np.diag([-2.0, -2.0, 3.0, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


def write_model(
    path: Path, direction: str = "ct_to_mr_t1", name: str = "Test model", *, demo: bool = False, **more: object
) -> Path:  # fmt: skip
    """A model file with a valid card and no weights."""
    card = {
        "name": name,
        "method": "pix2pix",
        "direction": direction,
        "body_region": "head",
        "created": "2025-01-01T00:00:00Z",
        "weights_sha256": "ab" * 32,
        "demo": demo,
        **more,
    }
    header = json.dumps({"__metadata__": {"ctmri_card": json.dumps(card)}}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path


@pytest.fixture
def make_window(qtbot, tmp_path: Path) -> Callable[..., MainWindow]:
    """Builds a window on the models of the test's folder, shows it and waits until it has listed them."""
    from ctmri_gui.app import build_window

    def make(*paths: Path, translate: bool = False, **more) -> MainWindow:
        settings = Settings()
        settings["translate_after_open"] = translate
        window = build_window(paths, settings=settings, models=[tmp_path / "models"], **more)
        qtbot.addWidget(window)
        with qtbot.waitSignal(window.session.library.changed, timeout=20_000):
            window.show()
        return window

    return make


@pytest.fixture
def dressed(qapp: QApplication) -> Iterator[Callable[[str, int], None]]:
    """Puts the program into a theme and text size for one test."""
    font, palette = qapp.font(), qapp.palette()
    yield partial(apply_theme, qapp)
    qapp.setStyleSheet("")
    qapp.setPalette(palette)
    qapp.setFont(font)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was trained to its end."""
    from ctmri_core.training.train import train  # loads much, and few tests need it
    from tests.gui.kept_runs import WAY, tiny_plan

    folder, plan = tmp_path_factory.mktemp("trained") / "pix2pix-001", tiny_plan()
    result = finish(train("pix2pix", plan.config, plan.data, WAY, folder, plan.settings, about=plan.about))
    assert result.reason == "completed", result.message
    return folder


@pytest.fixture
def runs(tmp_path: Path, trained: Path) -> Path:
    """The folder of runs with that run in it."""
    folder = tmp_path / "runs"
    shutil.copytree(trained, folder / "pix2pix-001")
    return folder
