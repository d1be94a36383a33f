"""What an operator is handed of a row's source: the frames of its span, the sound track that was chosen."""

from pathlib import Path

import numpy as np
import pytest

from manifests.errors import Inconsistent
from manifests.media import MediaStore
from manifests.tables import Clip, Shot, Source
from pipeline.engine.fan_out import AHEAD, fan_out
from pipeline.engine.row_media import RowMedia
from tests.made_videos import tone, write_video
from tests.pipeline.scored_corpus import FRAMES, clips_of, look, made_corpus, rendered


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(
        tmp_path / "a.mkv", [("red", 4.0)], audio=tone(4.0, frequency_hz=440), more_audio=[tone(4.0, frequency_hz=1500)]
    )


def test_the_frames_are_those_of_the_rows_span(film: Path, tmp_path: Path) -> None:
    source, store = Source("s", str(film)), MediaStore(str(tmp_path / "corpus"))
    clip = Clip("s", "s/1-2/t0", "s/shot", "s/shot/t0", "speaker0", 1.0, 2.2, 0, 0, 100, 100)
    for row, first_s, count in ((source, 0.0, 100), (Shot("s", "s/0.5-3", 0.5, 3.0), 0.52, 62), (clip, 1.0, 30)):
        times_s = [frame.pts_s for frame in RowMedia(row, source, store).frames]
        assert (times_s[0], len(times_s)) == (pytest.approx(first_s, abs=0.001), count)


@pytest.mark.parametrize(("track", "frequency_hz"), [(None, 440), (0, 440), (1, 1500)])
def test_the_sound_is_that_of_the_track_that_the_probe_chose(
    film: Path, tmp_path: Path, track: int | None, frequency_hz: int
) -> None:
    source = Source("s", str(film), audio_track=track)
    heard = RowMedia(source, source, MediaStore(str(tmp_path / "corpus"))).audio.samples(1.0, 2.0)
    assert np.argmax(np.abs(np.fft.rfft(heard))) == pytest.approx(frequency_hz, abs=2)


def test_another_track_of_the_same_file_is_another_sound(film: Path, tmp_path: Path) -> None:
    store = MediaStore(str(tmp_path / "corpus"))
    sources = [Source("s", str(film), audio_track=track) for track in (0, 1, 0)]
    heard = [RowMedia(source, source, store).audio.samples(1.0, 2.0) for source in sources]
    assert [int(np.argmax(np.abs(np.fft.rfft(one)))) for one in heard] == pytest.approx([440, 1500, 440], abs=2)


def test_a_render_is_its_own_file_and_others_lie_beside_it(tmp_path: Path) -> None:
    """Readers of one pass, however far apart a pass lets them be, find the frame of their number."""
    manifest = made_corpus(tmp_path, clips=1)
    (clip,) = clips_of(manifest)
    one, other = (rendered(manifest, clip, f"system{number}", look(number)) for number in (1, 2))
    media = RowMedia(one, Source("s0", "elsewhere.mp4", audio_track=7), MediaStore(manifest.root))
    shown = [frame.rgb() for frame in RowMedia(other, None, media.store).frames]
    assert [len(shown), np.abs(shown[0].astype(int) - next(media.frames).rgb()).mean() > 20] == [FRAMES, True]

    def reader(frames: object) -> int:
        equal = 0
        for number, _ in enumerate(frames):  # pyright: ignore[reportArgumentType]
            beside, first = media.frame_of(other, number), media.frame_of(other, 0)
            assert beside
            assert first
            equal += np.array_equal(beside.rgb(), shown[number]) and np.array_equal(first.rgb(), shown[0])
        return equal

    assert fan_out(media.frames, [reader] * 4) == [FRAMES] * 4
    assert media.frame_of(other, FRAMES) is None
    with pytest.raises(Inconsistent, match="behind"):
        media.frame_of(other, FRAMES - AHEAD - 6)
