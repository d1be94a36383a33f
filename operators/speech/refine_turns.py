"""Who speaks when, told anew by who is seen to speak."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manifests.tables import ActiveSpeaker, FaceEmbedding, Shot, Source, Track, Turn, span_id
from operators.base import Audio, Operator
from operators.identities import groups_of, members_of
from operators.models.catalogue_sound import CAMPPLUS
from operators.models.device import one_thread
from operators.models.face_identity import cosine_of
from operators.speech.attribute_turns import SPEAKS, STILL_MOUTHS, tiles, with_breaths
from operators.speech.diarize_speakers import SAMPLE_HZ, overlaps
from operators.timeline import STEP_S, smoothed_score, timeline
from operators.weights import Weight

if TYPE_CHECKING:
    from operators.models.campplus import CamPlusPlus

Heard = tuple[str, int]  # a speaker of the diarizer, while a person is seen to speak
NOBODY = -1


@dataclass(frozen=True)
class RefineTurns(Operator):
    """Faces and voices clustered together: turns whose speakers are told by who is seen to speak, and by their voices.

    Sound alone takes the voices of people who speak briefly, or right after one another, for one. Here each turn is cut
    at cuts and where another person's face has the word: active-speaker score above 0, median smoothed, and the
    highest. Persons are tracks joined by their face embeddings over the source. What a diarized speaker says with one
    person's face, for `min_s` or more, is embedded as one voice. These voices are clustered by average linkage; those
    of one face, and those of one diarized speaker, are one sooner than others. So one voice over several faces stays
    one, and a face that moves its mouth under a foreign voice does not make that its own. A part of a turn in which no
    known face speaks goes to the likest of the voices that its speaker was divided into, or stays with the speaker.

    Turns are as they were where faces tell nothing: without face embeddings, for voices that are never seen, and in a
    source in which fewer than two voices are seen to speak, whose sound is not read. Speakers are numbered anew.
    docs/measured/diarization.md has the errors.
    """

    # cosine distances, 0 to 2, below which two voices are one: of one face and two speakers of the diarizer
    one_face: float = 0.75
    one_speaker: float = 0.5  # of two faces and one speaker
    neither: float = 0.35  # of two faces and two speakers
    same: float = 0.5  # mean likeness of two groups of tracks from which on they are one person; see `FindIdentities`
    together_s: float = 0.3  # two tracks that share more than this are two people
    min_s: float = 1.0  # that a speaker says with a face: of less the voice says little
    max_s: float = 20.0  # of a voice that are embedded, the longest parts first
    smooth_s: float = 0.5  # window of the median over the active-speaker score
    join_gap_s: float = 0.5  # while one face speaks, a pause of its mouth up to this long is a breath
    edge_s: float = 0.3  # a shorter part goes to its longer neighbour

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (CAMPPLUS,)

    def __call__(
        self,
        source: Source,
        shots: list[Shot],
        turns: list[Turn],
        tracks: list[Track],
        speaking: list[ActiveSpeaker],
        audio: Audio,
        face_embeddings: list[FaceEmbedding] = [],  # noqa: B006 - only read
    ) -> Iterator[Turn]:
        """All turns of the source, in the order of their start; those of one voice do not meet."""
        people = self._people(tracks, face_embeddings)
        known = [track for track in tracks if track.track_id in people]
        scores = defaultdict(list)
        for row in speaking:
            scores[row.track_id].append(row)
        cuts_s = sorted(shot.start_s for shot in shots)
        parts = [part for turn in turns for part in self._parts(turn, cuts_s, known, scores, people)]
        voices = self._voices(parts, audio)
        yield from _turns(source, [(part, self._voice(part, parts, voices, audio)) for part in parts])

    def _people(self, tracks: Sequence[Track], face_embeddings: Sequence[FaceEmbedding]) -> dict[str, int]:
        """By track, the number of the person it shows; of a track of which nothing was embedded that is not known."""
        members, people = members_of(tracks, face_embeddings), dict[str, int]()
        for model in sorted({member.model for member in members}):
            mine = [member for member in members if member.model == model]
            for group in groups_of(mine, cosine_of(self.same, model), self.together_s):
                person = len(set(people.values()))
                people.update({mine[n].track_id: person for n in group})
        return people

    def _parts(
        self,
        turn: Turn,
        cuts_s: Sequence[float],
        tracks: Sequence[Track],
        scores: Mapping[str, Sequence[ActiveSpeaker]],
        people: Mapping[str, int],
    ) -> Iterator["_Part"]:
        """Parts that tile a turn, in each of which one person has the word, or nobody that is known; none lies in two
        shots.
        """
        edges = [turn.start_s, *(at for at in cuts_s if turn.start_s < at < turn.end_s), turn.end_s]
        for start_s, end_s in pairwise(edges):
            near = [track for track in tracks if track.start_s < end_s and track.end_s > start_s]
            if not near:
                yield _Part(turn.speaker, start_s, end_s, NOBODY)
                continue
            times = timeline(start_s, end_s)
            heard = np.stack([smoothed_score(track, scores[track.track_id], times, self.smooth_s) for track in near])
            person = np.array([people[track.track_id] for track in near])[heard.argmax(axis=0)]
            speaks = heard.max(axis=0) > 0
            told = np.stack([np.where(speaks, SPEAKS, STILL_MOUTHS), np.where(speaks, person, NOBODY)])
            told = with_breaths(told, round(self.join_gap_s / STEP_S))
            for first, last in tiles(told, round(self.edge_s / STEP_S)):
                yield _Part(
                    turn.speaker,
                    start_s if first == 0 else float(times[first]),
                    end_s if last == len(times) else float(times[last]),
                    int(told[1, first]),
                )

    def _voices(self, parts: Sequence["_Part"], audio: Audio) -> dict[Heard, "_Voice"]:
        """The voice of each speaker with each person; none where there are fewer than two of them."""
        from scipy.cluster.hierarchy import average, fcluster
        from scipy.spatial.distance import squareform

        heard: dict[Heard, list[_Part]] = defaultdict(list)
        for part in parts:
            if part.person != NOBODY:
                heard[part.speaker, part.person].append(part)
        long = [key for key in sorted(heard) if sum(part.length_s for part in heard[key]) >= self.min_s]
        if len(long) < 2:
            return {}
        vectors = np.stack([self._embedding(heard[key], audio) for key in long])
        speaker, person = np.array([key[0] for key in long]), np.array([key[1] for key in long])
        most = np.where(speaker[:, None] == speaker, self.one_speaker, self.neither)
        most = np.where(person[:, None] == person, self.one_face, most)
        # Distances are moved by what is allowed of each, so that one cut does for all; 2 keeps them above 0.
        distances = 2 + 1 - vectors @ vectors.T - most
        np.fill_diagonal(distances, 0.0)
        numbers = fcluster(average(squareform(distances, checks=False)), 2, "distance")
        return {
            key: _Voice(f"voice{number}", vector) for key, number, vector in zip(long, numbers, vectors, strict=True)
        }

    def _voice(self, part: "_Part", parts: Sequence["_Part"], voices: Mapping[Heard, "_Voice"], audio: Audio) -> str:
        """The name of a part's voice, or the speaker that it had."""
        if (seen := voices.get((part.speaker, part.person))) is not None:
            return seen.name
        mine = [voice for (speaker, _), voice in voices.items() if speaker == part.speaker]
        if not mine:
            return part.speaker
        if part.length_s < self.min_s:
            beside = [one for one in parts if one.speaker == part.speaker and (one.speaker, one.person) in voices]
            nearest = min(beside, key=lambda one: max(one.start_s - part.end_s, part.start_s - one.end_s))
            return voices[nearest.speaker, nearest.person].name
        vector = self._embedding([part], audio)
        likest = max(mine, key=lambda voice: float(vector @ voice.vector))
        return likest.name if 1 - float(vector @ likest.vector) < self.one_face else part.speaker

    def _embedding(self, parts: Sequence["_Part"], audio: Audio) -> NDArray[np.float64]:
        """(192,) of length 1: what is heard in the longest parts, up to `max_s` in all."""
        import torch

        left_s, sound = self.max_s, list[NDArray[np.float32]]()
        for part in sorted(parts, key=lambda part: -part.length_s):
            if left_s > 0:
                sound.append(audio.samples(part.start_s, min(part.end_s, part.start_s + left_s), SAMPLE_HZ))
                left_s -= part.length_s
        wave = torch.from_numpy(np.concatenate(sound)[None, None])
        with torch.inference_mode():
            found = self.model(wave)[0].double().numpy()
        return found / np.linalg.norm(found)

    @cached_property
    def model(self) -> "CamPlusPlus":
        one_thread()
        from operators.models.campplus import CamPlusPlus

        return CamPlusPlus.load(CAMPPLUS.path())


class _Part(NamedTuple):
    """A part of a turn."""

    speaker: str
    start_s: float
    end_s: float
    person: int  # who is seen to speak

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


class _Voice(NamedTuple):
    name: str
    vector: NDArray[np.float64]  # (192,), of length 1


def _turns(source: Source, told: Sequence[tuple["_Part", str]]) -> Iterator[Turn]:
    """Turns of parts whose voices are known: parts of one voice that meet are one."""
    spans: dict[str, list[list[float]]] = defaultdict(list)
    for part, voice in sorted(told, key=lambda one: one[0].start_s):
        mine = spans[voice]
        if mine and part.start_s <= mine[-1][1]:
            mine[-1][1] = max(mine[-1][1], part.end_s)
        else:
            mine.append([part.start_s, part.end_s])
    every = sorted((start_s, end_s, voice) for voice, mine in spans.items() for start_s, end_s in mine)
    if not every:
        return
    names = {voice: f"speaker{n}" for n, voice in enumerate(dict.fromkeys(voice for _, _, voice in every))}
    for (start_s, end_s, voice), overlap_s in zip(every, overlaps(every), strict=True):
        turn_id = f"{span_id(source.source_id, start_s, end_s)}/{names[voice]}"
        yield Turn(source.source_id, turn_id, names[voice], start_s, end_s, overlap_s)
