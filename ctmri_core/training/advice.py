"""What a person should know of how training goes, in words, and which settings to try: from losses, gradients and pictures.

The papers name these failures (Goodfellow et al. 2014 section 3 and Arjovsky and Bottou 2017: a discriminator that wins leaves
the generator without gradients; Goodfellow 2016 section 5.1.1: mode collapse) but no thresholds: all of these are our own, set so
that no sound run of ours is spoken of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from statistics import median

from pydantic import ValidationError

from ctmri_core.config_flags import flag_of
from ctmri_core.domain import Direction, Domain
from ctmri_core.events import Noted
from ctmri_core.method import JUDGED, MethodConfig
from ctmri_core.training.optimisation import StepReport
from ctmri_core.training.scores import Scores

_SMOOTHING = 0.05
_LASTING = 200  # steps in a row that a sign must hold for
_SETTLED = 500  # steps before which nothing is said of what takes time to learn
_FIRST = 100  # steps that a run's usual gradients are taken from
_WON = 0.05  # of the discriminators' first loss
_VANISHED = 1e-3  # of the generators' usual gradients
_BLIND = 0.02  # between the judgements of real and synthetic pictures; 1 between the goals of least squares
_EXPLODED = 30.0  # times the usual gradients
_STILL_STEPS, _STILL_SHARE = 2000, 1 / 3  # at least so many steps, and so much of the run so far, without progress
_PROGRESS, _WORSE = 0.99, 1.1  # times the best loss so far
_SATURATED = 0.5  # of the body
_ALIKE = 0.1  # differences between synthetic pictures over those between their sources

_NO_NUMBERS = (
    "Synthetic {of} holds values that are no numbers: the generator has diverged, its losses have not yet. Go on from an earlier"
    " model with a lower learning rate, or with precision 32."
)
_BLACK_OR_WHITE = (
    "{share:.0%} of the body in synthetic {of} is black or white throughout: the generator has collapsed, or the values do not"
    " fit the recipe. Look at the sample pictures."
)
_COLLAPSE = (
    "Synthetic {of} looks the same whatever it is made from: the generator has collapsed to one picture. It rarely recovers."
    " Start a new run{tries}."
)
_DISCRIMINATOR_WON = (
    "The discriminator tells synthetic from real almost without error, so the generator learns little from it any more."
    " If sample pictures get no better, start a new run{tries}."
)
_DISCRIMINATOR_BLIND = (
    "The discriminator for {of} does not tell synthetic from real: either they are that good, which scores and sample pictures"
    " show, or it is too weak to teach anything. Then start a new run{tries}."
)
_GRADIENTS_EXPLODE = (
    "The gradients of the {of} are more than {times:.0f} times as long as at first: training is about to diverge. If losses rise,"
    " stop, and start a new run{tries}."
)
_NO_PROGRESS = (
    "The losses have hardly moved for {steps} steps. If the scores stand still too, the run has learned what it can: end it, or"
    " start a new run{tries}."
)


class Advice:
    """Of one run with the settings `config`. Each kind is said once, and again only after it had passed."""

    def __init__(self, config: MethodConfig) -> None:
        self._config = config
        self._said: set[str] = set()
        self._held: dict[str, int] = {}
        self._means: dict[str, float] = {}
        self._first_loss = 0.0
        self._first_gradients: dict[str, list[float]] = {}
        self._best, self._best_at = math.inf, 0

    def of_step(self, iteration: int, report: StepReport) -> Iterator[Noted]:
        """After the `iteration`-th step; must hear of every one."""
        lengths = {group: length for group, length in report.gradients.items() if math.isfinite(length)}
        for group, length in lengths.items():
            first = self._first_gradients.setdefault(group, [])
            if len(first) < _FIRST:
                first.append(length)
        judges = [value for group, value in report.objectives.items() if _judges(group)]
        if judges:
            yield from self._won(sum(judges), {group: length for group, length in lengths.items() if not _judges(group)})
            yield from self._blind(iteration, report.losses)
        yield from self._explode(lengths)
        yield from self._still(iteration, report.losses)

    def of_validation(self, scores: Mapping[Direction, Scores]) -> Iterator[Noted]:
        """After each."""
        for way, each in scores.items():
            of = way.target.label
            finite = all(map(math.isfinite, each.metrics.values()))
            yield from self._say(f"numbers {way.name}", partial(_NO_NUMBERS.format, of=of), not finite, finite)
            share = each.saturation or 0.0 if finite else 0.0
            message = partial(_BLACK_OR_WHITE.format, of=of, share=share)
            yield from self._say(f"saturated {way.name}", message, share > _SATURATED, share <= _SATURATED)

    def of_pictures(self, iteration: int, way: Direction, variety: float) -> Iterator[Noted]:
        """`variety`: how much synthetic pictures differ, over how much their sources do."""

        def message() -> str:
            tries = self._tries(lambda_cycle=2, lambda_identity=2, lambda_gan=0.5, learning_rate=0.5)
            return _COLLAPSE.format(of=way.target.label, tries=tries)

        yield from self._say(f"alike {way.name}", message, iteration >= _SETTLED and variety < _ALIKE, variety > 2 * _ALIKE)

    def _won(self, loss: float, gradients: Mapping[str, float]) -> Iterator[Noted]:

        def message() -> str:
            tries = self._tries(generator_steps=2, critic_steps=0.5, discriminator_width=0.5, spectral_norm=1, learning_rate=0.5)
            return _DISCRIMINATOR_WON.format(tries=tries)

        self._first_loss = self._first_loss or loss
        mean = self._mean("judges", loss)
        lost = 0 <= mean < _WON * self._first_loss and not hasattr(self._config, "critic_steps")  # a critic's loss is a distance
        means = {group: self._mean(f"length {group}", length) for group, length in gradients.items()}
        vanished = any(mean < _VANISHED * self._usual(group) for group, mean in means.items())
        passed = mean > 2 * _WON * self._first_loss and not vanished
        yield from self._say("won", message, self._lasts("won", lost or vanished), passed)

    def _blind(self, iteration: int, losses: Mapping[str, float]) -> Iterator[Noted]:
        for name, real in losses.items():
            of = name.removeprefix(f"{JUDGED}real_")
            synthetic = losses.get(f"{JUDGED}synthetic_{of}")
            if name == of or synthetic is None:
                continue
            margin = abs(self._mean(f"margin {of}", real - synthetic))
            lasting = self._lasts(f"blind {of}", margin < _BLIND) and iteration >= _SETTLED
            message = partial(self._blind_message, of)
            yield from self._say(f"blind {of}", message, lasting, margin > 2 * _BLIND)

    def _blind_message(self, of: str) -> str:
        tries = self._tries(discriminator_width=2, lambda_gan=2, learning_rate=0.5)
        return _DISCRIMINATOR_BLIND.format(of=_label(of), tries=tries)

    def _explode(self, lengths: Mapping[str, float]) -> Iterator[Noted]:
        for group, length in lengths.items():
            usual = self._usual(group) or math.inf
            recent = math.exp(self._mean(f"log {group}", math.log(max(length, 1e-30)), 4 * _SMOOTHING))  # a single one is no sign
            message = partial(self._explode_message, group)
            yield from self._say(f"exploded {group}", message, recent > _EXPLODED * usual, recent < _EXPLODED * usual / 5)

    def _explode_message(self, group: str) -> str:
        tries = self._tries("--clip-norm 1", learning_rate=0.5)
        return _GRADIENTS_EXPLODE.format(of=group.replace("_", " "), times=_EXPLODED, tries=tries)

    def _still(self, iteration: int, losses: Mapping[str, float]) -> Iterator[Noted]:
        """Of what compares pictures with pictures: what discriminators say stands still in the best of runs."""
        compared = [abs(value) for name, value in losses.items() if not _judges(name) and not name.startswith(("gan", JUDGED))]
        if not compared or iteration <= _FIRST:
            return
        mean = self._mean("compared", sum(compared), _SMOOTHING / 5)
        moved = not _PROGRESS * self._best <= mean <= _WORSE * self._best
        if moved:
            self._best, self._best_at = mean, iteration
        steps = iteration - self._best_at

        def message() -> str:
            return _NO_PROGRESS.format(steps=steps, tries=self._tries(learning_rate=0.5))

        yield from self._say("still", message, steps >= max(_STILL_STEPS, iteration * _STILL_SHARE), moved)

    def _usual(self, group: str) -> float:
        """The length of a group's gradients in the first steps; 0 while these last."""
        first = self._first_gradients.get(group, [])
        return median(first) if len(first) == _FIRST else 0.0

    def _mean(self, name: str, value: float, smoothing: float = _SMOOTHING) -> float:
        before = self._means.get(name, value)
        self._means[name] = before + smoothing * (value - before)
        return self._means[name]

    def _lasts(self, name: str, holds: bool) -> bool:
        self._held[name] = self._held.get(name, 0) + 1 if holds else 0
        return self._held[name] >= _LASTING

    def _say(self, kind: str, message: Callable[[], str], holds: bool, passed: bool) -> Iterator[Noted]:
        """Once, until it has `passed`."""
        if holds and kind not in self._said:
            self._said.add(kind)
            yield Noted(message=message(), serious=not kind.startswith(("still", "blind")))
        elif passed:
            self._said.discard(kind)

    def _tries(self, *flags: str, **factors: float) -> str:
        """` with --a 1 or --b 2`: `flags`, and this method's settings times `factors` where it has them and takes such values."""
        own, tried = type(self._config), list(flags)
        for name, factor in factors.items():
            old = getattr(self._config, name, None)
            if old is None:
                continue
            new = True if isinstance(old, bool) else type(old)(old * factor)
            try:
                own.model_validate({**self._config.model_dump(), name: new})
            except ValidationError:
                continue
            if new != old:
                tried.append(flag_of(name) if isinstance(new, bool) else f"{flag_of(name)} {new:g}")
        if not tried:
            return ""
        return " with " + (f"{', '.join(tried[:-1])} or {tried[-1]}" if tried[1:] else tried[0])


def _judges(group: str) -> bool:
    return group.startswith("discriminator")


def _label(of: str) -> str:
    """Of what a discriminator judges."""
    return Domain(of).label if of in list(Domain) else f"{of} pictures"
