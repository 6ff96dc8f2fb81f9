"""What a program that must answer is spared while it trains."""

import gc
import os
import sys
import weakref

import pytest
import torch

from ctmri_core.training.beside_others import leaving_room


def test_all_is_as_it_was_afterwards_also_after_a_failure():
    before = torch.get_num_threads(), sys.getswitchinterval(), gc.get_freeze_count()
    with pytest.raises(ZeroDivisionError), leaving_room():
        assert torch.get_num_threads() <= max((os.cpu_count() or 1) - 1, 1) and sys.getswitchinterval() <= 0.001
        assert gc.get_freeze_count() > 10_000, "what was imported is not looked through"
        raise ZeroDivisionError
    assert (torch.get_num_threads(), sys.getswitchinterval(), gc.get_freeze_count()) == before


def test_cycles_made_meanwhile_are_still_collected():
    class Ring:
        pass

    with leaving_room():
        ring = Ring()
        ring.own, gone = ring, weakref.ref(ring)
        del ring
        gc.collect()
        assert gone() is None
