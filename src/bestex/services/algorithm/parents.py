"""All parent orders of the algorithm service, by id."""

from collections.abc import Iterator

from bestex.domain.errors import Conflict, NotFound
from bestex.domain.orders import ParentState
from bestex.services.algorithm.kill import matches
from bestex.services.algorithm.parent import Parent


class Parents:
    """Looked up by facts, which may be of orders that nobody here knows, and by requests, which may not."""

    def __init__(self) -> None:
        self._parents: dict[str, Parent] = {}

    def add(self, parent: Parent) -> None:
        self._parents[parent.order_id] = parent

    def find(self, order_id: str) -> Parent | None:
        return self._parents.get(order_id)

    def open_in(self, scope: str, value: str | None) -> Iterator[Parent]:
        """Those of a kill's scope that have not ended, in the order they came."""
        for parent in self._parents.values():
            if not parent.state.is_final and matches(scope, value, parent.subject):
                yield parent

    def known(self, order_id: str) -> Parent:
        """Raises NotFound."""
        parent = self._parents.get(order_id)
        if parent is None:
            raise NotFound(f"no order {order_id}", field="order_id", value=order_id)
        return parent

    def open(self, order_id: str) -> Parent:
        """Raises NotFound, or Conflict if the order has ended."""
        parent = self.known(order_id)
        if parent.state.is_final:
            raise Conflict(
                f"order {parent.order_id} is {parent.state}: it cannot change any more",
                field="state",
                value=parent.state,
                expected="an order that has not ended",
            )
        return parent

    def started(self, order_id: str) -> Parent:
        """Raises NotFound, or Conflict if the order is not being worked."""
        parent = self.open(order_id)
        if parent.instruction is None:
            raise Conflict(f"order {order_id} is not being worked yet", field="state", value=parent.state)
        if parent.state is ParentState.CANCELLING:
            raise Conflict(f"order {order_id} is being cancelled", field="state", value=parent.state)
        return parent
