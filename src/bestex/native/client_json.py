"""Times of a JSON text as clients see them, in C++ (`native/include/bestex/client_json.hpp`).

Its readable twin is `bestex.messages.codec.client_view`, on values instead of text.
"""

from bestex.native._core import with_iso_times

__all__ = ["with_iso_times"]
