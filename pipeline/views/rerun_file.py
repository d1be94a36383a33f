"""What was seen and heard in one source, as a file of the Rerun viewer: faces and landmarks over the video, who speaks,
voices, words, clips.

headset explain corpus/ interview.mp4 --rrd interview.rrd && rerun interview.rrd
"""

from pathlib import Path
from typing import Any

import numpy as np

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import ActiveSpeaker, Clip, Dropped, FaceLandmarks, Shot, Track, Turn, Word
from operators.models.face_geometry import landmarks_of
from pipeline.query.source_rows import SourceRows

TIME = "source"  # the one timeline: seconds on the source's clock
PLAYED = (".mp4", ".m4v", ".mov")  # containers that the viewer plays


def write_rerun(manifest: Manifest, source_id: str, out: Path) -> bool:
    """Writes the file. Returns whether the video is in it: the viewer plays MP4, and the source may be out of reach.

    Raises:
        NotFound: where no source of this id is listed.
        UsageError: where rerun-sdk is not installed.
    """
    try:
        import rerun
    except ModuleNotFoundError as error:
        if error.name != "rerun":
            raise
        raise UsageError("--rrd needs rerun-sdk: pip install rerun-sdk, or 'headset[rerun]'") from None
    rows = SourceRows.of(manifest, source_id)
    out.parent.mkdir(parents=True, exist_ok=True)
    with rerun.RecordingStream("headset", recording_id=source_id) as stream:
        stream.save(str(out))
        video = _log_video(rerun, stream, MediaStore(manifest.root).source_file(rows.source))
        for track in rows.current(Track):
            _log_track(rerun, stream, track)
        for mesh in rows.current(FaceLandmarks):
            _log_landmarks(rerun, stream, mesh)
        for row in rows.current(ActiveSpeaker):
            at = row.start_s + row.step_s * np.arange(len(row.score))
            _log_scalars(rerun, stream, f"speaks/{_face(row.track_id)}", at, np.asarray(row.score))
        for speaker in sorted({turn.speaker for turn in rows.current(Turn)}):
            spans = [(turn.start_s, turn.end_s) for turn in rows.current(Turn) if turn.speaker == speaker]
            at = np.array([edge for span in spans for edge in (span[0], span[0], span[1], span[1])])
            _log_scalars(rerun, stream, f"voices/{_part(speaker)}", at, np.tile([0.0, 1.0, 1.0, 0.0], len(spans)))
        _log_texts(rerun, stream, rows)
        stream.flush()
    return video


def _log_video(rerun: Any, stream: Any, path: Path | None) -> bool:
    if path is None or path.suffix.lower() not in PLAYED:
        return False
    asset = rerun.AssetVideo(path=path)
    stream.log("video", asset, static=True)
    times = asset.read_frame_timestamps_nanos()
    columns = [rerun.TimeColumn(TIME, duration=1e-9 * times)]
    stream.send_columns("video", indexes=columns, columns=rerun.VideoFrameReference.columns_nanos(times))
    return True


def _log_track(rerun: Any, stream: Any, track: Track) -> None:
    """A box a look; where the track ends, so does the box."""
    corners = np.stack([track.left_px, track.top_px, track.right_px, track.bottom_px], axis=1)
    middles, sizes = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
    place = f"video/faces/{_face(track.track_id)}"
    columns = rerun.Boxes2D.columns(centers=middles, half_sizes=sizes / 2)
    stream.send_columns(place, indexes=[rerun.TimeColumn(TIME, duration=np.asarray(track.times_s))], columns=columns)
    stream.set_time(TIME, duration=track.end_s)
    stream.log(place, rerun.Clear(recursive=False))


def _log_landmarks(rerun: Any, stream: Any, mesh: FaceLandmarks) -> None:
    place = f"video/landmarks/{_face(mesh.clip_id)}"
    for at_s, seen, points in zip(mesh.times_s, mesh.seen, landmarks_of(mesh), strict=True):
        stream.set_time(TIME, duration=at_s)
        stream.log(place, rerun.Points2D(points[:, :2] if seen else np.zeros((0, 2)), radii=1.0))
    if mesh.times_s:
        stream.set_time(TIME, duration=mesh.times_s[-1] + (1 / mesh.rate_hz if mesh.rate_hz else 0.04))
        stream.log(place, rerun.Clear(recursive=False))
        at = np.asarray(mesh.times_s)
        _log_scalars(
            rerun,
            stream,
            f"pose/{_face(mesh.clip_id)}",
            at,
            np.stack([mesh.yaw_deg, mesh.pitch_deg, mesh.roll_deg], axis=1),
        )
        _log_scalars(rerun, stream, f"mouth_opening/{_face(mesh.clip_id)}", at, np.asarray(mesh.mouth_opening))


def _log_scalars(rerun: Any, stream: Any, place: str, at_s: Any, values: Any) -> None:
    if len(at_s):
        stream.send_columns(
            place, indexes=[rerun.TimeColumn(TIME, duration=at_s)], columns=rerun.Scalars.columns(scalars=values)
        )


def _log_texts(rerun: Any, stream: Any, rows: SourceRows) -> None:
    kept = {clip.clip_id for clip in rows.current(Clip)}
    why = {drop.subject: f"{drop.reason} {drop.detail}".strip() for drop in rows.ever(Dropped)}
    told = [("shots", shot.start_s, shot.shot_id) for shot in rows.current(Shot)]
    told += [("words", word.start_s, word.text) for word in rows.current(Word)]
    told += [
        (
            "clips",
            clip.start_s,
            f"{clip.clip_id}: {'kept' if clip.clip_id in kept else why.get(clip.clip_id, 'in work')}",
        )
        for clip in rows.ever(Clip)
    ]
    for place, at_s, text in sorted(told, key=lambda one: one[1]):
        stream.set_time(TIME, duration=at_s)
        stream.log(place, rerun.TextLog(text))


def _face(row_id: str) -> str:
    """A shot or clip and its face as one part of an entity's path."""
    return _part("-".join(row_id.split("/")[-2:]))


def _part(text: str) -> str:
    """Letters, digits, - and _: what a list calls a person is no path."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in text)
