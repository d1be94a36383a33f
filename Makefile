# The environment is made from pyproject.toml and constraints.txt, and made anew when either changes.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
KEY := $(shell cat pyproject.toml constraints.txt | sha256sum | cut -c1-16)
READY := $(VENV)/.made-from-$(KEY)

.PHONY: help env demo demo-board test slow check bench notebooks docs gpu clean

help:
	@echo "make demo   make the environment, run the main job on an embedded sample, say where to look"
	@echo "make test   run the fast tests          make slow   run the slow ones"
	@echo "make demo-board   the demo, floors of generation over it, all embedded metrics, a page that compares them (half an hour)"
	@echo "make check  lint and type-check         make bench  measure speed, print tables"
	@echo "make gpu    measure every stage that can run on a GPU, beside the CPU (PYTHON=...; GPU='--device cpu' without one)"
	@echo "make docs   write the reference from the code, and the pages as a site, into site/"
	@echo "make env    only make the environment   make clean  remove it and the demo"

env: $(READY)
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .

$(READY):  # its name holds the hash of both files: a fresh clone has newer dates, not other contents
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 13) else f"headset needs Python 3.11 or 3.12; this is {v[0]}.{v[1]}: make PYTHON=python3.12 ...")'
	@echo "making the environment in $(VENV): about 6 GB, 3 to 10 minutes, once"
	@$(PYTHON) -m venv --clear $(VENV)
	@# setuptools: jsonpath-rw has no wheel, and Python 3.12 brings no setuptools
	@$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt pip hatchling editables setuptools
	@$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

demo: env
	@$(BIN)/python -m pipeline.demo demo/videos
	@$(BIN)/headset run talking_head demo/videos --out demo/corpus
	@$(BIN)/headset sheet demo/corpus --out demo/clips.png
	@echo
	@echo "Look at demo/clips.png, and at the clips themselves in demo/corpus/media. Then ask:"
	@echo "  $(BIN)/headset status demo/corpus"
	@echo "  $(BIN)/headset explain demo/corpus interview.mp4"
	@echo "  $(BIN)/headset sql demo/corpus \"select clip_id, speaker, end_s - start_s as seconds from clips\""

demo-board: demo
	@$(BIN)/headset pairs demo/corpus --protocol cross_identity
	@for floor in copy mesh_warp mouth_retrieval; do $(BIN)/headset generate demo/corpus --system $$floor || exit 1; done
	@$(BIN)/headset score demo/corpus
	@$(BIN)/headset compare demo/corpus --protocol cross_identity --out demo/board
	@echo "Open demo/board/index.html: floors beside the recordings, the pairs on which they differ most first."

test: env
	@$(BIN)/python -m pytest -q -m "not slow" -n 2 --dist loadfile

slow: env
	@$(BIN)/python -m pytest -q -m slow

check: env
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright --pythonpath $(BIN)/python

bench: env
	@$(BIN)/python -m benchmarks.speed.curate

notebooks: env  # over demo/corpus, with what `make demo-board` adds to it
	@$(BIN)/python notebooks/run.py

docs: env  # into site/
	@$(BIN)/python docs/make_reference.py
	@$(BIN)/zensical build --clean --strict

gpu:  # needs torch, torchvision, onnxruntime, OpenCV, pyarrow and PyAV; MediaPipe and pyannote.audio where they are
	@$(PYTHON) -m benchmarks.speed.gpu $(GPU)

clean:
	rm -rf .venv demo
