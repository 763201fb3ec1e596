"""What a GraphQL request may ask for: refused by its weight, before anything is validated or executed."""

import random
import time

import pytest
from graphql import GraphQLError, Lexer, Source, TokenKind, parse

from bestex.api.graphql.limits import (
    ALIASES_MAX,
    DEPTH_MAX,
    TOKENS_MAX,
    check_document,
    check_text,
)
from bestex.api.graphql.schema import SCHEMA
from bestex.domain.errors import InvalidInput

UNFOLDING = "query { orders { items { ...F0 } } }" + " ".join(
    f"fragment F{n} on Order {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60)
)


@pytest.mark.parametrize(
    "text",
    [
        "{ a }",
        '{ a(b: "{{{[[[" c: """{{{ \\""" " """) }',
        "{ a # {{{{\n b }",
        "query ($n: [Int!]! = -1.5e3, $m: Int) @x { ...F }",
    ],
)
def test_tokens_are_counted_as_the_parser_counts_them(text: str) -> None:
    lexer, count = Lexer(Source(text)), 0
    while lexer.advance().kind is not TokenKind.EOF:
        count += 1
    room = "a " * (TOKENS_MAX - count)
    check_text(text + room)
    with pytest.raises(InvalidInput, match="too many tokens"):
        check_text(text + room + "a")


def weigh(text: str, *, variables: dict[str, object] | None = None, may_introspect: bool = True) -> object:
    check_text(text)
    return check_document(parse(text), SCHEMA.graphql_schema, variables, may_introspect=may_introspect)


def test_what_a_screen_needs_is_within_the_limits() -> None:
    weigh(
        """query Blotter($rows: Int = 100) {
          orders(limit: $rows, state: "WORKING,PAUSED") {
            next_cursor
            items { order_id instrument_id side quantity filled_quantity state algorithm updated_time
                    status { schedule_deviation live_quantity } quality { quality_grade } }
          }
        }"""
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{ orders { items { children { items { order_id } } } } " + "a: __typename " * 31 + "}", "aliases"),
        ("query " + "{ x " * 9 + "}" * 9, "depth"),
        ("{ order(order_id: 1) " + "{ order " * 40 + "{ order_id }" + "}" * 41, "nested too deeply"),
        ("{ " + " ".join(f"a{n}: __typename" for n in range(400)) + " }", "too many tokens"),
        ('{ order(order_id: "' + "x" * 10_000 + '") { state } }', "10033 characters"),
        ("{ " + "order_id " * 40 + "}", "aliases"),  # the same again and again
        (UNFOLDING + "fragment F60 on Order { a: order_id }", "aliases is more than"),
        (UNFOLDING + "fragment F60 on Order { children { items { state } } }", "cost is more than"),
        ("query { orders { items { ...A } } } fragment A on Order { ...B } fragment B on Order { ...A }", "itself"),
        ("query { __typename } fragment A on Order { ...A }", "itself"),
        ("query A { __typename } query B { __typename }", "several operations"),
        ("{ orders(limit: 201) { next_cursor } }", "limit is 201"),
        ("{ orders(limit: 0) { next_cursor } }", "limit is 0"),
        ("query ($n: Int) { orders(limit: $n) { next_cursor } }", "limit is 100000"),
        ("query ($m: Int = 1000) { orders(limit: $m) { next_cursor } }", "limit is 1000"),
        ("{ orders(limit: 200) { items { children(limit: 200) { items { state } } } } }", "cost"),
    ],
)
def test_what_asks_for_too_much_is_refused_and_says_what(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        weigh(text, variables={"n": 100_000})
    assert caught.value.field == "query"
    assert caught.value.expected


@pytest.mark.parametrize("text", ["{ __schema { types { name } } }", '{ __type(name: "Order") { name } }'])
def test_introspection_is_for_the_embedded_desk(text: str) -> None:
    weigh(text)
    with pytest.raises(InvalidInput, match="introspection is off"):
        weigh(text, may_introspect=False)
    with pytest.raises(InvalidInput, match="introspection is off"):
        weigh("query { ...A } fragment A on Query " + text, may_introspect=False)


def test_asking_for_the_type_s_name_is_no_introspection() -> None:
    weigh("{ __typename }", may_introspect=False)


def test_the_limits_hold_for_a_query_and_not_for_one_more() -> None:
    def aliases(count: int) -> str:
        return "{ " + " ".join(f"a{n}: __typename" for n in range(count)) + " }"

    weigh(aliases(ALIASES_MAX))
    with pytest.raises(InvalidInput, match=f"aliases is {ALIASES_MAX + 1}"):
        weigh(aliases(ALIASES_MAX + 1))
    weigh("{ x " * DEPTH_MAX + "}" * DEPTH_MAX)
    with pytest.raises(InvalidInput, match=f"depth is {DEPTH_MAX + 1}"):
        weigh("{ x " * (DEPTH_MAX + 1) + "}" * (DEPTH_MAX + 1))


def test_weighing_counts_what_unfolding_would() -> None:
    """Random documents against a slow twin that unfolds every spread; a twin that forgets spreads is caught."""
    seed = 20_261_121
    print("seed", seed)
    chance = random.Random(seed)
    caught = 0
    for _ in range(200):
        count = chance.randint(1, 6)
        bodies = [_body(chance, n, count) for n in range(count)]
        text = f"query {{ orders(limit: 1) {{ items {{ {bodies[0]} }} }} }}" + "".join(
            f" fragment F{n} on Order {{ {bodies[n]} }}" for n in range(1, count)
        )
        expected = _aliases(bodies, 0)
        if expected > ALIASES_MAX:
            with pytest.raises(InvalidInput, match=f"aliases is {expected};"):
                weigh(text)
        else:
            assert weigh(text).aliases == expected  # type: ignore[attr-defined]
        caught += expected != sum(body.count(":") for body in bodies)
    assert caught > 20


def _body(chance: random.Random, number: int, count: int) -> str:
    parts = [f"b{number}x{n}: state" for n in range(chance.randint(1, 3))]
    parts += [f"...F{chance.randint(number + 1, count - 1)}" for _ in range(chance.randint(0, 3)) if number + 1 < count]
    return " ".join(parts)


def _aliases(bodies: list[str], number: int) -> int:
    found = 0
    for part in bodies[number].split():
        if part.startswith("..."):
            found += _aliases(bodies, int(part[4:]))
        elif part.endswith(":"):
            found += 1
    return found


@pytest.mark.parametrize(
    "text",
    [
        "{" * 30_000,
        "{" * 9_000,
        '"""' + '\\"""' * 2_400 + "{" * 33,
        '{ a(b: "' + "\\" * 9_000 + "\n" + "{" * 33,
        "{ " + "a " * 30_000 + "}",
        "{ " + "a " * 4_000 + "}",
        UNFOLDING + "fragment F60 on Order { order_id }",
        '{ order(order_id: "' + "x" * 60_000 + '") { state } ' + "b: __typename " * 31 + "}",
    ],
)
def test_a_hostile_text_is_refused_in_less_than_20_ms(text: str) -> None:
    seconds = []  # of this thread's own work
    for _ in range(5):
        started = time.thread_time()
        with pytest.raises((InvalidInput, GraphQLError)):
            weigh(text)
        seconds.append(time.thread_time() - started)
    assert min(seconds) < 0.020, seconds
