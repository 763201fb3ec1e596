"""Works parent orders into child orders, and keeps the only ledger that may allow one."""
