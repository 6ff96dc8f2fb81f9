"""What our DICOM exports say about themselves in standard attributes, and how that is understood when they are opened again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ctmri_core.domain import Domain
from ctmri_core.io.dicom_slice import Origin
from ctmri_core.volume import Finding, Synthetic, Volume

NO_DICOM_SOURCE = "source without DICOM identity"
_DERIVATION = re.compile(
    r"Synthetic (?P<label>.+?)(?: of a phantom)? computed by model (?P<model>.+) \(SHA-256 of its weights (?P<hash>[^)]*)\)"
)
_COMMENT = re.compile(r"\[(?P<kind>\w+)(?P<serious>, serious)?\] (?P<message>.+)")
_RUN_FACTS = {
    "device": "device", "precision": "precision", "planes": "planes", "fusion": "fused by", "patch": "patches of", "seed": "seed",
    "draw": "draw",
}  # fmt: skip
_LONGEST_FACT, _LONGEST_TEXT = 80, 1024
_LONGEST_COMMENTS = 10_240
_LONGEST_LICENCES = 240
_LONGEST_STEPS = 600  # DerivationDescription holds 1024 characters
CONVERTED = "Converted by CT-MRI Studio, not synthetic:"
_CONVERSION = re.compile(CONVERTED + rf" (?P<label>.+?)(?: of a phantom)?(?: from a {NO_DICOM_SOURCE})?\. ")
_NOT_CARRIED_OVER = "How it was acquired is not carried over."


def derivation_text(volume: Volume, *, with_source: bool, note: str) -> str:
    """DerivationDescription (0008,2111): contrast, model and hash, or that it was converted, in words and in a fixed order."""
    phantom = " of a phantom" if volume.phantom else ""
    source = "" if with_source else f" from a {NO_DICOM_SOURCE}"
    made = volume.synthetic
    if made is None:
        steps = "; ".join(map(plain_text, volume.history))[:_LONGEST_STEPS]
        told = f" Steps: {steps}." if steps else ""
        text = f"{CONVERTED} {volume.domain.label}{phantom}{source}.{told} {_NOT_CARRIED_OVER} {note}"
    else:
        text = (
            f"Synthetic {volume.domain.label}{phantom} computed by model {plain_text(made.model_name)[:200] or 'unknown'} "
            f"(SHA-256 of its weights {plain_text(made.model_hash)[:80] or 'unknown'})"
            f"{source}. Not for diagnostic use.{_licence_words(made)} {note}"
        )
    return text.strip()


def _licence_words(made: Synthetic) -> str:
    """Of the data that the model learnt from."""
    known = made.details.get("licences")
    licences = [plain_text(text) for text in known if isinstance(text, str)] if isinstance(known, list | tuple) else []
    return f" Model learnt from data under: {', '.join(licences)}"[:_LONGEST_LICENCES] + "." if licences else ""


def contribution_text(made: Synthetic | None) -> str:
    """ContributionDescription (0018,A003): what was computed, where and with which options."""
    if made is None:
        return "Stored an acquired image anew"
    how = "; ".join(f"{name} {plain_text(text)}" for name, text in run_facts(made))
    return f"Computed a synthetic image with a neural network{': ' if how else ''}{how}"[:_LONGEST_TEXT]


def run_facts(made: Synthetic) -> tuple[tuple[str, str], ...]:
    """(name, value) of how a model was run, as far as it is recorded: device, precision, planes, seed."""
    told = []
    for key, name in _RUN_FACTS.items():
        value = made.details.get(key)
        if isinstance(value, list | tuple):
            value = ", ".join(map(str, value))
        if isinstance(value, str | int) and str(value) not in ("", "None"):
            told.append((name, str(value)[:_LONGEST_FACT]))
    if made.details.get("verified") is False:
        told.append(("model", "unverified"))
    return tuple(told)


def comments_text(findings: Sequence[Finding]) -> str:
    """ImageComments (0020,4000): one line per finding."""
    text = ""
    for finding in findings:
        line = f"[{finding.kind}{', serious' if finding.serious else ''}] {plain_text(finding.message)}\r\n"
        text += line if len(text) + len(line) <= _LONGEST_COMMENTS else ""
    return text.rstrip()


def told_synthetic(origin: Origin) -> Synthetic | None:
    """None when `SyntheticData` (0008,001C) is not YES; the model is known where the export is ours."""
    if not origin.synthetic:
        return None
    made = _DERIVATION.match(origin.derivation)
    return Synthetic(made["model"], made["hash"], told=True) if made else Synthetic("unknown model", "")


def told_domain(origin: Origin) -> Domain | None:
    """The contrast of an export of ours."""
    made = (_DERIVATION if origin.synthetic else _CONVERSION).match(origin.derivation)
    return next((domain for domain in Domain if made and domain.label == made["label"]), None)


def told_findings(origin: Origin) -> tuple[Finding, ...]:
    """What was known about the volume when we exported it."""
    if told_domain(origin) is None:
        return ()
    lines = (_COMMENT.fullmatch(line.strip()) for line in origin.comments.splitlines())
    return tuple(Finding(line["kind"], line["message"], serious=bool(line["serious"]), told=True) for line in lines if line)


def plain_text(text: str) -> str:
    """ASCII without the backslash and control characters that separate values in DICOM; directions in words."""
    return re.sub(r"[^ -~]|\\", "?", text.replace("→", "to"))
