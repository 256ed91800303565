"""``python -m sim``: the child process of `sim.start_fleet`; configuration in, endpoints out, by standard streams."""

import sys

from geo import VedetteError
from sim.fleet_process import serve

try:
    serve(sys.stdin, sys.stdout)
except VedetteError as error:
    sys.exit(str(error))
