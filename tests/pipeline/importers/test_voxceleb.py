"""VoxCeleb as the FOMM family uses it."""

from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.importers.voxceleb import read
from tests.conftest import lists
from tests.pipeline.importers.rows import Sorted, box, hours, write

HEADER = "video_id,start,end,bbox,fps,width,height,partition,person_id\n"
ROWS = [
    "aaaaaaaaaaa,100,200,10-20-110-120,25,1280,720,train,id1",
    "aaaaaaaaaaa,100,200,10-20-110-120,25,1280,720,train,id1",
    "aaaaaaaaaaa,100,200,10-20-110-120,25,1280,720,train,id1",
    "aaaaaaaaaaa,100,200,11-20-111-120,25,1280,720,train,id1",
    "bbbbbbbbbbb,0,64,1000-20-1300-320,25,1280,720,test,id1",
    "bbbbbbbbbbb,0,64,100-20-300-320,25,1280,720,test,id2",
    "bbbbbbbbbbb,70,64,100-20-300-220,25,1280,720,test,id2",
    "bbbbbbbbbbb,0,65,100-20-100-220,25,1280,720,test,id2",
    "bbbbbbbbbbb,0,66,-5-20-100-220,25,1280,720,test,id2",
    "short,0,64,100-20-300-220,25,1280,720,test,id2",
]
PERSONS = {
    "vox1_meta.csv": "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid1\tAda_L\tf\tUK\tdev\n",
    "more/vox2_meta.csv": b"\xef\xbb\xbfVoxCeleb2ID,VGGFace2ID,Gender,Set\r\nid3,n3,m,dev\r\n",
}


def test_rows_traps_and_drops(tmp_path: Path) -> None:
    found = Sorted(read, write(tmp_path, {"vox-metadata.csv": HEADER + "\n".join(ROWS) + "\n", **PERSONS}))
    assert len(found.clips) + len(found.drops) == len(ROWS)
    first, other = (clip for clip in found.clips if clip.name == "id1#aaaaaaaaaaa#000100#000200")
    assert (first.first_frame, first.last_frame, first.fps, first.split, first.identity) == (
        100,
        200,
        25,
        "train",
        "id1",
    )
    assert (box(first), first.frame_width, first.frame_height, first.crop) == (
        (10, 20, 110, 120),
        1280,
        720,
        "vox_metadata",
    )
    assert other.published_id == first.published_id + "~4"
    told = [note.value for note in found.notes if note.subject == other.published_id and note.name == "trap"]
    assert told == [
        "person_in_two_partitions id1: 1 test, 4 train",
        "same_name_other_box id1#aaaaaaaaaaa#000100#000200",
    ]
    assert "box_beyond_frame 1000-20-1300-320 of 1280 x 720" in found.said("id1#bbbbbbbbbbb#000000#000064")
    assert found.said("id2#bbbbbbbbbbb#000000#000064") == ["box_not_square 200 x 300", "person_not_listed id2"]
    facts = {
        note.name: note.value for note in found.notes if note.subject == first.published_id and note.name != "trap"
    }
    assert facts == {"name": "Ada_L", "gender": "f", "nationality": "UK", "voxceleb_set": "dev"}
    assert found.reasons == {"repeated_row": 2, "bad_frames": 1, "bad_box": 1, "malformed_row": 1, "bad_id": 1}


def test_files_that_are_none_of_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no vox-metadata"):
        list(read(tmp_path))
    with pytest.raises(UsageError, match="no column bbox, person_id"):
        list(read(write(tmp_path, {"vox-metadata.csv": "video_id,start,end,fps,width,height,partition\n"})))


def test_the_published_list() -> None:
    """Known of the published lists: 20,075 rows, 19,550 train; 435 persons, 3,442 videos; 308 repeated, 866 beyond the
    frame, 2 persons in both.
    """
    found = Sorted(read, lists("vox-metadata"))
    assert len(found.clips) + len(found.drops) == 20075
    assert found.reasons == {"repeated_row": 308}
    repeated = sum("box_beyond_frame" in drop.detail for drop in found.drops)
    assert found.traps["box_beyond_frame"] + repeated == 866
    marked = {note.subject for note in found.notes if note.value.startswith("person_in_two_partitions")}
    both = {clip.identity for clip in found.clips if clip.published_id in marked}
    assert both == {"id10282", "id10306"}
    assert (len({clip.identity for clip in found.clips}), len(found.sources)) == (435, 3442)
    assert {clip.fps for clip in found.clips} == {25}
    assert hours(found.clips) == pytest.approx(45.26, abs=0.01)


def test_what_the_lists_of_persons_say(tmp_path: Path) -> None:
    """Both published files: one has tabs in spite of its name, the other a byte order mark and the line ends of
    Windows.
    """
    for name in ("vox1_meta.csv", "vox2_meta.csv"):
        (tmp_path / name).symlink_to(lists("VoxCeleb", name))
    rows = ["aaaaaaaaaaa,0,64,0-0-9-9,25,1280,720,train,id10001", "aaaaaaaaaaa,0,64,0-0-9-9,25,1280,720,train,id00012"]
    found = Sorted(read, write(tmp_path, {"vox-metadata.csv": HEADER + "\n".join(rows)}))
    assert found.said("id10001#aaaaaaaaaaa#000000#000064", "gender") == ["m"]
    assert found.said("id00012#aaaaaaaaaaa#000000#000064", "vggface2") == ["n000012"]
    assert found.traps == {}
