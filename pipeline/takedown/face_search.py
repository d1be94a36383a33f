"""Who in a corpus looks like the person of a picture: by the embedding of the face, in every track and every clip."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from manifests.cache import media_cache
from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Clip, FaceEmbedding, Render, Source, Track
from operators.identities import views_of

LOOKS = 5  # of a track or a clip, evenly over its length
# between two pictures of one person it was 0.64 and more by faceplugin, of two people 0.22 and less, in 136 pairs of 10
# people
MIN_COSINE = 0.4
CROP_PX = 320
WAIT_S = 1.0  # for the first frame after a look


@dataclass(frozen=True)
class FaceMatch:
    """How much a face of the corpus looks like that of the picture."""

    source_id: str
    row_id: str  # of a track, or of a clip that has none
    cosine: float  # median of the looks, on faceplugin's scale (`IdentityNetwork.likeness`)
    looks: int  # in which a face was found


def search_faces(manifest: Manifest, picture: Path) -> tuple[list[FaceMatch], list[str]]:
    """Looks at every track of the corpus: at its face embeddings where it has some, else in its source where that can
    be read, else in the renders of its clips.

    Returns:
        The matches, the highest first; and the sources with tracks of which nothing could be looked at.

    Raises:
        UsageError: for a picture without a face, or that is none; where no network can be had.
    """
    wanted = _Wanted(picture)
    store = MediaStore(manifest.root)
    found: list[FaceMatch] = []
    unseen: list[str] = []
    for shard in manifest.shards():
        held = manifest.current(shard)
        sources = {source.source_id: source for source in manifest.read(Source, held[Source.table], shard)}
        tracks = manifest.read(Track, held.get(Track.table, []), shard)
        clips = manifest.read(Clip, held.get(Clip.table, []), shard)
        renders = {
            one.clip_id: one
            for one in manifest.read(Render, held.get(Render.table, []), shard)
            if one.made_by == "recording"
        }
        known = {track.track_id for track in tracks}
        face_embeddings = manifest.read(FaceEmbedding, held.get(FaceEmbedding.table, []), shard)
        for source_id in sorted({row.source_id for row in (*tracks, *clips)}):
            path = store.source_file(sources[source_id]) if source_id in sources else None
            mine = [track for track in tracks if track.source_id == source_id]
            embedded = views_of(mine, [row for row in face_embeddings if row.source_id == source_id])
            told = {
                track_id: [wanted.likeness(view, model) for view in views]
                for (track_id, model), views in embedded.items()
                if wanted.comparable(model)
            }
            found += [
                FaceMatch(source_id, track_id, float(np.median(cosines)), len(cosines))
                for track_id, cosines in sorted(told.items())
            ]
            seen = bool(told)
            for track in mine if path else []:
                if track.track_id not in told:
                    found += _match(wanted, track.source_id, track.track_id, _faces_of(path, track) if path else ())
                seen = True
            for clip in clips:
                mine_too = clip.source_id == source_id and clip.track_id not in told
                if mine_too and (not path or clip.track_id not in known) and (render := renders.get(clip.clip_id)):
                    row = clip.track_id if clip.track_id in known else clip.clip_id
                    found += _match(wanted, source_id, row, _faces_of_render(store, render))
                    seen = True
            if not seen:
                unseen.append(source_id)
    return sorted(found, key=lambda one: (-one.cosine, one.row_id)), unseen


class _Wanted:
    """The face of a picture, as each network that is asked for embeds it."""

    def __init__(self, path: Path):
        """
        Raises:
            UsageError: for a picture without a face, or that is none; where no network can be had.
        """
        from PIL import Image, UnidentifiedImageError

        from operators.models.face_identity import DLIB_RESNET, best_network
        from operators.picture import Picture

        if not (network := best_network()):
            raise UsageError(f"no network that recognises faces can be had: {DLIB_RESNET.ways()}")
        try:
            self._picture = Picture(np.asarray(Image.open(path).convert("RGB")))
        except (OSError, UnidentifiedImageError) as error:
            raise UsageError(f"{path} cannot be read as a picture: {error}") from None
        self.network = network  # for pictures of which no numbers are held
        if self._embedded(network) is None:
            raise UsageError(
                f"no face is found in {path}; use a picture in which the face is seen from the front, and large"
            )

    def comparable(self, model: str) -> bool:
        """Whether numbers of that network can be compared with the face."""
        from operators.models.face_identity import NETWORKS

        return model in NETWORKS and NETWORKS[model].weight.obtainable()

    def likeness(self, view: NDArray[np.float64], model: str) -> float:
        """Of a face (numbers,) that the network of that name embedded."""
        from operators.models.face_identity import NETWORKS

        wanted = self._embedded(model)
        assert wanted is not None  # the face was found
        return NETWORKS[model].likeness(float(wanted @ view))

    def _embedded(self, network: str) -> NDArray[np.float64] | None:
        from operators.models.face_pictures import embedding

        return embedding(self._picture, network)


def _match(wanted: _Wanted, source_id: str, row_id: str, pictures: Iterable[NDArray[np.uint8]]) -> Iterator[FaceMatch]:
    from operators.models.face_pictures import embedding
    from operators.picture import Picture

    seen = [one for rgb in pictures if (one := embedding(Picture(rgb), wanted.network)) is not None]
    if seen:
        told = [wanted.likeness(one, wanted.network) for one in seen]
        yield FaceMatch(source_id, row_id, float(np.median(told)), len(told))


def _faces_of(path: Path, track: Track) -> Iterator[NDArray[np.uint8]]:
    """The face of a track with its surroundings, at some looks in which it was seen."""
    from manifests.boxes import box_at, square_around
    from operators.media.frames import VideoFrames

    seen = [at_s for at_s, confidence in zip(track.times_s, track.confidence, strict=True) if confidence > 0]
    for i in range(min(LOOKS, len(seen))):
        at_s = seen[math.floor((i + 0.5) * len(seen) / min(LOOKS, len(seen)))]
        box = box_at(track, at_s)
        frame = next(iter(VideoFrames(path, at_s, at_s + WAIT_S)), None)
        if box and frame:
            yield frame.crop(*square_around(box, 2.0), (CROP_PX, CROP_PX))


def _faces_of_render(store: MediaStore, render: Render) -> Iterator[NDArray[np.uint8]]:
    from operators.media.frames import VideoFrames

    path = store.fetch(render.media, render.sha256, media_cache())
    for i in range(LOOKS):
        at_s = (i + 0.5) * render.duration_s / LOOKS
        if frame := next(iter(VideoFrames(path, at_s, at_s + WAIT_S)), None):
            yield frame.rgb()
