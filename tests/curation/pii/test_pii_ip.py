"""IP addresses, told from versions, sections, times and code; public ones from all others."""

import ipaddress
import random

import pytest

from curation.pii.ip import RESERVED
from tests.curation.pii.finding import found, values


@pytest.mark.parametrize(
    "text",
    [
        "Request from 203.12.160.9 was denied",
        "192.31.20.46 - - [24/Mar/2007:23:05:11] GET /",
        "[client 72.15.99.187] File does not exist",
        "(83.24.3.11)",
        "host=83.24.3.11;",
        "http://83.24.3.11/index.html",
        "http://83.24.3.11:8080/",
        "83.24.3.0/24",
        "root@83.24.3.11",
        "from 83.24.3.11.",
        "主机83.24.3.11在线",
        "::ffff:83.24.3.11",
    ],
)
def test_ipv4_with_a_high_first_number_is_found(text: str) -> None:
    (value,) = values("ipv4", text)
    assert ipaddress.IPv4Address(value)


@pytest.mark.parametrize(
    "text",
    [
        "ping 8.8.8.8 failed",
        "DNS servers: 8.8.8.8",
        "the IP address is 8.8.8.8",
        "[8.8.8.8] connected",
        "http://8.8.8.8/",
        "8.8.8.8:53",
        "8.8.8.0/24",
        "root@8.8.8.8",
        "8.8.8.8 - - [24/Mar/2007]",
        "服务器：8.8.8.8",
        "server 8.8.8.8: no answer",
        "8.8.8.8 connected",
    ],
)
def test_ipv4_with_a_low_first_number_is_found_beside_words_about_networks(text: str) -> None:
    (value,) = values("ipv4", text)
    assert value.startswith("8.8.8.")


def test_ipv4_of_a_list_are_all_found() -> None:
    text = "nameservers 8.8.8.8, 8.8.4.4 and 1.1.1.1\n9.9.9.9"
    assert values("ipv4", text) == ["8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9"]


@pytest.mark.parametrize(
    "text",
    [
        "Version 104.15.7.1 fixes this",
        "tagged v93.0.0.1",
        "Firmware 130.12.99.4",
        "Revision 92.0.0.1-rc3",
        "Chrome/91.0.44.124 Safari",
        "libfoo 63.2.1.0+dfsg",
        "See section 4.3.2.1 of the manual",
        "§6.3.2.3",
        "Upgrade V8 to 4.2.77.18 from 4.2.77.20",
        "this was fixed in 1.5.4.1",
        "a network bug fixed in 1.5.4.1",
        "Git 1.7.12.1 Release Notes",
        "Fixes since 1.5.6.5\n-------------------",
        "PP 1.1.1.1/2 {",
        "Node.js is at 5.0.71.32.",
        "4.3.2.1 Servers and Hosts",
        "Servers\n\n4.3.2.1 Hosts",
        "// [23.2.4.1] construct/copy/destroy",
        "<Version>2.2.0.25</Version>",
        "OID 61.3.6.1.4.1",
        "183.24.3",
        "183.24.3.256",
        "183.24.03.2",
        "183.24.3.2.1",
        "A.183.24.3.2",
        "x183.24.3.2",
        "183.24.3.2x",
        "183,24.3.2.5",
        "183. 24.3.2",
    ],
)
def test_ipv4_is_not_found_in(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("address", ["0.0.0.0", "255.255.255.0", "255.255.255.255"])
def test_ipv4_that_names_no_host_is_never_found(address: str) -> None:
    assert found(f"mask {address}", private_ips=True) == []


def test_ipv4_reserved_ranges_are_those_that_are_not_global_or_multicast() -> None:
    draw = random.Random(1)
    chosen = [ipaddress.IPv4Address(draw.getrandbits(32)) for _ in range(4000)]
    for network, mask in RESERVED.tolist():
        chosen += map(ipaddress.IPv4Address, (network, network - 1, network | ~mask & 0xFFFFFFFF))
    for address in chosen:
        if address.packed[0] in (0, 255) or address.packed[:3] == bytes((192, 0, 0)):
            continue  # no host; a range on which versions of the library differ
        text = f"host {address}"
        assert values("ipv4", text, private_ips=True) == [str(address)]
        public = address.is_global and not address.is_multicast
        assert values("ipv4", text) == [str(address)] * public, address


@pytest.mark.parametrize(
    "address",
    [
        "2606:4700:4700::1111",
        "2620:fe::fe",
        "2001:4860:4860::8888",
        "2a00:1450:4001:081b:0000:0000:0000:200e",
        "2A00:1450:4001:81B::200E",
        "2a00:1450::",
        "2a00::1:2:3:4:5:6",
    ],
)
@pytest.mark.parametrize(
    "around",
    [("", ""), ("[", "]:443"), ("from ", ", see"), ("from ", "."), ("", "/64"), ("地址", "。")],
)
def test_ipv6_is_found(address: str, around: tuple[str, str]) -> None:
    before, after = around
    assert values("ipv6", before + address + after) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "It happened on 2014-05-06 12:30:45.",
        "SHA 1f:3a:9c:00:11:22 is a MAC-like string",
        "26:06:47:00:47:00:11:11",
        "std::vector<int> and abc::def and 2606::Foo::bar",
        "x[1::2] and y[::2] and z[:1, ::2]",
        "::",
        "2606:4700",
        "2606:4700:4700:1:2:3:4",
        "2606:4700:4700:1:2:3:4:5:6",
        "2606:4700::1::2",
        "2606:47001::1",
        "x2606:4700::1",
        "2606:4700::1x",
        "chapter 3:16, 2000:1",
    ],
)
def test_ipv6_is_not_found_in(text: str) -> None:
    assert found(text, private_ips=True) == []


@pytest.mark.parametrize(
    "address",
    ["fe80::1", "fd12:3456:789a::1", "ff02::1", "2001:db8::1", "2001:0:4136::1", "3fff::1", "::1"],
)
def test_ipv6_that_is_not_public_is_found_on_demand(address: str) -> None:
    assert found(f"host {address} up") == []
    assert values("ipv6", f"host {address} up", private_ips=True) == [address]


def test_ipv6_loopback_is_no_step_of_a_slice() -> None:
    assert found("x[::1]", private_ips=True) == []
    assert values("ipv6", "http://[::1]:80/", private_ips=True) == ["::1"]
