"""Where sockets are made and read: Python's own functions, with a guard before them.

A thread that has a guard (`current`) asks it before a name is resolved, an address connected to, or bytes received; the
sockets it made stay guarded in whatever thread they are read. All others notice nothing.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol
from weakref import WeakKeyDictionary


class Warden(Protocol):
    """Who is asked: `operators.sources.guard.Guard`. What is refused, raises."""

    answer_s: float

    def check(self) -> None: ...

    def left_s(self) -> float: ...

    def received(self, size: int, waited_s: float) -> None: ...

    def resolved(self, name: str, port: Any, found: list[Any]) -> list[Any]: ...

    def connects(self, host: str, port: int) -> None: ...


current: ContextVar["Warden | None"] = ContextVar("guard", default=None)
_guards: WeakKeyDictionary[socket.socket, "Warden"] = WeakKeyDictionary()
plain: dict[str, Callable[..., Any]] = {}


def install() -> None:
    """Puts the guard where sockets are made, once a process. Threads that have none, and sockets made without, notice
    nothing.
    """
    if plain:
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
        plain[name] = getattr(owner, name)
        setattr(owner, name, guarded)


def _getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
    guard = current.get()
    if guard is not None:
        guard.check()
    found = plain["getaddrinfo"](host, port, *args, **kwargs)
    if guard is None or host is None:
        return found
    return guard.resolved(host.decode() if isinstance(host, bytes) else host, port, found)


def _connect(sock: socket.socket, address: Any) -> None:
    return plain["connect"](sock, _admitted(sock, address))


def _connect_ex(sock: socket.socket, address: Any) -> int:
    return plain["connect_ex"](sock, _admitted(sock, address))


def _admitted(sock: socket.socket, address: Any) -> Any:
    guard = current.get()
    if guard is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return address
    if as_ip(address[0]) is None:  # a name, which the system would resolve by itself
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
    made = plain["wrap_socket"](context, sock, *args, **kwargs)
    if guard is not None:
        _guards[made] = guard
    return made


def _counted(sock: socket.socket, name: str, *args: Any, **kwargs: Any) -> Any:
    """Receives as Python would, for no longer than the guard has left, and counts what came."""
    guard = _guards.get(sock)
    if guard is None:
        return plain[name](sock, *args, **kwargs)
    guard.check()
    usual_s, left_s = sock.gettimeout(), guard.left_s()
    shorter = usual_s is None or usual_s > left_s
    if shorter:
        sock.settimeout(left_s)
    began = time.monotonic()
    try:
        got = plain[name](sock, *args, **kwargs)
    except TimeoutError:
        guard.check()
        raise
    finally:
        if shorter and sock.fileno() >= 0:
            sock.settimeout(usual_s)
    guard.received(got if isinstance(got, int) else len(got), time.monotonic() - began)
    return got


def as_ip(host: str) -> str | None:
    """The IP address that a host is, in any of the spellings that resolvers take (127.1, 0x7f.1, 2130706433)."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def places_of(host: str) -> list[str]:
    """The addresses of a name, as this machine resolves it; none where it does not."""
    try:
        return [str(place[0]) for *_, place in plain["getaddrinfo"](host, None, 0, socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []
