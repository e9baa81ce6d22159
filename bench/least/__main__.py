"""Runs one of the processes: `python -m bench.least api --socket N`, or `worker`."""

import sys

from bench.least.programs import main

main(*sys.argv[1:])
