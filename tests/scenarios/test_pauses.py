"""What a paused process says after its lease is refused: the short form of `python -m tests.scenarios.pauses`."""

import random

import pytest

from tests.scenarios.pauses import run
from tests.servers import PulsarServer


@pytest.mark.parametrize("broken", [False, True])
def test_nothing_said_under_an_earlier_epoch_is_taken_and_processes_that_forget_their_lease_are_caught(
    broken: bool, postgres_url: str, pulsar_server: PulsarServer
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    result = run(10, 2.0, seed, lambda _: None, broken=broken)
    assert (result.stale_accepted > 0) == broken
    if not broken:
        assert result.pauses == 10
        assert result.broken == []
