"""What comes before a reader study opens, at the command line: its size, its making, a rehearsal, taking away what tells."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.cli.direction_choice import direction_argument
from ctmri_core.cli.input_choices import positive, spacing_choice, whole
from ctmri_core.cli.terminal import given_path
from ctmri_core.errors import CtmriError
from ctmri_core.events import Progress, StopSignal, Work

if TYPE_CHECKING:
    from ctmri_core.statistics.answers import NotComputable
    from ctmri_core.studies.making import StudyOrder

Lines = list[str]
_DESIGNS = ("yes_no", "two_alternatives", "rank", "grading", "diagnosis")
_EXPECTED = {"grading": 0.0, "diagnosis": 0.85, "rank": 0.65}


def add_create(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=given_path, required=True, metavar="STUDY", help="a new folder for the study")
    parser.add_argument("--title", required=True, help="what readers see")
    _add_design(parser)
    parser.add_argument("--cases", type=positive, required=True, metavar="N", help="patients in the test")
    parser.add_argument("--readers", required=True, metavar="CODE[,CODE]", help="codes of the readers, never names")
    parser.add_argument("--model", dest="models", action="append", default=[], metavar="MODEL", help="makes synthetic pictures")
    parser.add_argument("--data", metavar="DIR", help="prepared data, a folder of scans, or phantom:COUNT")
    parser.add_argument("--split", choices=("train", "validation", "test", "all"), default="test", help="(default: test)")
    parser.add_argument("--predictions", type=given_path, action="append", default=[], metavar="DIR", help="finished pictures")
    parser.add_argument("--truth", type=given_path, metavar="DIR", help="the real ones to them, matched by name")
    parser.add_argument("--direction", type=direction_argument, metavar="A_to_B", help="such as ct_to_mr_t1, of finished ones")
    parser.add_argument("--slices", action="store_true", help="one slice of each instead of the volume")
    parser.add_argument("--unpaired", action="store_true", help="each patient is shown real or synthetic, not both")
    parser.add_argument("--practice", type=whole, default=6, metavar="N", help="practice trials (default: 6)")
    parser.add_argument("--repeats", type=float, default=0.1, metavar="SHARE", help="shown again (default: 0.1)")
    parser.add_argument("--spacing", type=spacing_choice, default=(3.0, 1.0, 1.0), metavar="K,J,I", help="mm of the pictures")
    parser.add_argument("--relax", action="store_true", help="take the nearest order that can be kept, where need be, on record")
    parser.add_argument("--seed", metavar="HEX", help="of all chance, 64 hex digits (default: drawn)")
    parser.add_argument("--window", type=_window, metavar="LEVEL,WIDTH", help="grey window at the start (default: 40,80 of CT,"
                        " the whole range of MR)")  # fmt: skip
    parser.add_argument("--leave-out", type=_left_out, action="append", default=[], metavar="CASE=WHY", help="a case that is not"
                        " shown, and why; on record")  # fmt: skip
    parser.add_argument("--questions", type=given_path, metavar="FILE", help="TOML with a [[question]] for each that is asked")
    parser.add_argument("--finding", default="", metavar="WORDS", help="what a diagnosis looks for")
    parser.add_argument("--findings", type=given_path, metavar="FILE", help="where it is, CSV: case, x, y, z (LPS mm), radius;"
                        " numbers left empty where there is none (default: label maps of the cases)")  # fmt: skip
    parser.add_argument("--labels", type=given_path, metavar="DIR", help="label maps of findings beside finished pictures")
    _add_margin(parser)


def create(arguments: argparse.Namespace, secret: str, stop: StopSignal) -> Work[Lines | None]:
    """Draws cases, makes pictures."""
    from ctmri_core.studies.making import make_study

    study = yield from make_study(_order(arguments, secret), stop)
    if study is None:
        return None
    truth = study.truth(secret)
    said = f"{len(truth.items)} pictures of {len({item.patient for item in truth.items})} patients"
    return [f"{said}. Next: ctmri study check, and open."]


def add_plan(parser: argparse.ArgumentParser) -> None:
    _add_design(parser)
    parser.add_argument("--expected", type=float, metavar="VALUE", help="what is truly so: share of right answers or area (0.5"
                        " asks for equivalence), difference of mean grades (default: a usual one for the design)")  # fmt: skip
    parser.add_argument("--readers", type=positive, default=1, metavar="N", help="(default: 1)")
    parser.add_argument("--models", type=positive, default=1, metavar="N", help="that make synthetic pictures (default: 1)")
    parser.add_argument("--power", type=float, default=0.8, metavar="SHARE", help="(default: 0.8)")
    parser.add_argument("--auc", action="store_true", help="plan for the area under the ROC curve")
    parser.add_argument("--these-readers", action="store_true", help="what is found need not hold for other readers")
    parser.add_argument("--slices", action="store_true", help="one slice of each instead of the volume")
    parser.add_argument("--unpaired", action="store_true", help="each patient is shown real or synthetic, not both")
    parser.add_argument("--practice", type=whole, default=6, metavar="N", help="practice trials (default: 6)")
    parser.add_argument("--repeats", type=float, default=0.1, metavar="SHARE", help="shown again (default: 0.1)")
    _add_margin(parser)


def plan(arguments: argparse.Namespace, _secret: str, _stop: StopSignal) -> Work[Lines | None]:
    """Trials, patients and minutes in words, and the table for one reader."""
    from ctmri_core.statistics.answers import NotComputable
    from ctmri_core.studies.planning import size_plan
    from ctmri_core.studies.protocol import Analysis

    yield Progress(done=0, message="planning")
    if not 0.5 <= arguments.power <= 0.99 or not 0 <= arguments.repeats <= 0.5:
        raise CtmriError("A power lies between 0.5 and 0.99, a share of repeats between 0 and 0.5.")
    expected = _EXPECTED.get(arguments.design, 0.7) if arguments.expected is None else arguments.expected
    analysis = Analysis(
        margin=_margin(arguments), primary="auc" if arguments.auc else "accuracy", readers_random=not arguments.these_readers
    )
    found = size_plan(
        arguments.design, expected=expected, power=arguments.power, analysis=analysis, readers=arguments.readers,
        shown="slice" if arguments.slices else "volume", repeats=arguments.repeats, practice=arguments.practice,
        paired=not arguments.unpaired, models=arguments.models,
    )  # fmt: skip
    if isinstance(found, NotComputable):
        return [found.because, *_table()]
    total = f"{found.trials} trials of the test for each reader, {found.cases} patients, {found.minutes:g} minutes with practice"
    return [f"{total} and repeats.", *found.words, *_table()]


def add_rehearse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=given_path, metavar="DIR", help="a new folder for it")
    _add_design(parser)
    parser.add_argument("--readers", type=positive, default=3, metavar="N", help="you and simulated ones (default: 3)")
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="other heads, other readers (default: 0)")
    parser.add_argument("--all-simulated", action="store_true", help="simulates you too, and goes on to the report")


def rehearse(arguments: argparse.Namespace, secret: str, stop: StopSignal) -> Work[Lines | None]:
    """A study of digital heads, with or without a place that is left free."""
    from ctmri_core.cli.study_results import analyse, close
    from ctmri_core.studies.rehearsal import YOU, make_rehearsal, simulate

    study = yield from make_rehearsal(
        arguments.study, arguments.design, seed=arguments.seed, readers=arguments.readers, stop=stop
    )
    if study is None:
        return None
    if not arguments.all_simulated:
        read = f"ctmri study read {arguments.study.name} --reader {YOU}"
        return [f"Open: {', '.join(study.readers)}. Your turn: {read}. Then: ctmri study close, and analyse."]
    yield Progress(done=0, message=f"{YOU} reads")
    simulate(study.path, YOU, 0.7, arguments.seed)
    arguments.output, arguments.interim = None, False
    yield from close(arguments, secret, stop)
    return (yield from analyse(arguments, secret, stop))


def harmonise(arguments: argparse.Namespace, secret: str, stop: StopSignal) -> Work[Lines | None]:
    """Takes away what the leak audit found."""
    from ctmri_core.studies.checking import check
    from ctmri_core.studies.harmonise import harmonised, not_offered, offers
    from ctmri_core.studies.study_folder import StudyFolder

    study = StudyFolder(arguments.study)
    study.refuse_if_open()
    found = yield from check(study, study.truth(secret), stop)
    if found is None:
        return None
    steps = [step for step in offers(found.audit) if not arguments.only or step.kind in arguments.only]
    left = [line for line in (not_offered(found.audit),) if line]
    told = [f"  {step.kind}: {step.words}" for step in steps]
    if arguments.show or not steps:
        return [found.audit.words, *(told or ["There is nothing to be taken away."]), *left]
    made = yield from harmonised(study, steps, secret, stop)
    if made is None:
        return None
    areas = [f"  {one.feature}: area {one.before:.2f} before, {one.after:.2f} now" for one in made.done]
    return [made.words, *told, *areas, *left]


def add_harmonise(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=given_path, metavar="STUDY", help="the folder of a study that is not open")
    kinds = ("background", "extent", "smooth", "noise", "range", "levels")
    only = f"of {', '.join(kinds)} (default: all that is offered)"
    parser.add_argument("--only", action="append", choices=kinds, metavar="STEP", help=only)
    parser.add_argument("--show", action="store_true", help="say what would be done, and change nothing")


def _add_design(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--design", choices=_DESIGNS, default="yes_no", help="what is asked (default: yes_no)")


def _add_margin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--margin", type=float, metavar="VALUE", help="that counts as none (default: 0.1; grades 0.5)")


def _margin(arguments: argparse.Namespace) -> float:
    given: float | None = arguments.margin
    usual = 0.5 if arguments.design == "grading" else 0.1
    if given is not None and not 0 < given <= 5:
        raise CtmriError("A margin lies above 0 and is 5 at most.")
    return usual if given is None else given


def _table() -> Lines:
    """Of independent trials of one reader (READER_STUDY D5)."""
    from ctmri_core.studies.planning import planning_table

    lines = ["One reader, independent trials, two-sided 5 %:  80 % power  90 % power"]
    for row in planning_table():
        name = f"true share {row.accuracy:.2f}" if row.accuracy is not None else f"equivalent within {row.margin:.2f}, truly 0.50"
        lines.append(f"  {name:<44}{_count(row.trials_80):>12}{_count(row.trials_90):>12}")
    return lines


def _count(found: int | NotComputable) -> str:
    return str(found) if isinstance(found, int) else "-"


def _window(text: str) -> tuple[float, float]:
    try:
        centre, width = (float(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError("give the level and the width, such as 40,80") from None
    if not width > 0 or not abs(centre) < 1e6 or not width < 1e6:
        raise argparse.ArgumentTypeError("the width is a number above 0")
    return centre, width


def _left_out(text: str) -> tuple[str, str]:
    case, _, why = (part.strip() for part in text.partition("="))
    if not case or not why:
        raise argparse.ArgumentTypeError("give the case and why, such as case7=motion")
    return case, why


def _order(arguments: argparse.Namespace, secret: str) -> StudyOrder:
    from ctmri_core.model_card import find_model
    from ctmri_core.resources_folder import model_folders
    from ctmri_core.studies.protocol import Analysis, Display
    from ctmri_core.studies.questions_file import read_questions
    from ctmri_core.studies.request import StudyRequest
    from ctmri_core.studies.truth import Order

    questions: Path | None = arguments.questions
    asked = StudyRequest(
        folder=arguments.output, title=arguments.title, design=arguments.design, cases=arguments.cases, seed=arguments.seed or "",
        models=tuple(find_model(name, model_folders()) for name in arguments.models), data=arguments.data or "",
        side=arguments.split, predictions=tuple(arguments.predictions), truth=arguments.truth,
        direction=arguments.direction.name if arguments.direction else "", paired=not arguments.unpaired,
        readers=tuple(word.strip() for word in arguments.readers.split(",") if word.strip()), spacing=arguments.spacing,
        repeats=arguments.repeats, practice=arguments.practice, order_kept=Order(may_relax=arguments.relax),
        display=Display(shown="slice" if arguments.slices else "volume", window=arguments.window),
        by_hand=dict(arguments.leave_out), finding=arguments.finding,
        findings=arguments.findings, labels=arguments.labels,
        questions=read_questions(questions) if questions else (), analysis=Analysis(margin=_margin(arguments)),
    )  # fmt: skip
    return asked.order(secret)
