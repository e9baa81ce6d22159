"""OpenSSL's engine for GOST, for the tests of the line to the gov service."""

import sys

from crypto.gost import REMEDY, gost_works
from ops.install import system_packages

PACKAGE = "libengine-gost-openssl"


def main() -> int:
    """Install it where it is missing and this account may; without it some tests are skipped."""
    for way in system_packages.ways(PACKAGE):
        if gost_works():
            break
        print(f"No GOST engine here; trying: {' '.join(way)}", flush=True)
        print(f"  {system_packages.run(way)}")
        gost_works.cache_clear()
    if not gost_works():
        print(f"Tests of GOST will be skipped: {REMEDY}", file=sys.stderr)
        return 1
    print("Tests of GOST use the engine of OpenSSL")
    return 0


if __name__ == "__main__":
    sys.exit(main())
