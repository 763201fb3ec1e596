"""An open best-execution desk: recommend, work, watch and grade parent orders."""
