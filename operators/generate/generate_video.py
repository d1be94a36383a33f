"""One video a pair, by a generation system that runs in a child process of its own."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from manifests.tables import RECORDING, TEXT_DRIVEN, Annotation, Clip, Pair, Published, Render, Word
from operators.base import Drop, Lookup, Operator, RenderMedia, Resources
from operators.generate.cards import Card, card_named
from operators.generate.home import Home
from operators.generate.inputs import Recording, write_request
from operators.generate.judge import Expected, Finished, check, finish, named_file, spoken
from operators.generate.supervisor import FATAL, Casualty, Child, Limits

# of the name of a system with random weights, which says whether an adapter runs, and nothing of the system
RANDOM = "+random"
TRIES = 2  # children that one pair may kill
RETRYABLE = frozenset(
    {"missing_weights", "env_failed", "load_failed", "died", "oom_host", "oom_gpu", "timed_out", "silent"}
)
TRANSCRIPT = "transcript"
SOUND_HZ = 48000


@dataclass(frozen=True)
class GenerateVideo(Operator):
    """What a generation system makes of a pair: the source clip's person, moving or speaking as in the driving clip.

    The child process is started with the first pair and serves all others; after a casualty another is started. What it
    made is judged by its file (`judge.py`) and encoded as recordings are, with the driving sound; that of a system that
    is driven by text has the sound that it speaks. Frame k of the render answers frame k of the driving recording.

    Drops: the casualties of `supervisor.KINDS`. A pair that kills two children is given up.
    """

    resources: ClassVar[Resources] = Resources(cpus=1, gpus=1)

    system: str = "copy"
    random: bool = False  # random weights, to check an adapter by
    seed: int = 0
    limits: Limits = field(default=Limits(), repr=False)  # how long is waited says nothing of what is made
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.device == "cpu":
            object.__setattr__(self, "resources", Resources(cpus=1))  # whatever GPU there is, this one takes none

    @cached_property
    def card(self) -> Card:
        return card_named(self.system)

    @cached_property
    def home(self) -> Home:
        return Home(self.card)

    @property
    def made_by(self) -> str:
        return self.system + (RANDOM if self.random else "")

    def parameters(self) -> dict[str, Any]:
        """What a render's identity is made of, beside the pair: another machine or device is not among it."""
        return self._identity

    @cached_property
    def _identity(self) -> dict[str, Any]:
        return {
            "system": self.made_by,
            "seed": self.seed,
            "adapter": self.card.adapter_sha256,
            "lock": self.card.lock_sha256,
            "code": self.home.code_version(),
            "weights": {} if self.random else self.home.weights_sha256(),
        }

    def made_of(
        self,
        pair: Pair,
        recordings: Lookup[Render],
        clips: Lookup[Clip],
        published: Lookup[Published],
        annotations: Sequence[Annotation] = (),
        words: Sequence[Word] = (),
    ) -> list[str]:
        """The pair, and the recordings that it names or that show the same person; what is said, where that drives."""
        found = _recordings(pair, recordings, clips, published)
        said = [said_in(pair, annotations, words)] if pair.protocol == TEXT_DRIVEN else []
        return [pair.pair_id, *(f"{row.clip_id} {row.sha256}" for row in found.values()), *said]

    def __call__(
        self,
        pair: Pair,
        recordings: Lookup[Render],
        clips: Lookup[Clip],
        published: Lookup[Published],
        media: RenderMedia,
        annotations: list[Annotation] = [],  # noqa: B006 - only read
        words: list[Word] = [],  # noqa: B006 - only read
    ) -> Iterator[Render]:
        found = _recordings(pair, recordings, clips, published)
        named = (pair.source_clip_id, pair.driving_clip_id)
        for clip_id in named:
            if clip_id not in found:
                raise Drop("no_recording", detail=f"{clip_id} is not rendered", retryable=True)
        source, driving = (_recording(found[clip_id], media) for clip_id in named)
        others = [found[clip_id] for clip_id in sorted(found.keys() - set(named))]
        references = [source, *(_recording(row, media) for row in others)] if self.card.input.references else []
        if pair.source_clip_id == pair.driving_clip_id:
            references = references[1:]  # a system may not look up what it is to make
        text = said_in(pair, annotations, words)
        with tempfile.TemporaryDirectory(prefix="headset-pair-") as folder:
            path, finished = self._made(pair, Path(folder), (source, driving), references, text)
            size = path.stat().st_size
            place, sha256 = media.keep(path, ".mp4")
        yield render_of(pair, self.made_by, finished, driving.render.fps, (place, sha256, size))

    def end(self) -> None:
        """Ends the child process."""
        if "_child" in self.__dict__:
            self._child.end()

    @property
    def hello(self) -> str:
        """What the child said of itself, in a line: what is recorded beside a render and is not its identity."""
        said = self._child.hello
        torch = f", torch {said['torch']}" if said.get("torch") else ""
        return (
            f"Python {said.get('python')}{torch}, {said.get('device')}, network {said.get('network')}, loaded in"
            f" {said.get('seconds_to_load')} s"
        )

    def _made(self, pair: Pair, folder: Path, clips: Sequence[Recording], references: Sequence[Recording], text: str):
        source, driving = clips
        inputs, out = folder / "in", folder / "out"
        inputs.mkdir()
        request = write_request(inputs, self.card, source, driving, text, references)
        request |= {"pair_id": pair.pair_id, "seed": self.seed, "out_dir": str(out)}
        expected = Expected(driving.fps, driving.render.frames)
        for left in reversed(range(TRIES)):
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            try:
                if not self._child.alive:
                    self._child.start()
                answer = self._child.ask(request, driving.render.duration_s)
                made = named_file(answer, out)
                count = check(made, answer, self.card.output, expected)
                path = folder / "render.mp4"
                sound = (
                    spoken(answer, out, float(expected.frames / expected.fps), SOUND_HZ)
                    if self.card.driven_by == "text"
                    else driving.sound(SOUND_HZ)
                )
                return path, finish(made, path, count, self.card.output, expected, sound)
            except Casualty as lost:
                if lost.kind != "refused":
                    self._child.end()  # whatever it did, the next pair meets a fresh one
                if lost.kind in FATAL and left:
                    continue
                raise Drop(lost.kind, detail=lost.detail, retryable=lost.kind in RETRYABLE) from None
        raise AssertionError("unreachable")

    @cached_property
    def _child(self) -> Child:
        self.home.link_weights()
        self.home.folder.mkdir(parents=True, exist_ok=True)
        python = self.home.python()
        assert python is not None, "Home.check comes first"
        work = Path(tempfile.mkdtemp(prefix=f"headset-{self.system}-"))
        environment = {"HEADSET_RANDOM_WEIGHTS": "1" if self.random else ""}
        return Child(python, self.card.path, self.home.folder, work, self.device, self.limits, environment)


def render_of(pair: Pair, made_by: str, finished: Finished, fps: float, kept: tuple[str, str, int]) -> Render:
    """The row of a pair's finished video.

    Args:
        kept: its place in the store, its sha256 and its bytes.
    """
    place, sha256, size = kept
    return Render(
        pair.source_id, f"{pair.pair_id}@{made_by}", pair.driving_clip_id, made_by, place, sha256,
        finished.frames_sha256, size, width=finished.width, height=finished.height, fps=fps, frames=finished.frames,
        duration_s=finished.frames / fps,
        encoder=finished.encoder, pair_id=pair.pair_id,
    )  # fmt: skip


def _recordings(
    pair: Pair, recordings: Lookup[Render], clips: Lookup[Clip], published: Lookup[Published]
) -> dict[str, Render]:
    """By clip the recordings of both clips, and others of the source's person."""
    wanted = [pair.source_clip_id, pair.driving_clip_id, *_same_person(pair.source_clip_id, clips, published)]
    rows = [row for clip_id in dict.fromkeys(wanted) for row in recordings.where("clip_id", clip_id)]
    return {row.clip_id: row for row in rows if row.made_by == RECORDING}


def _same_person(clip_id: str, clips: Lookup[Clip], published: Lookup[Published]) -> list[str]:
    """The clips of who is seen in a clip: as its published list says, else the speaker of the source."""
    if (clip := clips.get(clip_id)) is None:
        return []

    def named(one: Clip) -> str:
        listed = published.get(one.published_id) if one.published_id else None
        return listed.identity if listed else ""

    if name := named(clip):
        known = [row.published_id for row in published.where("identity", name)]
        return sorted(one.clip_id for listed in known for one in clips.where("published_id", listed))
    same = [one for one in clips.where("source_id", clip.source_id) if one.speaker == clip.speaker and not named(one)]
    return sorted(one.clip_id for one in same)


def said_in(pair: Pair, annotations: Sequence[Annotation], words: Sequence[Word]) -> str:
    """What is said in the driving clip: its transcript, else the words that were heard in it; "" without either."""
    clip_id = pair.driving_clip_id
    heard = sorted((word.start_s, word.text) for word in words if word.subject == clip_id)
    written = (row.value for row in annotations if row.name == TRANSCRIPT and row.subject == clip_id)
    return next(written, " ".join(text for _, text in heard))


def _recording(row: Render, media: RenderMedia) -> Recording:
    return Recording(row, media.file_of(row))
