# demo and test need nothing but Python 3.11 or newer; everything lands in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
CLIP := demo/clip.mp4
SHARED ?= ../shared

.PHONY: help demo test lint types unit docs wheel release opencv frozen clean-room fuzz soak check web bench gpu-train train-default clean

help:  ## List the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/core  ## Install the core with OpenCV, render a clip, follow its target, say where the video lies.
	@mkdir -p demo
	@$(BIN)/python -m fear.media.synthetic $(CLIP) > demo/box.txt
	@$(BIN)/fear track $(CLIP) --box "$$(cat demo/box.txt)" --output demo/tracked.mp4 --boxes demo/tracked.csv
	@echo "Watch it: $(CURDIR)/demo/tracked.mp4"

test: lint types unit docs wheel  ## Linters, types, tests (the page's too where npm is), documentation, and the wheel in an empty environment.

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/dev
	$(BIN)/mypy

unit: $(VENV)/dev web/node_modules
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m "not gpu and not network" --durations=8

docs: $(VENV)/dev  ## Build the documentation site into build/site; broken links and unknown names are errors.
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(BIN)/mkdocs build -q

wheel: $(VENV)/dev  ## Build the wheel, install it into an empty environment, walk the paths of its users there without torch.
	@rm -rf dist build/wheel-env build/page
	@$(BIN)/pip wheel -q --no-deps --wheel-dir dist .
	@$(PYTHON) -m venv build/wheel-env
	@build/wheel-env/bin/pip --disable-pip-version-check install -q -c constraints.txt dist/*.whl
	@! build/wheel-env/bin/python -c "import torch" 2>/dev/null || (echo "torch came along with the core" && false)
	@! build/wheel-env/bin/python -c "import cv2" 2>/dev/null || (echo "OpenCV came along with the core" && false)
	@cd build && wheel-env/bin/python -m fear.media.synthetic clip.mp4 > box.txt && wheel-env/bin/fear track clip.mp4 --box "$$(cat box.txt)" --boxes boxes.csv --max-frames 40 && wheel-env/bin/fear demo --output page
	@FEAR_JOURNEYS=$(CURDIR)/build/wheel-env/bin/python $(BIN)/pytest tests/journeys
	@rm -rf build/wheel-env && echo "the wheel works in an empty environment without torch"

release: $(VENV)/dev  ## Build sdist and wheel, twice the same bytes; check them; write what they depend on (SBOM); ask for known faults.
	@test -d build/release || $(PYTHON) -m venv build/release
	@build/release/bin/pip --disable-pip-version-check install -q -r requirements-release.txt
	PYTHON=$(PYTHON) TOOLS=build/release/bin sh scripts/release.sh

opencv: wheel  ## Environments with each of OpenCV's four packages keep their cv2 when we are installed and removed; needs the network.
	PYTHON=$(PYTHON) sh scripts/check_opencv.sh

frozen: wheel  ## Build a frozen app with PyInstaller and track with it; needs the network.
	PYTHON=$(PYTHON) sh scripts/check_frozen.sh

clean-room: $(VENV)/dev  ## Quick tests in an empty environment, without a home, on a source that cannot be written.
	PYTHON=$(CURDIR)/$(BIN)/python sh scripts/check_clean.sh

fuzz: $(VENV)/dev  ## 2,000 spoilt files of each kind, a million calls, ten thousand requests: minutes on an idle machine.
	FEAR_FUZZ=long $(BIN)/pytest tests/test_fuzz.py tests/demo/test_fuzz_server.py

soak: $(VENV)/dev  ## A million frames: does memory grow, does it become slower? Hours; writes docs/results/soak.md.
	$(BIN)/python -m research.measure.soak

check: $(VENV)/dev  ## Format and fix what can be fixed, then linters and types.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

web: web/node_modules  ## Check the page's source and build it into the package (needs npm and xz).
	cd web && npm run check && npm test && npm run build
	xz -9e --force src/fear/demo/site/ort/*.wasm

bench: $(VENV)/dev  ## Measure us, the published network and the neighbours side by side (needs the reference data).
	$(PIP) install -q -c constraints.txt --force-reinstall --no-deps opencv-contrib-python-headless
	$(BIN)/python -m research.measure.overhead
	$(BIN)/python -m research.measure.profile
	$(BIN)/python -m research.measure.accuracy --fresh --workers 1
	$(BIN)/python -m research.measure.card
	$(BIN)/python -m research.measure.lost
	$(BIN)/python -m research.measure.long
	$(BIN)/python -m research.measure.variants
	$(BIN)/python -m research.measure.rules
	$(BIN)/python -m research.stark.costs

gpu-train: $(VENV)/dev  ## Train the default weights on a graphics card: here if there is one, else pack all that another machine needs.
	@$(BIN)/python scripts/prepare_gpu.py --shared $(SHARED) --output build/gpu
	@if command -v nvidia-smi >/dev/null; then sh build/gpu/train.sh; fi

train-default: $(VENV)/dev  ## Train the default weights on the processor, about six hours of two cores: distillation, then labelled tracks; interrupted, it goes on.
	@test -f data/pseudo.csv || $(BIN)/fear data label $(SHARED)/data/videos data/pseudo.csv --tracker published:$(SHARED)/official --targets 6
	$(call trained,distill_xs,$(DISTILLED))
	$(call trained,default_xs,--set network.weights=runs/distill_xs/weights.safetensors)
	$(call trained,distill_nano,$(DISTILLED) --set network.weights=runs/distill_xs/weights.safetensors)
	$(call trained,default_nano,--set network.weights=runs/distill_nano/weights.safetensors)

# a run of a recipe, or the rest of one that was interrupted
trained = $(BIN)/fear train $(1) --output runs/$(1) $(if $(wildcard runs/$(1)/recipe.toml),--resume) $(2)
DISTILLED = --set data.0.root=$(SHARED)/data/images --set data.1.root=$(SHARED)/data/videos --set distill.teacher=published:$(SHARED)/official

clean:  ## Remove what the other targets made.
	rm -rf $(VENV) web/node_modules demo dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/core: pyproject.toml constraints.txt
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(PIP) install -q -c constraints.txt -e ".[opencv]"
	@touch $@

$(VENV)/dev: $(VENV)/core
	@$(PIP) install -q -c constraints.txt -e ".[all]" -r requirements-dev.txt
	@$(PIP) install -q -c constraints.txt --no-deps -r requirements-vot.txt
	@touch $@

web/node_modules: web/package.json web/package-lock.json
	@if command -v npm >/dev/null && npm ci --prefix web --silent --no-audit --no-fund; then touch $@; \
	else echo "npm could not install the page's packages: its tests are skipped"; fi
