"""What corpora of before schema 3 have elsewhere, to be read where it lies and moved by `headset migrate`.

<root>/attached.json    the steps of no recipe, which `steps.json` holds now
<root>/corpus.json      table to step: a table of the whole corpus lay in shard 0, now each row lies with its own source
"""

ATTACHED = "attached.json"
WHOLE = "corpus.json"
