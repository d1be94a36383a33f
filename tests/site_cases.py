"""The addresses of the site with every fault, and the truth about each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """An address of the site, and the truth about it."""

    path: str
    outcome: str
    file: str = ""  # whose bytes it gives, where it gives any
    said: str = ""  # part of the site's own words
    tries: int = 1


GOOD = tuple(f"good{number}" for number in range(6))
ODD_NAMES = (
    "na%C3%AFve%20name.mp4", "..%2F..%2Fetc%2Fpasswd.mp4", "a;rm%20-rf%20$HOME.mp4", "%E6%BC%A2%E5%AD%97.mp4",
    "no-suffix", "CON.mp4", f"{'x' * 200}.mp4",
)  # fmt: skip

CASES = (
    *(Case(f"/{name}.mp4", "ok", name) for name in GOOD),
    *(Case(f"/odd/{name}", "ok", f"odd{number}") for number, name in enumerate(ODD_NAMES)),
    Case("/query.mp4?id=1&part=a%20b", "ok", "query"),
    Case("/norange.mp4", "ok", "norange"),
    Case("/chunked.mp4", "ok", "chunked"),
    Case("/gzip.mp4", "ok", "gzip"),
    Case("/untyped.mp4", "ok", "untyped"),
    Case("/moved/5", "ok", "moved"),
    Case("/moved/30", "too_many_redirects"),
    Case("/loop", "too_many_redirects"),
    Case("/to-file", "scheme_not_allowed"),
    Case("/to-nowhere", "not_an_address"),
    Case("/status/401", "http_401", said="who are you"),
    Case("/status/403", "http_403", said="not for you"),
    Case("/status/404", "http_404", said="taken down by its owner"),
    Case("/status/410", "http_410", said="gone for good"),
    Case("/status/451", "http_451", said="legal reasons"),
    Case("/status/500", "http_500", tries=3),
    Case("/once/500", "ok", "once500", tries=2),
    Case("/once/503", "ok", "once503", tries=2),
    Case("/once/429", "ok", "once429", tries=2),
    Case("/status/429", "rate_limited", said="slow down"),
    Case("/stall.mp4", "timeout", tries=3),
    Case("/mute.mp4", "timeout", tries=3),
    Case("/once/stall", "ok", "oncestall", tries=2),
    Case("/cut.mp4", "truncated", said=" bytes came", tries=3),
    Case("/cut-each-third.mp4", "ok", "cuts", tries=3),
    Case("/norange-cut-once.mp4", "ok", "norangecut", tries=2),
    Case("/changes.mp4", "ok", "changed", tries=2),
    Case("/chunked-cut.mp4", "truncated", tries=3),
    Case("/claims-more.mp4", "truncated", tries=3),
    Case("/claims-less.mp4", "truncated", said="the file says it has", tries=3),
    Case("/huge.mp4", "too_large"),
    Case("/endless.mp4", "too_large"),
    Case("/empty.mp4", "empty_file"),
    Case("/text.mp4", "not_a_video"),
    Case("/picture.mp4", "not_a_video"),
    Case("/page.mp4", "not_a_video", said="This video was removed"),
    Case("/playlist-of-files.mp4", "not_a_video"),
    Case("/soft404.html", "not_a_video", said="Nothing here"),
    Case("/watch.html", "ok", "watched"),
    Case("/two.html", "not_one_video"),
    Case("/hls/whole.m3u8", "ok"),
    Case("/hls/hole.m3u8", "http_404"),
    Case("/hls/apart.m3u8", "ok"),
    Case("/hls/silent.m3u8", "format_missing"),
)

TITLES = {
    401: "who are you",
    403: "not for you",
    404: "taken down by its owner",
    410: "gone for good",
    451: "legal reasons",
    429: "slow down",
    500: "oh no",
}


def listed(address: str) -> list[str]:
    """The 60 lines of a list as people write them: every case, some of them twice or in another spelling."""
    lines = [address + case.path for case in CASES]
    again = [address + f"/{name}.mp4" for name in GOOD[:3]]
    again += [
        address.replace("http://", "HTTP://") + "/good3.mp4#t=5",
        address + "/good4.mp4?utm_source=list",
        f"clip7 {address}/good5.mp4",
    ]
    other = [
        "file:///etc/passwd",
        "data:video/mp4;base64,AAAA",
        "ftp://127.0.0.1/a.mp4",
        "no-such-file.mp4",
        f"http://user:hunter2@{address[7:]}/good0.mp4",
    ]
    lines = ["# a comment", "", *lines, *again, *other]
    return lines
