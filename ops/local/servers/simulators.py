"""The simulators as servers of development and tests: registers, gov service, mail, SMS, push."""

import sys
from collections.abc import Callable, Mapping, Sequence

from ops.local.home import CHECKOUT, Home
from ops.local.servers import Launch, ServerFailed
from ops.local.servers.asking import answers
from ops.local.servers.ports import LOOPBACK, choose_port, is_free, return_port
from services.gov_service.key_folder import GovServiceKeysError
from services.gov_service.keys import ensure_key_folders, gov_service_folder
from settings import ModuleCrypto


def _python(module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Launch:
    return Launch(
        [sys.executable, "-m", module, *arguments],
        dict(environment) | {"PYTHONUNBUFFERED": "1"},
        directory=CHECKOUT,
    )


class Simulator:
    """A simulator of `simulators/`: a real HTTP server with fault switches."""

    ready_within = 30.0

    def __init__(self, home: Home, name: str, http_port: int | None) -> None:
        self.home = home
        self.name = name
        self.preferred = http_port
        self.port = 0

    @property
    def address(self) -> str:
        """Its HTTP address."""
        return f"http://{LOOPBACK}:{self.port}"

    def obtain(self, say: Callable[[str], None]) -> None:
        """Nothing to obtain: it is part of Medcab."""

    def prepare(self) -> None:
        """Choose the port."""
        return_port(self.port)
        self.port = choose_port(self.preferred)

    def launch(self, environment: Mapping[str, str]) -> Launch:
        """Its module, run by Python."""
        return _python(f"simulators.{self.name}", self.options(), environment)

    def options(self) -> list[str]:
        """The arguments of its module."""
        return ["--port", str(self.port)]

    def ready(self, pid: int) -> bool:
        """Whether its health page answers."""
        del pid
        return answers(f"{self.address}/health")

    def works(self, pid: int) -> bool:
        """Like `ready`."""
        return self.ready(pid)

    def settle(self) -> None:
        """Nothing to arrange."""

    def variables(self) -> dict[str, str]:
        """Its address, as `MEDCAB_REGISTER_URL`."""
        return {f"MEDCAB_{self.name.upper()}_URL": self.address}


class Together:
    """The simulators of `simulators.together`: one process, and ports for each of them."""

    name = "simulators"
    ready_within = Simulator.ready_within

    def __init__(self, *members: Simulator) -> None:
        self.members = members

    @property
    def address(self) -> str:
        """The address of each."""
        return " ".join(one.address for one in self.members)

    @property
    def port(self) -> int:
        """A port of theirs that is taken; the first one where none is."""
        ports = [one.port for one in self.members]
        return next((port for port in ports if not is_free(port)), ports[0])

    def obtain(self, say: Callable[[str], None]) -> None:
        """Nothing to obtain: they are part of Medcab."""

    def prepare(self) -> None:
        """Choose all ports."""
        for one in self.members:
            one.prepare()

    def launch(self, environment: Mapping[str, str]) -> Launch:
        """The module that serves them all."""
        (_, *chosen) = (word for one in self.members for word in ("--", one.name, *one.options()))
        return _python("simulators.together", chosen, environment)

    def ready(self, pid: int) -> bool:
        """Whether all their health pages answer."""
        return all(one.ready(pid) for one in self.members)

    def works(self, pid: int) -> bool:
        """Like `ready`."""
        return self.ready(pid)

    def settle(self) -> None:
        """Nothing to arrange."""

    def variables(self) -> dict[str, str]:
        """The variables of each."""
        return {name: value for one in self.members for name, value in one.variables().items()}


class KeepingSimulator(Simulator):
    """A simulator that stores what it was given in a file of its name, over restarts."""

    def options(self) -> list[str]:
        """The port and the file."""
        return [*super().options(), "--file", str(self.home.folder / f"{self.name}.jsonl")]


class MailSimulator(Simulator):
    """Takes every letter by SMTP and shows it on a page. Nothing leaves the machine."""

    def __init__(self, home: Home, http_port: int | None, smtp_port: int | None) -> None:
        super().__init__(home, "mail", http_port)
        self.preferred_smtp = smtp_port
        self.smtp_port = 0

    def prepare(self) -> None:
        """Choose both ports."""
        super().prepare()
        return_port(self.smtp_port)
        self.smtp_port = choose_port(self.preferred_smtp)

    def options(self) -> list[str]:
        """Both ports, and the file that keeps letters over restarts."""
        kept = self.home.folder / "mail.jsonl"
        ports = ["--smtp-port", str(self.smtp_port), "--http-port", str(self.port)]
        return [*ports, "--file", str(kept)]

    def variables(self) -> dict[str, str]:
        """Where programs send letters, and where people read them."""
        return {
            "SMTP_URL": f"smtp://{LOOPBACK}:{self.smtp_port}",
            "MEDCAB_MAIL_PAGE_URL": self.address,
        }


class GovServiceSimulator(Simulator):
    """The simulated gov service. Its keys and ours are made known to each other."""

    def __init__(self, home: Home, http_port: int | None, crypto: ModuleCrypto) -> None:
        super().__init__(home, "gov_service", http_port)
        self.crypto = crypto

    def prepare(self) -> None:
        """Choose the port, and make keys at both ends of the line."""
        super().prepare()
        try:
            ensure_key_folders(self.home.folder, self.crypto)
        except GovServiceKeysError as reason:
            raise ServerFailed(str(reason)) from reason

    def options(self) -> list[str]:
        """The port, its keys, and the file that keeps messages over restarts."""
        kept = self.home.folder / "gov-service.db"
        keys = gov_service_folder(self.home.folder, self.crypto)
        own = ["--keys", str(keys), "--crypto", self.crypto]
        return [*super().options(), *own, "--file", str(kept)]


def register(home: Home, port: int | None = 8090) -> Simulator:
    """The federal register of medical workers."""
    return Simulator(home, "register", port)


def accreditation_register(home: Home, port: int | None = 8094) -> Simulator:
    """The register of accreditations."""
    return Simulator(home, "accreditation_register", port)


def education_portal(home: Home, port: int | None = 8095) -> Simulator:
    """The portal of continuing education."""
    return Simulator(home, "education_portal", port)


class IdentitySimulator(Simulator):
    """The identity register, and the rooms of video meetings beside it."""

    def variables(self) -> dict[str, str]:
        """Its address, and that of a room."""
        return {**super().variables(), "MEDCAB_MEETING_ROOM": f"{self.address}/rooms/{{room}}"}


def identity(home: Home, port: int | None = 8092) -> Simulator:
    """The identity register."""
    return IdentitySimulator(home, "identity", port)


class ProviderSimulator(Simulator):
    """An identity provider, through which people of a demo can sign in."""

    def variables(self) -> dict[str, str]:
        """Its address, what it knows us by, and a name that says what it is."""
        return {
            "MEDCAB_OIDC_ISSUER": self.address,
            "MEDCAB_OIDC_CLIENT_SECRET": "simulated",
            "MEDCAB_OIDC_NAME": "ЕСИА (имитация)",
        }


def oidc(home: Home, port: int | None = 8028) -> Simulator:
    """The identity provider and its page."""
    return ProviderSimulator(home, "oidc", port)


def laboratory(home: Home, port: int | None = 8098) -> Simulator:
    """The laboratory, which keeps what it sent over restarts."""
    return KeepingSimulator(home, "laboratory", port)


def personnel(home: Home, port: int | None = 8093) -> Simulator:
    """The institution's personnel register and its page."""
    return KeepingSimulator(home, "personnel", port)


class SubscriberSimulator(KeepingSimulator):
    """A system that hears of changes of credentials, and the page of what came."""

    def variables(self) -> dict[str, str]:
        """Whom we may call though it is near; people type the address of a receiver."""
        return {"MEDCAB_SUBSCRIBER_NETWORKS": f"{LOOPBACK}/32"}


def subscriber(home: Home, port: int | None = 8097) -> Simulator:
    """A system that hears of changes of credentials."""
    return SubscriberSimulator(home, "subscriber", port)


def accreditation_centre(home: Home, port: int | None = 8096) -> Simulator:
    """The federal accreditation centre."""
    return Simulator(home, "accreditation_centre", port)


def patient_registry(home: Home, port: int | None = 8099) -> Simulator:
    """The registry of patients."""
    return Simulator(home, "patient_registry", port)


def gov_service(
    home: Home, port: int | None = 8091, crypto: ModuleCrypto = "standard"
) -> Simulator:
    """The gov service and its page."""
    return GovServiceSimulator(home, port, crypto)


def mail(home: Home, port: int | None = 8025, smtp_port: int | None = 1025) -> MailSimulator:
    """The mail server and its page."""
    return MailSimulator(home, port, smtp_port)


def sms(home: Home, port: int | None = 8026) -> Simulator:
    """The SMS gateway and its page."""
    return KeepingSimulator(home, "sms", port)


def push(home: Home, port: int | None = 8027) -> Simulator:
    """The push service and its page."""
    return KeepingSimulator(home, "push", port)
