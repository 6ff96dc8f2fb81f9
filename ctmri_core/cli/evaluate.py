"""Says how good translators are: scores with intervals on held-out patients, or of finished pictures."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.cli.input_choices import device, positive, whole
from ctmri_core.cli.terminal import EXIT_FAILED, EXIT_STOPPED, Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.config_flags import add_config_arguments, config_from_arguments
from ctmri_core.data.layouts.layout import LayoutOptions
from ctmri_core.data.split import SplitChoices, SplitLists, SplitPlan
from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError
from ctmri_core.events import Finished, Progress, StopSignal, Work

if TYPE_CHECKING:
    from ctmri_core.evaluation.evaluate import EvaluationOrder
    from ctmri_core.evaluation.results import Evaluation

_WAYS = ("auto", "mirrored", "planes", "dropout", "latent")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _add_what(parser)
    how = parser.add_argument_group("how")
    how.add_argument("--metrics", default="", metavar="NAME[,NAME]", help=(
        "keys of docs/metrics.md, or sets: ct, mr, synthrad2023, synthrad2025, tissue, all (default: ct or mr, as the target is)"
    ))  # fmt: skip
    how.add_argument("--features", choices=("vgg", "inception"), default="", help=(
        "what a network sees in slices, too: Fréchet and kernel distances (FID, KID) of all slices; with vgg of pairs as well"
    ))  # fmt: skip
    how.add_argument("--feature-weights", type=given_path, metavar="FILE", help=(
        "its weights as safetensors (VGG-19, or Inception v3 of the FID); without it those of torchvision, where it is there"
    ))  # fmt: skip
    how.add_argument("--back", metavar="MODEL", help=(
        "cycle scores too, in a table of their own: source → target → source by this model for the reverse direction; auto: the"
        " one of the same run, else the best there is"
    ))  # fmt: skip
    how.add_argument("--uncertainty", choices=_WAYS, metavar="WAY", help=(
        f"whether models know where they are wrong: spread of their answers against errors ({', '.join(_WAYS)})"
    ))  # fmt: skip
    how.add_argument("--samples", type=positive, metavar="N", help="of so many answers (default: 8)")
    how.add_argument("--body-model", metavar="MODEL", help=(
        "a model that outlines the body inside which scores count, in cases whose data bring no mask (default: by threshold)"
    ))  # fmt: skip
    how.add_argument("--even-trained-on", action="store_true", help="count cases that a model learnt from; they are marked")
    how.add_argument("--names", action="store_true", help="write names of cases into the results (they may be of patients)")
    how.add_argument("--keep-unfinished", action="store_true", help="when stopped, write what is finished")
    how.add_argument("--device", type=device, default="auto", metavar="DEVICE", help="auto, cpu, cuda, or one card: cuda:1")
    how.add_argument("--workers", type=whole, metavar="N", help="processes for scoring (default: by size and processors)")
    how.add_argument("--json", action="store_true", help="print events as JSON lines; the results are in OUT/evaluation.json")
    add_config_arguments(parser, SplitChoices)
    add_config_arguments(parser, LayoutOptions)
    parser.epilog = _EXAMPLES
    parser.usage = "ctmri evaluate (--model M ... --data DIR | --predictions DIR ... --truth DIR) --output OUT [flags]"
    parser.set_defaults(usage_error=parser.error)


def _add_what(parser: argparse.ArgumentParser) -> None:
    models = parser.add_argument_group("models on data")
    models.add_argument("--model", dest="models", action="append", default=[], metavar="MODEL", help=(
        "a model file, a run's folder, or a name; several are compared on the same patients"
    ))  # fmt: skip
    models.add_argument("--data", metavar="DIR", help="prepared data, a folder of scans, or phantom:COUNT")
    models.add_argument(
        "--split", choices=("train", "validation", "test", "all"), default="test", help="of which side (default: test)"
    )
    models.add_argument("--split-lists", type=given_path, metavar="FILE", help="who is on which side, as for ctmri prepare")
    models.add_argument("--layout", default="", metavar="NAME", help="of scans, as for ctmri prepare")
    pictures = parser.add_argument_group("finished pictures, matched by name")
    pictures.add_argument(
        "--predictions", type=given_path, action="append", default=[], metavar="DIR", help="one folder for each model"
    )
    pictures.add_argument("--truth", type=given_path, metavar="DIR", help="of the real pictures")
    pictures.add_argument("--sources", type=given_path, metavar="DIR", help="of what was translated: to check that all fits")
    pictures.add_argument("--masks", type=given_path, metavar="DIR", help="of bodies (default: outlined in the truth)")
    pictures.add_argument("--made-by", action="append", default=[], metavar="MODEL", help=(
        "the model that made them, one for each --predictions: cases that it learnt from are known by its card"
    ))  # fmt: skip
    pictures.add_argument("--patients", type=given_path, metavar="FILE", help=(
        "CSV with the columns case, patient and, if wanted, centre (default: each case is a patient, but for sub-NAME of BIDS)"
    ))  # fmt: skip
    pictures.add_argument("--labels", type=given_path, metavar="DIR", help="of label maps of the truths: errors of each label")
    pictures.add_argument(
        "--predicted-labels", type=given_path, action="append", default=[], metavar="DIR",
        help="of label maps of the predictions, for Dice and HD95; one for each --predictions",
    )  # fmt: skip
    pictures.add_argument("--direction", type=_direction, metavar="A_to_B", help="such as mr_t1_to_ct, where files do not say it")
    parser.add_argument("--output", type=given_path, required=True, metavar="OUT", help=(
        "folder for evaluation.json, tables and pictures; the same command goes on where it was stopped"
    ))  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    from ctmri_core.cli.evaluation_text import lines_of

    terminal = Terminal(as_json=arguments.json)
    outcome = run_work(lambda stop: _work(arguments, stop), terminal)
    evaluation = outcome.result
    if evaluation is None:
        return outcome.status
    if not arguments.json:
        for line in lines_of(evaluation):
            terminal.say(line)
    if not evaluation.finished:
        return EXIT_STOPPED
    return outcome.status if any(one.counted for one in evaluation.scores) else EXIT_FAILED


def _work(arguments: argparse.Namespace, stop: StopSignal) -> Work[Evaluation | None]:
    from ctmri_core.evaluation.evaluate import evaluate
    from ctmri_core.evaluation.report import write_report

    evaluation = yield from evaluate(_order(arguments), stop)
    if evaluation is None:
        yield Finished(reason="stopped", message="Stopped; scores that are finished are kept, and the same command goes on.")
        return None
    yield Progress(done=0, message="writing the report")
    paths = {"evaluation": str(arguments.output), "report": str(write_report(arguments.output))}
    yield Finished(reason="completed" if evaluation.finished else "stopped", message="Stopped.", paths=paths)
    return evaluation


def _order(arguments: argparse.Namespace) -> EvaluationOrder:
    """Raises `CtmriError` where flags do not go together, `ModelRefused` for a model that is not there."""
    from ctmri_core.evaluation.evaluate import EvaluationOrder
    from ctmri_core.inference.order import Order
    from ctmri_core.model_card import find_model
    from ctmri_core.resources_folder import model_folders

    if arguments.samples is not None and arguments.uncertainty is None:
        raise CtmriError("--samples goes with --uncertainty. Say which, or leave it out.")
    if arguments.predictions and (arguments.uncertainty or arguments.back):
        raise CtmriError("--uncertainty and --back need models; of finished pictures neither can be told.")
    folders = model_folders()
    lists = SplitLists.read(arguments.split_lists) if arguments.split_lists else None
    return EvaluationOrder(
        output=arguments.output,
        models=tuple(find_model(name, folders) for name in arguments.models),
        data=arguments.data,
        side=arguments.split,
        split=SplitPlan(**config_from_arguments(arguments, SplitChoices).model_dump(), lists=lists),
        layout=arguments.layout,
        layout_options=config_from_arguments(arguments, LayoutOptions),
        predictions=tuple(arguments.predictions),
        truth=arguments.truth,
        sources=arguments.sources,
        masks=arguments.masks,
        made_by=tuple(find_model(name, folders) for name in arguments.made_by),
        patients=arguments.patients,
        labels=arguments.labels,
        predicted_labels=tuple(arguments.predicted_labels),
        direction=arguments.direction,
        metrics=tuple(word for word in re.split(r"[,\s]+", arguments.metrics) if word),
        features=arguments.features,
        feature_weights=arguments.feature_weights,
        translation=Order(
            device=arguments.device, doubt=arguments.uncertainty or "none", samples=arguments.samples or Order().samples
        ),
        back=None if arguments.back is None else _back(arguments.back, folders),
        body_model=find_model(arguments.body_model, folders) if arguments.body_model else None,
        even_trained_on=arguments.even_trained_on,
        names=arguments.names,
        keep_unfinished=arguments.keep_unfinished,
        workers=arguments.workers,
    )


def _back(name: str, folders: tuple[Path, ...]) -> str | Path:
    from ctmri_core.model_card import find_model

    return name if name == "auto" else find_model(name, folders)


def _direction(text: str) -> Direction:
    try:
        return Direction.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


_EXAMPLES = """\
examples:
  two models on the patients that were kept for the last test:
    ctmri evaluate --model runs/1 --model runs/2 --data prepared/ --output scores/
  on the scans themselves, split as they were prepared:
    ctmri evaluate --model runs/1 --data scans/ --test-share 0.1 --output scores/
  pictures that any program has made:
    ctmri evaluate --predictions mine/ --predictions theirs/ --truth scans/ --masks scans/ --output scores/ --metrics synthrad2025

Cases that a model learnt from are known by the prints in its card, and left out. exit status: 1 where no case counts.
"""
