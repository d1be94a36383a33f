"""yt-dlp, held to what an attempt may ask and take. Imported when a page is read: yt-dlp is heavy."""

from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import urljoin

from yt_dlp import YoutubeDL
from yt_dlp.downloader import get_suitable_downloader
from yt_dlp.downloader.dash import DashSegmentsFD
from yt_dlp.downloader.f4m import F4mFD
from yt_dlp.downloader.hls import HlsFD
from yt_dlp.downloader.http import HttpFD
from yt_dlp.downloader.ism import IsmFD
from yt_dlp.networking import Response
from yt_dlp.networking._requests import RequestsRH
from yt_dlp.networking._urllib import UrllibRH
from yt_dlp.networking.exceptions import HTTPError

from operators.sources.guard import Guard
from operators.sources.outcomes import NotFetched

CHUNK = 2**16
FRAGMENT_BYTES = 2**28  # of one segment, which is held in memory whole
FRAGMENTED = (HlsFD, DashSegmentsFD, F4mFD, IsmFD)


class PageReader(YoutubeDL):
    """yt-dlp whose every answer is bounded, unpacked bytes included, and which starts no other program to download."""

    def __init__(self, options: Any, guard: Guard, max_bytes: int):
        """
        Args:
            max_bytes: of a file that is not in fragments.
        """
        self._guard, self._max_bytes, self._at_most = guard, max_bytes, guard.page_bytes
        super().__init__(options)

    def download_format(self, path: str, info: Any) -> Any:
        """As `dl`, for one format.

        Raises:
            NotFetched: outside_program, where yt-dlp would leave the download to one, or to a thread that nobody
                guards.
        """
        downloader = get_suitable_downloader(info, self.params)
        if downloader is not HttpFD and downloader not in FRAGMENTED:
            name = downloader.FD_NAME if downloader else "none"
            raise NotFetched(
                "outside_program",
                f"{info.get('protocol')}: its downloader, {name}, is none of those whose connections are checked",
            )
        self._at_most = self._max_bytes if downloader is HttpFD else FRAGMENT_BYTES
        try:
            return self.dl(path, info)
        finally:
            self._at_most = self._guard.page_bytes

    def urlopen(self, req: Any) -> Response:
        address = req if isinstance(req, str) else req.url
        if not address.lower().startswith("data:"):  # a key within a playlist, which asks nobody
            self._guard.admit(address)
        try:
            with self._guard.headers():
                answer = super().urlopen(req)
        except HTTPError as error:
            error.response = _Bounded(error.response, self._guard, self._at_most)
            raise
        return _Bounded(answer, self._guard, self._at_most)

    def build_request_director(self, handlers: Iterable[Any], preferences: Any = None) -> Any:
        """The handlers that ask as this class promises: requests, libcurl where it impersonates a browser, and
        `data:`.
        """
        ours: Any = [
            partial(_GuardedRequestsRH, guard=self._guard) if one is RequestsRH else _DataRH if one is UrllibRH else one
            for one in handlers
            if one.RH_KEY != "Websockets"
        ]
        return super().build_request_director(ours, preferences)


class _GuardedRequestsRH(RequestsRH):
    """Judges each redirect, and does not read the page that comes with it."""

    def __init__(self, *args: Any, guard: Guard, **kwargs: Any):
        self._guard = guard
        super().__init__(*args, **kwargs)

    def _create_instance(self, *args: Any, **kwargs: Any) -> Any:
        session = super()._create_instance(*args, **kwargs)  # type: ignore[misc]
        target_of = session.get_redirect_target

        def judged(response: Any) -> str | None:
            if target := target_of(response):
                response.close()
                self._guard.admit(urljoin(response.url, target))
            return target

        session.get_redirect_target = judged
        return session


class _DataRH(UrllibRH):
    _SUPPORTED_URL_SCHEMES = ("data",)


class _Bounded(Response):
    """An answer that ends as `too_large` or `too_slow` where it is. What is read whole is a page, and comes through in
    pieces.
    """

    def __init__(self, answer: Response, guard: Guard, at_most: int):
        headers: Any = answer.headers
        super().__init__(answer, answer.url, headers, answer.status, answer.reason, answer.extensions)
        self._guard, self._left, self._at_most = guard, at_most, at_most

    def read(self, amt: int | None = None) -> bytes:
        if amt is not None and amt >= 0:
            return self._counted(amt)
        pieces = []
        if self._at_most > self._guard.page_bytes:
            self._left = self._at_most = self._guard.page_bytes
        with self._guard.page():
            while piece := self._counted(CHUNK):
                pieces.append(piece)
        return b"".join(pieces)

    def _counted(self, amt: int) -> bytes:
        piece = self.fp.read(amt)
        self._left -= len(piece)
        if self._left < 0:
            self._guard.end("too_large", f"more than {self._at_most} bytes, unpacked, at one address")
        return piece
