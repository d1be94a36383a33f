# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # What is in these shards?
#
# A corpus is Parquet tables, sharded by source, and media files. Nobody should trust one without having looked at it.
# `make demo` makes the sample that is shown here; name another corpus by `HEADSET_CORPUS`.

# %%
import os

import headset

corpus = headset.open(os.environ.get("HEADSET_CORPUS", "../demo/corpus"))
corpus.tables

# %% [markdown]
# ## Where it stands
# Every row that went in is kept, dropped for a reason, or failed with an error: the sums are checked, not claimed.

# %%
corpus.funnel()

# %% [markdown]
# ## The clips
# The players link their videos, so the corpus must lie under the folder that Jupyter was started in;
# `.players(video="inside")` puts the videos into the page instead.

# %%
clips = corpus.clips.sort("av_confidence", descending=True)
clips.head(8)

# %% [markdown]
# Conditions are SQL on the columns of the clip view; `corpus.columns()` tells what each column means. Here the limits
# are the medians of this corpus. Where no clip reaches both, all are taken.

# %%
middle = clips.pandas(["dnsmos_ovrl", "face_px"]).median().fillna(0)
good = clips.where(f"dnsmos_ovrl >= {middle.dnsmos_ovrl}").where(f"face_px >= {middle.face_px}")
good = good if len(good) else clips
good.pandas(["clip_id", "seconds", "speaker", "dnsmos_ovrl", "av_confidence", "face_px"])

# %% [markdown]
# ## One of them
# On one time axis: shots, faces, voices, whether the face is seen to speak, its mouth, its sound, and what was cut.

# %%
clip = good[0]
clip.timeline()

# %% [markdown]
# The face's box is green where it speaks; dots are landmarks, and the three lines are the axes of the head.

# %%
clip.frames(4)

# %%
clip.sound()

# %% [markdown]
# `clip.play()` plays it, `clip.video[10]` is a frame by decord, `clip.samples()` the sound. Every score has a unit, a
# range and a direction:

# %%
clip.scores

# %% [markdown]
# ## Keep or reject
# `triage` shows clips one after the other: `k` keeps, `x` rejects, `f` flags. Each word is in the file as soon as it is
# said, and `headset import-reviews` makes the file a table. Where no widgets are shown, the posters are left.

# %%
good.triage("reviews.json")

# %% [markdown]
# ## Out of here
# The same rows as Arrow, pandas, polars and DuckDB, current ones only. A glob over the folder of a table would give old
# ones too: see `docs/guide/reading_without_headset.md`.

# %%
corpus.duckdb("turns").aggregate("source_id, speaker, round(sum(end_s - start_s), 1) as seconds").order(
    "source_id, speaker"
).df()
