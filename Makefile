# Every target works on a fresh clone: the first run makes .venv and compiles the kernels (some minutes),
# later runs do only what a change asks for.

PYTHON ?= python3
VENV   ?= .venv
CUDA   ?= 13
EXTRAS ?= cuda$(CUDA),dev
ARGS   ?=

PY      := $(VENV)/bin/python
DEPS    := $(VENV)/.dependencies
KERNELS := $(VENV)/.kernels

.PHONY: all demo test test-gpu lint bench clean
all: $(KERNELS)

$(PY):
	$(PYTHON) -m venv $(VENV)

# what setup.py asks for, and the package itself, in development mode
$(DEPS): setup.py pyproject.toml constraints.txt | $(PY)
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

# only what a changed kernel makes necessary
$(KERNELS): $(DEPS) $(wildcard kernels/*)
	$(PY) setup.py --quiet build_ext --inplace
	test -e gpuaug/_cpu_missing.txt || touch $@

demo: $(KERNELS)
	$(VENV)/bin/gpuaug demo --folder .demo $(ARGS)

test: $(KERNELS)
	$(PY) -m pytest $(ARGS)

test-gpu: $(KERNELS)
	@$(PY) -c "import sys, torch; torch.cuda.is_available() or sys.exit('make test-gpu: no GPU that torch can use here')"
	$(PY) -m pytest -m gpu $(ARGS)

lint: $(DEPS)
	$(PY) -m ruff check .

bench: $(KERNELS)
	$(PY) -m bench.transforms
	$(PY) -m bench.masking
	$(PY) -m bench.host
	$(PY) -m bench.single
	$(PY) -m bench.loader
	$(PY) -m bench.memory --batches 10000
	$(PY) -m bench.gpu
	$(PY) -m bench.table

clean:
	rm -rf build dist *.egg-info gpuaug/_cpu_*.so gpuaug/_cpu_missing.txt $(KERNELS)
