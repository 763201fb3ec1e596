"""The pre-trade model in C++ (`native/include/bestex/pretrade.hpp`); its readable twin is `bestex.quant.pretrade`."""

from bestex.native._core import PretradeMarket

__all__ = ["PretradeMarket"]
