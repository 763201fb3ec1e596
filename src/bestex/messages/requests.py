"""A request to a service in another process, and its answer. Neither is a fact: what the service makes of it is."""

from typing import Any

import msgspec

from bestex.domain import errors
from bestex.domain.errors import BestexError, InvalidInput
from bestex.messages import execution, monitoring, orders, quality, records, routing, strategy
from bestex.messages.codec import PAYLOADS
from bestex.messages.envelope import Payload

_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")

# What a service may answer with, by name: every structure of the messages and rows.
_ANSWERS: dict[str, type[msgspec.Struct]] = {
    item.__name__: item
    for module in (execution, monitoring, orders, quality, records, routing, strategy)
    for item in vars(module).values()
    if isinstance(item, type) and issubclass(item, msgspec.Struct)
}
_ERRORS: dict[str, type[BestexError]] = {
    item.__name__: item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, BestexError)
}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks of a service."""

    request_id: str
    service: str
    order_id: str  # ordering key
    payload_type: str
    payload: msgspec.Raw
    answer_to: str  # instance whose topic gets the answer
    time_ns: int | None = None  # desk time of the request; None = whatever time the service has heard of
    idempotency_key: str | None = None
    request_digest: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: a value, or the error with which the service refused."""

    request_id: str
    type: str | None = None  # of the value; "[T]" for a list of T; None for no value
    value: msgspec.Raw = msgspec.Raw(b"null")
    error: str | None = None  # type of the error
    problem: dict[str, Any] | None = None


_REQUEST = msgspec.json.Decoder(Request)
_ANSWER = msgspec.json.Decoder(Answer)


def request_bytes(request_id: str, service: str, order_id: str, payload: Payload, answer_to: str, **more: Any) -> bytes:
    """The stored form of a request."""
    request = Request(
        request_id=request_id,
        service=service,
        order_id=order_id,
        payload_type=payload.message_type,
        payload=msgspec.Raw(_ENCODER.encode(payload)),
        answer_to=answer_to,
        **more,
    )
    return _ENCODER.encode(request)


def read_request(data: bytes) -> tuple[Request, Payload]:
    """Raises InvalidInput if the request cannot be read."""
    try:
        request = _REQUEST.decode(data)
        return request, msgspec.json.decode(request.payload, type=PAYLOADS[request.payload_type])
    except (msgspec.MsgspecError, KeyError) as error:
        raise InvalidInput(f"request cannot be read: {error}", field="request") from error


def answer_bytes(request_id: str, answer: Any) -> bytes:
    """The stored form of a value: None, a structure, or a list of structures of one type."""
    if isinstance(answer, (list, tuple)):
        name: str | None = f"[{type(answer[0]).__name__}]" if answer else "[]"
    else:
        name = None if answer is None else type(answer).__name__
    if name is not None and name.strip("[]") and name.strip("[]") not in _ANSWERS:
        raise AssertionError(f"an answer of type {name} cannot travel; define it beside the messages")
    return _ENCODER.encode(Answer(request_id=request_id, type=name, value=msgspec.Raw(_ENCODER.encode(answer))))


def refusal_bytes(request_id: str, error: BestexError) -> bytes:
    """The stored form of a refusal."""
    return _ENCODER.encode(Answer(request_id=request_id, error=type(error).__name__, problem=_problem(error)))


def read_answer(data: bytes) -> tuple[str, Any | BestexError]:
    """The request's id with the value, or with the error to raise."""
    answer = _ANSWER.decode(data)
    if answer.error is not None:
        return answer.request_id, _error(answer.error, answer.problem or {})
    if answer.type is None or answer.type == "[]":
        return answer.request_id, None if answer.type is None else []
    kind = _ANSWERS[answer.type.strip("[]")]
    wanted: Any = list[kind] if answer.type.startswith("[") else kind  # type: ignore[valid-type]
    return answer.request_id, msgspec.json.decode(answer.value, type=wanted)


def _problem(error: BestexError) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "message": error.message,
        "field": error.field,
        "value": error.value,
        "expected": error.expected,
    }
    if isinstance(error, InvalidInput) and error.errors != (error,):
        problem["errors"] = [{"error": type(item).__name__, **_problem(item)} for item in error.errors]
    return problem


def _error(name: str, problem: dict[str, Any]) -> BestexError:
    kind = _ERRORS[name]
    fields = {key: problem[key] for key in ("field", "value", "expected")}
    if issubclass(kind, InvalidInput):
        inner = [_error(item["error"], item) for item in problem.get("errors", ())]
        return kind(problem["message"], errors=inner, **fields)  # type: ignore[arg-type]
    return kind(problem["message"], **fields)
