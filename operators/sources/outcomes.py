"""How an attempt to get a source can end, and what the words of sites mean."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from operators.sources.addresses import scrubbed

# Worth another try at once, and worth one some other day.
AGAIN = frozenset(
    {
        "timeout",
        "unreachable",
        "truncated",
        "rate_limited",
        "http_408",
        "http_425",
        "http_500",
        "http_502",
        "http_503",
        "http_504",
    }
)
LATER = AGAIN | {"too_slow", "bot_check", "live", "site_rests", "login_required", "tool_broken"}
# The site as a whole does not serve, rather than this one source.
SITE_TROUBLE = frozenset({"unreachable", "too_slow", "rate_limited", "bot_check", "http_502", "http_503", "http_504"})

# As http.client words it.
TOO_MANY_HEADERS = r"got more than \d+ (bytes when reading|headers)"
# What sites say, as yt-dlp passes it on. The first that fits counts, so the narrow ones come first.
SAYINGS = tuple(
    (outcome, re.compile(words, re.IGNORECASE))
    for outcome, words in (
        ("bot_check", r"not a (ro)?bot|captcha|unusual traffic|cloudflare|anti-?bot|verify (that )?you are (a )?human"),
        ("rate_limited", r"rate.?limit|too many requests|HTTP Error 429"),
        (
            "members_only",
            (
                r"members?.only|join this channel|channel's"
                r" members|(requires?|need).{0,20}(payment|purchase|subscription|premium)|premium members"
            ),
        ),
        ("private", r"private video|video is private|is not public|made private"),
        ("age_gated", r"confirm your age|age.?(restrict|gate|verif|limit)|inappropriate for some users"),
        (
            "geo_blocked",
            (
                r"in your (country|region|location)|geo.?(restrict|block)|blocked it .{0,60}country|not available from"
                r" your location"
            ),
        ),
        (
            "live",
            (
                r"live event will begin|premieres? in|live stream|is (currently )?live|live event has ended|not yet"
                r" (available|started)"
            ),
        ),
        ("drm", r"\bDRM\b"),
        (
            "removed",
            (
                r"removed|terminated|no longer (available|exists)|unavailable|does(n't| not) exist|isn't"
                r" available|deleted|taken down"
            ),
        ),
        ("login_required", r"log.?in|sign.?in|registered users|account|cookies"),
        ("format_missing", r"requested format is not available|no video formats|only images are available"),
        ("too_large", TOO_MANY_HEADERS),
        ("too_many_redirects", r"redirect loop"),
        ("outside_program", r"delegated to ffmpeg|ffmpeg (could not be found|is not installed)"),
        ("not_a_video", r"unsupported url|no video|unable to extract|no media"),
        ("timeout", r"timed? ?out"),
        (
            "truncated",
            (
                r"bytes read|more expected|incomplete|content too short|did not get any data|connection (was"
                r" )?(reset|broken|aborted)|end of file"
            ),
        ),
        ("unreachable", r"resolv|name resolution|name or service|refused|unreachable|connection|network|transport"),
    )
)


class NotFetched(Exception):
    """An attempt that brought no file."""

    def __init__(self, outcome: str, said: str = "", *, wait_s: float = 0.0, address: str = "", tool: str = ""):
        """
        Args:
            outcome: a word to count by.
            said: the site's own words, or the tool's.
            wait_s: how long the site asked to wait before another try.
            address: asked for at last, after redirects.
            tool: what asked, with its version.
        """
        super().__init__(outcome)
        self.outcome, self.said, self.wait_s, self.address, self.tool = (
            outcome,
            scrubbed(said)[:300],
            wait_s,
            address,
            tool,
        )


@dataclass(frozen=True)
class Got:
    """A finished file, and what the site told of it."""

    path: Path
    address: str  # asked for at last, after redirects
    tool: str  # with its version
    facts: dict[str, str] = field(default_factory=dict)  # columns of a source


class Meter:
    """What one attempt has received, and its limits."""

    def __init__(self, max_bytes: int, max_seconds: float, rate_bytes_s: int):
        self.max_bytes, self.rate, self.bytes, self._last = max_bytes, rate_bytes_s, 0, 0
        self.began = time.monotonic()
        self.until = self.began + max_seconds

    def add(self, received: int, in_all: int) -> None:
        """
        Raises:
            NotFetched: too_large, timeout
        """
        self.bytes += received
        if in_all > self.max_bytes:
            raise NotFetched("too_large", f"more than {self.max_bytes} bytes")
        now = time.monotonic()
        if now > self.until:
            raise NotFetched("timeout", f"not done after {now - self.began:.0f} s")
        if self.rate and (ahead_s := self.bytes / self.rate - (now - self.began)) > 0:
            time.sleep(ahead_s)

    def at(self, in_all: int) -> None:
        """As `add`, for a tool that tells how much it has, and starts anew with each stream; the tool keeps to the
        rate.
        """
        received, self._last = max(in_all - self._last, 0), in_all
        rate, self.rate = self.rate, 0
        self.add(received, in_all)
        self.rate = rate


def meaning(said: str) -> str:
    """The outcome that a message of yt-dlp stands for; tool_broken where it tells nothing known."""
    found = next((outcome for outcome, words in SAYINGS if words.search(said)), "tool_broken")
    status = re.search(r"HTTP Error (\d{3})", said)
    return f"http_{status[1]}" if status and found not in ("bot_check", "rate_limited", "too_many_redirects") else found


def words_of(error: BaseException) -> str:
    """An error's own words, without the objects in memory that some libraries name."""
    while (
        inner := next(
            (arg for arg in (getattr(error, "reason", None), *error.args) if isinstance(arg, BaseException)), None
        )
    ) is not None:
        error = inner
    return re.sub(r"^.*?object at 0x[0-9a-f]+>?[:,)]*\s*", "", str(error)) or type(error).__name__
