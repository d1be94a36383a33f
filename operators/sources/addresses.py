"""Which addresses may be asked for, and how they may be told.

Addresses come from lists that strangers wrote. Only `http`, `https` and `s3` are followed; what the names in them may
stand for is decided where they are connected to, see `guard.py`. What lets its bearer in is kept out of every table,
see `secrecy.py`.
"""

import re
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from operators.sources.secrecy import TRACKER
from operators.sources.secrecy import holds_secret as holds_secret
from operators.sources.secrecy import scrubbed as scrubbed
from operators.sources.secrecy import told as told

_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_YOUTUBE = frozenset(
    {"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "www.youtube-nocookie.com", "youtu.be"}
)


class AddressRefused(Exception):
    """An address that is not asked for. `reason` is a word to count by."""

    def __init__(self, reason: str, detail: str):
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def is_youtube(address: str) -> bool:
    return (urlsplit(address).hostname or "") in _YOUTUBE


def is_youtube_id(text: str) -> bool:
    return _YOUTUBE_ID.fullmatch(text) is not None


def youtube_id(address: str) -> str | None:
    """The video a YouTube address is about, in any of their forms; None for another address, or for a channel."""
    parts = urlsplit(address)
    if not is_youtube(address):
        return None
    steps = [step for step in parts.path.split("/") if step]
    if parts.hostname == "youtu.be":
        candidate = steps[0] if steps else ""
    elif len(steps) > 1 and steps[0] in ("shorts", "embed", "v", "e", "live"):
        candidate = steps[1]
    else:
        candidate = dict(parse_qsl(parts.query)).get("v", "")
    return candidate if is_youtube_id(candidate) else None


def normalised(address: str) -> str:
    """The address that two spellings share: lower-case scheme and host, escaped alike, no default port, fragment or
    tracker.

    Raises:
        ValueError: for what is no address, such as a port that is no number.
    """
    parts = urlsplit(address)
    scheme = parts.scheme.lower()
    if scheme == "s3":  # a key may hold any letter, `?` and `#` among them
        return f"s3://{address.split('://', 1)[1]}"
    host = parts.hostname or ""
    host = host if host.isascii() else host.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, {"http": 80, "https": 443}.get(scheme)) else f":{parts.port}"
    query = "&".join(
        field for field in parts.query.split("&") if field and not TRACKER.fullmatch(field.partition("=")[0])
    )
    path, query = (quote(part, safe="/%:@!$&'()*+,;=~?") for part in (parts.path or "/", query))
    return urlunsplit((scheme, host + port, path, query, ""))


def check(address: str) -> None:
    """Whether an address may be asked for, as far as it can be told without resolving its name.

    Raises:
        AddressRefused: scheme_not_allowed, not_an_address
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise AddressRefused("not_an_address", scrubbed(str(error))) from None
    if parts.scheme.lower() not in ("http", "https", "s3"):
        raise AddressRefused("scheme_not_allowed", f"{parts.scheme.lower()}: is none of http, https and s3")
    if not parts.hostname or re.search(r"[\s\\%]", parts.netloc) or not address.isprintable():
        raise AddressRefused("not_an_address", "it names no host, or holds letters that no address has")
