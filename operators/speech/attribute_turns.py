"""Whose voice each turn is: a face in view, someone out of view, or nobody that can be told."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from manifests.tables import ActiveSpeaker, Attribution, Shot, Source, Track, Turn
from operators.base import Operator
from operators.timeline import STEP_S, has_word, own_voice, runs, smoothed_score, timeline, visible, voices_heard


@dataclass(frozen=True)
class AttributeTurns(Operator):
    """Shots, tracks, active-speaker scores and turns on one timeline: what is seen of each voice.

    A face has the word where its score, median smoothed, is above 0 and above that of every other face, as in
    `PlanClips`. Its own voice is the diarized speaker it has the word with for longest in the shot. Every turn is cut
    into parts that tile it:

    | kind | reason | what is seen |
    |---|---|---|
    | visible | speaks | the face of `track_id` speaks, with its own voice |
    | off_screen | still_mouths | faces are in view, all were judged, none speaks: a voice-over, or someone beside the
    camera |
    | off_screen | other_speaks | the face that speaks does so with its own voice, which is heard at the same time |
    | off_screen | other_mouth | the face of `track_id` moves its mouth, but its own voice is another one, and silent
    then |
    | nobody | no_face | no face is in view |
    | nobody | unjudged | no face in view speaks, and one was too small or too short for a score, or the part is shorter
    than `edge_s` |
    | nobody | transition | one shot passes into the next, and belongs to neither |
    | nobody | no_picture | the turn is beyond the first or last frame, or the source has no picture |

    The scores cannot tell a face that speaks from one that is dubbed throughout, since LR-ASD does not hear whose words
    they are: `ConfirmVoices` asks for that whether mouth and sound move together.
    """

    smooth_s: float = 0.5  # window of the median over the active-speaker score
    join_gap_s: float = 0.5  # while one face speaks, a pause of its mouth up to this long is a breath
    # a shorter part is an edge of its longer neighbour: scores and turns are off by about 0.2 s there
    edge_s: float = 0.3
    max_hidden_s: float = 0.5  # a face hidden for longer is out of view

    def __call__(
        self, source: Source, shots: list[Shot], tracks: list[Track], speaking: list[ActiveSpeaker], turns: list[Turn]
    ) -> Iterator[Attribution]:
        ordered = sorted(shots, key=lambda shot: shot.start_s)
        for turn in turns:
            met = [shot for shot in ordered if shot.start_s < turn.end_s and shot.end_s > turn.start_s]
            at_s = turn.start_s
            for shot in met:
                if shot.start_s - at_s >= self.edge_s:
                    yield _part(turn, at_s, shot.start_s, reason="no_picture" if shot is ordered[0] else "transition")
                    at_s = shot.start_s
                # Sound that starts a moment before the picture, or outlasts it, goes with the picture.
                end_s = (
                    turn.end_s
                    if turn.end_s - shot.end_s < self.edge_s and shot is met[-1]
                    else min(turn.end_s, shot.end_s)
                )
                here = [track for track in tracks if track.shot_id == shot.shot_id]
                yield from self._in_shot(turn, shot, at_s, end_s, here, speaking, turns)
                at_s = end_s
            if at_s < turn.end_s:
                between = bool(ordered) and ordered[0].start_s < at_s < ordered[-1].start_s
                yield _part(turn, at_s, turn.end_s, reason="transition" if between else "no_picture")

    def _in_shot(
        self,
        turn: Turn,
        shot: Shot,
        start_s: float,
        end_s: float,
        tracks: list[Track],
        speaking: list[ActiveSpeaker],
        turns: list[Turn],
    ) -> Iterator[Attribution]:
        times = timeline(shot.start_s, shot.end_s)
        nowhere, unscored = np.zeros((1, len(times)), bool), np.full((1, len(times)), -np.inf)
        voices = voices_heard(turns, shot.start_s, shot.end_s, times)
        scores = (
            np.stack([smoothed_score(track, speaking, times, self.smooth_s) for track in tracks])
            if tracks
            else unscored
        )
        in_view = np.stack([visible(track, times, self.max_hidden_s) for track in tracks]) if tracks else nowhere
        word = has_word(scores)
        own = [own_voice(mask, voices) for mask in word]
        mine = np.array([voice == turn.speaker for voice in own])[:, None]
        busy = word & np.stack([nowhere[0] if voice is None else voices[voice] for voice in own])

        # Where two speak at once the louder mouth has the word: this voice's own face speaks where its score says so at
        # all.
        speaks = np.where(mine & (scores > 0), scores, -np.inf)
        mouth = word & ~mine & ~busy & in_view
        unjudged = in_view & np.isinf(scores)
        answers = [np.isfinite(speaks), mouth, busy & ~mine, ~in_view.any(axis=0, keepdims=True), unjudged]
        what = np.select(
            [answer.any(axis=0) for answer in answers],
            [SPEAKS, OTHER_MOUTH, OTHER_SPEAKS, NO_FACE, UNJUDGED],
            STILL_MOUTHS,
        )
        named = np.select([what == SPEAKS, what == OTHER_MOUTH], [speaks.argmax(axis=0), mouth.argmax(axis=0)], -1)

        inside = (times >= start_s - 1e-9) & (times < end_s)
        if not inside.any():
            inside[np.argmin(np.abs(times - start_s))] = True
        times, scores = times[inside], scores[:, inside]
        timed = with_breaths(np.stack([what[inside], named[inside]]), round(self.join_gap_s / STEP_S))
        for first, last in tiles(timed, round(self.edge_s / STEP_S)):
            number, track = (int(value) for value in timed[:, first])
            if number in (OTHER_MOUTH, OTHER_SPEAKS, STILL_MOUTHS) and end_s - start_s < self.edge_s:
                number, track = UNJUDGED, -1
            best = scores[slice(None) if track < 0 else [track], first:last].max(axis=0)
            yield _part(
                turn,
                start_s if first == 0 else float(times[first]),
                end_s if last == len(times) else float(times[last]),
                shot.shot_id,
                tracks[track].track_id if track >= 0 else "",
                *_KINDS[number],
                float(best[np.isfinite(best)].mean()) if np.isfinite(best).any() else None,
            )


SPEAKS, OTHER_MOUTH, OTHER_SPEAKS, STILL_MOUTHS, NO_FACE, UNJUDGED = range(6)
_KINDS = (
    ("visible", "speaks"),
    ("off_screen", "other_mouth"),
    ("off_screen", "other_speaks"),
    ("off_screen", "still_mouths"),
    ("nobody", "no_face"),
    ("nobody", "unjudged"),
)


def _part(
    turn: Turn,
    start_s: float,
    end_s: float,
    shot_id: str = "",
    track_id: str = "",
    kind: str = "nobody",
    reason: str = "no_picture",
    score: float | None = None,
) -> Attribution:
    start_s, end_s = round(start_s, 6), round(end_s, 6)
    return Attribution(
        turn.source_id, part_id(turn.turn_id, start_s, end_s), turn.turn_id, turn.speaker, shot_id, track_id, start_s,
        end_s, kind, reason,
        None if score is None else round(score, 4),
    )  # fmt: skip


def part_id(turn_id: str, start_s: float, end_s: float) -> str:
    """The address of a part of a turn: `<turn>@<start_ms>-<end_ms>`."""
    return f"{turn_id}@{round(start_s * 1000):06d}-{round(end_s * 1000):06d}"


def with_breaths(what: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Pauses of up to `most` steps closed where the same face speaks before and after, or, at an end of the turn, on
    the one side there is.
    """
    closed = what.copy()
    for first, last in runs(what[0] != SPEAKS):
        before = what[1, first - 1] if first else None
        after = what[1, last] if last < what.shape[1] else None
        sides = {int(side) for side in (before, after) if side is not None}
        if last - first <= most and len(sides) == 1:
            closed[:, first:last] = [[SPEAKS], [sides.pop()]]
    return closed


def tiles(what: NDArray[np.int64], least: int) -> list[tuple[int, int]]:
    """Spans of one answer each that tile the turn; what is shorter than `least` steps goes to its longer neighbour."""
    changes = np.flatnonzero((np.diff(what, axis=1) != 0).any(axis=0)) + 1
    edges = [0, *changes.tolist(), what.shape[1]]
    while len(edges) > 2:
        lengths = np.diff(edges)
        n = int(np.argmin(lengths))
        if lengths[n] >= least:
            break
        to_right = n == 0 or (n < len(lengths) - 1 and lengths[n + 1] > lengths[n - 1])
        from_, to = (n, n + 1) if to_right else (n, n - 1)
        what[:, edges[from_] : edges[from_ + 1]] = what[:, edges[to], None]
        del edges[n + 1 if to_right else n]
        same = [k for k in range(1, len(edges) - 1) if (what[:, edges[k]] == what[:, edges[k] - 1]).all()]
        for k in reversed(same):
            del edges[k]
    return list(pairwise(edges))
