"""Pictures of high dynamic range beside the same film of ordinary range, made from it by the formulas of BT.709,
BT.2020 and BT.2100.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from manifests.tables import Source
from operators.media.frames import VideoFrames
from operators.media.tone import HLG, HLG_NITS, PQ, WHITE_NITS, nits_of_hlg, nits_of_pq, shown
from operators.sources.probe_source import ProbeSource
from tests.made_videos import write_video

TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
SIZE = 320, 180


def face() -> NDArray[np.uint8]:
    """Something of a face's tones: a disc of skin with light from the left, dark eyes and hair, before a grey wall."""
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    picture = np.full((SIZE[1], SIZE[0], 3), 120.0)
    inside = (x - 160) ** 2 + 1.3 * (y - 90) ** 2 < 65**2
    picture[inside] = (np.array([205, 160, 135]) * (0.55 + 0.45 * (225 - x[inside, None]) / 130)).clip(0, 255)
    for left in (130, 190):
        picture[(x - left) ** 2 + (y - 80) ** 2 < 64] = (40, 30, 25)
    picture[:25] = (30, 22, 18)
    picture[150:, :60] = 250
    return picture.round().astype(np.uint8)


def pq_of(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    y = np.clip(nits / 10000, 0, 1) ** m1
    return ((c1 + c2 * y) / (1 + c3 * y)) ** m2


def hlg_of(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 3) light of a screen of 1000 nits as the signal that gives it."""
    luminance = np.maximum(nits @ [0.2627, 0.6780, 0.0593], 1e-9)[..., None] / 1000
    scene = nits / 1000 * luminance ** (1 / 1.2 - 1)
    return np.where(
        scene <= 1 / 12, np.sqrt(3 * scene), 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    )


def write_hdr(path: Path, picture: NDArray[np.uint8], transfer: int) -> Path:
    """The picture as HDR10 or HLG of 10 bits, white at 203 nits."""
    nits = 203 * ((picture / 255) ** 2.4) @ TO_2020.T
    signal = pq_of(nits) if transfer == PQ else hlg_of(nits)
    red, green, blue = np.moveaxis(signal, -1, 0)
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    planes = [64 + 876 * luma, 512 + 896 * (blue - luma) / 1.8814, 512 + 896 * (red - luma) / 1.4746]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx265", rate=25, options={"crf": "8", "preset": "ultrafast", "x265-params": "log-level=none:pools=none"}
        )
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p10le"
        context = stream.codec_context
        context.time_base, context.thread_count = Fraction(1, 25), 1
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 9, 9, transfer, 1
        for n in range(3):
            frame = av.VideoFrame(*SIZE, "yuv444p10le")
            for plane, values in zip(frame.planes, planes, strict=True):
                # writable: the frame is new
                lines = np.frombuffer(memoryview(plane), np.uint16).reshape(plane.height, -1)
                lines[:, : SIZE[0]] = values.round()
            frame.colorspace, frame.color_range = 9, 1
            frame = frame.reformat(format="yuv420p10le")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def contrast(picture: NDArray[np.uint8]) -> float:
    """Of the face: standard deviation of luma about its middle."""
    return float((picture[30:150, 95:225] @ [0.299, 0.587, 0.114]).std())


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_face_has_the_contrast_and_the_colours_of_the_ordinary_film(tmp_path: Path, transfer: int) -> None:
    path = write_hdr(tmp_path / "hdr.mp4", face(), transfer)
    sdr = next(iter(VideoFrames(write_video(tmp_path / "sdr.mp4", [(face(), 0.1)], bt709=True, crf=8))))
    with av.open(str(path)) as container:
        as_it_is = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert contrast(np.asarray(as_it_is, np.uint8)) < 0.9 * contrast(sdr.rgb()), (
        "the test needs a picture that is flat where it is read as it is"
    )
    frames = list(VideoFrames(path))
    assert len(frames) == 3
    for frame in frames:
        assert contrast(frame.rgb()) == pytest.approx(contrast(sdr.rgb()), rel=0.1)
        assert np.abs(frame.rgb().astype(float) - sdr.rgb()).mean() < 6
        for look in (frame.crop(95, 30, 225, 150, (130, 120)), frame.rgb()[30:150, 95:225]):
            assert np.abs(look.astype(float) - sdr.rgb()[30:150, 95:225]).mean() < 6
        assert np.abs(frame.gray().astype(float) - sdr.gray()).mean() < 6
        assert (frame.luma(95, 30, 225, 150) == frame.gray()[30:150, 95:225]).all()


@pytest.mark.parametrize(("transfer", "name"), [(PQ, "smpte2084"), (HLG, "arib_std_b67")])
def test_the_transfer_is_a_fact_of_the_source(tmp_path: Path, transfer: int, name: str) -> None:
    from tests.operators.sources.probed import Given

    def transfer_of(path: Path) -> str:
        [source] = ProbeSource(needs=("video",))(Source("s", str(path)), Given(path))
        assert isinstance(source, Source)
        return source.transfer

    assert transfer_of(write_hdr(tmp_path / "hdr.mp4", face(), transfer)) == name
    assert transfer_of(write_video(tmp_path / "709.mp4", bt709=True)) == "bt709"
    assert transfer_of(write_video(tmp_path / "none.mp4")) == ""


def test_the_curves_are_those_of_the_standards() -> None:
    # ITU-R BT.2408-7, table 1: 75 % HLG and 58 % PQ are diffuse white, 203 cd/m2; 38 % of both 18 % grey, 26 cd/m2.
    assert nits_of_pq(np.array([0.58, 0.38, 1.0, 0.0])) == pytest.approx([203, 26, 10000, 0], rel=0.02)
    grey = np.array([0.75, 0.38, 1.0, 0.0])[:, None].repeat(3, 1)
    assert nits_of_hlg(grey)[:, 0] == pytest.approx([203, 26, HLG_NITS, 0], rel=0.03)


def test_what_is_brighter_than_white_stays_in_order_and_never_beyond_it() -> None:
    nits = np.linspace(0, 4000, 200)[:, None].repeat(3, 1)
    made = shown(nits)[:, 0]
    assert (np.diff(made) > 0).all()
    assert made[-1] < 1
    below = np.array([0.02, 0.2, 0.5, 0.85])[:, None].repeat(3, 1)
    assert shown(below * WHITE_NITS)[:, 0] == pytest.approx(below[:, 0] ** (1 / 2.4), abs=0.002)
