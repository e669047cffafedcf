from __future__ import annotations

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress

import httpcore
import pytest

from bot.targets import LONGEST_URL, CheckedNetwork, Reach, RefusedTarget, Resolver, is_public
from tests.loopback_receiver import listening, receiving

PUBLIC = "8.8.8.8"


class Names:
    """A resolver that gives the planned addresses one after the other, the last for ever."""

    def __init__(self, *planned: Sequence[str]) -> None:
        self.planned = [*planned]
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, name: str, port: int) -> Iterable[str]:
        self.asked.append((name, port))
        return self.planned.pop(0) if len(self.planned) > 1 else self.planned[0]


class Nowhere:
    """A resolver that knows no name."""

    async def __call__(self, name: str, port: int) -> Iterable[str]:
        raise OSError(f"no such name: {name}:{port}")


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.0.1",
        "172.32.0.1",
        "192.169.0.1",
        "223.255.255.254",
        "2606:4700:4700::1111",
        "2a00:1450:4001:80b::200e",
        "64:ff9b::8.8.8.8",
    ],
)
def test_a_public_address_may_be_reached(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.9",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::8.8.8.8",
        "100::1",
        "2001::1",
        "2001:0:7f00:1::",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "2606:4700:4700::1111%eth0",
        "2606:4700::5efe:10.0.0.1",
        "2606:4700::200:5efe:10.0.0.1",
    ],
)
def test_an_address_that_is_not_public_may_not(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


# What is written


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path", "authority"),
    [
        ("https://hooks.example.com", "https", "hooks.example.com", 443, "/", "hooks.example.com"),
        ("https://hooks.example.com/a/b?c=d", "https", "hooks.example.com", 443, "/a/b?c=d", "hooks.example.com"),
        ("https://hooks.example.com?c=d@e", "https", "hooks.example.com", 443, "/?c=d@e", "hooks.example.com"),
        ("HTTPS://Hooks.EXAMPLE.com:443/", "https", "hooks.example.com", 443, "/", "hooks.example.com"),
        ("https://hooks.example.com:8443/", "https", "hooks.example.com", 8443, "/", "hooks.example.com:8443"),
        ("https://xn--bcher-kva.example/", "https", "xn--bcher-kva.example", 443, "/", "xn--bcher-kva.example"),
        ("https://a_b.example.com/", "https", "a_b.example.com", 443, "/", "a_b.example.com"),
        ("https://8.8.8.8/", "https", "8.8.8.8", 443, "/", "8.8.8.8"),
        (
            "https://[2606:4700:4700::1111]:3000/",
            "https",
            "2606:4700:4700::1111",
            3000,
            "/",
            "[2606:4700:4700::1111]:3000",
        ),
    ],
)
def test_an_address_is_taken_apart(url: str, scheme: str, host: str, port: int, path: str, authority: str) -> None:
    target = Reach().target(url)
    assert (target.scheme, target.host, target.port, target.path) == (scheme, host, port, path)
    assert target.authority == authority


NOT_PUBLIC, NO_HOST, LOCAL, NO_USER, NO_PORT = "not public", "neither a name", "local network", "a user", "a port"
NOT_WRITTEN, NOT_ASCII, NOT_HTTPS, FRAGMENT = "not written as", "not ASCII", "begin with https", "fragment"
REFUSED = [
    # other protocols
    ("http://hooks.example.com/", NOT_HTTPS),
    ("ftp://hooks.example.com/", NOT_HTTPS),
    ("file:///etc/passwd", NOT_HTTPS),
    ("gopher://127.0.0.1:6379/_INFO", NOT_HTTPS),
    ("javascript:alert(1)", NOT_WRITTEN),
    ("//hooks.example.com/", NOT_WRITTEN),
    ("hooks.example.com", NOT_WRITTEN),
    ("", NOT_ASCII),
    ("https:hooks.example.com", NOT_WRITTEN),
    ("https:/hooks.example.com", NOT_WRITTEN),
    ("https:///hooks.example.com", NO_HOST),
    ("https://", NO_HOST),
    # addresses in every form
    ("https://127.0.0.1/", NOT_PUBLIC),
    ("https://169.254.169.254/latest/meta-data/", NOT_PUBLIC),
    ("https://192.168.0.1:8443/", NOT_PUBLIC),
    ("https://0.0.0.0/", NOT_PUBLIC),
    ("https://2130706433/", NO_HOST),
    ("https://017700000001/", NO_HOST),
    ("https://0x7f000001/", NO_HOST),
    ("https://0x7f.0.0.1/", NO_HOST),
    ("https://0177.0.0.1/", NO_HOST),
    ("https://127.0.0.01/", NO_HOST),
    ("https://127.1/", NO_HOST),
    ("https://127.0.1/", NO_HOST),
    ("https://0/", NO_HOST),
    ("https://0x/", NO_HOST),
    ("https://example.0x/", NO_HOST),
    ("https://127.0.0.1.0/", NO_HOST),
    ("https://256.256.256.256/", NO_HOST),
    ("https://127.0.0.1./", NO_HOST),
    ("https://[::1]/", NOT_PUBLIC),
    ("https://[::]/", NOT_PUBLIC),
    ("https://[::ffff:127.0.0.1]/", NOT_PUBLIC),
    ("https://[::ffff:7f00:1]/", NOT_PUBLIC),
    ("https://[0:0:0:0:0:ffff:169.254.169.254]/", NOT_PUBLIC),
    ("https://[::127.0.0.1]/", NOT_PUBLIC),
    ("https://[64:ff9b::10.0.0.1]/", NOT_PUBLIC),
    ("https://[2002:7f00:1::]/", NOT_PUBLIC),
    ("https://[fe80::1%25eth0]/", NOT_PUBLIC),
    ("https://[fd00:ec2::254]/", NOT_PUBLIC),
    ("https://[::1/", "cannot be read"),
    ("https://[]/", NO_HOST),
    ("https://[hooks.example.com]/", NO_HOST),
    ("https://::1/", "cannot be read"),
    # names that never leave the house
    ("https://localhost/", LOCAL),
    ("https://LOCALHOST/", LOCAL),
    ("https://localhost./", NO_HOST),
    ("https://api.localhost/", LOCAL),
    ("https://router/", LOCAL),
    ("https://printer.local/", LOCAL),
    ("https://metadata.google.internal/", LOCAL),
    ("https://nas.home.arpa/", LOCAL),
    ("https://x.onion/", LOCAL),
    # userinfo
    ("https://user@hooks.example.com/", NO_USER),
    ("https://user:word@hooks.example.com/", NO_USER),
    ("https://hooks.example.com@127.0.0.1/", NO_USER),
    ("https://hooks.example.com:443@127.0.0.1/", NO_USER),
    ("https://@hooks.example.com/", NO_USER),
    ("https://127.0.0.1#@hooks.example.com/", FRAGMENT),
    ("https://127.0.0.1\\@hooks.example.com/", NOT_WRITTEN),
    ("https://hooks.example.com\\@127.0.0.1/", NOT_WRITTEN),
    ("https://127.0.0.1?@hooks.example.com/", NOT_PUBLIC),
    ("https://hooks.example.com%40127.0.0.1/", NO_HOST),
    # characters
    ("https://hooks.example.com/\r\nX-Injected: 1", NOT_ASCII),
    ("https://hooks.example.com\r\nHost: 127.0.0.1", NOT_ASCII),
    ("https://hooks.example.com/\n", NOT_ASCII),
    (" https://hooks.example.com/", NOT_ASCII),
    ("https://hooks.example.com/a b", NOT_ASCII),
    ("https://hooks.example.com/\x00", NOT_ASCII),
    ("https://hooks.example.com/\t", NOT_ASCII),
    ("https://ⓛocalhost/", NOT_ASCII),
    ("https://①②⑦.⓪.⓪.①/", NOT_ASCII),
    ("https://127。0。0。1/", NOT_ASCII),
    ("https://127．0．0．1/", NOT_ASCII),  # noqa: RUF001
    ("https://bücher.example/", NOT_ASCII),
    ("https://hooks.example.com/\ud800", NOT_ASCII),
    ("https://127.0.0.1%00.example.com/", NO_HOST),
    ("https://%31%32%37.0.0.1/", NO_HOST),
    ("https://hooks..example.com/", NO_HOST),
    ("https://.example.com/", NO_HOST),
    ("https://-a.example.com/", NO_HOST),
    ("https://a-.example.com/", NO_HOST),
    ("https://hooks.example.com,127.0.0.1/", NO_HOST),
    ("https://*.example.com/", NO_HOST),
    # lengths
    (f"https://{'a' * 64}.example.com/", NO_HOST),
    (f"https://{'a.' * 127}example.com/", NO_HOST),
    (f"https://hooks.example.com/{'a' * LONGEST_URL}", "longer than"),
    ("https://" + "a" * 10_000_000, "longer than"),
    ("https://" + "9" * 1900, NO_HOST),
    # ports
    ("https://hooks.example.com:22/", NO_PORT),
    ("https://hooks.example.com:25/", NO_PORT),
    ("https://hooks.example.com:80/", NO_PORT),
    ("https://hooks.example.com:1023/", NO_PORT),
    ("https://hooks.example.com:65536/", NO_PORT),
    ("https://hooks.example.com:0/", NO_PORT),
    ("https://hooks.example.com:/", "cannot be read"),
    ("https://hooks.example.com:-1/", "cannot be read"),
    ("https://hooks.example.com:99999999/", "cannot be read"),
    ("https://hooks.example.com:443:443/", "cannot be read"),
    ("https://hooks.example.com:0x1bb/", "cannot be read"),
    ("https://hooks.example.com/#there", FRAGMENT),
    ("https://hooks.example.com#", FRAGMENT),
]


@pytest.mark.parametrize(("url", "rule"), REFUSED, ids=lambda one: ascii(one)[:50])
async def test_an_address_that_breaks_a_rule_is_refused_with_the_rule(url: str, rule: str) -> None:
    names = Names([PUBLIC])
    with pytest.raises(RefusedTarget, match=rule):
        await Reach(resolve=names).check(url)
    assert names.asked == []  # and nobody was asked for it


# Names


@pytest.mark.parametrize(
    "addresses",
    [
        [],
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.1", PUBLIC],
        [PUBLIC, "10.0.0.1"],
        [PUBLIC] * 30 + ["::1"],
        ["fe80::1%2"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a00:1"],
        ["what is no address"],
    ],
    ids=str,
)
async def test_a_name_that_leads_elsewhere_by_any_of_its_addresses_is_refused(addresses: list[str]) -> None:
    with pytest.raises(RefusedTarget, match="not public"):
        await Reach(resolve=Names(addresses)).check("https://hooks.example.com/")


async def test_a_refusal_tells_nothing_of_our_names() -> None:
    said = set()
    for resolve in (Names([]), Names(["10.0.0.1"]), Names(["127.0.0.1"]), Nowhere()):
        with pytest.raises(RefusedTarget) as refused:
            await Reach(resolve=resolve).check("https://db.corp.example/")
        said.add(str(refused.value))
    assert len(said) == 1
    assert "db.corp" not in said.pop()


async def test_a_name_that_takes_for_ever_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(name: str, port: int) -> Iterable[str]:
        await asyncio.Event().wait()
        return [name, str(port)]

    monkeypatch.setattr("bot.targets._RESOLVING_S", 0.01)
    with pytest.raises(RefusedTarget, match="not public"):
        await Reach(resolve=never).check("https://hooks.example.com/")


async def test_slow_names_take_few_threads_and_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    asked: list[object] = []

    def stuck(*words: object, **_: object) -> list[object]:
        asked.append(words)
        go_on.wait(10)
        return []

    resolver = Resolver()
    monkeypatch.setattr("bot.targets.socket.getaddrinfo", stuck)
    monkeypatch.setattr("bot.targets._RESOLVING_S", 0.2)
    try:
        reach = Reach(resolve=resolver)
        for _ in range(2):  # those that were given up still have their threads
            attempts = [reach.check("https://slow.example.com/") for _ in range(20)]
            assert {type(one) for one in await asyncio.gather(*attempts, return_exceptions=True)} == {RefusedTarget}
            assert len(asked) == 4
        assert await asyncio.to_thread(lambda: "free") == "free"
    finally:
        go_on.set()


async def test_the_system_is_asked_where_nothing_else_is_said() -> None:
    assert "127.0.0.1" in await Resolver()("127.0.0.1", 443)
    with pytest.raises(RefusedTarget, match="not public"):
        await Reach().addresses("localhost", 443)  # were the name let through, its address would not be


# Connections


def on_loopback(*names: Sequence[str]) -> Reach:
    return Reach(lambda address: str(address) == "127.0.0.1", Names(*names), plain=True)


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    names = Names(["127.0.0.1"], ["127.0.0.2"])  # another one for whoever asked again
    reach = Reach(lambda _: True, names, plain=True)
    async with receiving() as receiver:
        stream = await CheckedNetwork(reach).connect_tcp("hooks.example.com", receiver.port)
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", receiver.port)
        await stream.aclose()
    assert names.asked == [("hooks.example.com", receiver.port)]


async def test_a_name_that_changes_its_mind_is_refused_when_it_is_connected_to() -> None:
    reach = Reach(resolve=Names([PUBLIC], ["127.0.0.1"]))
    async with receiving() as receiver:
        await reach.check(f"https://hooks.example.com:{receiver.port}/")
        with pytest.raises(RefusedTarget, match="not public"):
            await CheckedNetwork(reach).connect_tcp("hooks.example.com", receiver.port)
        assert receiver.taken == []


async def test_where_one_address_does_not_answer_the_next_is_tried() -> None:
    reach = Reach(lambda _: True, Names(["127.0.0.2", "127.0.0.1"]), plain=True)
    async with receiving() as receiver:  # listens on 127.0.0.1 alone
        stream = await CheckedNetwork(reach).connect_tcp("hooks.example.com", receiver.port)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        await stream.aclose()


async def test_where_none_answers_that_is_told() -> None:
    async with receiving() as receiver:
        pass
    with pytest.raises(httpcore.ConnectError):
        await CheckedNetwork(on_loopback(["127.0.0.1"])).connect_tcp("hooks.example.com", receiver.port)


async def test_no_socket_of_this_machine_is_connected_to() -> None:
    with pytest.raises(RefusedTarget):
        await CheckedNetwork(on_loopback(["127.0.0.1"])).connect_unix_socket("/run/docker.sock")


async def test_the_certificate_has_to_be_for_the_name_though_the_address_was_connected_to() -> None:
    asked_for: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _connection, name, _context: asked_for.append(name)
    trusted = ssl.create_default_context()
    assert (trusted.check_hostname, trusted.verify_mode) == (True, ssl.CERT_REQUIRED)

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ssl.SSLError, ConnectionError):  # there is no certificate at all
            await writer.start_tls(context)
        writer.close()

    async with listening(serve) as port:
        pool = httpcore.AsyncConnectionPool(trusted, network_backend=CheckedNetwork(on_loopback(["127.0.0.1"])))
        async with pool:
            with pytest.raises(httpcore.ConnectError):
                await pool.request("POST", f"https://hooks.example.com:{port}/")
    assert asked_for == ["hooks.example.com"]
