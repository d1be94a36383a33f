"""Which connections an attempt may make, and how much may come through them, whichever library makes them.

The guard stands at the socket, because that is the one place that every Python library passes: requests, urllib3,
boto3, yt-dlp and what it builds on; for headers, pages, playlists, keys and files, redirects and retries included. An
address is judged where its name is resolved, and again where it is connected to. Bytes and seconds are counted where
they are received.
"""

import signal
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from operators.sources.addresses import AddressRefused, check
from operators.sources.networks import is_private
from operators.sources.outcomes import NotFetched
from operators.sources.sockets import as_ip, current, install, places_of

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
        install()
        token = current.set(self)
        try:
            yield self
        except Exception:
            if self.verdict is not None:
                raise self.verdict from None
            raise
        finally:
            current.reset(token)

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
        if (literal := as_ip(host)) is not None:
            return self._judge_place(literal, host)
        door = endpoint_of(proxy)
        if door and any(is_private(ip) for ip in places_of(door[0])):
            for ip in places_of(host):
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
