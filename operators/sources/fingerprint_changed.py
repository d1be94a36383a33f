"""What a file looks like that is not the one a published list was made from."""

from collections.abc import Iterator
from dataclasses import dataclass

from manifests.tables import Fingerprint, Published, Source
from operators.base import Frames
from operators.sources.fingerprint_source import FingerprintSource


@dataclass(frozen=True)
class FingerprintChanged(FingerprintSource):
    """The looks of every frame of a source whose published clips have to be looked for in it; of no other source a
    frame is decoded.

    They are to be looked for where the list carries their looks, and the file is not the one they were cut from.
    Drops: as `FingerprintSource`.
    """

    rate_hz: float = 60.0
    min_contrast: float = 0.0

    def __call__(self, source: Source, published: list[Published], frames: Frames) -> Iterator[Fingerprint]:
        if any(one.looks_s and one.source_sha256 != source.sha256 for one in published):
            yield from super().__call__(source, frames)
