"""That the machine stays awake while a run goes on: a bus and a power service of our own hear it; without one, nothing."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctmri_core.domain import Direction
from ctmri_core.events import Finished, Started
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.training.kept_awake import kept_awake
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.train import train

NAME = "org.freedesktop.PowerManagement"


class PowerService(threading.Thread):
    """Answers on a bus as a desktop does, by jeepney alone; `heard`: the methods that were called. `deaf`: answers nothing."""

    def __init__(self, address: str, *, deaf: bool = False) -> None:
        from jeepney import DBusAddress, new_method_call
        from jeepney.io.blocking import open_dbus_connection

        super().__init__(daemon=True)
        self.heard: list[str] = []
        self._deaf, self._over = deaf, threading.Event()
        self._bus = open_dbus_connection(address)
        bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
        for name in (NAME, "org.gnome.SessionManager"):
            self._bus.send_and_get_reply(new_method_call(bus, "RequestName", "su", (name, 0)))
        self.start()

    def run(self) -> None:
        from jeepney import HeaderFields, MessageType, new_method_return

        while not self._over.is_set():
            try:
                message = self._bus.receive(timeout=0.1)
            except TimeoutError:
                continue
            if message.header.message_type is MessageType.method_call:
                self.heard.append(message.header.fields[HeaderFields.member])
                if not self._deaf:
                    answer = ("u", (7,)) if self.heard[-1] == "Inhibit" else (None, ())
                    self._bus.send(new_method_return(message, *answer))

    def close(self) -> None:
        self._over.set()
        self.join()
        self._bus.close()


@pytest.fixture
def bus(monkeypatch) -> Iterator[str]:
    daemon = shutil.which("dbus-daemon")
    if daemon is None or sys.platform != "linux":
        pytest.skip("no D-Bus here")
    words = [daemon, "--session", "--nofork", "--print-address"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address
        process.kill()


def holders() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "keeps awake"}


def until(holds) -> None:
    end = time.monotonic() + 200
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_run_is_held_awake_and_let_go(bus: str, tmp_path: Path, one_thread: None):
    service = PowerService(bus)
    chosen = TrainingSettings(
        iterations=1, batch_size=2, crop=32, spacing_mm=5, precision="32", device="cpu", tensorboard=False, validation_slices=1
    )
    config = Pix2PixConfig(generator="resnet_6", width=4, discriminator_width=4, receptive_field=16)
    held: list[list[str]] = []
    for event in train("pix2pix", config, "phantom:2", Direction.parse("ct_to_mr_t1"), tmp_path / "run", chosen):
        if isinstance(event, Started):
            until(lambda: service.heard)
            held.append(list(service.heard))
        end = event
    assert isinstance(end, Finished) and end.reason == "completed"
    assert held == [["Inhibit"]]
    until(lambda: len(service.heard) == 2)
    service.close()
    assert service.heard == ["Inhibit", "UnInhibit"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # wakepy leaves its socket to the collector
def test_a_service_that_does_not_answer_holds_nothing_up(bus: str):
    service = PowerService(bus, deaf=True)
    until(service.is_alive)
    before = holders()  # one of an earlier test may still be on its way out
    with kept_awake():
        until(lambda: service.heard)  # it waits for the answer, and we do not
        assert len(holders() - before) == 1
    until(lambda: not holders() - before)
    service.close()
    gc.collect()


@pytest.mark.parametrize("address", ["unix:path=/nonexistent", "nonsense", ""])
def test_where_there_is_no_bus_nothing_happens(monkeypatch, recwarn, capfd, address: str):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    before = holders()
    with kept_awake():
        pass
    until(lambda: not holders() - before)  # it is not waited for for ever
    assert not recwarn and capfd.readouterr() == ("", "")
