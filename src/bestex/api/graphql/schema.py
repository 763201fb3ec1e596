"""The GraphQL schema: reads and subscriptions. What is refused says why as REST does, under `extensions.problem`."""

from collections.abc import Iterator
from typing import Any, Final

import strawberry
import structlog
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from bestex.api import problems
from bestex.api.following import SlowReader
from bestex.api.graphql.context import Context
from bestex.api.graphql.limits import check_document, check_text
from bestex.api.graphql.queries import Query
from bestex.api.graphql.scalars import SCALARS
from bestex.api.graphql.subscriptions import Subscription
from bestex.domain.errors import BestexError, InvalidInput

log = structlog.get_logger()


class Limits(SchemaExtension):
    """Weighs a request before it is validated."""

    def on_parse(self) -> Iterator[None]:
        asked = self.execution_context
        if asked.query is not None:
            check_text(asked.query)
        yield
        if asked.graphql_document is not None:
            check_document(
                asked.graphql_document,
                SCHEMA.graphql_schema,
                asked.variables,
                may_introspect=asked.context.access.is_embedded and not asked.context.access.is_guarded,
            )


class Schema(strawberry.Schema):
    @property
    def graphql_schema(self) -> Any:
        return self._schema

    async def _prepare_operation_async(
        self, context: ExecutionContext, extensions_runner: SchemaExtensionsRunner
    ) -> PreExecutionError | None:
        # A subscription's stream would end without a word on what an extension refuses.
        try:
            return await super()._prepare_operation_async(context, extensions_runner)
        except BestexError as refusal:
            errors = [GraphQLError(refusal.message, original_error=refusal)]
            context.pre_execution_errors = errors
            return PreExecutionError(data=None, errors=errors)

    async def answer(
        self, context: Context, query: str, variables: dict[str, Any] | None, operation_name: str | None
    ) -> ExecutionResult:
        """Of a query; its errors carry their problem.

        Raises:
            InvalidInput: if there is nothing in it that could be executed.
        """
        try:
            return await self.execute(
                query,
                variable_values=variables,
                context_value=context,
                operation_name=operation_name,
                allowed_operation_types=(OperationType.QUERY,),
            )
        except MissingQueryError:
            raise InvalidInput("the query is empty", field="query", expected="a query") from None
        except CannotGetOperationTypeError:
            raise InvalidInput(
                f"there is no operation {(operation_name or '')[:100]!r} in the query",
                field="operationName",
                value=operation_name,
                expected="the name of an operation of the query, or none",
            ) from None
        except InvalidOperationTypeError as error:
            kind = error.operation_type.value
            raise InvalidInput(
                f"a {kind} is not answered here",
                field="query",
                value=kind,
                expected="a query; a subscription over WebSocket; a change of anything over REST",
            ) from None

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        for error in errors:
            _explain(error)


def _explain(error: GraphQLError) -> None:
    """Give the error its problem document; hide what a client should not read."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, BestexError):
        error.message = cause.message
        found = problems.document(cause)
    elif isinstance(cause, SlowReader):
        found = problems.Problem(title="Too slow", status=503, code="too_slow", detail=str(cause), errors=[])
    elif cause is None or isinstance(cause, GraphQLError):
        found = problems.document(InvalidInput(error.message, field="query"))
    else:
        log.error("query failed", path=error.path, error=repr(cause), exc_info=cause)
        error.message = "the desk could not answer; the log has the reason"
        found = problems.Problem(
            title="Internal error", status=500, code="internal_error", detail=error.message, errors=[]
        )
    error.extensions = {**(error.extensions or {}), "problem": found.model_dump()}


SCHEMA: Final = Schema(
    query=Query,
    subscription=Subscription,
    extensions=[Limits],
    config=StrawberryConfig(auto_camel_case=False, scalar_map=SCALARS),
)


def sdl() -> str:
    """The schema as text."""
    return SCHEMA.as_str() + "\n"
