"""What a run has said, gathered."""

from ctmri_core.events import Finished, Health, Noted, Paused, Sample, Started, Step, Validated
from ctmri_core.training.orders import Orders
from ctmri_core.training.run_record import RunRecord


def step(iteration: int, loss: float) -> Step:
    return Step(iteration=iteration, epoch=0, losses={"l1": loss}, learning_rate=1e-4, seconds=0.1)


def test_curves_hold_what_was_said_in_order():
    said = [
        Started(job="Training"), step(1, 0.5), Health(iteration=1, signals={"gradient_generators": 2.0}), step(3, 0.25),
        Validated(iteration=3, metrics={"mae_hu": 90.0}, best=True), Validated(iteration=6, metrics={"mae_hu": 95.0}),
        Sample(iteration=3, path="a.png"), Noted(message="look"), Finished(reason="stopped"),
    ]  # fmt: skip
    record = RunRecord.of(said)
    assert record.losses["l1"].iterations == [1, 3] and record.losses["l1"].values == [0.5, 0.25]
    assert record.metrics["mae_hu"].values == [90.0, 95.0] and record.signals["gradient_generators"].values == [2.0]
    assert record.best is not None and record.best.iteration == 3
    assert record.finished == said[-1] and record.samples == [said[6]] and record.notes == [said[7]]


def test_a_run_that_goes_on_is_not_over():
    record = RunRecord.of([Started(job="Training"), step(1, 0.5), Finished(reason="stopped")])
    record.hear(Started(job="Training"))
    record.hear(step(2, 0.4))
    assert record.finished is None and record.losses["l1"].iterations == [1, 2]


def test_a_pause_ends_with_the_run():
    record = RunRecord.of([Paused(iteration=4, paused=True)])
    assert record.paused
    record.hear(Finished(reason="stopped"))
    assert not record.paused
    killed = RunRecord.of([Paused(iteration=4, paused=True), Started(job="Training")])
    assert not killed.paused


def test_orders_hold_or_are_taken_once():
    orders = Orders()
    orders.give("pause")
    orders.give("stop_after_epoch")
    orders.give("sample")
    assert orders.paused and orders.ends_with_epoch and not orders.stop()
    assert orders.take("sample") and not orders.take("sample") and not orders.take("checkpoint")
    orders.give("go_on")
    assert not orders.paused and orders.ends_with_epoch
    orders.give("go_on")
    assert not orders.ends_with_epoch
    orders.give("stop")
    orders.give("go_on")
    assert orders.stop(), "a stop is for good"
