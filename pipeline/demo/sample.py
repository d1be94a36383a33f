"""Writes the sample: each film as a video, and `truth.json` beside them."""

import json
from dataclasses import asdict, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np

from pipeline.demo.films import FPS, HEIGHT, HZ, VOICE, WIDTH, Film, View, films
from pipeline.demo.pictures import landmarks, pictures


def write_sample(folder: Path, seconds: float = float("inf")) -> list[Path]:
    """Writes the videos and `truth.json` into the folder. The same installed packages give the same bytes.

    Args:
        seconds: no more than this of each video.

    Returns:
        The videos.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths, truth = [], []
    for film in films():
        length_s = round(min(seconds, sum(scene.seconds for scene in film.scenes)) * FPS) / FPS
        paths.append(folder / f"{film.name}.mp4")
        _write_video(paths[-1], film, round(length_s * FPS))
        truth.append(truth_of(film, length_s))
    (folder / "truth.json").write_text(json.dumps(truth, indent=2) + "\n")
    return paths


def _write_video(path: Path, film: Film, frames: int) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "superfast", "crf": "22", "g": "50"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.thread_count = 1  # x264's bytes depend on it
        video.codec_context.time_base = Fraction(1, FPS)
        # BT.709
        video.codec_context.color_primaries = video.codec_context.color_trc = video.codec_context.colorspace = 1
        video.codec_context.color_range = 1
        sound = container.add_stream("aac", rate=HZ, layout="mono")
        sound.bit_rate = 64000
        samples = film.sound[: frames * HZ // FPS] * (not film.mute)
        for at in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[None, at : at + 1024], np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = HZ, at, Fraction(1, HZ)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
        for n, picture in enumerate(islice(pictures(film), frames)):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))


def truth_of(film: Film, length_s: float) -> dict:
    shots, start_s = [], 0.0
    for scene in film.scenes:
        whole_s = round(start_s + scene.seconds, 3)
        end_s = min(whole_s, length_s)
        if end_s - start_s > 0.5 / FPS:
            faces = [
                {"who": view.of, "box": _face_box(view), "mouth": bool(view.mouth)}
                for view in scene.views
                if view.of in VOICE
            ]
            shots.append(
                {"start_s": start_s, "end_s": end_s, "faces": faces, "ends": scene.ends if end_s == whole_s else ""}
            )
        start_s = whole_s
    heard = () if film.mute else film.speech
    speech = [asdict(replace(said, end_s=min(said.end_s, length_s))) for said in heard if said.start_s < length_s]
    return {"file": f"{film.name}.mp4", "seconds": length_s, "shots": shots, "speech": speech}


def _face_box(view: View) -> list[int]:
    """Left, top, right, bottom in pixels of the video, with the camera at rest."""
    points = (landmarks(view.of) - view.centre) * view.scale + (view.left + view.width / 2, HEIGHT / 2)
    return [round(side) for side in (*points.min(axis=0), *points.max(axis=0))]
