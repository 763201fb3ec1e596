"""Messages as WebSocket clients read them: the text of each is made once, however many listen."""

from collections import OrderedDict
from typing import Any, Final

from bestex.messages.codec import wire_json
from bestex.messages.envelope import Message

_RECENT_MAX: Final = 500


class Frames:
    """The texts of one desk's latest messages, by event id."""

    def __init__(self) -> None:
        self._recent: OrderedDict[str, str] = OrderedDict()

    def of_order(self, message: Message[Any]) -> str:
        """The message in the client form."""
        text = self._recent.get(message.event_id)
        if text is None:
            text = self._recent[message.event_id] = wire_json(message).decode()
            if len(self._recent) > _RECENT_MAX:
                self._recent.popitem(last=False)
        return text

    def of_desk(self, position: int, message: Message[Any]) -> str:
        """The message and its position in the journal, from which a client may resume."""
        return f'{{"message":{self.of_order(message)},"position":{position}}}'
