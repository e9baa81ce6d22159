"""Simulators in one process, each on ports of its own: apart each would cost some 35 MiB.

`python -m simulators.together register --port 8090 -- sms --port 8026`: the name of each with its
options, and `--` between them.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from fastapi import FastAPI

from clients.serving import serve_all
from simulators import gov_service, laboratory, mail, oidc, personnel, push, sms, subscriber
from simulators.registers import (
    accreditation_centre,
    accreditation_register,
    education_portal,
    identity,
    patients,
    register,
)

MADE: Mapping[str, Callable[[Sequence[str]], tuple[FastAPI, int]]] = {
    "gov_service": gov_service.made,
    "register": register.made,
    "identity": identity.made,
    "personnel": personnel.made,
    "laboratory": laboratory.made,
    "accreditation_register": accreditation_register.made,
    "education_portal": education_portal.made,
    "accreditation_centre": accreditation_centre.made,
    "patient_registry": patients.made,
    "mail": mail.made,
    "sms": sms.made,
    "push": push.made,
    "oidc": oidc.made,
    "subscriber": subscriber.made,
}
"""What makes an application and its port of options, by the name of the simulator."""


def main() -> None:
    """Serve those that the arguments name, on loopback, until told to stop."""
    parts = (list(part) for between, part in groupby(sys.argv[1:], "--".__eq__) if not between)
    serve_all([MADE[name](options) for name, *options in parts])


if __name__ == "__main__":
    main()
