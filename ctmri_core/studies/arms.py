"""Which pictures are shown of each patient, and of how many patients: what is known of a study before its cases are."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import PCG64, Generator

from ctmri_core.studies.protocol import Design
from ctmri_core.studies.truth import REAL, Plan

TOGETHER: tuple[Design, ...] = ("two_alternatives", "rank")
"""Designs whose pictures of one patient make one trial."""


def arms_of(
    design: Design, models: Sequence[str], patients: int, plan: Plan, *, paired: bool, chance: Generator
) -> list[tuple[str, ...]]:
    """What is shown of each of so many patients. Every model comes equally often, give or take one."""
    if design in ("rank", "grading", "diagnosis"):
        return [(REAL, *models)] * patients
    turns = [models[place % len(models)] for place in range(patients)]
    turns = [turns[place] for place in chance.permutation(patients)]
    if paired or design == "two_alternatives":
        return [(REAL, model) for model in turns]
    count = round(plan.proportion * patients)
    synthetic = chance.permutation([place < count for place in range(patients)])
    return [(model,) if made else (REAL,) for model, made in zip(turns, synthetic, strict=True)]


def practice_patients(design: Design, plan: Plan, *, paired: bool) -> int:
    """Of the practice block, whose trials come from other patients than those of the test: with pairs, half as many."""
    pictures = len(arms_of(design, ["model"], 1, plan, paired=paired, chance=Generator(PCG64(0)))[0])
    return plan.practice if design in TOGETHER else -(-plan.practice // pictures)
