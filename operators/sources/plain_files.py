"""Files as they lie at an address, by HTTP or out of S3, resumed where an earlier attempt stopped."""

import html
import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from manifests.bucket import s3_client, s3_errors, s3_head
from manifests.errors import AccessDenied, MissingBucket, MissingMedia, StorageError
from operators.media.headers import cut_short, starts_page
from operators.sources.addresses import scrubbed
from operators.sources.guard import Guard
from operators.sources.outcomes import TOO_MANY_HEADERS, Got, Meter, NotFetched, words_of

BY_HTTP = f"requests {version('requests')}"
BY_S3 = f"boto3 {version('boto3')}"
REDIRECTS = 10
CHUNK = 2**18


class IsPage(Exception):
    """What lies at the address is a page or a playlist, for yt-dlp to read. `title` is the page's."""

    def __init__(self, title: str):
        super().__init__(title)
        self.title = title


class Part:
    """An unfinished file, and what tells whether the site still has the same one."""

    def __init__(self, scratch: Path, address: str):
        self.path, self._facts, self._address = scratch / "file.part", scratch / "file.json", address
        known = json.loads(self._facts.read_text()) if self._facts.is_file() else {}
        self.validator: str = known.get("validator", "") if known.get("address") == address else ""
        self.bytes = self.path.stat().st_size if self.validator and self.path.is_file() else 0

    def begin(self, validator: str) -> None:
        """Starts anew. Without a validator the file is never gone on with."""
        self.clear()
        self.path.touch()
        self.validator = validator
        if validator:
            self._facts.write_text(json.dumps({"address": self._address, "validator": validator}))

    def clear(self) -> None:
        self._facts.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.bytes = 0


def fetch_file(
    address: str, scratch: Path, meter: Meter, *, guard: Guard, timeout_s: float, user_agent: str, proxy: str = ""
) -> Got:
    """A file by HTTP. What an earlier attempt left in `scratch` is gone on with where the site still has the same file.

    Raises:
        NotFetched, AddressRefused
        IsPage: when a page or a playlist lies there.
    """
    import requests
    from urllib3.exceptions import HTTPError as BodyError
    from urllib3.exceptions import ReadTimeoutError

    part = Part(scratch, address)
    headers = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
    if part.bytes:
        headers |= {"Range": f"bytes={part.bytes}-", "If-Range": part.validator}
    with requests.Session() as session:
        # Redirects are followed below, and the pages that come with them are not read.
        session.get_redirect_target = lambda resp: None
        if proxy:
            session.proxies, session.trust_env = {"http": proxy, "https": proxy}, False
        try:
            response = _follow(session, guard, address, headers, timeout_s)
            with response:
                with guard.page():
                    _judge(response, part)
                _receive(response, part, meter)
        except ReadTimeoutError:
            raise NotFetched("timeout", f"nothing came for {timeout_s:g} s", address=address) from None
        except BodyError as error:
            raise NotFetched(
                "truncated", f"the connection broke after {part.bytes} bytes: {words_of(error)}", address=address
            ) from None
        except requests.exceptions.ReadTimeout:
            raise NotFetched("timeout", f"no answer within {timeout_s:g} s", address=address) from None
        except requests.exceptions.ConnectTimeout:
            raise NotFetched("unreachable", f"no connection within {timeout_s:g} s", address=address) from None
        except requests.exceptions.SSLError as error:
            raise NotFetched("tls_error", words_of(error), address=address) from None
        except requests.exceptions.ConnectionError as error:
            said = words_of(error)
            raise NotFetched(
                "too_large" if re.search(TOO_MANY_HEADERS, said) else "unreachable", said, address=address
            ) from None
        except (requests.exceptions.RequestException, ValueError) as error:
            raise NotFetched("not_an_address", words_of(error), address=address) from None
    if missing := cut_short(part.path):
        part.clear()
        raise NotFetched("truncated", missing, address=response.url)
    return Got(part.path, response.url, BY_HTTP)


def _follow(session: Any, guard: Guard, address: str, headers: dict[str, str], timeout_s: float) -> Any:
    """The response at the end of the redirects, each of which is checked."""
    at = address
    for _ in range(REDIRECTS + 1):
        guard.admit(at)
        with guard.headers():
            response = session.get(
                at, headers=headers, stream=True, allow_redirects=False, timeout=(timeout_s, timeout_s)
            )
        if not response.is_redirect:
            return response
        response.close()
        at = urljoin(at, response.headers["Location"])
    raise NotFetched("too_many_redirects", f"more than {REDIRECTS}", address=at)


def _judge(response: Any, part: Part) -> None:
    """
    Raises:
        NotFetched: when the response is neither the file that was asked for nor the rest of it.
    """
    status, address = response.status_code, response.url
    if status == 416 and response.headers.get("Content-Range", "") == f"bytes */{part.bytes}":
        return  # it had come whole before
    if status == 416 or (status == 206 and not _continues(response, part)):
        part.clear()
        raise NotFetched(
            "truncated", "the site does not go on where it was left; from the start, then", address=address
        )
    if status in (200, 206):
        return
    said = f"{status} {response.reason or ''}: {_page_words(response.raw.read(4096, decode_content=True))}".rstrip(": ")
    wait_s = _retry_after(response.headers.get("Retry-After", ""))
    raise NotFetched("rate_limited" if status == 429 else f"http_{status}", said, wait_s=wait_s, address=address)


def _receive(response: Any, part: Part, meter: Meter) -> None:
    encoded = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    length = response.headers.get("Content-Length", "")
    response.raw.enforce_content_length = False  # told below, in numbers
    if response.status_code == 416:
        return
    if response.status_code == 200:
        part.begin("" if encoded else _validator(response.headers))
    total = part.bytes + int(length) if length.isdigit() and not encoded else None
    if total and total > meter.max_bytes:
        raise NotFetched("too_large", f"{total} bytes; the limit is {meter.max_bytes}", address=response.url)
    with part.path.open("ab") as file:
        while chunk := response.raw.read1(CHUNK, decode_content=encoded):
            if not part.bytes and (words := _page_title(chunk, response.headers.get("Content-Type", ""))) is not None:
                raise IsPage(words)
            file.write(chunk)
            part.bytes += len(chunk)
            meter.add(len(chunk), part.bytes)
    if total is not None and part.bytes < total:
        raise NotFetched("truncated", f"{part.bytes} of {total} bytes came", address=response.url)


def fetch_object(address: str, scratch: Path, meter: Meter) -> Got:
    """An object of S3, by AWS's own chain of credentials and endpoints, resumed as `fetch_file` does.

    Raises:
        NotFetched
    """
    bucket, _, key = address.removeprefix("s3://").partition("/")
    part, client = Part(scratch, address), s3_client()
    try:
        with s3_errors(address):
            facts = s3_head(client, bucket, key)
            if facts["ContentLength"] > meter.max_bytes:
                raise NotFetched(
                    "too_large", f"{facts['ContentLength']} bytes; the limit is {meter.max_bytes}", address=address
                )
            if part.validator != facts["ETag"]:
                part.begin(facts["ETag"])
            if part.bytes < facts["ContentLength"]:
                body = client.get_object(Bucket=bucket, Key=key, Range=f"bytes={part.bytes}-", IfMatch=facts["ETag"])[
                    "Body"
                ]
                with part.path.open("ab") as file:
                    while chunk := body.read(CHUNK):
                        file.write(chunk)
                        part.bytes += len(chunk)
                        meter.add(len(chunk), part.bytes)
    except (MissingMedia, MissingBucket) as error:
        raise NotFetched("http_404", str(error), address=address) from None
    except AccessDenied as error:
        raise NotFetched("http_403", str(error), address=address) from None
    except StorageError as error:
        raise NotFetched("unreachable", str(error), address=address) from None
    return Got(part.path, address, BY_S3)


def _validator(headers: Any) -> str:
    """What tells one version of a file from another, strongly enough to go on with half of it."""
    etag = headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")


def _continues(response: Any, part: Part) -> bool:
    return re.match(rf"bytes {part.bytes}-", response.headers.get("Content-Range", "")) is not None


def _page_title(chunk: bytes, content_type: str) -> str | None:
    """The title of what starts like a page or a playlist; None for anything else."""
    start = chunk[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    is_list = start.startswith(b"#extm3u") or (start.startswith((b"<?xml", b"<mpd")) and b"<mpd" in start)
    kind = content_type.partition(";")[0].strip().lower()
    if is_list or starts_page(chunk[:1024]) or (kind in ("text/html", "application/xhtml+xml") and b"<" in start):
        return _page_words(chunk)
    return None


def _page_words(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return scrubbed(
        html.unescape(title[1] if title else re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL))
    )[:200]


def _retry_after(text: str) -> float:
    """Seconds, from a number of them or a date (RFC 9110, 10.2.3); 0 where it says nothing."""
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
