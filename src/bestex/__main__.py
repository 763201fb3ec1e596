"""`python -m bestex`."""

from bestex.cli import main

main()
