"""What a GraphQL request may ask for, weighed before anything of it is validated or executed.

Spreads of a fragment count as often as they stand, whatever they are nested in; a fragment is weighed once. So a
document that would unfold to millions of fields is refused in the time it takes to read it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from bestex.domain.errors import InvalidInput

CHARACTERS_MAX: Final = 10_000
TOKENS_MAX: Final = 1_000
NESTING_MAX: Final = 32  # of brackets, so that no parser is led into the depths
DEPTH_MAX: Final = 8
ALIASES_MAX: Final = 30
COST_MAX: Final = 20_000
LIMIT_MAX: Final = 200  # rows a page
_OBJECT_COST: Final = 10  # it may be a read of its own
_UNPAGED_ROWS: Final = 10  # what a list without a limit is taken to hold
_INTROSPECTION: Final = frozenset({"__schema", "__type"})
# A string that does not end takes the rest: each character is looked at once, whatever stands in the text.
_TOKEN: Final = re.compile(
    r'"""(?:\\"""|[^"]|"(?!""))*+(?:"""|\Z)|"(?:\\.|[^"\\\n])*+"?|#[^\n]*|\.\.\.'
    r"|[_A-Za-z][_0-9A-Za-z]*|-?[0-9][0-9.eE+-]*|[^\s,]"
)


@dataclass(frozen=True, kw_only=True)
class Weight:
    """`aliases` counts fields asked for again under the same name as well: both ask for a thing more than once."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0
    introspects: bool = False


def check_text(text: str) -> None:
    """Raises InvalidInput for a text that is not worth parsing: too many tokens, nested too deeply."""
    if len(text) > CHARACTERS_MAX:
        most = f"at most {CHARACTERS_MAX} characters, with values as variables"
        raise _refused(f"it has {len(text)} characters", len(text), most)
    tokens = nesting = 0
    for found in _TOKEN.finditer(text):
        token = found[0]
        if token[0] == "#":
            continue
        tokens += 1
        nesting += (token in "{[(") - (token in "}])")
        if tokens > TOKENS_MAX:
            raise _refused("it has too many tokens", f"more than {TOKENS_MAX}", f"at most {TOKENS_MAX} tokens")
        if nesting > NESTING_MAX:
            raise _refused("it is nested too deeply", f"more than {NESTING_MAX}", f"at most {DEPTH_MAX} levels")


def check_document(
    document: DocumentNode, schema: GraphQLSchema, variables: Mapping[str, Any] | None, *, may_introspect: bool
) -> Weight:
    """What the document asks for.

    Raises:
        InvalidInput: saying which limit it is above, or that it introspects where that is off.
    """
    operations = [item for item in document.definitions if isinstance(item, OperationDefinitionNode)]
    if len(operations) > 1:
        raise _refused("it has several operations", len(operations), "one operation a request")
    weighing = _Weighing(schema=schema, variables=variables or {}, document=document)
    total = Weight()
    for operation in operations:
        root = schema.get_root_type(operation.operation)
        total = weighing.selections(operation.selection_set, root)
    for name in weighing.fragments:  # those that nobody spreads may go round in circles as well
        weighing.fragment(name)
    if total.introspects and not may_introspect:
        raise _refused("introspection is off", "__schema or __type", "docs/schema.graphql describes what there is")
    for what, seen, most in (
        ("depth", total.depth, DEPTH_MAX),
        ("aliases", total.aliases, ALIASES_MAX),
        ("cost", total.cost, COST_MAX),
    ):
        if seen > most:
            shown = seen if seen < 10**9 else "more than 1000000000"
            raise _refused(f"its {what} is {shown}", shown, f"{what} of at most {most}")
    return total


def _refused(what: str, value: object, expected: str) -> InvalidInput:
    return InvalidInput(f"the query is refused: {what}; {expected}", field="query", value=value, expected=expected)


@dataclass(kw_only=True)
class _Weighing:
    schema: GraphQLSchema
    variables: Mapping[str, Any]
    document: DocumentNode
    fragments: dict[str, FragmentDefinitionNode] = field(init=False)
    _defaults: dict[str, Any] = field(init=False)
    _known: dict[str, Weight] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)  # fragments being weighed

    def __post_init__(self) -> None:
        definitions = self.document.definitions
        self.fragments = {item.name.value: item for item in definitions if isinstance(item, FragmentDefinitionNode)}
        self._defaults = {
            variable.variable.name.value: variable.default_value
            for item in definitions
            if isinstance(item, OperationDefinitionNode)
            for variable in item.variable_definitions or ()
        }

    def selections(self, node: SelectionSetNode | None, parent: GraphQLNamedType | None) -> Weight:
        depth = aliases = cost = 0
        introspects = False
        seen: set[str] = set()
        for selection in node.selections if node else ():
            if isinstance(selection, FieldNode):
                part = self._field(selection, parent)
                repeats = selection.name.value in seen and selection.alias is None
                seen.add(selection.name.value)
                aliases += repeats + (selection.alias is not None)
            elif isinstance(selection, FragmentSpreadNode):
                part = self.fragment(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                kind = self.schema.get_type(condition.name.value) if condition else parent
                part = self.selections(selection.selection_set, kind)
            else:
                continue
            depth = max(depth, part.depth)
            aliases += part.aliases
            cost += part.cost
            introspects = introspects or part.introspects
        return Weight(depth=depth, aliases=aliases, cost=cost, introspects=introspects)

    def fragment(self, name: str) -> Weight:
        if name in self._open:
            raise _refused(f"fragment {name[:40]} contains itself", name[:40], "fragments that end")
        if name not in self._known:
            found = self.fragments.get(name)
            if found is None:  # the validation that follows says so
                return Weight()
            self._open.add(name)
            kind = self.schema.get_type(found.type_condition.name.value)
            self._known[name] = self.selections(found.selection_set, kind)
            self._open.discard(name)
        return self._known[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Weight:
        name = node.name.value
        if name in _INTROSPECTION:
            # Its depth is its own: the standard's rules bound it.
            inner = self.selections(node.selection_set, None)
            return Weight(depth=1, aliases=inner.aliases, cost=_OBJECT_COST, introspects=True)
        found = parent.fields.get(name) if isinstance(parent, GraphQLObjectType) else None
        inner = self.selections(node.selection_set, get_named_type(found.type) if found else None)
        if node.selection_set is None:
            own, rows = 1, 1
        elif name == "items":
            own, rows = 0, 1  # of a page, whose limit has been counted
        else:
            own, rows = _OBJECT_COST, self._rows(node, found)
        return Weight(
            depth=inner.depth + 1,
            aliases=inner.aliases,
            cost=own + rows * inner.cost,
            introspects=inner.introspects,
        )

    def _rows(self, node: FieldNode, found: Any) -> int:
        argument = found.args.get("limit") if found is not None else None
        if argument is None:
            kind = getattr(found, "type", None)
            bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
            return _UNPAGED_ROWS if isinstance(bare, GraphQLList) else 1
        given = next((item.value for item in node.arguments or () if item.name.value == "limit"), None)
        if isinstance(given, VariableNode):
            name = given.name.value
            given = self.variables.get(name, self._defaults.get(name))
        rows = int(given.value) if isinstance(given, IntValueNode) else given
        if rows is None:
            rows = argument.default_value
        if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= LIMIT_MAX:
            raise _refused(f"limit is {str(rows)[:40]}", str(rows)[:40], f"a limit from 1 to {LIMIT_MAX}")
        return rows
