"""A corpus done by jobs that know nothing of each other."""

from pathlib import Path

import pytest

from manifests.manifest import Manifest
from pipeline.engine.run import Part, run
from pipeline.listing import list_sources
from pipeline.recipe import recipe_named
from pipeline.session import part
from tests.made_videos import write_video

TOY = str(Path(__file__).parents[1] / "toy_recipe.py")


@pytest.mark.parametrize("of", [1, 3, 7, 64])
def test_every_shard_is_in_one_part(of: int) -> None:
    parts = [Part(number, of) for number in range(1, of + 1)]
    assert all(sum(one.holds(shard) for one in parts) == 1 for shard in range(200))


@pytest.mark.parametrize("text", ["0/4", "5/4", "3", "a/b", "1/0", "-1/4"])
def test_a_part_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Exception, match=r"is no part, such as 3/64"):
        part(text)
    assert part("4/4") == Part(4, 4)


@pytest.mark.slow
def test_any_number_of_parts_gives_the_same_bytes(ray_here: None, tmp_path: Path) -> None:
    """One, three and seven parts, the last first; and three of which one is done before there are seven."""
    for number in range(8):
        write_video(tmp_path / f"film{number}.mp4", [("red", 0.2 + 0.04 * number)], size=(64, 64))
    listing, plan = list_sources([str(path) for path in sorted(tmp_path.glob("*.mp4"))]), recipe_named(TOY).plan()

    def done(name: str, *parts: Part) -> dict[str, bytes]:
        manifest = Manifest(str(tmp_path / name))
        for source in listing.sources:  # a shard each
            manifest.add([source])
        for one in parts:
            run(plan, Manifest(manifest.root), part=one)
        assert all(Manifest(manifest.root).committed(step.version) == set(manifest.shards()) for step in plan.steps)
        return {
            str(path.relative_to(manifest.root)): path.read_bytes() for path in Path(manifest.root).rglob("*.parquet")
        }

    sevens = [Part(number, 7) for number in range(7, 0, -1)]
    whole = done("one", Part(1, 1))
    assert len(whole) > 8
    assert done("three", *(Part(number, 3) for number in (3, 1, 2))) == whole
    assert done("seven", *sevens) == whole
    assert done("changed", Part(2, 3), *sevens) == whole
