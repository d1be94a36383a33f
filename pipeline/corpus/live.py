"""What of a corpus moves in a notebook: a clip's timeline with its player, and triage.

A front end that shows no widgets has the picture and the posters that stand beside them: nbconvert, GitHub.
"""

import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Clip
from pipeline.corpus.frames import installed
from pipeline.views.timeline import ClipTimeline, timeline_of

if TYPE_CHECKING:
    from pipeline.views.widget import ClipWidget

MOST_BYTES = 2**20  # of a video that goes to the front end as it is: Jupyter's server holds back over 1 MB a second
SMALL_PX = 320  # the longer side of what goes instead of a larger one


class Playable(Protocol):
    """What is asked of a clip: `KeptClip`."""

    @property
    def clip_id(self) -> str: ...
    @property
    def row(self) -> Clip: ...
    @property
    def rows(self) -> Any: ...  # SourceRows; a cached property is no plain one
    @property
    def is_rendered(self) -> bool: ...
    @property
    def render(self) -> Any: ...  # Render
    @property
    def path(self) -> Path: ...
    def samples(self, hz: int = 16000) -> NDArray[np.float32]: ...
    def small(self, made: Path, side_px: int, fps: float, longest_s: float) -> Path: ...


class Chosen(Protocol):
    """What is asked of clips: `Clips`."""

    @property
    def root(self) -> str: ...
    def table(self, columns: Sequence[str] = ()) -> pa.Table: ...
    def clip(self, clip_id: str) -> Playable: ...
    def _repr_html_(self) -> str: ...


def told(clip: Playable) -> tuple[dict[str, Any], bytes]:
    """All of a clip as the page has it, and its video; b"" where it is not rendered."""
    from pipeline.views.explorer.details import around, told_render

    detail: dict[str, Any] = {**around(clip.row, clip.rows.current), "media": [], "facts": []}
    if not clip.is_rendered:
        return detail, b""
    with tempfile.TemporaryDirectory() as folder:
        path = clip.path
        if clip.render.bytes > MOST_BYTES:
            path = clip.small(Path(folder, "small.mp4"), SMALL_PX, clip.render.fps, clip.render.duration_s)
        detail["media"] = [told_render(clip.row, clip.render, path, "")]
        return detail, path.read_bytes()


class LiveTimeline(ClipTimeline):
    """A timeline that knows its clip, which is no part of the fact."""

    clip: Playable

    @classmethod
    def of(cls, clip: Playable) -> "LiveTimeline":
        made = cls(**vars(timeline_of(clip.rows, clip.row, clip.samples().tolist() if clip.is_rendered else ())))
        object.__setattr__(made, "clip", clip)
        return made

    def _repr_mimebundle_(self, **_: Any) -> Any:
        try:
            installed("anywidget", "a player above the timeline")
        except UsageError:
            return None  # the picture does without
        from pipeline.views.widget import ClipWidget

        return ClipWidget([self.clip.clip_id], lambda _: told(self.clip))._repr_mimebundle_()


class Triage:
    """Clips to be judged, in their order. `reviews` is what was said so far, by clip, and so is the file."""

    def __init__(self, clips: Chosen, file: Path, reviewer: str):
        """
        Raises:
            UsageError: see `Clips.triage`.
        """
        from pipeline.corpus_steps.reviews import MOST_NAME, read_reviews

        installed("anywidget", "triage in a notebook")
        self.clips, self.file = clips, file
        self.reviewer, said = read_reviews(file) if file.exists() else (reviewer, [])
        if reviewer not in ("", self.reviewer):
            raise UsageError(f"{file} holds the reviews of {self.reviewer or 'nobody by name'}: name another file")
        if len(reviewer) > MOST_NAME:
            raise UsageError(f"reviewer: a name has up to {MOST_NAME} letters")
        self._before = {one.clip_id: {"verdict": one.verdict, "reason": one.reason, "at": one.at} for one in said}
        self._ids = clips.table(["clip_id"])["clip_id"].to_pylist()
        if not self._ids:
            raise UsageError("no clip is left to be judged")

    @property
    def reviews(self) -> dict[str, dict[str, str]]:
        """By clip the verdict (keep, reject, flag; "" for one taken back), the reason, and when it was said, in UTC."""
        return dict(self.widget.said)

    @cached_property
    def widget(self) -> "ClipWidget":
        """What is shown, as ipywidgets has it."""
        from pipeline.views.widget import ClipWidget

        made = ClipWidget(self._ids, lambda clip: told(self.clips.clip(clip)), triage=True, said=self._before)
        made.observe(self._keep, "said")
        return made

    def _keep(self, change: Any) -> None:
        from pipeline.corpus_steps.reviews import reviews_file
        from pipeline.export.files import write_text
        from pipeline.views.explorer.explorer import fingerprint

        write_text(self.file, reviews_file(fingerprint(Manifest(self.clips.root)), self.reviewer, change["new"]))
        change["owner"].kept = f"Kept in {self.file}. Next: headset import-reviews {self.clips.root} {self.file}"

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return self.widget._repr_mimebundle_()

    def _repr_html_(self) -> str:
        return f"<p>{len(self._ids)} clips to judge, where widgets are shown.</p>{self.clips._repr_html_()}"

    def __repr__(self) -> str:
        return f"{len(self._ids)} clips to judge, {len(self.widget.said)} said something of"
