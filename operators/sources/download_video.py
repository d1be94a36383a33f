"""Gets the file of a source, from wherever it is listed, and says truthfully how that ended."""

import hashlib
import os
import random
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from manifests.media import sha256_of
from manifests.tables import Fetch, Source
from operators.base import Drop, Media, Operator, Resources
from operators.media.containers import suffix_of
from operators.sources import pages, plain_files
from operators.sources.addresses import AddressRefused, check, is_youtube, scrubbed
from operators.sources.guard import Guard
from operators.sources.outcomes import AGAIN, LATER, SITE_TROUBLE, Got, Meter, NotFetched
from operators.sources.sites import Site, SiteRests

MANNERS = (
    "tries",
    "timeout_s",
    "answer_s",
    "max_page_bytes",
    "max_seconds",
    "backoff_s",
    "patience_s",
    "rate_bytes_s",
    "gap_s",
    "at_once",
    "allow_private",
    "user_agent",
    "keep_sources",
)


@dataclass(frozen=True)
class DownloadVideo(Operator):
    """The source with its file in the media store; a row of `fetches` for every attempt; a drop with the site's own
    words.

    Local files stay where they are and are only compared with their listed sha256. `s3` objects come by boto3, plain
    files by HTTP with resumption, and pages by yt-dlp, HLS included. Streams that a site keeps apart are put into one
    file unchanged.

    The manner of asking, listed in `MANNERS`, changes no content and so is no part of the fingerprint. What belongs to
    a user or a network comes from the environment alone: `HEADSET_PROXIES`, a comma-separated list or a file with one a
    line, taken in turns; `HEADSET_YTDLP`, options of yt-dlp in its own words; AWS's own chain. See
    docs/guide/crawling.md.
    """

    max_height: int = 1080  # lines; the highest picture up to here, where a site offers several
    min_height: int = 0
    max_fps: float = 60.0
    codec: str = "h264"  # preferred among pictures of equal height: h264, h265, vp9 or av01, as yt-dlp names them
    video: bool = True  # False: the sound alone is enough
    audio: bool = True  # False: a silent picture is enough
    licences: tuple[str, ...] = ()  # any of these words in the licence as listed, else as the site tells it; () for all
    channels: tuple[str, ...] = ()  # these and languages: what tells none is not wanted either
    languages: tuple[str, ...] = ()
    max_bytes: int = 20 * 2**30
    max_duration_s: float = 6 * 3600.0

    tries: int = 4
    timeout_s: float = 30.0  # without a byte
    # for the headers of an answer, and for a page, a playlist or a key; and over how long a pace is taken
    answer_s: float = 120.0
    max_page_bytes: int = 2**25  # of one page, playlist or key, unpacked
    max_seconds: float = 3600.0  # for one attempt
    backoff_s: float = 2.0  # before the second try; doubled for each further one, give or take half
    patience_s: float = 60.0  # the longest pause to sit out
    rate_bytes_s: int = 0  # 0 for no limit
    gap_s: float = 1.0  # between the starts of two requests to one site, from this machine
    at_once: int = 2  # sources of one site under way, on this machine
    allow_private: bool = False  # addresses of this machine and its network too
    user_agent: str = "headset/0.1"
    # False: once a shard is done, its downloads leave the store; what needs them again fetches them again
    keep_sources: bool = True

    resources: ClassVar[Resources] = Resources(cpus=0.25)

    def parameters(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name not in MANNERS}

    def resolved(self) -> Self:
        """The same, once what the environment says of it is found to make sense.

        Raises:
            ValueError: naming the variable and what is wrong with it, but not its value.
        """
        _proxy("", 1)
        pages.user_options()
        return self

    def __call__(self, source: Source, media: Media) -> Iterator[Source | Fetch | Drop]:
        if "://" not in source.uri:
            yield self._local(source, media)
            return
        try:
            check(source.uri)
        except AddressRefused as no:
            yield Drop(no.reason, detail=no.detail)
            return
        site = self._site(source.uri)
        for attempt in range(1, self.tries + 1):
            started, meter = datetime.now(UTC), Meter(self.max_bytes, self.max_seconds, self.rate_bytes_s)
            try:
                got, suffix = self._attempt(source, site, media.scratch, meter, attempt)
            except SiteRests as rests:
                yield Drop("site_rests", detail=str(rests), retryable=True)
                return
            except NotFetched as no:
                spread = random.uniform(0.5, 1.0)  # noqa: S311 - spreads, does not hide
                wait_s = no.wait_s or min(self.backoff_s * 2 ** (attempt - 1), self.patience_s) * spread
                if no.wait_s and no.outcome in SITE_TROUBLE:
                    site.rest(no.wait_s)
                yield _row(source, attempt, started, meter, no, wait_s)
                if no.outcome in AGAIN and attempt < self.tries and wait_s <= self.patience_s:
                    time.sleep(wait_s)
                    continue
                if no.outcome not in LATER:
                    shutil.rmtree(media.scratch, ignore_errors=True)
                site.told(served=no.outcome not in SITE_TROUBLE)
                yield Drop(no.outcome, detail=no.said, retryable=no.outcome in LATER)
                return
            size = got.path.stat().st_size
            place, sha256 = media.keep(got.path, suffix)
            shutil.rmtree(media.scratch, ignore_errors=True)
            site.told(served=True)
            yield _row(source, attempt, started, meter, got)
            listed = {"licence": source.licence} if source.licence else {}
            yield replace(source, sha256=sha256, bytes=size, media=place, **{**got.facts, **listed})
            return

    def fetch_again(self, source: Source, media: Media) -> None:
        """Gets a source that has left the store. Its content is checked to be that of the first time.

        Raises:
            Drop: as the first download would, with `checksum_changed` where the site gives another file now.
        """
        for made in self(source, media):
            if isinstance(made, Drop):
                raise made

    def _site(self, address: str) -> Site:
        parts = urlsplit(address)
        # A bucket is its user's own: nobody needs to be spared.
        return (
            Site(address, 256, 0.0)
            if parts.scheme == "s3"
            else Site(parts.netloc.rpartition("@")[2], self.at_once, self.gap_s)
        )

    def _local(self, source: Source, media: Media) -> Source | Drop:
        if not media.path.is_file():
            return Drop("missing_file", detail="it was there when it was listed")
        sha256 = sha256_of(media.path)
        if source.sha256 and sha256 != source.sha256:
            return Drop(
                "checksum_changed", detail=f"has sha256 {sha256[:12]}…, listed as {source.sha256[:12]}…: list it again"
            )
        try:
            self._of_interest(source.licence, "", "")
        except NotFetched as no:
            return Drop(no.outcome, detail=no.said)
        return replace(source, sha256=sha256, bytes=media.path.stat().st_size)

    def _attempt(self, source: Source, site: Site, scratch: Path, meter: Meter, attempt: int) -> tuple[Got, str]:
        """The file, and the suffix that fits it.

        Raises:
            NotFetched, SiteRests
        """
        scratch.mkdir(parents=True, exist_ok=True)
        proxy = _proxy(source.source_id, attempt)
        guard = Guard(
            max_seconds=self.max_seconds,
            max_bytes=self.max_bytes,
            answer_s=self.answer_s,
            page_bytes=self.max_page_bytes,
            proxy=proxy,
            also=filter(None, [pages.user_options().get("geo_verification_proxy")]),
            anywhere=self.allow_private or source.uri.startswith("s3://"),
        )
        try:
            with site.turn(self.patience_s), guard.on():
                got = self._fetch(source, scratch, meter, guard, proxy)
        except AddressRefused as no:
            raise NotFetched(no.reason, no.detail) from None
        try:
            suffix = suffix_of(got.path)
            if source.sha256 and (sha256 := sha256_of(got.path)) != source.sha256:
                raise NotFetched("checksum_changed", f"has sha256 {sha256[:12]}…, listed as {source.sha256[:12]}…")
        except Drop as no:
            raise NotFetched(no.reason, no.detail, address=got.address, tool=got.tool) from None
        except NotFetched as no:
            no.address, no.tool = got.address, got.tool
            raise
        return got, suffix

    def _fetch(self, source: Source, scratch: Path, meter: Meter, guard: Guard, proxy: str) -> Got:
        address, title = source.uri, ""
        tool = plain_files.BY_S3 if address.startswith("s3://") else plain_files.BY_HTTP
        try:
            if address.startswith("s3://"):
                self._of_interest(source.licence, "", "")
                return plain_files.fetch_object(address, scratch, meter)
            if not is_youtube(address) and not pages.has_extractor(address):
                try:
                    got = plain_files.fetch_file(
                        address,
                        scratch,
                        meter,
                        guard=guard,
                        timeout_s=self.timeout_s,
                        user_agent=self.user_agent,
                        proxy=proxy,
                    )
                    self._of_interest(source.licence, "", "")
                    return got
                except plain_files.IsPage as page:
                    title = page.title
            tool = pages.BY_PAGE
            wanted = partial(self._wanted, source)
            return pages.fetch_page(
                address, scratch, meter, guard=guard, choice=self._choice(proxy), wanted=wanted, title=title
            )
        except NotFetched as no:
            no.tool = tool
            if isinstance(guard.verdict, NotFetched):
                guard.verdict.tool = tool
            raise

    def _choice(self, proxy: str) -> dict[str, Any]:
        """The recipe's choice of a format, in yt-dlp's words."""
        limits = f"[height<=?{self.max_height}][fps<=?{self.max_fps:g}]" + (
            f"[height>=?{self.min_height}]" if self.min_height else ""
        )
        choices = []
        # what only another program could download comes last, to be refused with its reason
        for native in (pages.NATIVE, ""):
            picture, sound, one_file = f"bv*{native}{limits}", f"ba{native}", f"b{native}{limits}"
            choices += [
                f"{picture}+{sound}" if self.video and self.audio else picture if self.video else sound,
                one_file,
            ]
        return {
            "format": "/".join(choices),
            "format_sort": [f"res:{self.max_height}", "fps", *([f"vcodec:{self.codec}"] if self.codec else [])],
            "socket_timeout": self.timeout_s,
            **({"ratelimit": self.rate_bytes_s} if self.rate_bytes_s else {}),
            **({"proxy": proxy} if proxy else {}),
        }

    def _wanted(self, source: Source, info: dict[str, Any]) -> None:
        """
        Raises:
            NotFetched: format_missing, too_long, licence_not_wanted, channel_not_wanted, language_not_wanted
        """
        formats = info.get("requested_formats") or [info]
        for needed, codec, what in ((self.video, "vcodec", "picture"), (self.audio, "acodec", "sound")):
            if needed and all(one.get(codec) == "none" for one in formats):
                raise NotFetched("format_missing", f"no format with {what}")
        if (info.get("duration") or 0) > self.max_duration_s:
            raise NotFetched("too_long", f"{info['duration']} s; the limit is {self.max_duration_s:g}")
        self._of_interest(
            source.licence or info.get("license") or "",
            info.get("channel") or info.get("uploader") or "",
            info.get("language") or "",
        )

    def _of_interest(self, licence: str, channel: str, language: str) -> None:
        """
        Raises:
            NotFetched: licence_not_wanted, channel_not_wanted, language_not_wanted
        """
        for wanted, name, value in (
            (self.licences, "licence", licence),
            (self.channels, "channel", channel),
            (self.languages, "language", language),
        ):
            if wanted and not any(word.lower() in value.lower() for word in wanted):
                raise NotFetched(f"{name}_not_wanted", value or "none given")


_PROXY = re.compile(r"(https?|socks4a?|socks5h?)://([^/@\s]+@)?[^/@:\s]+(:\d{1,5})?/?")


def _proxy(source_id: str, attempt: int) -> str:
    """The proxy for this attempt: another one each time, and not the same one first for every source. "" for none."""
    listed = os.environ.get("HEADSET_PROXIES", "")
    if listed and "://" not in listed and not Path(listed).is_file():
        raise ValueError("HEADSET_PROXIES names no file, and is no list of proxies")
    text = Path(listed).read_text() if listed and "://" not in listed else listed.replace(",", "\n")
    proxies = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if wrong := [number for number, one in enumerate(proxies, 1) if not _PROXY.fullmatch(one)]:
        raise ValueError(
            f"HEADSET_PROXIES: entry {wrong[0]} is not the address of a proxy, such as http://user:password@host:3128"
        )
    first = int(hashlib.sha256(source_id.encode()).hexdigest(), 16)
    return proxies[(first + attempt) % len(proxies)] if proxies else ""


def _row(
    source: Source, attempt: int, started: datetime, meter: Meter, end: Got | NotFetched, wait_s: float = 0.0
) -> Fetch:
    """The ledger's row of an attempt. The query of an address that a site led to is left out: it is often a key."""
    address = source.uri if end.address in ("", source.uri) else end.address.partition("?")[0]
    outcome, said = (end.outcome, end.said) if isinstance(end, NotFetched) else ("ok", "")
    retryable = outcome in LATER
    at = _iso(started)
    return Fetch(
        source.source_id,
        f"{source.source_id}/{at}",
        attempt,
        address=scrubbed(address),
        outcome=outcome,
        said=said,
        tool=end.tool,
        bytes=meter.bytes,
        seconds=time.monotonic() - meter.began,
        started_at=at,
        retryable=retryable,
        retry_at=_iso(datetime.now(UTC) + timedelta(seconds=wait_s)) if retryable else "",
    )


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
