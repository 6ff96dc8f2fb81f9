"""Longer viewer work comes in pieces, and only the newest is heard of."""

import threading

import pytest
from PySide6.QtCore import QCoreApplication, QTimer

from ctmri_gui.viewer.piecewise import Piecewise


@pytest.fixture
def work(qtbot):
    made = Piecewise("test")
    yield made
    made.close()


def listened(work):
    told = []
    work.came.connect(told.append)
    work.ended.connect(lambda result: told.append(("end", result)))
    return told


def counted(first, stop=3):
    yield from range(first, first + stop)
    return first


def test_pieces_come_in_order_and_then_the_end(work, qtbot) -> None:
    told = listened(work)
    work.run(counted(10))
    assert work.running
    qtbot.waitUntil(lambda: told == [10, 11, 12, ("end", 10)])
    assert not work.running


def test_newer_work_takes_the_place_of_what_runs(work, qtbot) -> None:
    told, begun, go = listened(work), threading.Event(), threading.Event()

    def old():
        begun.set()
        assert go.wait(100)
        yield "old"
        yield "older"

    work.run(old())
    assert begun.wait(100)
    work.run(counted(20))
    go.set()
    qtbot.waitUntil(lambda: told[-1:] == [("end", 20)])
    assert told == [20, 21, 22, ("end", 20)]


def test_nothing_more_is_asked_for_once_nobody_wants_it(work, qtbot) -> None:
    told, made = listened(work), []

    def endless():
        while True:
            made.append(len(made))
            yield made[-1]

    work.run(endless())
    qtbot.waitUntil(lambda: len(told) > 3)
    work.run(None)
    count = len(told)
    qtbot.wait(30)
    assert len(told) == count and len(made) <= count + 2


def test_a_failure_is_not_silent(work, qtbot) -> None:
    def broken():
        yield 1
        raise ZeroDivisionError

    with qtbot.captureExceptions() as failures:
        work.run(broken())
        qtbot.waitUntil(lambda: bool(failures))
    assert failures[0][0] is ZeroDivisionError
    told = listened(work)
    work.run(counted(0))
    qtbot.waitUntil(lambda: told[-1:] == [("end", 0)])


def test_pieces_make_way_and_go_on_when_it_is_quiet(work, qtbot) -> None:
    told = listened(work)
    work.make_way()
    work.run(counted(10))
    assert work.running
    for _ in range(5):  # nothing was asked for, so that nothing can come
        work.make_way()
        QCoreApplication.processEvents()
        if not work._quiet.isActive():  # a busy machine was quiet for long enough
            break
    else:
        assert told == []
    qtbot.waitUntil(lambda: told == [10, 11, 12, ("end", 10)])


def test_pieces_come_though_slices_never_stand_still(work, qtbot) -> None:
    told = listened(work)
    work.run(counted(10, 2))
    moving = QTimer(interval=10)
    moving.timeout.connect(work.make_way)
    moving.start()
    qtbot.waitUntil(lambda: told[-1:] == [("end", 10)], timeout=20_000)
    moving.stop()


def test_what_waits_is_replaced_or_left(work, qtbot) -> None:
    told = listened(work)
    work.make_way()
    work.run(counted(10))
    work.run(counted(20, 1))
    qtbot.waitUntil(lambda: told == [20, ("end", 20)])
    work.make_way()
    work.run(counted(30))
    work.run(None)
    work.make_way()
    work.run(counted(40, 1))
    qtbot.waitUntil(lambda: told[-1:] == [("end", 40)])
    assert told == [20, ("end", 20), 40, ("end", 40)]
