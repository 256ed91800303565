"""Where a webhook may be sent: the table beside Python's, names that change their mind, sockets that were dialled."""

import asyncio
import ipaddress
import ssl

import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import SettingsError, UnprocessableError
from api.feeds.addresses import PinnedBackend, Reach, allowed, check_url, reachable
from api.feeds.settings import FeedSettings

PUBLIC = Reach()
# Python calls these global; a webhook has no business there all the same.
BEYOND_PYTHON = [
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "224.0.0.0/4",
        "2001::/23",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
]


# Half of what is drawn lies in one of IANA's thirty networks of a special use: each of them is met.
@settings(max_examples=1000)
@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_nothing_that_python_calls_private_is_allowed(address):
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_link_local:
        assert not allowed(address, PUBLIC)


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6, network="2000::/3"))
def test_what_is_refused_though_python_calls_it_global_is_in_the_list(address):
    if address.is_global and not any(address.version == net.version and address in net for net in BEYOND_PYTHON):
        assert allowed(address, PUBLIC)


@given(st.ip_addresses(v=4))
def test_an_address_of_version_4_in_a_disguise_of_version_6_is_never_allowed(address):
    number = int(address)
    for disguise in (0xFFFF << 32, 0, 0x64FF9B << 96, 0x64FF9B0001 << 80):  # mapped, compatible, NAT64, local NAT64
        assert not allowed(ipaddress.IPv6Address(disguise | number), PUBLIC)
    assert not allowed(ipaddress.IPv6Address((0x2002 << 112) | (number << 80)), PUBLIC)  # 6to4
    assert not allowed(ipaddress.IPv6Address((0x20010000 << 96) | number), PUBLIC)  # Teredo


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "10.1.2.3", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "255.255.255.255", "198.18.0.1", "224.0.0.1", "168.63.129.16", "::1", "::", "fe80::1", "fc00::1",
        "fd00:ec2::254", "ff02::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2001:db8::1",
        "2606:4700::1%eth0",
    ],
)  # fmt: skip
def test_the_usual_suspects(text):
    assert not allowed(ipaddress.ip_address(text), PUBLIC)


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "172.32.0.1", "100.128.0.1"])
def test_public_addresses_are_allowed(text):
    assert allowed(ipaddress.ip_address(text), PUBLIC)


def test_a_network_of_the_house_opens_that_network_alone():
    house = Reach(networks=(ipaddress.ip_network("10.1.0.0/16"),))
    assert allowed(ipaddress.ip_address("10.1.2.3"), house)
    assert not allowed(ipaddress.ip_address("10.2.0.1"), house)
    assert not allowed(ipaddress.ip_address("::ffff:10.1.2.3"), house)
    assert not allowed(ipaddress.ip_address("127.0.0.1"), house)


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://example.org/", "https"),
        ("ftp://example.org/", "https"),
        ("file:///etc/passwd", "https"),
        ("https:///path", "names no host"),
        ("https://", "names no host"),
        ("https://user:pass@example.org/", "credentials"),
        ("https://example.org@10.0.0.1/", "credentials"),
        ("https://example.org/#here", "fragment"),
        ("https://example.org:22/", "port 22"),
        ("https://example.org:0/", "port 0"),
        ("https://example.org:99999/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://exa mple.org/", "belong"),
        ("https://example.org\\@10.0.0.1/", "belong"),
        ("https://example.org/\r\nHost: inside", "belong"),
        ("https://exämple.org/", "belong"),
        ("https://%31%30.0.0.1/", "names no host"),
        ("https://example.org/" + "a" * 2000, "2000"),
    ],
)
def test_urls_that_are_refused(url, part):
    with pytest.raises(UnprocessableError, match=part):
        check_url(url, PUBLIC)


def test_urls_that_are_taken():
    assert check_url("https://example.org/hooks?a=b", PUBLIC) == ("example.org", 443)
    assert check_url("https://[2606:4700::1]:8443/", PUBLIC) == ("2606:4700::1", 8443)
    assert check_url("http://127.0.0.1:5/", Reach(loopback=True)) == ("127.0.0.1", 5)


@given(st.text(alphabet=st.characters(min_codepoint=0, max_codepoint=0x200), max_size=60))
def test_whatever_the_text_a_url_is_refused_by_name_or_read_as_httpcore_reads_it(rest):
    url = "https://" + rest
    try:
        host, port = check_url(url, PUBLIC)
    except UnprocessableError:
        return
    dialled = httpcore.URL(url)
    assert dialled.host.decode().strip("[]").lower() == host
    assert dialled.port in {None, port}


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "017700000001", "[::1]", "", "a" * 300])
async def test_every_spelling_of_this_machine_is_refused(host):
    with pytest.raises(UnprocessableError, match="cannot be used"):
        await reachable(host, 443, PUBLIC)


async def test_one_address_that_is_not_allowed_refuses_the_name_and_the_message_tells_no_address():
    async def both(_host, _port):
        return ["8.8.8.8", "10.0.0.1"]

    async def none(_host, _port):
        raise OSError("no such host")

    messages = set()
    for resolver in (both, none):
        with pytest.raises(UnprocessableError) as caught:
            await reachable("inside.example", 443, PUBLIC, resolver)
        messages.add(str(caught.value))
    assert len(messages) == 1
    assert "10.0.0.1" not in messages.pop()


class _Recorder(httpcore.AsyncMockBackend):
    def __init__(self, dialled: list[str]) -> None:
        super().__init__([])
        self.dialled = dialled

    async def connect_tcp(self, host, *_args, **_more):
        self.dialled.append(host)
        raise httpcore.ConnectError("nobody")


async def test_a_name_that_changes_its_mind_is_dialled_at_the_address_that_was_checked():
    """DNS rebinding: the first answer is public, every later one is this machine."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])
    dialled: list[str] = []

    async def rebinding(_host, _port):
        return next(answers)

    backend = PinnedBackend(PUBLIC, rebinding)
    backend._inner = _Recorder(dialled)
    async with httpcore.AsyncConnectionPool(network_backend=backend) as pool:
        with pytest.raises(httpcore.ConnectError):
            await pool.request("POST", "https://rebind.example/")
        with pytest.raises(UnprocessableError):
            await pool.request("POST", "https://rebind.example/")
    assert dialled == ["93.184.216.34"]


async def test_each_checked_address_is_tried_in_turn():
    dialled: list[str] = []

    async def two(_host, _port):
        return ["93.184.216.34", "2606:4700::1"]

    backend = PinnedBackend(PUBLIC, two)
    backend._inner = _Recorder(dialled)
    with pytest.raises(httpcore.ConnectError):
        await backend.connect_tcp("two.example", 443, 1.0)
    assert dialled == ["93.184.216.34", "2606:4700::1"]


async def test_a_resolver_that_hangs_is_bounded_by_the_time_to_connect():
    async def hanging(_host, _port):
        await asyncio.sleep(60)

    with pytest.raises(httpcore.ConnectTimeout):
        await PinnedBackend(PUBLIC, hanging).connect_tcp("slow.example", 443, 0.05)


async def test_a_handshake_that_is_cancelled_leaves_no_connection():
    greeted, ended = asyncio.Event(), asyncio.Event()

    async def silent(reader, writer):
        await reader.readexactly(1)  # of the client's hello, to which it answers nothing
        greeted.set()
        await reader.read()
        ended.set()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        stream = await PinnedBackend(Reach(loopback=True)).connect_tcp("127.0.0.1", port, 5.0)
        handshake = asyncio.create_task(stream.start_tls(ssl.create_default_context(), "one.example", 60.0))
        await asyncio.wait_for(greeted.wait(), 10.0)
        handshake.cancel()
        with pytest.raises(asyncio.CancelledError):
            await handshake
        await asyncio.wait_for(ended.wait(), 10.0)


async def test_files_and_other_ports_are_never_dialled():
    backend = PinnedBackend(PUBLIC)
    with pytest.raises(UnprocessableError):
        await backend.connect_unix_socket("/var/run/docker.sock")
    with pytest.raises(UnprocessableError, match="port 22"):
        await backend.connect_tcp("93.184.216.34", 22, 1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"poll_s": 0},
        {"calls": -1},
        {"give_up_days": float("nan")},
        {"target_ports": (0,)},
        {"inside_networks": ("10/8x",)},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(SettingsError):
        FeedSettings(**wrong)
