# Every target works on a fresh clone: the first run makes .venv and compiles the kernels, later runs do only what a change
# asks for. `make` compiles the library for this machine's processor; `make test` and a wheel take all variants of it.

PYTHON ?= python3
VENV   ?= .venv
CUDA   ?= 13
EXTRAS ?= cuda$(CUDA),dev
ARGS   ?=

PY      := $(VENV)/bin/python
PIP     := $(PY) -m pip install --disable-pip-version-check --constraint constraints.txt
KERNELS := $(VENV)/.kernels
ALL     := $(VENV)/.kernels-all
MADE_OF := setup.py $(wildcard kernels/* kernels/*/* kernels/*/*/*)
DEMO    := $(VENV)/.demo-dependencies
EXPLORE := $(VENV)/.explore-dependencies
DEPS    := $(VENV)/.dependencies

# of the library: what pip builds for the package in development mode, too
export GPUAUG_VARIANTS ?= native
test $(ALL): export GPUAUG_VARIANTS = all

.PHONY: all demo explore docs wheel test test-gpu card lint format bench clean
all: $(DEPS)

$(PY):
	$(PYTHON) gpuaug/_toolchain.py
	$(PYTHON) -m venv $(VENV)
	$(PIP) --quiet 'setuptools>=77'

# only what a changed kernel makes necessary; before anything large is downloaded
$(KERNELS) $(ALL): $(MADE_OF) | $(PY)
	$(PY) setup.py --quiet build_ext --inplace
	touch $@

# what the demo uses, and the package itself in development mode
$(DEMO): setup.py pyproject.toml constraints.txt | $(KERNELS)
	@echo "gpuaug: installing torch, DALI and what the demo uses: about 3 GB to download, 6 GB on disk"
	$(PIP) --editable '.[cuda$(CUDA),demo]'
	touch $@

# what the explorer uses
$(EXPLORE): setup.py pyproject.toml constraints.txt | $(KERNELS)
	@echo "gpuaug: installing torch and what the explorer uses: about 2.5 GB to download, 5 GB on disk"
	$(PIP) --editable '.[explore]'
	touch $@

# what setup.py asks for, to test and to develop
$(DEPS): setup.py pyproject.toml constraints.txt | $(KERNELS)
	@echo "gpuaug: installing torch, DALI and what the tests use: about 3.5 GB to download, 7 GB on disk"
	$(PIP) --editable '.[$(EXTRAS)]'
	touch $@ $(DEMO) $(EXPLORE)

explore: $(KERNELS) $(EXPLORE)
	$(VENV)/bin/gpuaug explore $(ARGS)

demo: $(KERNELS) $(DEMO)
	$(VENV)/bin/gpuaug demo --folder .demo $(ARGS)

# the pages come out in build/site; a warning is an error
docs: $(KERNELS) $(DEPS)
	PYTHONPATH=.:tests $(PY) -W ignore -m docs.site $(ARGS)

test: $(ALL) $(DEPS)
	$(PY) -m pytest $(ARGS)

test-gpu: $(KERNELS) $(DEPS)
	@$(PY) -c "import sys, torch; torch.cuda.is_available() or sys.exit('make test-gpu: no GPU that torch can use here')"
	$(PY) -m pytest -m gpu $(ARGS)

# one wheel, with all variants of the library; tried where there is only what it requires, and no compiler in the path
WHEEL := build/wheel
wheel: export GPUAUG_VARIANTS = all
wheel: $(ALL) | $(PY)
	rm -rf $(WHEEL)
	$(PY) -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir $(WHEEL) .
	$(PYTHON) -m venv $(WHEEL)/env
	$(WHEEL)/env/bin/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt $(WHEEL)/*.whl
	PATH=$(abspath $(WHEEL))/env/bin $(WHEEL)/env/bin/python -W ignore -I tests/wheel_smoke.py
	@echo $(WHEEL)/*.whl

# what bench/*_run.sh take along to a machine with a card: kernels, references, photographs (docs/gpu.md)
ARCH  ?= sm_90
CARRY := build/first_run
card: $(ALL) $(DEPS)
	PYTHONPATH=.:tests $(PY) -W ignore -m frozen.freeze $(CARRY)/references.npz
	GPUAUG_CACHE_DIR=$(CARRY) PYTHONPATH=.:tests $(PY) -W ignore -m emu.prewarm $(ARCH) $(CARRY)/references.npz
	$(PY) -c "from gpuaug.photographs import photo_folder; print(photo_folder('$(CARRY)/photographs'))"

SOURCES := $(wildcard $(foreach kind,cu cuh hpp cpp,kernels/*.$(kind) kernels/*/*.$(kind) kernels/*/*/*.$(kind)) tests/emu/*.h)

lint: $(DEPS)
	$(PY) -m ruff check --no-cache .
	$(PY) -m ruff format --no-cache --check --quiet .
	$(VENV)/bin/clang-format --dry-run --Werror $(SOURCES)

format: $(DEPS)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(VENV)/bin/clang-format -i $(SOURCES)

bench: $(KERNELS) $(DEPS)
	$(PY) -m bench.transforms
	$(PY) -m bench.every
	$(PY) -m bench.kornia
	$(PY) -m bench.masking
	$(PY) -m bench.host
	$(PY) -m bench.single
	$(PY) -m bench.loader
	$(PY) -m bench.fast
	$(PY) -m bench.cache
	$(PY) -m bench.remote
	$(PY) -m bench.scale
	$(PY) -m bench.memory --batches 10000
	$(PY) -m bench.gpu
	$(PY) -m bench.table

clean:
	rm -rf build dist *.egg-info gpuaug/_cpu_*.so $(KERNELS) $(ALL)
