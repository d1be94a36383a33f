from dataclasses import replace
from threading import Thread

import numpy as np
import pytest

from operators.base import Drop
from operators.metrics.base import Video, mean_where_seen
from operators.metrics.dists import Dists
from operators.metrics.psnr import Psnr
from operators.models.catalogue import DISTS, LPIPS_VGG
from operators.models.device import batches
from operators.picture import Picture


def test_what_is_asked_for_at_once_is_made_once() -> None:
    picture, made = Picture(np.zeros((4, 4, 3), np.uint8)), []
    threads = [Thread(target=lambda: picture.once("slow", lambda _: made.append(1))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_luma_is_rounded() -> None:
    assert Picture(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)).luma.tolist() == [[76, 150, 29]]


def test_a_variant_is_its_own_step() -> None:
    one, other = Psnr(), replace(Psnr(), variant="psnr_y")
    assert (one.name, other.name) == ("Psnr-psnr_rgb", "Psnr-psnr_y")
    assert one.fingerprint() != other.fingerprint()


def test_several_models_have_one_sum() -> None:
    assert Psnr().model_sha256 == ""
    assert Dists().model_sha256 not in ("", DISTS.sha256, LPIPS_VGG.sha256)
    assert len(Dists().model_sha256) == 64


def test_batches_hold_all_in_order() -> None:
    assert list(batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batches([], 3)) == []


def test_half_the_frames_must_have_what_is_measured() -> None:
    assert mean_where_seen([1.0, None, 3.0, None]) == 2
    for values in ([None], [1.0, None, None]):
        with pytest.raises(Drop, match="no_face"):
            mean_where_seen(values)
    with pytest.raises(Drop, match="no_frames"):
        mean_where_seen([])


def test_a_render_without_sound_says_so() -> None:
    with pytest.raises(Drop, match="no_audio_stream"):
        _ = Video([]).audio
