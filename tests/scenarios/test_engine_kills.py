"""A killed engine loses and doubles nothing, and a broken one is caught: the short form of `engine_kills`."""

import random

import pytest

from tests.scenarios.engine_kills import run
from tests.scenarios.engine_process import BROKEN


def new_seed() -> int:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    return seed


def test_random_kills_of_the_engine_lose_and_double_nothing() -> None:
    result = run(100, new_seed(), "", lambda _: None)
    assert result.broken == []
    assert result.kills == 100
    assert result.repeats_refused > 0, "no kill came between the sending and what is remembered of it"
    assert result.states_compared > 0


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_engine_is_caught(broken: str) -> None:
    result = run(100, new_seed(), broken, lambda _: None)
    assert result.broken != []
