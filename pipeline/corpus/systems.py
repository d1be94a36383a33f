"""What generation systems made of a pair, beside what was recorded."""

from typing import TYPE_CHECKING

from manifests.cache import media_cache
from manifests.errors import NotFound
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Pair, Render, Score
from pipeline.query.source_rows import SourceRows

if TYPE_CHECKING:
    from pipeline.views.players import Player, Players


def side_by_side(manifest: Manifest, pair_id: str, video: str) -> "Players":
    """The recording of the driving clip first, then each system by name, each with its scores.

    Raises:
        NotFound: where nothing was made of a pair of this id.
    """
    from pipeline.views.players import Players

    pairs = {row["pair_id"]: row for row in manifest.table(Pair).to_pylist()}
    if pair_id not in pairs:
        raise NotFound(f"{manifest.root} has no pair {pair_id!r}; corpus.table('pairs') lists them")
    rows = SourceRows.of(manifest, pairs[pair_id]["source_id"])
    recorded = f"{pairs[pair_id]['driving_clip_id']}@recording"
    renders = [row for row in rows.current(Render) if row.pair_id == pair_id or row.render_id == recorded]
    if len(renders) < 2:
        raise NotFound(f"no system was run on {pair_id}; headset generate {manifest.root} --system NAME")
    renders.sort(key=lambda row: (row.render_id != recorded, row.made_by))
    scores: dict[str, list[Score]] = {row.render_id: [] for row in renders}
    for score in rows.current(Score):
        scores.get(score.subject, []).append(score)
    return Players(
        pair_id, tuple(_player(manifest, row, scores[row.render_id], video) for row in renders), len(renders)
    )


def _player(manifest: Manifest, render: Render, scores: list[Score], video: str) -> "Player":
    import decord

    from pipeline.views.pictures import jpeg_of
    from pipeline.views.players import Player, inside_page, link_to

    path = MediaStore(manifest.root).fetch(render.media, render.sha256, media_cache())
    reader = decord.VideoReader(str(path), num_threads=1)
    told = [render.made_by, *(f"{score.variant} {score.value:.3g}" for score in scores)]
    src = inside_page(path) if video == "inside" else link_to(path) if video == "link" and manifest.is_local else ""
    return Player(render.clip_id, "\n".join(told), jpeg_of(reader[len(reader) // 3].asnumpy()), src)
