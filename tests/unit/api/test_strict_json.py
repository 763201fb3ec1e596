import time
from decimal import Decimal

import pytest

from bestex.api.strict_json import parse
from bestex.domain.errors import InvalidInput


def test_a_decimal_is_exact_from_its_text() -> None:
    assert parse(b'{"price": 0.10000000000000000001}') == {"price": Decimal("0.10000000000000000001")}


def test_integers_stay_integers() -> None:
    assert parse(b"[1, -0, 200000]") == [1, 0, 200000]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"quantity": 1, "quantity": 2}', "stands twice"),
        (b'{"quantity": NaN}', "NaN is not a number"),
        (b'{"quantity": Infinity}', "Infinity is not a number"),
        (b'{"quantity": 1e400}', "too large an exponent"),
        (b'{"quantity": 1E+999999}', "too large an exponent"),
        (b'{"quantity": 0.' + b"1" * 50 + b"}", "too many digits"),
        (b'{"quantity": ' + b"9" * 5000 + b"}", "too many digits"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a": ', "not JSON"),
        (b"", "not JSON"),
        (b"{'a': 1}", "not JSON"),
    ],
)
def test_what_a_careless_or_hostile_client_sends_is_refused_with_a_reason(body: bytes, says: str) -> None:
    started = time.process_time()
    with pytest.raises(InvalidInput, match=says) as refusal:
        parse(body)
    assert len(refusal.value.message) < 300
    assert time.process_time() - started < 0.5


def test_braces_inside_text_are_not_depth() -> None:
    assert parse(b'{"note": "[[[[[[[[[[[[[[[[[[[[[[ \\" {{{{{{{{{{{{{{{{{"}')["note"].startswith("[[")
