"""``python -m embodied``: the command line."""

from embodied.cli.main import main

main()
