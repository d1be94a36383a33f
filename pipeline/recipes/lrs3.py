"""A corpus made as LRS3's trainval and test: sentences of one visible speaker, up to 6 s, with word times.

After Afouras, Chung and Zisserman, "LRS3-TED: a large-scale dataset for visual speech recognition" (arXiv 1809.00496).
Shots, face tracks and the face that speaks give spans of one talker; their words are heard, and each sentence is a
clip. `headset export --layout lrs3` writes the published form.

Not followed: the authors have TED's transcripts and align them with P2FA, here Whisper hears both words and times.
Faces were found by SSD, and the speaker, sound out of sync and voice-over by SyncNet; here those are MediaPipe, LR-ASD
and diarization. Their test set was checked, and no speaker of it is in trainval: `headset split` does the second. The
size of the crop about the face is not published: `ratio` is ours. The pretraining set, whole talks in longer pieces, is
not made: for it leave `CutSentences` out.
"""

from operators.clips.crop_clips import CropClips
from operators.clips.cut_sentences import CutSentences
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
    "lrs3",
    "sentences of one visible speaker with word times, up to 6 s, as LRS3",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource()),
        Stage(DetectShots(), DetectFaces(), EmbedFaces(), FingerprintSource()),
        Stage(TrackFaces()),
        Stage(DiarizeSpeakers()),
        Stage(DetectActiveSpeaker()),
        Stage(PlanClips(min_s=1.0, max_s=30.0)),  # 30 s is what Whisper hears at once
        Stage(TranscribeSpeech()),
        Stage(CutSentences(max_s=6.0, max_characters=100)),  # the description of trainval and test
        Stage(CropClips(rule="hdtf", ratio=1.6)),
        Stage(RenderClips(size=224)),  # the published files: 224 x 224, 25 frames a second
    ),
)
