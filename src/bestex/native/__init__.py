"""The C++20 core. Integers only: prices in ticks, quantities in lots, times in UTC nanoseconds.

Every kernel has a readable Python twin in `bestex.native.twin`; one suite (`tests/parity`) runs both.
"""

from bestex.native import _core

__all__ = ["_core"]
