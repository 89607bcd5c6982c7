"""Every fault of the network and the provider, with a real client, over TCP and TLS. runner.run checks each."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from . import connecting, responses, streams
from .runner import run

if TYPE_CHECKING:
    from .register import Fault

FAULTS = (*connecting.FAULTS, *responses.FAULTS, *streams.FAULTS)
RUNS = [pytest.param(fault, mode, id=f"{fault.id}-{mode}") for fault in FAULTS for mode in fault.modes]


def over_tls(fault: Fault) -> Fault:
    """The same fault, with its own resolver (which counts), and time to encrypt a long prompt."""
    low, high = fault.took
    return replace(fault, tls="good", resolver=copy(fault.resolver), took=(low, high + 0.5 * (fault.padding > 0)))


#: Not where a fault is about TLS itself, or comes before it.
TLS_RUNS = [
    pytest.param(over_tls(fault), mode, id=f"{fault.id}-{mode}-tls")
    for fault in FAULTS
    for mode in fault.modes
    if fault.tls is None and fault.greet is None and not fault.proxied
]


@pytest.mark.parametrize(("fault", "mode"), RUNS + TLS_RUNS)
def test_a_fault_ends_as_the_page_says(fault, mode, tmp_path, capfd):
    run(fault, mode, tmp_path)
    assert capfd.readouterr() == ("", "")
