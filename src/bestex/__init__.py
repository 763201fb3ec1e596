"""An open best-execution desk: recommend, work, watch and grade parent orders."""

__version__ = "0.1.0"
