"""An evaluation from its order to its files, as a generator of events."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ctmri_core.body_models import BodyModel, body_model
from ctmri_core.data.dataset import DatasetFolder
from ctmri_core.domain import Direction
from ctmri_core.errors import Stopped, WriteFailed, shown_name
from ctmri_core.evaluation.assembly import Gathered, assembled
from ctmri_core.evaluation.cases import FoundCases
from ctmri_core.evaluation.collection_cases import collection_cases
from ctmri_core.evaluation.evaluated_models import Contender, common_direction, contenders
from ctmri_core.evaluation.feature_scores import FeatureScores, Seen
from ctmri_core.evaluation.one_case import OneCase, OpenedScene
from ctmri_core.evaluation.order import EvaluationOrder
from ctmri_core.evaluation.picture_folders import picture_cases
from ctmri_core.evaluation.pool import Scorers
from ctmri_core.evaluation.prepared_cases import prepared_cases
from ctmri_core.evaluation.results import Evaluation, Problem, write_evaluation
from ctmri_core.evaluation.scoring import Scored, ScoringJob
from ctmri_core.evaluation.shown_metrics import chosen_metrics
from ctmri_core.evaluation.store import Store, key_of
from ctmri_core.evaluation.tables import write_tables
from ctmri_core.events import Event, Noted, Progress, Started, StopSignal, Work, never, relayed
from ctmri_core.folder_lock import alone_in
from ctmri_core.inference.precision import choose_device
from ctmri_core.model_card.terms import terms_notes

__all__ = ["EvaluationOrder", "evaluate", "find_evaluated"]
_OFTEN = 3
"""Of cases that share a problem, so many are told of while it goes on."""


def evaluate(order: EvaluationOrder, stop: StopSignal = never) -> Work[Evaluation | None]:
    """Scores all cases and writes `evaluation.json`, tables and pictures into `order.output`; None when stopped, unless the order
    keeps what is unfinished and some is. Scores that are finished are kept in any case and used again by the same order.

    Cases that cannot be scored are left out with a problem that says why. Raises `CtmriError` where there is nothing to evaluate,
    `FileRefused`, `ModelRefused`, `WriteFailed`, also while somebody else evaluates into the folder.
    """
    yield Progress(done=0, message="looking for cases")
    if order.output.is_file():
        raise WriteFailed(f"{shown_name(order.output)} is a file. Name a folder for the results.")
    with alone_in(order.output):
        store = Store(order.output)
        try:
            found = find_evaluated(order, store.salt(), stop)
            run = _Run(order, found, store, stop)
            yield from run.work()
        except Stopped:
            return None
        if stop() and not (order.keep_unfinished and run.gathered.scored):
            return None
        store.clear_results()
        evaluation = assembled(order, found, run.contenders, run.gathered, store, run.outliner, finished=not run.stopped)
        write_tables(order.output, evaluation)
        write_evaluation(order.output, evaluation)
    return evaluation


def find_evaluated(order: EvaluationOrder, salt: str, stop: StopSignal = never) -> FoundCases:
    """The cases of an order, none of them opened. Raises as `evaluate` does, and `Stopped`."""
    if order.predictions:
        return picture_cases(order, salt, stop)
    direction = common_direction(order.models)
    folder = DatasetFolder(str(order.data))
    if not str(order.data).startswith("phantom:") and folder.exists():
        return prepared_cases(folder, direction, order.side)
    return collection_cases(order, direction, salt, stop)


@dataclass(frozen=True)
class _Ticket:
    """Whose scores come back."""

    case: int
    model: int
    key: str
    problems: tuple[Problem, ...]
    trained_on: bool | None
    given: bool
    seconds: float | None
    seen: Seen | None


@dataclass
class _Run:
    """The work on all cases."""

    order: EvaluationOrder
    found: FoundCases
    store: Store
    stop: StopSignal
    contenders: list[Contender] = field(init=False)
    metrics: tuple[str, ...] = field(init=False)
    features: FeatureScores | None = field(init=False)
    gathered: Gathered = field(init=False)
    outliner: BodyModel | None = field(init=False)
    stopped: bool = False

    def __post_init__(self) -> None:
        self.metrics = chosen_metrics(self.order.metrics, self.direction.target, self.order.features)
        self.features = FeatureScores(self.order, self.metrics) if self.order.features else None
        self.outliner = self._body_model()
        self.contenders = contenders(self.order, self.found.steps_done)
        self.gathered = Gathered(self.metrics, "" if self.features is None else self.features.name)
        self._begun, self._fresh = time.monotonic(), 0
        self._said: Counter[str] = Counter()

    @property
    def direction(self) -> Direction:
        return self.found.direction

    @property
    def total(self) -> int:
        return len(self.found.cases) * len(self.contenders)

    def work(self) -> Work[None]:
        """Until all is scored or `stop` asks to end; `gathered` holds what is finished."""
        details = {"cases": len(self.found.cases), "models": len(self.contenders)}
        yield Started(job=f"evaluating {self.direction.label}", total=self.total, unit="scores", details=details)
        yield from terms_notes(one.card for one in self.contenders if one.card is not None)
        for remark in self.found.remarks:
            yield Noted(message=remark)
        for problem in self.found.problems:
            yield Noted(message=problem.message, serious=problem.serious)
        self._remember()
        with Scorers[_Ticket](self.order.workers) as scorers:
            for number in range(1, len(self.found.cases) + 1):
                if self.stop():
                    break
                yield from self._case(number, scorers)
                self._take(scorers.finished())
                yield self._progress(f"case {number}")
            for done in scorers.rest():
                self._take([] if done is None else [done])
                yield self._progress("scoring")
        self.stopped = self.stop() and self.gathered.settled < self.total

    def _body_model(self) -> BodyModel | None:
        order = self.order
        sourceless = bool(order.predictions) and order.sources is None
        domains = (self.direction.target,) if sourceless else (self.direction.target, self.direction.source)
        return None if order.body_model is None else body_model(order.body_model, domains, order.answering.device)

    def _remember(self) -> None:
        """What was scored before, of all cases: it counts although this run be stopped early."""
        for number in range(1, len(self.found.cases) + 1):
            for contender in self.contenders:
                key = self._key(number, contender)
                if (known := self.store.find(key)) is not None:
                    self.gathered.take(number, contender.number, key, known)

    def _case(self, number: int, scorers: Scorers[_Ticket]) -> Work[None]:
        """Of every model that has no scores of it yet."""
        missing = [one for one in self.contenders if (number, one.number) not in self.gathered.scored]
        if not missing:
            return
        one = OneCase(self.found.cases[number - 1], number, self.direction, self.order, self.stop, self.outliner)
        yield self._progress(f"{one.label}: opening")
        there, problems = one.open()
        if there is None:
            for contender in missing:
                self.gathered.refuse(number, contender.number)
            yield from self._told(one, None, problems)
            return
        yield from self._told(one, None, there.problems)
        for contender in missing:
            if self.stop():
                return
            yield from self._answered(one, there, contender, scorers)

    def _answered(self, one: OneCase, there: OpenedScene, contender: Contender, scorers: Scorers[_Ticket]) -> Work[None]:
        trained_on = None if contender.card is None else one.found.known_to(contender.card, there.opened)
        if trained_on and not self.order.even_trained_on:
            self.gathered.knows(one.number, contender.number)
            self.gathered.refuse(one.number, contender.number)
            return
        made = yield from relayed(
            one.answer(there, contender), lambda event: self._progress(event.message) if isinstance(event, Progress) else event
        )
        if made is None:
            return
        answer, problems = made
        yield from self._told(one, contender, problems)
        if answer is None:
            self.gathered.refuse(one.number, contender.number)
            return
        key = self._key(one.number, contender)
        job = replace(one.job(there, contender, answer, self.metrics), picture=self.store.stem(key))
        seen = None
        if self.features is not None:
            seen = yield from self._shown(self.features, job, f"{one.label}: {contender.name}")
            if seen is None:
                return
        kept = (*there.problems, *(problem.model_copy(update={"model": contender.number}) for problem in problems))
        ticket = _Ticket(one.number, contender.number, key, kept, trained_on, there.scene.given, answer.seconds, seen)
        scorers.give(job, ticket)

    def _shown(self, features: FeatureScores, job: ScoringJob, words: str) -> Work[Seen | None]:
        """What the network sees; None when stopped."""

        def said(event: Event) -> Event:
            return self._progress(f"{words}, {event.message}") if isinstance(event, Progress) else event

        return (yield from relayed(features.seen(job, self.stop), said))

    def _take(self, done: Iterable[tuple[_Ticket, Scored]]) -> None:
        for ticket, scored in done:
            scores = scored.scores.model_copy(update={"seconds": ticket.seconds})
            facts: dict[str, Any] = {"problems": ticket.problems, "trained_on": ticket.trained_on, "given": ticket.given}
            if ticket.seen is not None:
                scores = ticket.seen.beside(scores)
                facts["seen"] = self.store.keep_features(ticket.key, ticket.seen.vectors)
            whole = scored.model_copy(update={**facts, "scores": scores})
            self.store.keep(ticket.key, whole)
            self.gathered.take(ticket.case, ticket.model, ticket.key, whole)
            self._fresh += 1

    def _key(self, number: int, contender: Contender) -> str:
        """By all that its scores follow from."""
        case, order = self.found.cases[number - 1], self.order
        facts = {
            "case": case.stamp, "model": contender.mark, "metrics": self.metrics, "direction": self.direction.name,
            "order": order.answering.told, "even_trained_on": order.even_trained_on,
            "device": choose_device(order.answering.device).type,
            "features": "" if self.features is None else self.features.name,
        }  # fmt: skip
        if self.outliner is not None:
            facts["body"] = self.outliner.mark
        if order.predictions:
            facts["prediction"] = case.prediction_stamps[contender.number - 1]
            facts["labels"] = case.predicted_label_stamps[contender.number - 1 :][:1]
        return key_of(facts)

    def _told(self, one: OneCase, contender: Contender | None, problems: Iterable[Problem]) -> Work[None]:
        """Keeps problems that leave a case out, and says the serious ones."""
        for problem in problems:
            model = None if contender is None else contender.number
            whose = one.label if contender is None else f"{one.label}, {contender.name}"
            if problem.left_out:
                self.gathered.problems.append(problem.model_copy(update={"case": one.number, "model": model}))
            self._said[problem.message] += 1
            if (problem.serious or problem.left_out) and self._said[problem.message] <= _OFTEN:
                more = " Others like it are in the results." if self._said[problem.message] == _OFTEN else ""
                yield Noted(message=f"{whose}: {problem.message}{more}", serious=True)

    def _progress(self, message: str) -> Progress:
        done, left = self.gathered.settled, None
        if self._fresh:
            left = round((time.monotonic() - self._begun) / self._fresh * (self.total - done), 1)
        return Progress(done=done, total=self.total, unit="scores", seconds_left=left, message=message)
