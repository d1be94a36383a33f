# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # The same clips again, from a manifest
#
# Half of the published datasets' videos are gone from the web, and their own scripts cut other frames than the authors
# had. A manifest of headset says which frames a clip held, by their hash. Here the sample corpus is made again from its
# manifest and its sources, and the clips are compared.

# %%
import os
import subprocess
import sys
import tempfile

import headset

published = headset.open(os.environ.get("HEADSET_CORPUS", "../demo/corpus"))
videos = os.environ.get("HEADSET_SOURCES", "../demo/videos")
place = os.path.join(tempfile.mkdtemp(), "again")
command = [sys.executable, "-m", "pipeline", "rebuild", os.path.abspath(published.root), "--out", place, "--quiet"]
told = subprocess.run([*command, "--sources", os.path.abspath(videos)], capture_output=True, text=True, check=False)
assert told.returncode == 0, told.stderr
again = headset.open(place)
again.tables["renders"]

# %% [markdown]
# ## What became of each clip
# `identical`: the hash of its frames is the one it was.

# %%
again.drift()

# %% [markdown]
# ## The pictures, beside each other

# %%
from IPython.display import display

display(published.clips[0].frames(4, marks=False))
display(again.clips[0].frames(4, marks=False))

# %% [markdown]
# A published list (VoxCeleb, HDTF, CelebV-HQ and others, see `docs/guide/importing.md`) is rebuilt by the same command;
# then some clips are `gone` or `changed`, and the report says which: the sha256 of the identical subset tells two
# people whether they train on the same clips.
