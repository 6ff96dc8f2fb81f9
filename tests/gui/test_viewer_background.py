"""Work beside the interface thread: answers come back to it, and nothing of Qt ends on the other one."""

import gc
import threading

import pytest
from PySide6.QtCore import Qt

from ctmri_gui.viewer.background import Background


@pytest.fixture
def here() -> int:
    return threading.get_ident()


def test_answers_arrive_in_the_interface_thread_and_in_order(qtbot, here) -> None:
    background, told = Background("test"), []
    for n in range(5):
        background.submit(lambda n=n: (n, threading.get_ident()), lambda answer: told.append((*answer, threading.get_ident())))
    assert not told, "nobody is told before submit returns"
    qtbot.waitUntil(lambda: not background.busy)
    assert [n for n, _, _ in told] == list(range(5))
    assert all(there != here == arrived for _, there, arrived in told)
    background.close()


def test_closing_drops_what_is_not_done_and_ends_in_the_interface_thread(qtbot, here) -> None:
    background, begun, go, done, told = Background("test"), threading.Event(), threading.Event(), [], []
    ended: list[int] = []
    background._relay.destroyed.connect(lambda: ended.append(threading.get_ident()), Qt.ConnectionType.DirectConnection)

    def slow() -> None:
        begun.set()
        assert go.wait(100)

    background.submit(slow, told.append)
    background.submit(lambda: done.append("second"), told.append)
    assert begun.wait(100)
    background.close()
    background.submit(lambda: done.append("too late"), told.append)
    del background
    gc.collect()
    assert not ended
    go.set()
    qtbot.waitUntil(lambda: bool(ended))
    assert ended == [here] and not told and not done


def test_a_failure_is_raised_in_the_interface_thread(qtbot) -> None:
    background = Background("test")
    with qtbot.captureExceptions() as failures:
        background.submit(lambda: 1 // 0, lambda _: None)
        qtbot.waitUntil(lambda: bool(failures))
    assert failures[0][0] is ZeroDivisionError and not background.busy
    background.close()
