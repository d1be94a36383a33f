"""Clips as a widget of a notebook: the page's player, with a kernel behind it instead of files.

Its program is `explorer/page/src/widget.tsx`, built into `explorer/built/widget.js`. It asks for a clip when it shows
it, so a widget of a thousand clips is made at once. This module needs anywidget.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import traitlets
from anywidget import AnyWidget

from manifests.errors import HeadsetError
from pipeline.views.explorer.explorer import BUILT

Told = tuple[dict[str, Any], bytes]  # all of a clip as the page has it, and its video; b"" for none


class ClipWidget(AnyWidget):
    """One clip on its time axis, or many to be judged one after the other."""

    _esm = (BUILT / "widget.js").read_text(encoding="utf-8")

    clips = traitlets.List(traitlets.Unicode()).tag(sync=True)
    triage = traitlets.Bool().tag(sync=True)
    said = traitlets.Dict().tag(sync=True)  # by clip: verdict, reason, at
    kept = traitlets.Unicode().tag(sync=True)  # what became of what was said, in a sentence

    def __init__(
        self, clips: Sequence[str], tell: Callable[[str], Told], *, triage: bool = False, said: Mapping[str, Any] = {}
    ):
        """
        Args:
            tell: all of a clip, by its id.
        """
        super().__init__(clips=list(clips), triage=triage, said=dict(said))
        self._tell = tell
        self.on_msg(self._asked)

    def _asked(self, _: Any, content: Mapping[str, Any], __: Any) -> None:
        clip = str(content.get("ask"))
        try:
            detail, video = self._tell(clip)
        except HeadsetError as error:
            self.send({"clip": clip, "error": str(error)})
        else:
            self.send({"clip": clip, "detail": detail}, [video] if video else [])
