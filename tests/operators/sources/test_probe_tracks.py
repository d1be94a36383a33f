"""Which of several sound tracks is the one to hear."""

from pathlib import Path

import av
import numpy as np

from tests.conftest import media
from tests.made_videos import tone, write_video
from tests.operators.sources.probed import dropped, probe


def tracks(path: Path, *sounds: np.ndarray, languages: tuple[str, ...] = ()) -> Path:
    made = write_video(path.with_name("plain" + path.suffix), audio=sounds[0], more_audio=sounds[1:])
    with av.open(str(made)) as read, av.open(str(path), "w") as written:
        into = {}
        for stream in read.streams:
            into[stream.index] = written.add_stream_from_template(stream)
            into[stream.index].disposition = stream.disposition
        for stream, language in zip(written.streams.audio, languages, strict=False):
            stream.metadata["language"] = language
        for packet in read.demux():
            if packet.size:
                packet.stream = into[packet.stream_index]
                written.mux(packet)
    return path


def test_a_silent_track_gives_way_to_one_with_sound(tmp_path):
    silent, loud = np.zeros(88200, np.float32), tone(2.0)
    source = probe(tracks(tmp_path / "a.mkv", silent, loud, languages=("eng", "deu")))
    assert (source.audio_track, source.audio_tracks) == (1, "0 eng aac 1 channels; 1 deu aac 1 channels")
    assert probe(tracks(tmp_path / "b.mkv", loud, silent)).audio_track == 0
    assert probe(tracks(tmp_path / "c.mkv", 0.1 * loud, loud)).audio_track == 0, "the one that a player plays"
    one = probe(write_video(tmp_path / "d.mkv", audio=silent))
    assert (one.audio_track, one.audio_tracks) == (0, "")


def test_a_track_is_chosen_by_language(tmp_path):
    path = tracks(tmp_path / "a.mkv", tone(2.0), tone(2.0), languages=("eng", "ger"))
    assert [probe(path, sound_track=wish).audio_track for wish in ("player", "en", "eng", "de", "deu", "ger")] == [
        0,
        0,
        0,
        1,
        1,
        1,
    ]
    drop = dropped(path, sound_track="fr")
    assert (drop.reason, drop.detail) == (
        "sound_track_missing",
        "none of fr; there are 0 eng aac 1 channels; 1 ger aac 1 channels",
    )
    unnamed = tracks(tmp_path / "b.mkv", tone(2.0), tone(2.0))
    assert probe(unnamed, sound_track="fr").audio_track == 0, "tracks that name no language"


def test_a_track_is_chosen_by_its_speech(tmp_path):
    from operators.media.sound import SourceAudio

    voice = SourceAudio(media("hdtf", "retalking_face_1.mp4")).samples(0.5, 5.5, 44100)
    hum = tone(5.0, level=0.1)
    path = tracks(tmp_path / "a.mkv", hum, voice)
    assert [probe(path, sound_track=wish).audio_track for wish in ("player", "speech")] == [0, 1]
    assert probe(tracks(tmp_path / "b.mkv", voice, voice), sound_track="speech").audio_track == 0
