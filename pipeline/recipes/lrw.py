"""A corpus made as LRW was: 29 frames around one word of 5 to 10 letters, from speakers who are seen.

After Chung and Zisserman, "Lip Reading in the Wild" (ACCV 2016). Shots, face tracks and the face that speaks give spans
of one talker; their words are heard, and each long word is a clip with the word in the middle. `headset export --layout
lrw` writes the published form.

Not followed: the authors have the BBC's subtitles and align them with a forced aligner, here Whisper hears both words
and times. Faces were found and tracked by other means, and the speaker and voice-over by a SyncNet; here those are
MediaPipe, LR-ASD and diarization. Only the 500 most frequent words were kept, and their sets were divided by date of
broadcast: set `CutWords.vocabulary` once the words are counted (`headset sql`); `headset split` divides by person. The
size of the crop about the face is not published: `ratio` is ours.
"""

from operators.clips.crop_clips import CropClips
from operators.clips.cut_words import CutWords
from operators.clips.plan_clips import PlanClips
from operators.clips.render_clips import RenderClips
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces
from operators.faces.track_faces import TrackFaces
from operators.shots.detect_shots import DetectShots
from operators.sources.download_video import DownloadVideo
from operators.sources.fingerprint_source import FingerprintSource
from operators.sources.probe_source import ProbeSource
from operators.speech.detect_active_speaker import DetectActiveSpeaker
from operators.speech.diarize_speakers import DiarizeSpeakers
from operators.speech.transcribe_speech import TranscribeSpeech
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "lrw",
    "29 frames around one word of 5 to 10 letters, as LRW",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource()),
        Stage(DetectShots(), DetectFaces(), EmbedFaces(), FingerprintSource()),
        Stage(TrackFaces()),
        Stage(DiarizeSpeakers()),
        Stage(DetectActiveSpeaker()),
        Stage(PlanClips(min_s=1.2, max_s=30.0)),  # 29 frames at least; 30 s is what Whisper hears at once
        Stage(TranscribeSpeech()),
        # the section on the pipeline: 1.16 s, 5 to 10 letters
        Stage(CutWords(frames=29, fps=25, min_letters=5, max_letters=10)),
        Stage(CropClips(rule="hdtf", ratio=1.6)),
        Stage(RenderClips(size=256)),  # the published files: 256 x 256, 25 frames a second
    ),
)
