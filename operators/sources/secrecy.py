"""What of an address lets its bearer in, and how addresses are told without it.

Addresses end in manifests, which are published. A field of an address is a secret by what it is: by a word in its name
(`client_secret`, `x-api-key`, `jwt`, `hdnea`), or by its value, long and random as no word or number is. Names that
make the address (`v`, `id`, `list`) may have random values.
"""

import itertools
import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

# Anywhere in a name.
_IN_NAME = re.compile(
    r"token|secret|passw|passphrase|passcode|pwd|credential|cookie|session|sess_?id|jwt|bearer|oauth|hmac|hdne[at]|hdnts|hdntl|signature"
    r"|accesskey|apikey|privatekey|visitor_?data"
)
# Words of a name, or its beginning or its end: too short to be looked for in the middle.
_WORD = re.compile(
    r"(?:key|auth|sign|pass)\w*|\w*(?:key|auth|sign|pass)|sig|lsig|sas|pot|pw|psw|pin|otp|totp|sid|ssid|policy|ticket|acl|mac|tok|[cx]srf"
)
_INNOCENT = re.compile(
    r"keywords?|keyframes?|keynote|keyboard|monkey|turkey|hockey|donkey|jockey|whiskey|authors?|authored|authority"
    r"|signs?_?language|signal|signals|signup|design|designs|assign|passages?|passenger|passion|passive|compass|bypass"
)
# Names whose values make the address, however random they look.
_MAKES_ADDRESS = re.compile(r"v|h|\w*ids?|list|video|clip|item|file|filename|path|name|title|q|query|url|uri|slug")
# Who led to an address; it is left out of every address.
TRACKER = re.compile(r"(?i)utm_\w+|(fb|g|ms|d|y|tw|tt)clid|[gw]braid|igsh(id)?|vd_source|si|feature")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.?[A-Za-z0-9_-]*")
_USER = re.compile(r"(?i)([a-z][a-z0-9+.-]*:)?//[^/\s@'\"?#]+@")
_ADDRESS = re.compile(r"(?i)[a-z][a-z0-9+.-]*://[^\s'\"<>]*[^\s'\"<>.,;:)}\]]")
_JSON_FIELD = re.compile(r"\"([^\"]+)\"\s*:\s*\"([^\"]*)\"")
_FIELD = re.compile(
    r"(?i)([?&;#~|\s,'\"({\[]|^)([\w.$\[\]%-]{1,80})(\s*[=:]\s*['\"]?(?:(?:Bearer|Basic|Digest)\s+)?)([^&;#\s,'\"<>)}|]+)"
)
_LEFT_OUT = "…"


def holds_secret(address: str) -> bool:
    """Whether whoever reads the address could use it to get in."""
    return (
        _USER.search(address) is not None
        or _JWT.search(unquote_plus(address)) is not None
        or _any_secret(_fields_text(address))
    )


def scrubbed(text: str) -> str:
    """The text in one line of printable letters, without what lets its bearer in.

    Of addresses, user names and passwords go, and the whole query where a field of it is a secret; elsewhere, the
    values of such fields.
    """
    text = _USER.sub(r"\1//", " ".join(text.split()))
    text = _ADDRESS.sub(lambda found: told(found[0]) if holds_secret(found[0]) else found[0], text)
    text = _JWT.sub(_LEFT_OUT, text)
    text = _JSON_FIELD.sub(
        lambda found: found[0].replace(found[2], _LEFT_OUT) if _is_secret(found[1], found[2]) else found[0], text
    )
    text = _FIELD.sub(_field_scrubbed, text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _field_scrubbed(found: re.Match[str]) -> str:
    _, name, mark, value = found.groups()
    secret = _any_secret(f"{name}={value}") if "=" in mark else not value.startswith("//") and _is_secret_name(name)
    return f"{found[1]}{name}{mark}{_LEFT_OUT}" if secret else found[0]


def told(address: str) -> str:
    """An address that is refused, as it may be told: without its user and its query, but for the fields that make the
    address.
    """
    address = _USER.sub(r"\1//", address)
    bare, mark, rest = address.partition("?") if "?" in address else address.partition("#")
    bare = _JWT.sub(_LEFT_OUT, re.sub(r";[^/]*", ";…", bare))
    fields = [field for field in re.split("[&;]", rest.partition("#")[0]) if mark == "?"]
    kept = [field for field in fields if _makes_address(*_pair(field)) and not _any_secret(field)]
    return bare + (mark + "&".join([*kept, _LEFT_OUT][: len(fields) or 1]) if mark else "")


def _fields_text(address: str) -> str:
    """What of an address holds fields: its query, its fragment, and what follows a `;` in its path."""
    return "&".join(part for part in re.split(r"[?#;]", address)[1:])


def _any_secret(text: str) -> bool:
    return any(_is_secret(name, value) for name, value in _pairs(text))


def _pairs(text: str, depth: int = 3) -> Iterator[tuple[str, str]]:
    """The fields of a query, and those of addresses and queries within their values, however often escaped."""
    for field in re.split(r"[&;?#~|]", text):
        name, value = _pair(field)
        yield name, value
        inner = unquote_plus(value)
        yield from _JSON_FIELD.findall(inner)
        if depth and inner and ("=" in inner or "%" in inner):
            yield from _pairs(inner, depth - 1)
        if depth and _USER.search(inner):
            yield "password", inner


def _pair(field: str) -> tuple[str, str]:
    name, mark, value = field.partition("=")
    return (unquote_plus(unquote_plus(name)), value) if mark else ("", field)


def _is_secret(name: str, value: str) -> bool:
    name, value = unquote_plus(unquote_plus(name)), unquote_plus(value)
    if not value or value == _LEFT_OUT or TRACKER.fullmatch(name):
        return False
    if _is_secret_name(name) or _JWT.search(value):
        return True
    return not _makes_address(name, value) and _is_random(value)


def _is_secret_name(name: str) -> bool:
    words = _words(name)
    return bool(_IN_NAME.search("_".join(words)) or _IN_NAME.search("".join(words))) or any(
        _WORD.fullmatch(word) and not _INNOCENT.fullmatch(word) for word in words
    )


def _makes_address(name: str, value: str) -> bool:
    words = _words(name)
    return bool(words) and bool(value) and any(_MAKES_ADDRESS.fullmatch(word) for word in (words[-1], "".join(words)))


def _words(name: str) -> list[str]:
    """`AWSAccessKeyId`, `x-api-key` and `clip_no2` in lower-case words."""
    parted = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3_\2\4", name)
    return [word for word in re.split(r"[^a-z0-9]+", parted.lower()) if word]


def _is_random(value: str) -> bool:
    """Whether a value is long and random: hexadecimal digits (32 and more), or letters of both cases and digits as
    base64 mixes them (20 and more), or small letters and digits (24 and more), with changes between the kinds as no
    words and numbers have.
    """
    if re.fullmatch(r"[0-9a-fA-F-]{32,}", value):
        return len(re.findall(r"[a-fA-F]", value)) >= 4 and len(re.findall(r"\d", value)) >= 4
    if not re.fullmatch(r"[A-Za-z0-9_\-+/=.~:!*]{20,}", value):
        return False
    run = max(re.findall(r"[A-Za-z0-9]+", value), key=len, default="")
    whole = re.sub(r"[^A-Za-z0-9]", "", value)
    kinds = ["0" if c.isdigit() else "A" if c.isupper() else "a" for c in whole]
    changes = sum(a != b for a, b in itertools.pairwise(kinds)) / max(len(kinds) - 1, 1)
    if {"0", "A", "a"} <= set(kinds):
        return len(run) >= 8 and changes >= 0.42
    return len(run) >= 16 and len(value) >= 24 and len(set(kinds)) == 2 and kinds.count("0") >= 4 and changes >= 0.25
