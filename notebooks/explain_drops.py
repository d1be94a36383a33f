# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Why is so little left?
#
# Of a list of videos a few percent become clips. Each row that went is a row of `drops`, with a reason and the numbers
# behind it. Look at them before you move a threshold.

# %%
import os

import headset

corpus = headset.open(os.environ.get("HEADSET_CORPUS", "../demo/corpus"))
corpus.funnel()

# %% [markdown]
# ## Reasons, the most frequent first

# %%
corpus.drops().counts()

# %% [markdown]
# ## Some of each reason, to look at
# A frame from the middle of what was dropped. Orange: the face it was about; blue: another face; white: the crop that
# was proposed.

# %%
from IPython.display import display

for reason in ("face_small", "two_voices", "other_voice", "too_short", "voice_off_screen", "no_face"):
    if len(corpus.drops(reason)):
        display(corpus.drops(reason).examples(4))

# %% [markdown]
# ## What would another threshold leave?
# Grey: what a cut leaves alone. Green: what it leaves where all others hold too. Nothing is computed again for this:
# scores are stored.

# %%
corpus.yields("dnsmos_ovrl > 2.9 and face_px >= 250 and av_confidence > 1.5")

# %% [markdown]
# ## The story of one source

# %%
corpus.story("interview.mp4")
