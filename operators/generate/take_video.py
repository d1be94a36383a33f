"""Videos that a system made elsewhere, as renders of pairs: judged and encoded as those that headset had made."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from manifests.media import sha256_of
from manifests.tables import RECORDING, Pair, Render
from operators.base import Drop, Lookup, Operator, RenderMedia
from operators.generate.cards import Output
from operators.generate.generate_video import render_of
from operators.generate.inputs import Recording
from operators.generate.judge import Expected, check, finish, stated_fps
from operators.generate.supervisor import Casualty


@dataclass(frozen=True)
class ImportRenders(Operator):
    """The render of a pair, of a file that is there already. The video may have any rate, which its file states; its
    own sound is replaced by that of the driving recording.

    Drops: `missing_render`, there is no file; `no_recording`; `bad_video` and `short`.
    """

    system: str = "elsewhere"  # what it is called in comparisons
    files: Mapping[str, Path] = field(default_factory=dict, repr=False)  # by pair; pairs without one are passed over

    @property
    def made_by(self) -> str:
        return self.system

    def parameters(self) -> dict[str, Any]:
        """The content of the files, wherever they lie."""
        return {"system": self.system, "files": self._content}

    @cached_property
    def _content(self) -> str:
        """The sha256 of the pairs with the sha256 of their files."""
        lines = [f"{name} {sha256_of(path) if path.is_file() else ''}" for name, path in sorted(self.files.items())]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def __call__(self, pair: Pair, recordings: Lookup[Render], media: RenderMedia) -> Iterator[Render]:
        if pair.pair_id not in self.files:
            return
        path = self.files[pair.pair_id]
        there = [row for row in recordings.where("clip_id", pair.driving_clip_id) if row.made_by == RECORDING]
        if not there:
            raise Drop("no_recording", detail=f"{pair.driving_clip_id} is not rendered", retryable=True)
        if not path.is_file():
            raise Drop("missing_render", detail=path.name, retryable=True)
        driving = there[0]
        recording = Recording(driving, media.file_of(driving))
        expected = Expected(recording.fps, driving.frames)
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder, "render.mp4")
            try:
                rate = stated_fps(path)
                output = Output(
                    fps=0.0
                    if abs(rate - float(recording.fps)) < 0.01
                    else float(Fraction(rate).limit_denominator(1001))
                )
                count = check(path, {}, output, expected)
                finished = finish(path, made, count, output, expected, recording.sound(48000))
            except Casualty as lost:
                raise Drop(lost.kind, detail=lost.detail) from None
            size = made.stat().st_size
            place, sha256 = media.keep(made, ".mp4")
        yield render_of(pair, self.system, finished, driving.fps, (place, sha256, size))
