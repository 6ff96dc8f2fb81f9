"""One case of a batch from its files to its result; how it ended is a row of the table."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ctmri_core.batch.cases import FoundCase
from ctmri_core.batch.fingerprints import content_hash, stamp_of
from ctmri_core.batch.models import Models
from ctmri_core.batch.order import BatchOrder
from ctmri_core.batch.results import is_unharmed, place_for, proof_of
from ctmri_core.batch.store import Store
from ctmri_core.batch.table import CaseRow, Question, Status
from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError, Stopped, WrongInput, crash_report
from ctmri_core.events import Event, Progress, Started, StopSignal, Work, now, relayed
from ctmri_core.files import making_room
from ctmri_core.inference.input_doubts import doubts_before
from ctmri_core.inference.model_choice import chosen_model
from ctmri_core.inference.translate import check_input, translate_as
from ctmri_core.io.face import face_reminder
from ctmri_core.io.opening import load
from ctmri_core.io.saving import save
from ctmri_core.io.second_opinion import contradicts_header, taken_for
from ctmri_core.model_card import ModelCard
from ctmri_core.model_card.terms import terms_notes
from ctmri_core.volume import Volume

Result = TypeVar("Result")
Hear = Callable[[Event], None]

_NO_MEMORY = "There was not enough memory. Close other programs, or translate it by itself."


class _Ended(Exception):
    """This case has come to its end before there was a result."""

    def __init__(self, status: Status, reason: str, question: Question = "") -> None:
        super().__init__(reason)
        self.status, self.reason, self.question = status, reason, question


class OneCase:
    """Translates `found` for `order`. `reminder`: what goes with the result, once it is there."""

    def __init__(self, found: FoundCase, order: BatchOrder, models: Models, store: Store, stop: StopSignal) -> None:
        self.found, self.order, self.models, self.store, self.stop = found, order, models, store, stop
        self.row = store.rows[found.place]
        self.reminder = ""
        self._device = ""

    def is_done(self) -> bool:
        """Whether its result is there, of this scan by this model with these settings. Raises `Stopped`."""
        row = self.row
        if row.status != "done" or row.settings_hash != self.order.settings_hash or row.told != (self.order.told or row.told):
            return False
        if row.model_hash != self.models.hash_for(row.kind) or not is_unharmed(row, self.order.output, self.stop):
            return False
        return row.input_stamp == stamp_of(self.found.files) or row.input_hash == self._input_hash()

    def run(self, hear: Hear) -> Work[CaseRow | None]:
        """The row that it ends with, which is in the table by then; None when it was stopped. `hear`: told of each step."""
        begun = time.monotonic()
        stamp = stamp_of(self.found.files)
        self.row = CaseRow(
            place=self.row.place, case=self.row.case, output=self.row.output, output_hash=self.row.output_hash,
            output_bytes=self.row.output_bytes, status=self.row.status, input_stamp=stamp,
            settings_hash=self.order.settings_hash, told=self.order.told or "",
        )  # fmt: skip
        try:
            row = yield from self._translated(hear)
        except Stopped:
            row = None
        except _Ended as end:
            row = self._ending(end.status, end.reason, end.question)
        except CtmriError as error:
            row = self._ending("failed", str(error))
        except MemoryError:
            row = self._ending("failed", _NO_MEMORY)
        except Exception as error:  # noqa: BLE001  # the one funnel of a batch: a bug met by one case must not cost the others
            row = self._ending("failed", crash_report(error))
        if row is None:
            self.store.put(self.row.model_copy(update={"status": "waiting", "at": now()}))
            return None
        row = row.model_copy(update={"seconds": round(time.monotonic() - begun, 2), "at": now(), "device": self._device})
        self.store.put(row)
        return row

    def _ending(self, status: Status, reason: str, question: Question = "") -> CaseRow:
        return self.row.model_copy(update={"status": status, "reason": reason, "question": question})

    def _translated(self, hear: Hear) -> Work[CaseRow | None]:
        found, order = self.found, self.order
        if found.series is None or found.refusal:
            raise _Ended("failed", found.refusal)
        self._note(input_hash=self._input_hash())
        volume = yield from _heard(load(found.series, self.stop), hear)
        if volume is None:
            return None
        volume = self._of_kind(volume)
        model = self._model(volume)
        card = self.models.card(model)
        self._note(kind=_chosen_by(volume, card), model=card.name, model_hash=card.weights_sha256)
        self._check(volume, card)
        if self.stop():
            return None
        yield from terms_notes([card])
        target, replaces = self._begin(card.direction.target)
        work = translate_as(volume, self.models.loaded(model), order.order, self.stop)
        made = yield from _heard(work, self._device_of(hear))
        if made is None:
            return None
        with making_room(target):
            written = yield from _heard(self._save(made.volume, volume, target, replaces), hear)
            if written is None:
                return None
        self.reminder = face_reminder(volume)
        findings = tuple(dict.fromkeys(finding.message for finding in made.volume.findings))
        return self._ending("done", "").model_copy(update={**proof_of(target), "findings": findings})

    def _save(self, made: Volume, source: Volume, target: Path, replaces: bool) -> Work[Path | None]:
        order = self.order
        return save(
            made, target, source=source, overwrite=replaces, slices="png" if order.form == "png" else "dicom",
            deidentify=order.deidentify, burn_in=order.burn_in, stop=self.stop,
        )  # fmt: skip

    def _of_kind(self, volume: Volume) -> Volume:
        """What the order says of scans that do not say it for sure."""
        told = self.order.told
        if volume.synthetic is not None:
            raise _Ended("skipped", "It is synthetic already.")
        if told is not None and not contradicts_header(volume, told):
            volume = taken_for(volume, told)
        if volume.domain is Domain.UNKNOWN:
            raise _Ended("asked about", "It is not known to show CT or MR. If it does, say what it shows.", "kind")
        return volume

    def _model(self, volume: Volume) -> Path:
        if self.models.one is None:
            told = volume.domain if self.order.told is volume.domain else None
            try:
                return chosen_model(replace(volume, name=""), told, self.models.folders)
            except WrongInput as doubt:
                raise _Ended("asked about", str(doubt), "kind") from doubt
        card = self.models.card(self.models.one)
        if not card.takes(volume.domain):
            takes = f"{card.name} takes {card.direction.source.label}; this is {volume.label}."
            raise _Ended("skipped", takes)
        return self.models.one

    def _check(self, volume: Volume, card: ModelCard) -> None:
        check_input(volume, card)
        if self.order.all_the_same:
            return
        serious = [doubt.message for doubt in doubts_before(volume, card) if doubt.serious]
        if serious:
            raise _Ended("asked about", " ".join(serious), "doubt")

    def _begin(self, target: Domain) -> tuple[Path, bool]:
        """Where the result goes, which the table says before anything is written, and whether it replaces an older one."""
        replaces = False

        def planned(rows: Any) -> CaseRow:
            nonlocal replaces
            place, replaces = place_for(self.row, rows, self.order, target)
            same = {} if replaces else {"output_hash": "", "output_bytes": 0}
            return self.row.model_copy(update={"status": "running", "output": place, "at": now(), **same})

        self.row = self.store.change(self.row.place, planned)
        return self.order.output / self.row.output, replaces

    def _note(self, **fields: object) -> None:
        self.row = self.row.model_copy(update=fields)

    def _input_hash(self) -> str:
        try:
            return content_hash(self.found.files, self.stop)
        except OSError as error:
            reason = f"Its files cannot be read: {error.strerror or 'input error'}. Copy them to this computer."
            raise _Ended("failed", reason) from error

    def _device_of(self, hear: Hear) -> Hear:
        def listen(event: Event) -> None:
            if isinstance(event, Started) and "device" in event.details:
                self._device = f"{event.details['device']}, {event.details.get('precision', '')}".rstrip(", ")
            hear(event)

        return listen


def _chosen_by(volume: Volume, card: ModelCard) -> str:
    """The kind by which the model was chosen: of an MR of unknown weighting, that which the model is for."""
    return (card.direction.source if volume.domain is Domain.MR else volume.domain).value


def _heard(work: Work[Result], hear: Hear) -> Work[Result]:
    """`work`, of which nothing but the steps is passed on, and those as a sign of life alone."""

    def listen(event: Event) -> Event | None:
        hear(event)
        return event if isinstance(event, Progress) else None

    return relayed(work, listen)
