"""The guard at the socket: what drips, floods or never ends, and what must not be asked, whichever library asks."""

import datetime
import http.client
import resource
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from operators.sources import guard as guard_module
from operators.sources import sites, sockets
from operators.sources.addresses import AddressRefused
from operators.sources.guard import Guard, endpoint_of
from operators.sources.outcomes import LATER, NotFetched
from tests.dripping import DRIP_S, TRAPS, Trap, serve_traps
from tests.object_store import ObjectStore, aws_points_at
from tests.operators.sources.downloading import QUICK, download, outcome, source_of

SHORT = replace(QUICK, tries=1, answer_s=1.0, max_page_bytes=2**21, max_bytes=2**23, max_seconds=60)


@pytest.fixture(scope="module")
def traps() -> Iterator[str]:
    with serve_traps() as address:
        yield address


@pytest.mark.timeout(60)
@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.path)
def test_no_server_holds_an_attempt_or_fills_the_memory(trap: Trap, traps: str, tmp_path: Path):
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end, fetches = download(source_of(traps + trap.path), tmp_path, SHORT)
    assert (outcome(end), len(fetches)) == (trap.outcome, 1), fetches[-1].said
    assert fetches[-1].retryable == (trap.outcome in LATER)
    assert fetches[-1].tool
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 150 * 1024


@pytest.mark.timeout(60)
def test_a_store_that_drips_is_not_waited_for_either(traps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    aws_points_at(ObjectStore(traps, traps), monkeypatch)
    end, fetches = download(source_of("s3://bucket/headers.mp4"), tmp_path, SHORT)
    assert (outcome(end), len(fetches)) == ("too_slow", 1)
    assert fetches[-1].tool.startswith("boto3 ")


def test_a_site_that_drips_is_left_alone_after_some_tries(traps: str, tmp_path: Path):
    dripping = replace(SHORT, answer_s=0.2)
    ends = [
        outcome(download(source_of(f"{traps}/headers.mp4?id={n}"), tmp_path, dripping)[0])
        for n in range(sites.FAILURES + 1)
    ]
    assert ends == ["too_slow"] * sites.FAILURES + ["site_rests"]


def asked_by_requests(address: str) -> None:
    requests.get(address, timeout=30)


def asked_by_urllib(address: str) -> None:
    urllib.request.urlopen(address, timeout=30).read()


def asked_by_http_client(address: str) -> None:
    connection = http.client.HTTPConnection(address.removeprefix("http://").partition("/")[0])  # no time-out of its own
    connection.request("GET", "/" + address.rpartition("/")[2])
    connection.getresponse().read()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("ask", [asked_by_requests, asked_by_urllib, asked_by_http_client])
@pytest.mark.parametrize("path", ["/headers.mp4", "/body.mp4", "/stalled.mp4"])
def test_the_time_of_an_attempt_holds_in_every_library(ask: Any, path: str, traps: str):
    with pytest.raises(NotFetched) as raised, Guard(max_seconds=0.5, anywhere=True).on():
        ask(traps + path)
    assert raised.value.outcome == "timeout"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("ask", [asked_by_requests, asked_by_urllib, asked_by_http_client])
def test_the_bytes_of_an_attempt_hold_in_every_library(ask: Any, traps: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(guard_module, "BESIDE_BYTES", 0)
    with pytest.raises(NotFetched) as raised, Guard(max_bytes=2**20, anywhere=True).on():
        ask(traps + "/endless.ts")
    assert raised.value.outcome == "too_large"


def test_a_limit_ends_every_connection_of_the_attempt_and_is_told_whatever_the_library_says(traps: str):
    guard = Guard(max_seconds=0.3, anywhere=True)
    with pytest.raises(NotFetched) as first, guard.on():
        asked_by_requests(traps + "/body.mp4")
    with pytest.raises(NotFetched) as second, guard.on():
        asked_by_requests(traps + "/bomb.html")
    assert first.value is second.value is guard.verdict
    with pytest.raises(NotFetched), guard.on():
        raise ValueError("a library that reads nothing into it")


def test_a_slow_server_that_sends_enough_is_waited_for(monkeypatch: pytest.MonkeyPatch, traps: str):
    monkeypatch.setattr(guard_module, "LEAST_BYTES_S", 0.5 / DRIP_S)
    guard = Guard(answer_s=0.3, anywhere=True)
    with guard.on(), requests.get(f"{traps}/body.mp4", stream=True, timeout=5) as response:
        assert len(response.raw.read(40)) == 40  # two seconds' worth


def test_the_guard_is_this_threads_alone_and_ends():
    with Guard().on() as guard:
        with pytest.raises(AddressRefused, match="of this machine"):
            socket.getaddrinfo("127.0.0.1", 80)
        found: list[object] = []
        thread = threading.Thread(target=lambda: found.extend(socket.getaddrinfo("127.0.0.1", 80)))
        thread.start()
        thread.join()
        assert found
    assert isinstance(guard.verdict, AddressRefused)
    assert guard.verdict.reason == "private_address"
    assert socket.getaddrinfo("127.0.0.1", 80)


def test_a_connection_stays_guarded_in_another_thread(traps: str):
    with Guard(max_seconds=0.5, anywhere=True).on():
        response = requests.get(f"{traps}/body.mp4", stream=True, timeout=5)
    ends: list[BaseException] = []

    def read() -> None:
        try:
            response.raw.read()
        except NotFetched as end:
            ends.append(end)

    thread = threading.Thread(target=read)
    thread.start()
    thread.join(20)
    assert [end.outcome for end in ends if isinstance(end, NotFetched)] == ["timeout"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_an_address_is_judged_where_it_is_connected_to_whoever_resolved_it(host: str):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(family) as sock, Guard().on():
        with pytest.raises(AddressRefused):
            sock.connect((host, server.getsockname()[1]))
        with pytest.raises(AddressRefused):
            sock.connect_ex((host, server.getsockname()[1]))


def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch):
    with Guard().on():  # puts itself in place
        pass
    places = ["8.8.8.8", "2607:f8b0:4005::1", "10.0.0.7", "1.1.1.1"]
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in places]
    monkeypatch.setitem(sockets.plain, "getaddrinfo", lambda *_: answer)
    with pytest.raises(AddressRefused, match="many.example is 10.0.0.7"), Guard().on():
        socket.getaddrinfo("many.example", 80)
    del answer[2]
    with Guard().on():
        assert socket.getaddrinfo("many.example", 80) == answer


# Proxies


@pytest.mark.parametrize(
    ("proxy", "endpoint"),
    [
        ("http://user:hunter2@Host:3128/", ("host", 3128)),
        ("http://host", ("host", 80)),
        ("https://host", ("host", 443)),
        ("socks5h://host", ("host", 1080)),
        ("host:8080", ("host", 8080)),
        ("http://[::1]:8080", ("::1", 8080)),
        ("http://host:port", None),
        ("", None),
    ],
)
def test_where_a_proxy_listens(proxy: str, endpoint: tuple[str, int] | None):
    assert endpoint_of(proxy) == endpoint


def test_a_proxy_on_this_machine_opens_no_other_port_of_it():
    with socket.create_server(("127.0.0.1", 0)) as proxy, socket.create_server(("127.0.0.1", 0)) as other:
        at, beside = proxy.getsockname(), other.getsockname()
        for name in ("127.0.0.1", "localhost"):
            with Guard(proxy=f"http://{name}:{at[1]}").on():
                socket.create_connection((name, at[1]), timeout=5).close()
                with pytest.raises(AddressRefused):
                    socket.create_connection((name, beside[1]), timeout=5)
                with pytest.raises(AddressRefused), socket.socket() as sock:
                    sock.connect(beside)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "169.254.169.254", "168.63.129.16"]
)
def test_a_proxy_on_this_machine_is_not_asked_for_what_is_private(host: str):
    with pytest.raises(AddressRefused), Guard(proxy="http://127.0.0.1:3128").on() as guard:
        guard.admit(f"http://{host}:22/a.mp4")


def test_a_proxy_elsewhere_resolves_names_by_itself_but_gets_no_private_ip_address():
    guard = Guard(proxy="http://8.8.8.8:3128")
    guard.admit("http://localhost/a.mp4")  # its own, not ours: it cannot reach this machine
    with pytest.raises(AddressRefused):
        guard.admit("http://10.0.0.1/a.mp4")


def test_a_name_that_only_the_proxy_knows_is_left_to_it():
    Guard(proxy="http://127.0.0.1:3128").admit("http://no-such-host.invalid/a.mp4")


def test_the_environments_proxy_is_heeded_as_libraries_heed_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "127.0.0.1:3128")
    with pytest.raises(AddressRefused):
        Guard().admit("http://localhost:22/")
    monkeypatch.setenv("no_proxy", "localhost")
    Guard().admit("http://localhost:22/")  # is judged where it is connected to


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 and its key, in one file, made here."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = (
        made.not_valid_before(now - datetime.timedelta(1))
        .not_valid_after(now + datetime.timedelta(1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("path", "end"), [("/headers.mp4", "timeout"), ("/body.mp4", "timeout"), ("/endless.ts", "too_large")]
)
def test_what_comes_through_tls_is_guarded_too(path: str, end: str, certificate: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(guard_module, "BESIDE_BYTES", 0)
    trusting = ssl.create_default_context(cafile=str(certificate))
    trusting.check_hostname = False
    with serve_traps(certificate) as address:
        for ask in (
            lambda: urllib.request.urlopen(address + path, context=trusting, timeout=30).read(),
            lambda: requests.get(address + path, verify=False, timeout=30),
        ):
            with pytest.raises(NotFetched) as raised, Guard(max_seconds=1, max_bytes=2**20, anywhere=True).on():
                ask()
            assert raised.value.outcome == end
