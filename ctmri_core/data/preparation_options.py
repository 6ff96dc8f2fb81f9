"""What to do with cases besides the recipe. No torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ctmri_core.aligning.kinds import Kind

WITH_MASKS = "Prepare folders with masks for it, with --domains ct,mask."
"""What helps where a method that outlines finds no masks."""


class PreparationOptions(BaseModel):
    """What is done with the cases."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(default=0, ge=0, le=10**7, description="learn from this many slices that differ most; 0: from all")
    align: Literal["no", "needed", "all"] = Field(
        default="no", description="register a patient's volumes to the first domain: none, those not aligned, all"
    )
    align_kind: Kind = Field(default="rigid", description="what registering may change: place only, sizes and angles too, bends")
    check: bool = Field(default=True, description="look whether each case is fit to learn from, and say what is wrong")
    leave_out_misaligned: bool = Field(default=False, description="leave out cases whose pictures do not lie on each other")
    body_model: str = Field(
        default="", max_length=1000, description="model (file or name) that outlines the body in cases that bring no mask of it"
    )
    spread_ct_steps: bool = Field(
        default=False, description="CT in steps of several HU (from 8-bit pictures): move values at random within a step"
    )
    leave_out: bool = Field(default=True, description="leave out cases that cannot be used, in place of ending there")
    what: str = Field(default="", max_length=120, description="what the data are, for the card of models made of them")
    licence: str = Field(default="", max_length=120, description="under which licence they are, for the same card")
    credit: str = Field(default="", max_length=600, description="who made them and where they are, as their licence asks")

    @property
    def registering(self) -> str:
        """For what prepared data are known again by."""
        return self.align if self.align_kind == "rigid" else f"{self.align} {self.align_kind}"

    @property
    def looks(self) -> bool:
        """Whether it must be known of each case what is wrong with it."""
        return self.check or self.leave_out_misaligned
