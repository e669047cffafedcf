"""Where a webhook may lead: only to public addresses, so that nobody reaches through us what only we can reach."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

import anyio
import httpcore

LONGEST_URL = 2000
"""Characters of a webhook's address."""
CONNECTING_S = 4.0
"""Seconds that one of a name's addresses has to answer before the next is tried."""

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<authority>[^/?#\\]*)"
    r"(?P<target>(?:[/?][^#\\]*)?)"
    r"(?P<fragment>(?:#.*)?)"
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")
_PRINTABLE = re.compile(r"[!-~]+")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_OUR_OWN = ("localhost", "local", "internal", "home.arpa", "onion", "test", "invalid")
"""Names that by their standards never lead to a public address."""
_MOST_ADDRESSES = 16
_RESOLVING = 4
_RESOLVING_S = 5.0
_UNREACHABLE = "leads to no address, or to one that is not public"

_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# What Python's `is_global` calls global, in some of its versions, though it is not, or leads into another network.
_NEVER_4 = tuple(
    map(
        ipaddress.IPv4Network,
        ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/3"),
    )
)
# Teredo and other protocols, documentation, 6to4, documentation again
_NEVER_6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_ISATAP = {0x00005EFE, 0x02005EFE}
_DEFAULT_PORTS = {"https": 443, "http": 80}
_LOWEST_PORT = 1024

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Iterable[str]]]
"""Gives the addresses of a name, for a port. Raises OSError."""


class RefusedTarget(ValueError):
    """A webhook may not lead there; the message says which rule it broke, and nothing about our network."""


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's address, taken apart once: nobody reads it in another way later. It may hold secrets."""

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)

    @property
    def authority(self) -> str:
        """Give what the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public network, and leads nowhere else by what is hidden in it."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in one for one in _NEVER_4)
    if address in _NAT64:  # a network without IPv4 of its own reaches everybody else's so
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address.scope_id is not None or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return False
    # IPv4-mapped and IPv4-compatible addresses, link-local, unique local and multicast ones are no part of it.
    return address in _UNICAST and address.is_global and not any(address in one for one in _NEVER_6)


class Resolver:
    """Asks the system for addresses, in a few threads of its own: slow names keep nobody else from a thread.

    Nobody can call such a thread back: it counts until the system has answered, whether somebody waits for it or not.
    """

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(_RESOLVING)

    async def __call__(self, name: str, port: int) -> list[str]:
        """Give the addresses of a name. Raises OSError."""
        loop, place = asyncio.get_running_loop(), object()
        answer: asyncio.Future[list[str]] = loop.create_future()

        def answered(found: list[str] | Exception) -> None:
            self._limiter.release_on_behalf_of(place)
            if answer.done():  # nobody waits any longer
                return
            if isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def look() -> None:
            found: list[str] | Exception
            try:
                found = [str(entry[4][0]) for entry in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]
            except Exception as wrong:  # noqa: BLE001  (it is raised where it was waited for)
                found = wrong
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(answered, found)

        await self._limiter.acquire_on_behalf_of(place)
        threading.Thread(target=look, daemon=True).start()  # the process may end before the system answers
        return await answer


@dataclass(frozen=True, slots=True)
class Reach:
    """What webhooks may reach. Only tests set anything else: `allowed` tells of an address, `plain` allows http."""

    allowed: Callable[[Address], bool] = is_public
    resolve: Resolve = field(default_factory=Resolver)
    plain: bool = False

    def target(self, url: str) -> Target:
        """Take an address apart. Raises RefusedTarget for what can be refused without looking the name up."""
        parts = _parts(url)
        scheme = parts["scheme"].lower()
        if scheme != "https" and not (self.plain and scheme == "http"):
            raise _refused("has to begin with https://")
        host, port = _host_and_port(parts["authority"])
        literal = _literal(host)
        if literal is not None and not self.allowed(literal):
            raise _refused(_UNREACHABLE)
        if literal is None:
            _check_name(host)
        path = parts["target"]
        path = path if path.startswith("/") else f"/{path}"
        return Target(scheme, str(literal or host), _checked_port(port, scheme), path)

    async def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """Give the addresses of a target, all of which may be reached. Raises RefusedTarget."""
        literal = _literal(host)
        found = (literal,) if literal else await self._resolved(host, port)
        # One that is refused refuses all: which of them is connected to could be left to chance by whoever names them.
        if not found or not all(map(self.allowed, found)):
            raise _refused(_UNREACHABLE)
        return found[:_MOST_ADDRESSES]

    async def check(self, url: str) -> Target:
        """Take an address apart, and look whether it leads where it may now. Raises RefusedTarget."""
        target = self.target(url)
        await self.addresses(target.host, target.port)
        return target

    async def _resolved(self, host: str, port: int) -> tuple[Address, ...]:
        try:
            with anyio.fail_after(_RESOLVING_S):
                return tuple(map(ipaddress.ip_address, await self.resolve(host, port)))
        except (OSError, ValueError):  # TimeoutError is an OSError
            raise _refused(_UNREACHABLE) from None


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the very addresses that were checked: a name that means something else a moment later gains nothing.

    The name stays what the certificate has to be for.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of a host's addresses. Raises RefusedTarget, httpcore.ConnectError, ConnectTimeout."""
        patience = CONNECTING_S if timeout is None else min(timeout, CONNECTING_S)
        wrong: Exception = httpcore.ConnectError()
        for address in await self._reach.addresses(host, port):
            try:
                return await self._network.connect_tcp(str(address), port, patience, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                wrong = failed
        raise wrong

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: these are ours."""
        raise _refused(_UNREACHABLE)

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts to connect."""
        await self._network.sleep(seconds)


def _refused(rule: str) -> RefusedTarget:
    return RefusedTarget(f"the webhook's address {rule}")


def _parts(url: str) -> dict[str, str]:
    if len(url) > LONGEST_URL:
        raise _refused(f"is longer than {LONGEST_URL} characters")
    if not _PRINTABLE.fullmatch(url):
        raise _refused("holds a blank or a character that is not ASCII (international names are written as xn--...)")
    found = _URL.fullmatch(url)
    if not found:
        raise _refused("is not written as https://HOST/PATH")
    if found["fragment"]:
        raise _refused("has a fragment (#...), which is never sent")
    if "@" in found["authority"]:
        raise _refused("names a user before the host")
    return found.groupdict()


def _host_and_port(authority: str) -> tuple[str, str | None]:
    found = _AUTHORITY.fullmatch(authority)
    if not found:
        raise _refused("has a host or a port that cannot be read")
    return found["host"].lower(), found["port"]


def _literal(host: str) -> Address | None:
    """Read a host that is an address; None for a name. Raises RefusedTarget for numbers in any but the plain form."""
    is_number = _NUMBER.fullmatch(host.rpartition(".")[2])  # as browsers tell: these are never names
    if not (is_number or ":" in host or host.startswith("[")):
        return None
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise _refused("has a host that is neither a name nor a plainly written address") from None
    return address


def _check_name(name: str) -> None:
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise _refused("has a host that is neither a name nor a plainly written address")
    if len(labels) == 1 or any(name == own or name.endswith(f".{own}") for own in _OUR_OWN):
        raise _refused("has a host that means something in a local network only")


def _checked_port(port: str | None, scheme: str) -> int:
    """Read a port. Receivers of their own often listen on 8443 or 3000; below 1024 are mail, directories, shells.

    What answers there gets no more of us than the first message of TLS, unless it has a certificate for the name.
    """
    number = int(port) if port else _DEFAULT_PORTS[scheme]
    if number != _DEFAULT_PORTS[scheme] and not _LOWEST_PORT <= number < 65536:
        raise _refused(f"has a port that is neither {_DEFAULT_PORTS[scheme]} nor from {_LOWEST_PORT} to 65535")
    return number
