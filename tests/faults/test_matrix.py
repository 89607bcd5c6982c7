"""Every fault of the network and of the provider, through a real client, one after another: see runner.run for what is held."""

from __future__ import annotations

import pytest

from . import answers, connecting, streams
from .runner import run

FAULTS = (*connecting.FAULTS, *answers.FAULTS, *streams.FAULTS)
RUNS = [pytest.param(fault, mode, id=f"{fault.id}-{mode}") for fault in FAULTS for mode in fault.modes]


@pytest.mark.parametrize(("fault", "mode"), RUNS)
def test_a_fault_ends_as_the_page_says(fault, mode, tmp_path, capfd):
    run(fault, mode, tmp_path)
    assert capfd.readouterr() == ("", "")
