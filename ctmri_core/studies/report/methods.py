"""The methods paragraph, for a manuscript: what was shown, asked and computed, with versions, seed and hashes."""

from __future__ import annotations

from ctmri_core.reporting.wording import plural
from ctmri_core.statistics.mrmc import LITTLE_FREEDOM
from ctmri_core.studies.analysis.results import StudyResults
from ctmri_core.studies.protocol import Protocol
from ctmri_core.studies.report.wording import FIGURES, arm_label, percent

_DESIGNS = {
    "yes_no": "Each picture was shown alone; readers said whether it was real or synthetic and how sure they were (six levels"
    " without a neutral one).",
    "two_alternatives": "A real and a synthetic picture of one patient were shown side by side; readers chose the synthetic one"
    " and said how sure they were (1 to 5). The side of the synthetic one was balanced.",
    "rank": "The pictures of one case were shown together in balanced places and put in order from best to worst.",
    "grading": "Each picture was shown alone and graded on the scales below.",
    "diagnosis": "Each picture was shown alone; readers said whether the finding was there, how sure they were (1 to 3), and"
    " marked it.",
}  # fmt: skip

_FEW = (
    " With so few readers their spread is taken to be at least what differences of pictures alone make of it, so that readers who"
    " happen to agree do not pass for certainty."
)


def methods(results: StudyResults) -> tuple[str, ...]:
    """One text a paragraph."""
    return (_reading(results), _statistics(results), _traces(results))


def _reading(results: StudyResults) -> str:
    card, flow = results.card, results.flow
    protocol = card.protocol
    shown = ", ".join(f"{many} {arm_label(arm)}" for arm, many in flow.shown.get("test", {}).items())
    practice = sum(flow.shown.get("practice", {}).values())
    sections = [
        f"{plural(len(results.readers), 'reader')} read {shown} pictures of {plural(flow.patients.get('test', 0), 'patient')}.",
        _DESIGNS[protocol.design],
        "Readers were not told how many pictures were synthetic." if protocol.design != "two_alternatives" else "",
        f"A practice block of {practice} other pictures came first{' with' if _told(protocol) else ', without'}"
        " feedback; in the test there was none." if practice else "There was no practice block and no feedback.",
        f"{100 * card.repeats:g} % of the trials were shown again to measure how far readers agree with themselves; repeats count"
        " nowhere else." if card.repeats else "",
        "All pictures were brought into one form (16-bit whole numbers, one spacing, field of view, background and number of"
        " interpolations), under names drawn by chance, in a program that did not hold the truth.",
        _told_apart(results),
    ]  # fmt: skip
    return " ".join(filter(None, sections))


def _told(protocol: Protocol) -> bool:
    """Whether practice told the right answer: only where there is one."""
    return protocol.practice_feedback and protocol.design not in ("rank", "grading")


def _told_apart(results: StudyResults) -> str:
    """What the leak audit found before the study opened, and what was done about it."""
    audit = results.card.said.get("audit")
    area = audit.get("area") if isinstance(audit, dict) else None
    said = ""
    if isinstance(area, int | float):
        said = (
            "Before reading, a logistic classifier of trivial features (extremes, background, noise, sharpness, extent),"
            f" cross-validated over patients, told real from synthetic with an area under the ROC curve of {area:.2f}."
        )
    steps = list(dict.fromkeys(one.step for one in results.card.harmonised))
    return f"{said} Differences were reduced beforehand: {'; '.join(steps)}.".strip() if steps else said


def _statistics(results: StudyResults) -> str:
    protocol = results.card.protocol
    asked, interval = protocol.analysis, percent(1 - protocol.analysis.alpha)
    readers = "readers and cases" if asked.readers_random and len(results.pooled_readers) > 1 else "cases with these readers"
    pooled = (
        "Readers were analysed together by the method of Obuchowski and Rockette with the degrees of freedom of Hillis (error"
        f" covariances by the jackknife over {'patients' if _several_of_one(results) else 'pictures'}); results hold for other"
        f" {readers}.{_FEW if asked.readers_random and 2 <= len(results.pooled_readers) <= LITTLE_FREEDOM + 1 else ''}"
    )
    alike = "Agreement: Fleiss' kappa, Gwet's AC1, Krippendorff's alpha; with oneself, Cohen's kappa."
    if protocol.design == "grading":
        alike = "Agreement: Krippendorff's alpha for grades in order; with oneself, kappa with squared weights."
    several = (
        f"p of several comparisons, and of several models, were corrected after Holm. Intervals are of {interval}, two-sided"
        " unless said."
    )
    if protocol.design in ("yes_no", "two_alternatives"):
        said = (
            f"The primary figure, fixed before reading, was the {FIGURES[asked.primary]}, tested against one half and for"
            f" equivalence to it within ±{asked.margin:g} by two one-sided tests at {asked.alpha:g} each. Single readers: exact"
            " binomial tests with intervals of Clopper and Pearson; d′ with the log-linear correction; areas by DeLong."
        )
    elif protocol.design == "diagnosis":
        said = (
            f"The area under the ROC curve on synthetic pictures was compared with that on real ones; it is not inferior where"
            f" the lower end of the {interval} interval of the difference lies above −{asked.margin:g}. A mark counts within the"
            " radius given for each finding."
        )
    elif protocol.design == "grading":
        said = (
            f"Mean grades were compared with those of the real pictures; they are not inferior where the lower end of the"
            f" {interval} interval of the difference lies above −{asked.margin:g}. Grades from {asked.acceptable:g} are"
            " acceptable."
        )
    else:
        said = (
            "Friedman's test and Kendall's W were computed from one mean ranking for each patient, since rankings of several"
            " readers, or of several pictures, of one patient are not independent."
        )
    return " ".join((said, pooled, alike if protocol.design != "rank" else "", several)).replace("  ", " ")


def _several_of_one(results: StudyResults) -> bool:
    flow = results.flow
    return sum(flow.shown.get("test", {}).values()) > flow.patients.get("test", 0)


def _traces(results: StudyResults) -> str:
    card = results.card
    programs = ", ".join(f"{name} {version}" for name, version in results.programs.items())
    generators = " and ".join(sorted({one.numpy for one in results.readers}))
    anchors = "; ".join(results.anchors) or "none"
    return (
        f"The order of each reader's trials was drawn by PCG64 (numpy {generators}) from the study's seed {card.seed} and the"
        f" reader's code. The protocol (SHA-256 {card.protocol_sha256}) and the sealed truth (SHA-256 {card.commitment}) were"
        f" fixed on {card.opened} with version {card.opened_with}. Answers were kept in a record whose entries are hashed onto"
        f" each other (origin, entries, head: {anchors}). Analysed with {programs}."
    )
