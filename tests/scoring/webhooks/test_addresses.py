"""No message goes where only this machine can reach, however that is written."""

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from scoring.errors import WebhookAddressError
from scoring.services.webhooks.requests import check_url, is_public, post, resolve

PRIVATE = [
    ".".join("0000"),
    *("127.0.0.1", "127.255.255.254", "0.1.2.3", "10.0.0.1", "10.255.0.1"),
    *("172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "169.254.0.1"),
    *("100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
    *("255.255.255.255", "192.88.99.1", "168.63.129.16"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"),
    *("::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8"),
    *("64:ff9b:1::7f00:1", "2001::7f00:1", "2002:7f00:1::", "2002:a00:1::1"),
    *("fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1"),
    *("100::1", "5f00::1", "3fff::1"),
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2001:4860:4860::8888", "2606:4700::1111"]
OTHER_FORMS = [
    *("2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.1"),
    *("127.0.1", "0", "0x0", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376"),
    *("[::1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:a9fe:a9fe]", "[fe80::1%25eth0]"),
    *("localhost", "LOCALHOST", "localhost.", "a.localhost", "metadata", "db"),
    *("metadata.google.internal", "printer.local", "kubernetes.default.svc"),
    *("a_b.example.com", "-a.example.com", "example..com", "example.com-", "1.2.3.4.5"),
    *("08.8.8.8", "256.1.1.1", "example.123", f"{'a' * 64}.com"),
]
OTHER_URLS = [
    *("http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://a"),
    *("example.com", "//example.com", "https://", "https:///path", "https:example.com"),
    *("https://example.com:80/", "https://example.com:22/", "https://example.com:0/"),
    *("https://example.com:65536/", "https://example.com:x/", "https://[::1/"),
    *("https://user@example.com/", "https://a:b@example.com/", "https://@example.com/"),
    *("https://example.com/\r\nX: y", "https://exa mple.com/", "https://exämple.com/"),
    *(
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\u2028",
        "\thttps://a.com",
    ),
    *("https://ⓔxample.com/", f"https://example.com/{'a' * 500}", ""),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_of_the_open_internet_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(WebhookAddressError):
        check_url(f"https://{host}/hook")


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_open_internet_is_taken(address: str) -> None:
    assert is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    assert check_url(f"https://{host}/hook").host == address


@pytest.mark.parametrize("host", OTHER_FORMS)
def test_other_forms_of_private_hosts_are_refused(host: str) -> None:
    with pytest.raises(WebhookAddressError):
        check_url(f"https://{host}/hook")


@pytest.mark.parametrize("url", OTHER_URLS)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(WebhookAddressError):
        check_url(url)


def test_a_url_is_taken_apart() -> None:
    target = check_url("https://Hooks.Example.com:8443/a/b?c=d#e")
    assert (target.scheme, target.host, target.port, target.path) == (
        *("https", "hooks.example.com", 8443),
        "/a/b?c=d",
    )
    assert check_url("https://example.com").path == "/"


def answer_lookups(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let each look-up of a name give the next answer; returns what was asked."""
    asked: list[str] = []
    waiting = list(answers)

    def look_up(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        found = waiting.pop(0)
        return [(0, 0, 0, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:10.0.0.1"], ["fe80::1%eth0"]],
)
def test_a_name_that_stands_for_a_private_address_is_refused(
    found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_lookups(monkeypatch, found)
    with pytest.raises(WebhookAddressError, match="stands for an address"):
        resolve(check_url("https://hooks.example.com/"))


def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = answer_lookups(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    connected: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        post("https://rebinding.example.com/", b"", headers={})
    assert asked == ["rebinding.example.com"]
    assert connected == [("8.8.8.8", 443)]
