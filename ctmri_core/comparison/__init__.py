"""How alike a synthetic volume and the real one of the same patient are: whether they may be compared, and their scores."""

from ctmri_core.comparison.comparison import Comparison
from ctmri_core.comparison.ground import Ground
from ctmri_core.comparison.models import ModelComparison, volume_scores_of
from ctmri_core.comparison.scores import Inside, Scores
from ctmri_core.comparison.verdict import Verdict

__all__ = ["Comparison", "Ground", "Inside", "ModelComparison", "Scores", "Verdict", "volume_scores_of"]
