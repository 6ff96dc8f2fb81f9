"""What a volume shows, seen from its voxels alone; a second opinion beside what its file says."""

from ctmri_core.recognition.far_off import far_off
from ctmri_core.recognition.hounsfield import FEW_VALUES, few_values, looks_like_hounsfield
from ctmri_core.recognition.recognise import Recognition, recognise
from ctmri_core.recognition.training_range import SliceFacts, TrainingRange, facts_of, range_of, slice_facts

__all__ = [
    "FEW_VALUES",
    "Recognition",
    "SliceFacts",
    "TrainingRange",
    "facts_of",
    "far_off",
    "few_values",
    "looks_like_hounsfield",
    "range_of",
    "recognise",
    "slice_facts",
]
