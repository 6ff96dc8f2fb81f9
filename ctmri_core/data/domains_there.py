"""Which kinds of pictures a source of training data holds, as far as that can be told without reading them."""

from __future__ import annotations

from ctmri_core.data.case_sources import find_cases
from ctmri_core.data.preparation import prepared_folder
from ctmri_core.domain import PICTURES, Domain
from ctmri_core.errors import CtmriError, FileRefused, Stopped, TrainingFailed
from ctmri_core.events import StopSignal, never

_PHANTOMS = (Domain.CT, Domain.MR_T1, Domain.MASK)  # the pictures that `ctmri prepare` makes, unless told


def domains_there(spec: str, stop: StopSignal = never) -> tuple[Domain, ...]:
    """Of prepared data in their own order, else CT first; empty where only reading the scans would tell.

    Raises `CtmriError` where there are no data that can be used, and `Stopped`.
    """
    if spec.startswith("phantom:"):
        return _PHANTOMS
    if prepared := prepared_folder(spec):
        index = prepared.read()
        return tuple(domain for domain in index.domains if any(domain in case.domains for case in index.cases))
    asked = (*PICTURES, Domain.MASK)
    try:
        cases = find_cases(spec, asked, stop=stop).cases
    except (TrainingFailed, FileRefused, Stopped):
        raise
    except CtmriError:  # layouts that say only which is A and which is B
        return ()
    if any(case.domains is None for case in cases):
        return ()
    return tuple(domain for domain in asked if any(domain in (case.domains or ()) for case in cases))
