"""Who reads, and in which order: codes of readers, practice, repeats, and what the order keeps to."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtWidgets import QCheckBox, QLineEdit

from ctmri_core.studies import protocol
from ctmri_core.studies.truth import Order
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.setup.draft import Draft
from ctmri_gui.studies.setup.order_note import OrderNote, problem_of
from ctmri_gui.studies.setup.step_page import StepPage, number, say


class ReadersStep(StepPage):
    """Problems of the order are said below its fields, with what would work."""

    def __init__(self, draft: Draft) -> None:
        words = "Readers have codes, never names. Each gets an order of their own, drawn from the seed of the study."
        super().__init__(draft, "Readers and order", words)
        self.codes, self.codes_note = QLineEdit(), label("", "warning")
        self.codes.setPlaceholderText("R1, R2, R3")
        self.codes.setToolTip("Letters, digits, - and _, separated by commas. More can be added after the opening, on record")
        self.practice = number(0, 20, "Trials before the test, of other patients", zero="None")
        self.feedback = QCheckBox("After each practice trial, tell &what was right")
        self.feedback.setToolTip("Never in the test")
        self.repeats = number(0, 50, "Of the trials, shown again: do readers agree with themselves?", suffix=" %", zero="None")
        self.go_back = QCheckBox("An answer may be changed until its block end&s")
        self.breaks = number(0, 60, "A break is offered after so long", suffix=" min", zero="Never")
        self.run = number(0, 100, "Pictures of one kind in a row, at most", suffix=" of a kind", zero="Any number")
        self.apart = number(0, 1000, "Between two pictures of one patient, at least", suffix=" trials", zero="Anywhere")
        self.repeats_apart = number(0, 1000, "Between a picture and its repetition, at least", suffix=" trials", zero="Anywhere")
        self.relax = QCheckBox("Take the nearest order where this &one cannot be kept, on record")
        self.note = OrderNote(draft)
        self.form(("&Readers", self.codes), ("", self.codes_note))
        self.heading("Trials")
        self.form(("&Practice trials", self.practice), ("", self.feedback), ("R&epeats", self.repeats),
                  ("Brea&k every", self.breaks), ("", self.go_back))  # fmt: skip
        self.heading("Order")
        self.form(("&Longest run", self.run), ("One patien&t apart", self.apart), ("Repeats ap&art", self.repeats_apart),
                  ("", self.relax), ("", self.note))  # fmt: skip
        self.complete(self.codes, self.practice, self.feedback, self.repeats, self.go_back, self.breaks, self.run, self.apart,
                      self.repeats_apart, self.relax)  # fmt: skip
        draft.foreseenChanged.connect(self.follow)

    @property
    def problem(self) -> str:
        asked, foreseen = self.draft.request, self.draft.foreseen
        told = codes_problem(asked.readers)
        if told or foreseen is None:
            return told
        return problem_of(foreseen, relaxed=asked.order_kept.may_relax)

    @property
    def summary(self) -> str:
        count = len(self.draft.request.readers)
        return "" if not count else f"{count} {'reader' if count == 1 else 'readers'}"

    def read(self) -> dict[str, Any]:
        order = Order(longest_run=self.run.value(), pairs_apart=self.apart.value(), repeats_apart=self.repeats_apart.value(),
                      may_relax=self.relax.isChecked())  # fmt: skip
        return {
            "readers": codes_in(self.codes.text()), "practice": self.practice.value(), "order_kept": order,
            "practice_feedback": self.feedback.isChecked(), "repeats": self.repeats.value() / 100,
            "go_back": self.go_back.isChecked(), "break_every": float(self.breaks.value()),
        }  # fmt: skip

    def show_request(self) -> None:
        asked = self.draft.request
        if codes_in(self.codes.text()) != asked.readers:
            self.codes.setText(", ".join(asked.readers))
        self.practice.setValue(asked.practice)
        self.feedback.setChecked(asked.practice_feedback)
        self.repeats.setValue(round(100 * asked.repeats))
        self.go_back.setChecked(asked.go_back)
        self.breaks.setValue(round(asked.break_every))
        order = asked.order_kept
        self.run.setValue(order.longest_run)
        self.apart.setValue(order.pairs_apart)
        self.repeats_apart.setValue(order.repeats_apart)
        self.relax.setChecked(order.may_relax)

    def follow(self) -> None:
        say(self.codes_note, codes_problem(self.draft.request.readers) if self.codes.text().strip() else "")
        self.feedback.setEnabled(self.draft.request.practice > 0)
        self.repeats_apart.setEnabled(self.draft.request.repeats > 0)


def codes_in(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[\s,;]+", text) if word)


def codes_problem(codes: tuple[str, ...]) -> str:
    """Why these are no readers; empty where they are."""
    return protocol.codes_problem(codes) if codes else "Name at least one reader by a code."
