"""Events survive JSON; work has a result."""

import json
import math
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ctmri_core.events import (
    CaseTold,
    CheckpointSaved,
    Event,
    Finished,
    Health,
    Noted,
    Paused,
    Progress,
    Sample,
    Started,
    Step,
    Validated,
    Work,
    finish,
    from_json,
    relayed,
    to_json,
)

_KINDS = get_args(get_args(Event)[0])


_words, _numbers = st.text(max_size=8), st.integers(0, 10**9)
_floats = st.floats(allow_nan=False)
_details = st.dictionaries(_words, st.none() | st.booleans() | _numbers | _words | st.lists(_numbers, max_size=3), max_size=3)
_events = st.one_of(
    st.builds(Started, job=_words, total=st.none() | _numbers, unit=_words, details=_details),
    st.builds(Progress, done=_numbers, total=st.none() | _numbers, rate=st.none() | _floats, seconds_left=st.none() | _floats),
    st.builds(
        Step, iteration=_numbers, epoch=_numbers, losses=st.dictionaries(_words, _floats), learning_rate=_floats, seconds=_floats
    ),
    st.builds(Validated, iteration=_numbers, metrics=st.dictionaries(_words, _floats), best=st.booleans()),
    st.builds(Sample, iteration=_numbers, path=_words, caption=_words),
    st.builds(CheckpointSaved, iteration=_numbers, path=_words),
    st.builds(Health, iteration=_numbers, signals=st.dictionaries(_words, _floats)),
    st.builds(Paused, iteration=_numbers, paused=st.booleans()),
    st.builds(Noted, message=_words, serious=st.booleans()),
    st.builds(CaseTold, name=_words, status=_words, reason=_words, seconds=st.none() | _floats, share=st.none() | _floats),
    st.builds(Finished, reason=st.sampled_from(("completed", "stopped", "failed", "crashed")), message=_words),
)


@given(_events)
@settings(max_examples=150, deadline=None)
def test_every_event_is_read_as_it_was_written(event):
    line = to_json(event)
    assert "\n" not in line
    assert from_json(line) == event
    assert from_json(line.encode()) == event


def test_kinds_are_distinct_and_named():
    kinds = [kind.model_fields["kind"].default for kind in _KINDS]
    assert len(set(kinds)) == len(kinds) == 11


@pytest.mark.parametrize(
    "line", ["", "{}", '{"kind": "unheard_of"}', '{"kind": "progress"}', '{"kind": "noted", "message": "a", "x": 1}']
)
def test_anything_else_is_refused(line):
    with pytest.raises(ValidationError):
        from_json(line)


def test_events_cannot_be_changed():
    with pytest.raises(ValidationError):
        Progress(done=1).done = 2


def test_a_diverged_loss_can_be_told():
    event = Step(iteration=1, epoch=0, losses={"g": math.nan, "d": -math.inf}, learning_rate=2e-4, seconds=0.1)
    line = to_json(event)
    json.loads(line, parse_constant=pytest.fail)  # strict JSON, for readers other than ours
    losses = from_json(line).losses
    assert math.isnan(losses["g"])
    assert losses["d"] == -math.inf


def test_work_has_a_result():
    def work() -> Work[int]:
        yield Started(job="count")
        yield Noted(message="half way")
        yield Finished(reason="completed")
        return 7

    assert finish(work()) == 7
    assert [event.kind for event in work()] == ["started", "noted", "finished"]


def test_relayed_work_passes_on_what_the_listener_gives_and_keeps_the_result():
    def work():
        yield Progress(done=1, message="kept back")
        yield Progress(done=2)
        return "result"

    relay = relayed(work(), lambda event: event.model_copy(update={"total": 9}) if event.done > 1 else None)
    assert next(relay) == Progress(done=2, total=9)
    with pytest.raises(StopIteration) as end:
        next(relay)
    assert end.value.value == "result"
