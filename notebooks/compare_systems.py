# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Which system is better, and by how much?
#
# Renders of systems and recordings are rows of one table, so every metric measures both in the same way. The corpus
# needs pairs, renders and scores:
#
#     headset pairs demo/corpus --protocol same_identity
#     headset generate demo/corpus --system copy ; headset generate demo/corpus --system mesh_warp
#     headset score demo/corpus --metrics psnr,ssim
#
# `copy` (the source's frame, again and again) and `mesh_warp` are floors: a system that does not beat them has learned
# nothing. Below, `make demo-board` had run before: so there are renders across identities too, which `psnr` refuses,
# since nobody recorded what they should show.

# %%
import os

import headset

corpus = headset.open(os.environ.get("HEADSET_CORPUS", "../demo/corpus"))
corpus.compare()

# %% [markdown]
# ## Beside each other
# Means hide what is wrong. The recording comes first; each system's own scores stand below it.

# %%
pairs = corpus.sql("""
    select pair_id, max(value) filter (where made_by = 'mesh_warp')
        - max(value) filter (where made_by = 'copy') as gained
    from renders join scores on scores.subject = renders.render_id and metric = 'psnr'
    where pair_id != '' group by pair_id order by gained
""").to_pylist()
pairs

# %% [markdown]
# Where `mesh_warp` gains least over `copy`, and where most:

# %%
corpus.side_by_side(pairs[0]["pair_id"])

# %%
corpus.side_by_side(pairs[-1]["pair_id"])
