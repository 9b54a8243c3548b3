"""Documents in, documents out: sources, stages, datasets and the runner."""

import os

# How long Arrow's allocator holds freed memory, in ms; read when Arrow is loaded. With its default
# of 10 slices are read into fresh pages: a tenth more processor time for a whole dedup.
os.environ.setdefault("MIMALLOC_PURGE_DELAY", "2000")
