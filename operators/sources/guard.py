"""Which connections an attempt may make, and how much may come through them, whichever library makes them.

The guard stands at the socket, because that is the one place that every Python library passes: requests, urllib3,
boto3, yt-dlp and what it builds on; for headers, pages, playlists, keys and files, redirects and retries included. An
address is judged where its name is resolved, and again where it is connected to. Bytes and seconds are counted where
they are received.
"""

import ipaddress
import signal
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from operators.sources.addresses import AddressRefused, check
from operators.sources.networks import is_private
from operators.sources.outcomes import NotFetched

HEAD_BYTES = 2**20  # of the headers of one answer and of those of its redirects
BESIDE_BYTES = 2**26  # for pages, playlists and keys, beside the file itself
LEAST_BYTES_S = 1024  # of a file: what comes slower than this takes weeks
Endpoint = tuple[str, int]  # a host, in lower case, and its port


@dataclass
class _Bound:
    """A part of an attempt that has its own limits."""

    what: str
    until: float
    seconds: float
    bytes_left: int
    most: int


class Guard:
    """What one attempt may ask, and what it may receive.

    Attributes:
        verdict: the address first refused, or the limit first reached. A limit ends every connection of the attempt.
    """

    verdict: AddressRefused | NotFetched | None

    def __init__(
        self,
        *,
        max_seconds: float = 3600.0,
        max_bytes: int = 2**40,
        answer_s: float = 120.0,
        page_bytes: int = 2**25,
        proxy: str = "",
        also: Iterable[str] = (),
        anywhere: bool = False,
    ):
        """
        Args:
            max_seconds: for all of the attempt, from now on.
            max_bytes: for all that is received, beside `BESIDE_BYTES`.
            answer_s: for the headers of an answer, and again for a page; and over how long the pace of a file is taken.
            page_bytes: of one page, playlist or key, packed or unpacked.
            proxy: the user's own, in place of the environment's.
            also: further proxies of the user's.
            anywhere: whether private addresses are allowed.
        """
        self.answer_s, self.page_bytes, self.anywhere, self.verdict = answer_s, page_bytes, anywhere, None
        self._proxy, self._max_seconds, self._max_bytes = proxy, max_seconds, max_bytes + BESIDE_BYTES
        self._until, self._bytes = time.monotonic() + max_seconds, 0
        self._bound: _Bound | None = None
        self._waited_s, self._came, self._computing = 0.0, 0, False
        # By endpoint and not by host: a proxy on this machine must not open every other port of it.
        proxies = [*([proxy] if proxy else _environment_proxies()), *also]
        self._doors = {door for one in proxies if (door := endpoint_of(one))}

    @contextmanager
    def on(self) -> Iterator[Self]:
        """Within it, this thread's new connections are guarded; those it made stay so in whatever thread they are read.

        libcurl, which yt-dlp uses where it impersonates a browser, makes its connections by itself.

        Raises:
            AddressRefused, NotFetched: the verdict, where a library hid or reworded it.
        """
        _install()
        token = _current.set(self)
        try:
            yield self
        except Exception:
            if self.verdict is not None:
                raise self.verdict from None
            raise
        finally:
            _current.reset(token)

    def headers(self) -> Any:
        """Within it, the headers of one answer are received, and of the redirects before it."""
        return self._within("headers", self.answer_s, HEAD_BYTES)

    def page(self) -> Any:
        """Within it, a page is received, or a playlist, a key, an answer of an API."""
        return self._within("a page", self.answer_s, self.page_bytes)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Within it, what a library computes between two receipts is bounded to `answer_s` of the processor's time.

        Regular expressions over a page made for it take its length squared: a megabyte of `<video ` hours. They are
        interrupted by a signal, which Python handles in the main thread alone; in another thread there is no limit.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        said = f"a page: not read after {self.answer_s:g} s of computing"
        before = signal.signal(signal.SIGVTALRM, lambda *_: self.end("too_slow", said))
        self._computing = True
        self._compute_anew()
        try:
            yield
        finally:
            self._computing = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)

    def _compute_anew(self) -> None:
        # and each second after that, in case a library swallows it
        signal.setitimer(signal.ITIMER_VIRTUAL, self.answer_s, 1.0)

    @contextmanager
    def _within(self, what: str, seconds: float, most: int) -> Iterator[None]:
        self.check()
        before, self._bound = self._bound, _Bound(what, time.monotonic() + seconds, seconds, most, most)
        try:
            yield
        finally:
            self._bound = before

    def admit(self, address: str) -> None:
        """Judges an address before it is asked for.

        Its name is resolved by whoever connects to it. Where that is a proxy, what it would open is judged here: an IP
        address in any case, and a name where the proxy stands on this machine or in its network.

        Raises:
            AddressRefused: scheme_not_allowed, not_an_address, private_address
        """
        try:
            check(address)
            if not self.anywhere and (proxy := self._proxy_for(address)):
                self._judge_behind(proxy, urlsplit(address).hostname or "")
        except AddressRefused as no:
            self.refuse(no)

    def refuse(self, no: AddressRefused) -> None:
        """
        Raises:
            AddressRefused: this one.
        """
        self.verdict = self.verdict or no
        raise no

    def end(self, outcome: str, said: str) -> None:
        """
        Raises:
            NotFetched: of this outcome, and on every further use of a connection of this attempt.
        """
        self.verdict = NotFetched(outcome, said)
        raise self.verdict

    def check(self) -> None:
        """
        Raises:
            NotFetched: too_slow or timeout, where the time is over; the verdict, where another limit was reached
                before.
        """
        if isinstance(self.verdict, NotFetched):
            raise self.verdict
        now = time.monotonic()
        if now >= self._until:
            self.end("timeout", f"not done after {self._max_seconds:g} s")
        if self._bound and now >= self._bound.until:
            self.end("too_slow", f"{self._bound.what}: not there after {self._bound.seconds:g} s")

    def left_s(self) -> float:
        """Seconds until just after the nearest limit."""
        until = min(self._until, self._bound.until) if self._bound else self._until
        return max(until - time.monotonic(), 0.0) + 0.005

    def received(self, size: int, waited_s: float) -> None:
        """Counts what came through a socket.

        Raises:
            NotFetched: too_large, too_slow, timeout
        """
        if self._computing:
            self._compute_anew()
        self._bytes += size
        if self._bytes > self._max_bytes:
            self.end("too_large", f"more than {self._max_bytes} bytes came")
        if self._bound:
            self._bound.bytes_left -= size
            if self._bound.bytes_left < 0:
                self.end("too_large", f"{self._bound.what}: more than {self._bound.most} bytes")
        else:
            self._pace(size, waited_s)
        self.check()

    def _pace(self, size: int, waited_s: float) -> None:
        self._waited_s, self._came = self._waited_s + waited_s, self._came + size
        if self._waited_s > self.answer_s:
            if self._came < LEAST_BYTES_S * self._waited_s:
                self.end("too_slow", f"{self._came} bytes in {self._waited_s:.0f} s")
            self._waited_s, self._came = 0.0, 0

    def resolved(self, name: str, port: Any, found: list[Any]) -> list[Any]:
        """An answer of DNS, every address of which may be connected to.

        Raises:
            AddressRefused: private_address
        """
        number = int(port) if str(port).isdigit() else 0
        if (name.lower(), number) in self._doors:
            self._doors |= {(str(place[0]), number) for *_, place in found}
        elif not self.anywhere:
            for *_, place in found:
                self._judge_place(str(place[0]), name)
        return found

    def connects(self, host: str, port: int) -> None:
        """
        Raises:
            AddressRefused: private_address
            NotFetched: the verdict, where a limit was reached before.
        """
        self.check()
        if not self.anywhere and (host.lower(), port) not in self._doors:
            self._judge_place(host, host)

    def _judge_place(self, ip: str, name: str) -> None:
        if is_private(ip):
            self.refuse(AddressRefused("private_address", f"{name} is {ip}, an address of this machine or its network"))

    def _judge_behind(self, proxy: str, host: str) -> None:
        if (literal := _as_ip(host)) is not None:
            return self._judge_place(literal, host)
        door = endpoint_of(proxy)
        if door and any(is_private(ip) for ip in _places(door[0])):
            for ip in _places(host):
                self._judge_place(ip, host)

    def _proxy_for(self, address: str) -> str:
        if self._proxy:
            return self._proxy
        from requests.utils import get_environ_proxies, select_proxy

        return select_proxy(address, get_environ_proxies(address)) or ""


def endpoint_of(proxy: str) -> Endpoint | None:
    """Where a proxy listens; None for what is no address."""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 1080)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None


def _environment_proxies() -> Iterable[str]:
    return [one for scheme, one in urllib.request.getproxies().items() if scheme in ("http", "https", "all")]


def _as_ip(host: str) -> str | None:
    """The IP address that a host is, in any of the spellings that resolvers take (127.1, 0x7f.1, 2130706433)."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _places(host: str) -> list[str]:
    """The addresses of a name, as this machine resolves it; none where it does not."""
    try:
        return [str(place[0]) for *_, place in _plain["getaddrinfo"](host, None, 0, socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


# What stands in the place of Python's own.

_current: ContextVar[Guard | None] = ContextVar("guard", default=None)
_guards: WeakKeyDictionary[socket.socket, Guard] = WeakKeyDictionary()
_plain: dict[str, Callable[..., Any]] = {}


def _install() -> None:
    """Puts the guard where sockets are made, once a process. Threads that have none, and sockets made without, notice
    nothing.
    """
    if _plain:
        return
    owner: Any
    for owner, name, guarded in (
        (socket, "getaddrinfo", _getaddrinfo),
        (socket.socket, "connect", _connect),
        (socket.socket, "connect_ex", _connect_ex),
        (socket.socket, "recv", _recv),
        (socket.socket, "recv_into", _recv_into),
        (ssl.SSLSocket, "read", _read),
        (ssl.SSLContext, "wrap_socket", _wrap_socket),
    ):
        _plain[name] = getattr(owner, name)
        setattr(owner, name, guarded)


def _getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
    guard = _current.get()
    if guard is not None:
        guard.check()
    found = _plain["getaddrinfo"](host, port, *args, **kwargs)
    if guard is None or host is None:
        return found
    return guard.resolved(host.decode() if isinstance(host, bytes) else host, port, found)


def _connect(sock: socket.socket, address: Any) -> None:
    return _plain["connect"](sock, _admitted(sock, address))


def _connect_ex(sock: socket.socket, address: Any) -> int:
    return _plain["connect_ex"](sock, _admitted(sock, address))


def _admitted(sock: socket.socket, address: Any) -> Any:
    guard = _current.get()
    if guard is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return address
    if _as_ip(address[0]) is None:  # a name, which the system would resolve by itself
        address = socket.getaddrinfo(address[0], address[1], sock.family, sock.type)[0][-1]
    guard.connects(address[0], address[1])
    if sock.gettimeout() is None:
        sock.settimeout(guard.answer_s)  # so that no handshake waits for ever either
    _guards[sock] = guard
    return address


def _recv(sock: socket.socket, *args: Any, **kwargs: Any) -> bytes:
    return _counted(sock, "recv", *args, **kwargs)


def _recv_into(sock: socket.socket, *args: Any, **kwargs: Any) -> int:
    return _counted(sock, "recv_into", *args, **kwargs)


def _read(sock: ssl.SSLSocket, *args: Any, **kwargs: Any) -> Any:
    return _counted(sock, "read", *args, **kwargs)


def _wrap_socket(context: ssl.SSLContext, sock: socket.socket, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
    guard = _guards.get(sock)
    made = _plain["wrap_socket"](context, sock, *args, **kwargs)
    if guard is not None:
        _guards[made] = guard
    return made


def _counted(sock: socket.socket, name: str, *args: Any, **kwargs: Any) -> Any:
    """Receives as Python would, for no longer than the guard has left, and counts what came."""
    guard = _guards.get(sock)
    if guard is None:
        return _plain[name](sock, *args, **kwargs)
    guard.check()
    usual_s, left_s = sock.gettimeout(), guard.left_s()
    shorter = usual_s is None or usual_s > left_s
    if shorter:
        sock.settimeout(left_s)
    began = time.monotonic()
    try:
        got = _plain[name](sock, *args, **kwargs)
    except TimeoutError:
        guard.check()
        raise
    finally:
        if shorter and sock.fileno() >= 0:
            sock.settimeout(usual_s)
    guard.received(got if isinstance(got, int) else len(got), time.monotonic() - began)
    return got
