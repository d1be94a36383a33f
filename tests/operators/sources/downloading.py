"""What the tests of downloads share: a download that gives up quickly, and how it ended."""

from dataclasses import dataclass
from pathlib import Path

from manifests.media import MediaStore
from manifests.tables import Fetch, Source
from operators.base import Drop
from operators.sources.download_video import DownloadVideo
from pipeline.listing import list_sources

QUICK = DownloadVideo(
    tries=3, timeout_s=0.7, backoff_s=0.05, patience_s=3, gap_s=0, max_bytes=2**24, max_seconds=20, allow_private=True
)


@dataclass
class Holder:
    """The media of one source, as a runner gives them."""

    root: Path
    source: Source

    @property
    def path(self) -> Path:
        return Path(self.source.uri)

    @property
    def scratch(self) -> Path:
        return self.root / "scratch" / self.source.source_id

    def keep(self, made: Path, suffix: str) -> tuple[str, str]:
        return MediaStore(str(self.root)).put(made, suffix)


def source_of(address: str) -> Source:
    listing = list_sources([address])
    assert not listing.dropped
    return listing.sources[0]


def download(source: Source, root: Path, operator: DownloadVideo = QUICK) -> tuple[Source | Drop, list[Fetch]]:
    made = list(operator(source, Holder(root, source)))
    fetches = [row for row in made if isinstance(row, Fetch)]
    ends = [row for row in made if not isinstance(row, Fetch)]
    assert len(ends) == 1
    assert isinstance(ends[0], Source | Drop)
    return ends[0], fetches


def outcome(end: Source | Drop) -> str:
    return end.reason if isinstance(end, Drop) else "ok"
