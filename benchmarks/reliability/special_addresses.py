"""Addresses that are no place for a stranger's list to lead to, through `DownloadVideo`: how many are connected to.

    python -m benchmarks.reliability.special_addresses

Each of `SPECIAL` is asked for as it is, as the answer of DNS for a name, as one answer among public ones, behind a
redirect, and by a proxy on this machine; then other ports of that proxy's host. Nothing leaves this machine: names are
resolved by a stand-in, and every connection is noted and refused, but those to a server of the benchmark's own that
sends redirects.
"""

import os
import socket
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

RESOLVE, CONNECT = socket.getaddrinfo, socket.socket.connect
NAMES: dict[str, list[str]] = {}  # what the stand-in of DNS answers
TRIED: list[tuple[str, int]] = []  # where a connection was tried
OUTSIDE = "93.184.215.14"  # stands for the public internet: connections to it go to the benchmark's own server
SERVER: list[int] = []


def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
    name = host.decode() if isinstance(host, bytes) else host
    if name not in NAMES:
        return RESOLVE(host, port, *args, **kwargs)
    number = int(port or 0)
    return [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (ip, number, 0, 0))
        if ":" in ip
        else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, number))
        for ip in NAMES[name]
    ]  # fmt: skip


def connect(sock: socket.socket, address: Any) -> None:
    TRIED.append((address[0].partition("%")[0], address[1]))
    if address[0] == OUTSIDE:
        return CONNECT(sock, ("127.0.0.1", SERVER[0]))
    raise ConnectionRefusedError(f"{address} is not connected to by this benchmark")


socket.getaddrinfo, socket.socket.connect = resolve, connect  # before anything of ours is imported

from manifests.tables import Source  # noqa: E402
from operators.sources.download_video import DownloadVideo  # noqa: E402
from tests.operators.sources.downloading import Holder  # noqa: E402
from tests.operators.sources.test_networks import PUBLIC, SPECIAL  # noqa: E402


class Redirects(BaseHTTPRequestHandler):
    """Sends whoever asks to the host that the path names."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"http://{unquote(self.path[1:].partition('/')[0])}/a.mp4")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


def tried(address: str) -> list[tuple[str, int]]:
    """The connections that an attempt on an address tries."""
    TRIED.clear()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HEADSET_CACHE"] = folder
        source = Source("web-000000000000", address)
        list(DownloadVideo(tries=1, gap_s=0.0, timeout_s=2.0)(source, Holder(Path(folder), source)))
    return list(TRIED)


def host_of(ip: str) -> str:
    plain = ip.partition("%")[0]
    return f"[{plain}]" if ":" in plain else plain


def through(ips: tuple[str, ...]) -> dict[str, list[str]]:
    """By way of asking, the addresses of `ips` for which a connection was tried."""
    NAMES.update({f"alone{number}.example": [ip] for number, ip in enumerate(ips)})
    NAMES.update({f"among{number}.example": ["8.8.8.8", ip, "1.1.1.1"] for number, ip in enumerate(ips)})
    NAMES["outside.example"] = [OUTSIDE]
    found: dict[str, list[str]] = {}
    for number, ip in enumerate(ips):
        ways = {
            "as it is": f"http://{host_of(ip)}/a.mp4",
            "an answer of DNS": f"http://alone{number}.example/a.mp4",
            "one answer among public ones": f"http://among{number}.example/a.mp4",
            "behind a redirect": f"http://outside.example/{host_of(ip)}/",
            "a name behind a redirect": f"http://outside.example/alone{number}.example/",
        }
        for way, address in ways.items():
            if [one for one in tried(address) if one[0] != OUTSIDE]:
                found.setdefault(way, []).append(ip)
        os.environ["HEADSET_PROXIES"] = "http://127.0.0.1:3128"
        for way, address in (
            ("by a proxy here", ways["as it is"]),
            ("a name, by a proxy here", ways["an answer of DNS"]),
        ):
            if tried(address):
                found.setdefault(way, []).append(ip)
        del os.environ["HEADSET_PROXIES"]
    return found


def other_ports() -> list[int]:
    """Ports of this machine that are connected to because a proxy listens on another one."""
    os.environ |= {"http_proxy": "http://127.0.0.1:3128", "no_proxy": "127.0.0.1"}
    open_to = [port for port in (22, 80, 2375, 5432, 6379, 8265, 9200) if tried(f"http://127.0.0.1:{port}/a.mp4")]
    del os.environ["http_proxy"], os.environ["no_proxy"]
    return open_to


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Redirects)
    SERVER.append(server.server_address[1])
    Thread(target=server.serve_forever, daemon=True).start()
    found, public = through(SPECIAL), through(PUBLIC)
    print(
        f"| asked for | of {len(SPECIAL)} special addresses, connected to | of {len(PUBLIC)} public ones"
        " |\n|---|---|---|"
    )
    for way in sorted({*found, *public}):
        ips = found.get(way, [])
        print(f"| {way} | {len(ips)} {' '.join(ips[:6])}{' …' if len(ips) > 6 else ''} | {len(public.get(way, []))} |")
    print(f"| other ports of a proxy's host | {len(other_ports())} of 7 | |")
    server.shutdown()


if __name__ == "__main__":
    main()
