"""The tables of a manifest, one dataclass each. Read this file first.

One source on its time axis, and the rows that a recipe makes of it (ids without what they begin with):

    source         ├──────────────────────────────────── yt-CPCoMyuBRM0, 48 s ────────────────────────────────────┤
    shots          ├──────── 000000-017000 ─────────┤├─────────────── 017000-041000 ────────────────┤├─ …-048000 ─┤
    tracks         ├────────────── t0 ──────────────┤├───────────────────── t0 ─────────────────────┤
                               ├──────── t1 ────────┤
    turns            ├───── speaker0 ─────┤ ├ speaker1 ┤ ├─────────── speaker0 ───────────┤           ├ speaker1 ┤
    active_speaker   ├──────── t0 ────────┤ ├─ t1 ──┤    ├────────────── t0 ──────────────┤
    clips            ├─ 000800-012200/t0 ─┤ ├ …/t1 ─┤    ├─────── 018800-036200/t0 ───────┤
    renders          ├─── …@recording ────┤ ├── … ──┤    ├──── …@recording, …@wav2lip ────┤
    drops                                                                                            ├─ no_face ──┤

A shot ends where the next begins, so no track and no clip crosses a cut. A turn is heard and not seen, and may go on
over a cut. A clip is one track of one shot while it has the word and no other voice is heard. What ends as no clip ends
as a drop. The words: docs/glossary.md.

Times are float64 seconds on the source's own presentation clock; spans are half-open, [start_s, end_s), and a
frame belongs to a span when its pts does. Boxes are pixels of the displayed (rotated) source frame, as
left, top, right, bottom. Every row carries its `source_id`, so a shard holds its sources whole. Ids are
addresses made of content and time, never positions in a list and never paths.
"""

from dataclasses import dataclass, field, fields
from functools import cache
from types import UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

import pyarrow as pa


@dataclass(frozen=True)
class Row:
    """What every table's rows have: the source they come from, and a key that is unique in the table."""

    table: ClassVar[str]
    key: ClassVar[str]
    log: ClassVar[bool] = False  # True for a table that tells what happened and when: exempt from equal bytes
    across: ClassVar[bool] = False  # True for a table whose rows may name another source than their own
    source_id: str

    @property
    def row_id(self) -> str:
        """The value of the key column."""
        return getattr(self, self.key)


@dataclass(frozen=True)
class Source(Row):
    """One recording, as listed, then with what `ProbeSource` found in it.

    The facts are those of the chosen streams: the video stream a player would show and the audio stream it would
    play. `width` and `height` are displayed pixels, after rotation. A missing stream has the codec "".
    """

    table, key = "sources", "source_id"
    uri: str  # as listed: a path, or an address
    sha256: str = ""  # of the file's bytes; "" until it is at hand
    bytes: int = 0
    container: str = ""
    start_s: float = 0.0  # pts of the first video frame, of the first audio sample where there is no video
    end_s: float = 0.0  # end of the last video frame, of the last audio sample where there is no video
    width: int = 0
    height: int = 0
    rotation_deg: int = 0  # clockwise turn a player applies: 0, 90, 180 or 270
    frames: int = 0  # video packets counted, not the header's claim
    fps: float = 0.0  # frames over duration
    variable_fps: bool = False  # some frame gap differs from the median by more than a tenth
    video_codec: str = ""
    pixel_format: str = ""
    transfer: str = (
        # characteristic of ITU-T H.273 that the stream names: bt709, smpte2084 (PQ), arib_std_b67 (HLG); "" where it
        # names none
        ""
    )
    audio_codec: str = ""
    audio_hz: int = 0
    audio_channels: int = 0
    audio_start_s: float = 0.0
    audio_end_s: float = 0.0
    # number among the file's sound tracks, from 0, of the one that is heard; None: the one a player plays
    audio_track: int | None = None
    audio_tracks: str = ""  # number, language, codec and channels of each, where there are several
    clock_parts: int = (
        # recordings put one behind the other in the file, each with a clock that starts anew; times are those of one
        # running clock
        1
    )
    licence: str = ""
    media: str = ""  # where the media store keeps the file, relative to the manifest; "" for a file read where it lies
    title: str = ""  # title to description: as the site has them, "" where it says nothing
    channel: str = ""
    uploaded_on: str = ""  # YYYY-MM-DD
    language: str = ""  # as the site codes it, en or en-US
    description: str = ""


@dataclass(frozen=True)
class Fetch(Row):
    """One attempt to get a source, and how it ended. A log: what other tables hold does not depend on it."""

    table, key, log = "fetches", "fetch_id", True
    fetch_id: str  # <source>/<time of its start, UTC, to the millisecond>
    attempt: int  # within one run, from 1
    address: str  # asked for at last, after redirects; without passwords and signatures
    outcome: str  # ok, or why not: removed, private, rate_limited, http_404 ...; see docs/guide/crawling.md
    said: str  # the site's own words, or the tool's
    tool: str  # what asked, with its version
    bytes: int  # received in this attempt
    seconds: float
    started_at: str  # UTC, ISO 8601
    retryable: bool  # whether another try may end otherwise
    retry_at: str  # UTC, ISO 8601: not before; "" where nothing speaks against now, or nothing for another try


@dataclass(frozen=True)
class Fingerprint(Row):
    """What a source looks like over time, to find copies of it. Looks without features are left out."""

    table, key = "fingerprints", "fingerprint_id"
    fingerprint_id: str  # <source>/looks
    times_s: list[float]  # of the looks
    looks: bytes  # (looks, 35) little-endian int16; see `operators/sources/fingerprint_source.py`


@dataclass(frozen=True)
class Duplicate(Row):
    """A source that shows what another one shows too. A table of the whole corpus, which `headset duplicates` makes
    anew.

    A source is in it once at most, and one that others are copies of is not: without these, each video is left once.
    """

    table, key, across = "duplicates", "duplicate_id", True
    duplicate_id: str  # <source>=<duplicate_of>
    duplicate_of: str  # the source kept: of all that show the same, the one with most pixels, then the longest
    overlap_s: float  # how long both show the same
    offset_s: float  # a moment t of this source is t + offset_s of the one kept
    share: float  # 0 to 1: of the moments of this source that can be compared, those that are the same
    distance: float  # 0 to 2: median of one minus the cosine between the changes in both
    mirrored: bool = False  # left and right are exchanged: the same people and voices, and not the same pixels


@dataclass(frozen=True)
class Identity(Row):
    """Which person a track shows. A table of the whole corpus, which `headset identities` makes anew.

    A track of which nothing was embedded has no row.
    """

    table, key, across = "identities", "member_id", True
    member_id: str  # <track>=<identity>
    # the track of the person whose id hashes lowest: others that come do not rename it, but for 1 in (tracks + 1)
    identity_id: str
    track_id: str
    cosine: float  # -1 to 1, between the track and the mean of all looks at the person
    looks: int  # at the track that were embedded
    model: str  # the network


@dataclass(frozen=True)
class Split(Row):
    """Which share of the corpus a clip is in. A table of the whole corpus, which `headset split` makes anew.

    Clips of one group have an identity, a channel, a source or a near-duplicate in common, directly or by others
    between them.
    """

    table, key, across = "splits", "split_id", True
    split_id: str  # <clip>/<split>
    clip_id: str
    split: str  # train, validation or test
    group_id: str  # the group's most lasting member: identity:<hash of the name>, channel:<name> or source:<id>


@dataclass(frozen=True)
class Shot(Row):
    """A span of a source without a transition. The shots and the gradual transitions of a source tile it."""

    table, key = "shots", "shot_id"
    shot_id: str  # <source>/<start_ms>-<end_ms>
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Transition(Row):
    """How a shot becomes the next: one between any two shots, and one more where a source fades in or out."""

    table, key = "transitions", "transition_id"
    transition_id: str  # <source>/<start_ms>-<end_ms>
    start_s: float  # of a cut the new shot's first frame; else the first frame that is not the old shot alone
    end_s: float  # of a cut the same; else the first frame that is the new shot alone
    # cut; dissolve; fade (through a colour); fade_out, fade_in (with a cut, or the source's edge, on the colour's other
    # side)
    kind: str
    detector: str  # adaptive, content, threshold, dissolve or transnetv2
    score: float  # in the detector's terms: see `operators/shots`


@dataclass(frozen=True)
class Face(Row):
    """The faces a detector saw in one looked-at frame; lists are parallel, one entry a face.

    A looked-at frame without a face has a row too, with empty lists: not looked and not seen differ.
    """

    table, key = "faces", "face_id"
    face_id: str  # <source>/<pts_ms>
    pts_s: float
    left_px: list[float]
    top_px: list[float]
    right_px: list[float]
    bottom_px: list[float]
    confidence: list[float]  # 0 to 1
    # rough, from the detector's keypoints; 0 is frontal, positive when the nose points to the image's right
    yaw_deg: list[float]


@dataclass(frozen=True)
class FaceQuality(Row):
    """How well the faces of one looked-at frame are to be seen; lists are parallel, one entry a face. See
    `operators/faces/measure_faces.py`.
    """

    table, key = "face_quality", "face_quality_id"
    face_quality_id: str  # <source>/<pts_ms>
    pts_s: float
    left_px: list[float]
    top_px: list[float]
    right_px: list[float]
    bottom_px: list[float]
    sharpness: list[float]  # variance of the Laplacian
    brightness: list[float]  # mean level, 0 to 255
    contrast: list[float]  # standard deviation of the levels over 255
    dark_share: list[float]  # of pixels as good as black, 0 to 1
    bright_share: list[float]  # of pixels as good as white, 0 to 1
    noise: list[float]  # levels
    blockiness: list[float]  # 1 is no grid of blocks; NaN for a face too small to tell


@dataclass(frozen=True)
class FaceEmbedding(Row):
    """Who is seen in one looked-at frame, as numbers of an identity network; lists are parallel, one entry a face. See
    `operators/faces/embed_faces.py`.

    Not every face of every look: its rows are matched to tracks by time and overlap of boxes. These numbers tell people
    apart, so they are personal data as much as the pictures are.
    """

    table, key = "face_embeddings", "face_embedding_id"
    face_embedding_id: str  # <source>/<pts_ms>
    pts_s: float
    left_px: list[float]
    top_px: list[float]
    right_px: list[float]
    bottom_px: list[float]
    embeddings: bytes  # (faces, numbers of the network) little-endian float16, each of length 1
    model: str  # the network; rows of two are never compared


@dataclass(frozen=True)
class Track(Row):
    """One face through one shot. Lists are parallel, one entry a looked-at frame from the first to the last sight.

    Where the face was hidden for a moment its box is interpolated and its confidence is 0.
    """

    table, key = "tracks", "track_id"
    track_id: str  # <shot>/t<n>, n by first sight, then from left to right
    shot_id: str
    start_s: float
    end_s: float
    times_s: list[float]
    left_px: list[float]
    top_px: list[float]
    right_px: list[float]
    bottom_px: list[float]
    confidence: list[float]


@dataclass(frozen=True)
class Turn(Row):
    """A span in which one voice speaks. Turns of different speakers may overlap."""

    table, key = "turns", "turn_id"
    turn_id: str  # <source>/<start_ms>-<end_ms>/<speaker>
    speaker: str  # speaker0, speaker1 ... in the order of first speech, within the source
    start_s: float
    end_s: float
    overlap_s: float = 0.0  # seconds of it in which another voice speaks too


@dataclass(frozen=True)
class ActiveSpeaker(Row):
    """Whether the face of a track is the one heard, `step_s` apart from `start_s` on."""

    table, key = "active_speaker", "active_speaker_id"
    active_speaker_id: str  # <track>/<model>
    shot_id: str
    track_id: str
    model: str  # lr_asd, or mouth_motion: a proxy that does not listen
    start_s: float
    step_s: float
    score: list[float]  # above 0: speaking; the scale is the model's own


@dataclass(frozen=True)
class Attribution(Row):
    """Who is seen to speak in a part of a turn. The parts of a turn tile it; see
    `operators/speech/attribute_turns.py`.
    """

    table, key = "attributions", "attribution_id"
    attribution_id: str  # <turn>@<start_ms>-<end_ms>
    turn_id: str
    speaker: str
    shot_id: str  # "" where there is no picture
    track_id: str  # the face that speaks, or, of an off-screen voice, the one whose mouth moves under it; "" for none
    start_s: float
    end_s: float
    kind: str  # visible, off_screen, nobody: nothing in view can be asked
    # speaks, in_step; still_mouths, other_speaks, other_mouth, out_of_step; no_face, unjudged, transition, no_picture
    reason: str
    # mean smoothed active-speaker score of the named face, else of the one that comes nearest; None for none
    score: float | None


@dataclass(frozen=True)
class Clip(Row):
    """An edit decision, not a file: this span of this source, cut to this box, shows this face speaking."""

    table, key = "clips", "clip_id"
    clip_id: str  # <source>/<start_ms>-<end_ms>/<track's t<n>>
    shot_id: str
    track_id: str
    speaker: str
    start_s: float
    end_s: float
    left_px: float
    top_px: float
    right_px: float
    bottom_px: float
    published_id: str = ""  # of the published clip it was made from; "" for one of our own
    # what is heard in its source comes so much after what is seen, negative: before; its render has both at once
    sound_late_s: float = 0.0


@dataclass(frozen=True)
class FaceLandmarks(Row):
    """The face of a clip as 478 points, look by look; lists are parallel, one entry a look. Read the bytes by
    `operators/models/face_geometry.py`.

    Where `seen` is False no face was found: numbers are NaN and packed ones 0. The mask is the only one; who reads it
    bridges gaps or not.
    """

    table, key = "face_landmarks", "face_landmarks_id"
    face_landmarks_id: str  # <clip>/<model>
    clip_id: str
    model: str
    rate_hz: float  # looks a second; 0 for every frame
    times_s: list[float]
    seen: list[bool]
    left_px: list[float]  # of the square looked at; side 0 where the track has no face
    top_px: list[float]
    side_px: list[float]
    # (looks, 478, 3) x, y, z in 1/16384 of the square's side, x and y from its middle, int16; packed as
    # face_geometry.py says
    landmarks: bytes
    blendshapes: bytes  # (looks, 52) little-endian float16, 0 to 1; empty where not asked for
    yaw_deg: list[float]  # of the head, positive when the nose points to the image's right
    pitch_deg: list[float]  # positive when it points up
    roll_deg: list[float]  # positive when the head is tilted clockwise as seen in the image
    gaze_yaw_deg: list[float]  # of both eyes, against the camera: 0 is eye contact; signs as of the head
    gaze_pitch_deg: list[float]
    mouth_opening: list[float]  # gap between the inner lips over the mouth's width; 0 is closed


@dataclass(frozen=True)
class VoiceEmbedding(Row):
    """Whose voice a clip's speaker has, as numbers of a speaker network: `operators/speech/embed_voice.py`.

    These numbers tell people apart, so they are personal data as much as the sound is.
    """

    table, key = "voice_embeddings", "voice_embedding_id"
    voice_embedding_id: str  # <clip>@<model>
    clip_id: str
    heard_s: float  # seconds of the voice that were embedded
    embedding: bytes  # (192,) little-endian float16, of length 1
    model: str  # the network; rows of two are never compared


@dataclass(frozen=True)
class Published(Row):
    """What a published list says of a clip, in the list's own terms: seconds and pixels are known when its video is.

    Either `start_s` and `end_s` are there, or `first_frame` and `last_frame`.
    """

    table, key = "published", "published_id"
    published_id: str  # <dataset>/<name>
    dataset: str
    name: str  # as the list names the clip
    start_s: float | None  # on the video's clock
    end_s: float | None
    first_frame: int | None  # of the video or of `piece`, at `fps`, from 0
    last_frame: int | None  # the first one that is no more in the clip
    fps: float  # of the frame numbers; 0 for the video's own
    piece: int | None  # number of the stream-copied minute the frames are counted in
    left: float
    top: float
    right: float
    bottom: float
    # the box is measured in a frame of this size: 1 x 1 for shares of it; 0 for unknown, the height decides
    frame_width: float
    frame_height: float  # 0 as well: pixels of the video as it is
    crop: str  # the rule that makes the crop of the box, in `operators/clips/crops.py`; "" where the box is the crop
    identity: str  # "" where the list does not say
    split: str  # train, val, test; "" where the list does not say
    # What a manifest of ours can say besides, to find the moment again in another file, and to tell whether it is the
    # same.
    source_sha256: str = ""  # of the file the clip was cut from
    frames_sha256: str = ""  # of the render's frames, as in `renders`
    encoder: str = ""  # that wrote the render
    sound_late_s: float = 0.0  # as in `clips`
    # times on the video's clock of the source's fingerprint in the span
    looks_s: list[float] = field(default_factory=list)
    looks: bytes = b""  # (looks, 35) little-endian int16, as in `fingerprints`
    # in the file at hand the clip begins so much later; None where that was not looked into
    moved_s: float | None = None
    distance: float | None = None  # 0 to 2, between the looks of the list and those of the file at hand, at their best


@dataclass(frozen=True)
class Word(Row):
    """One spoken word, and when it is heard. The words of a subject lie in its span, in order, and do not overlap."""

    table, key = "words", "word_id"
    word_id: str  # <subject>/<start_ms>-<end_ms>
    subject: str  # the id of the clip, or of the turn, that was listened to
    text: str  # as written, with the punctuation that belongs to it
    start_s: float  # on the source's clock
    end_s: float
    confidence: float  # 0 to 1


@dataclass(frozen=True)
class Annotation(Row):
    """A word, or a few, about a clip or a published clip: an attribute, an emotion, a transcript."""

    table, key = "annotations", "annotation_id"
    annotation_id: str  # <subject>#<name>, with @<start_ms> where it is about a part
    subject: str  # the id of a clip or of a published clip
    name: str
    value: str
    model: str  # who says so: a model, or the list
    start_s: float | None = None  # from the subject's start; None for all of it
    end_s: float | None = None


@dataclass(frozen=True)
class Review(Row):
    """What a person who looked at a clip says. A table of the whole corpus: `headset import-reviews` adds to it."""

    table, key = "reviews", "review_id"
    review_id: str  # <clip>@<reviewer>
    clip_id: str
    reviewer: str  # as they call themselves; "" where they do not
    verdict: str  # keep, reject, or flag: somebody else should look
    reason: str  # in the reviewer's words; "" where none was given
    reviewed_at: str  # UTC, ISO 8601


RECORDING = "recording"  # who made the render of what was recorded
TEXT_DRIVEN = "text_driven"  # the protocol of pairs whose driving clip gives its words alone


@dataclass(frozen=True)
class Render(Row):
    """The pixels and sound of a clip in a file of the media store."""

    table, key = "renders", "render_id"
    render_id: str  # <clip>@<made_by>
    clip_id: str
    made_by: str  # "recording", or the name of a generation system
    media: str  # where the store keeps it, relative to the manifest
    sha256: str  # of the file
    # of the raw frames as given to the encoder, equal whatever encoder build ran: of their planes after "yuv420p:",
    # else of their RGB
    frames_sha256: str
    bytes: int
    width: int
    height: int
    fps: float
    frames: int
    duration_s: float
    encoder: str  # libraries, builds and settings
    pair_id: str = ""  # what a generation system was given; "" for a recording


@dataclass(frozen=True)
class Pair(Row):
    """What a generation system is given to make one render. A table of the whole corpus, of which `headset pairs`
    makes the protocols anew that it is asked for.

    `source_id` is the driving clip's. A render made of it shows the source clip's person moving, or speaking, as in the
    driving clip.
    """

    table, key, across = "pairs", "pair_id", True
    pair_id: str  # <protocol>/<source clip>/<driving clip>
    protocol: str  # same_identity, cross_identity, audio_driven, text_driven
    source_clip_id: str  # shows the person
    driving_clip_id: str  # gives the motion, the sound or the words
    split: str = ""  # of both clips; "" where the corpus has no splits


@dataclass(frozen=True)
class Features(Row):
    """What a network makes of a render, for metrics of sets: kept, so that any sets can be compared and resampled."""

    table, key = "features", "features_id"
    features_id: str  # <render>#<variant>
    subject: str  # the id of a render
    metric: str
    variant: str
    rows: int
    columns: int
    values: bytes  # (rows, columns) little-endian float32
    model_sha256: str
    protocol: str  # as in `scores`


@dataclass(frozen=True)
class Score(Row):
    """One number about one row."""

    table, key = "scores", "score_id"
    score_id: str  # <subject>#<metric>; <subject>#<variant> where a metric has several
    subject: str  # the id of a clip, a render, a track
    metric: str
    variant: str  # which of the definitions that share the metric's name
    value: float
    model_sha256: str = ""  # of the weights that gave it; "" where there are none
    # `key=value; ...`, see `operators/protocol.py`: values of different protocols are never averaged
    protocol: str = ""


@dataclass(frozen=True)
class Dropped(Row):
    """A row that did not survive, and why. `failed` tells an error from an answer."""

    table, key = "drops", "drop_id"
    drop_id: str  # <subject>@<operator>
    subject: str  # the id of the row that was given up
    subject_table: str
    operator: str
    reason: str
    detail: str
    failed: bool
    retryable: bool


def tables() -> dict[str, type[Row]]:
    """Every table by name, in the order of this file."""
    return {row.table: row for row in Row.__subclasses__() if row.__module__ == __name__}


_ARROW: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.binary(),
}


@cache
def schema(row: type[Row]) -> pa.Schema:
    """The Arrow schema of a table, from the annotations of its dataclass. `X | None` is nullable, nothing else is.

    Raises:
        TypeError: for an annotation that has no Arrow type, naming the column.
    """
    hints = get_type_hints(row)
    return pa.schema([_field(row, f.name, hints[f.name]) for f in fields(row)])


def _field(row: type[Row], name: str, hint: Any) -> pa.Field:
    nullable = False
    if get_origin(hint) in (Union, UnionType) and type(None) in get_args(hint):
        hint, nullable = next(arg for arg in get_args(hint) if arg is not type(None)), True
    if hint in _ARROW:
        return pa.field(name, _ARROW[hint], nullable=nullable)
    if get_origin(hint) is list and get_args(hint)[0] in _ARROW:
        item = pa.field("item", _ARROW[get_args(hint)[0]], nullable=False)
        return pa.field(name, pa.list_(item), nullable=nullable)
    raise TypeError(
        f"{row.__name__}.{name}: {hint} has no Arrow type; use str, int, float, bool, a list of one, or `| None`"
    )


def span_id(parent: str, start_s: float, end_s: float) -> str:
    """The address of a span: `<parent>/<start_ms>-<end_ms>`, six digits or more so that ids sort by time."""
    return f"{parent}/{round(start_s * 1000):06d}-{round(end_s * 1000):06d}"
