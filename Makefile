# The two ways in: `make demo` runs the whole loop once, `make test` proves it. Both do all set-up by themselves.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/ready
CONSOLE := api/console/built/index.html
# Of MAVProxy: what it draws and sees with.
DRAWING := contourpy cycler defusedxml fonttools kiwisolver matplotlib opencv-python packaging pynmeagps pyparsing quantized-mesh-tile shapely vtk
# Of TrackEval: what reads data sets. Tests run its measures alone, with the SciPy of .venv.
TOOLBOX := pycocotools scipy tabulate

# Tests start hundreds of programs of ours: none has to compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
# Pip compiles one module after the other: we do so on all cores; of peers, what is loaded, when it is. Hardly anybody loads these.
UNLOADED := /(tests?|sympy|networkx|moto|mypyc?|cfnlint|graphql|docker|onnx|pymavlink/generator)/|/pymavlink/dialects/v(10/|20/(?!ardupil))
INSTALL := install --quiet --disable-pip-version-check --no-compile

.PHONY: demo test compiled check lint types console bench peers vision-peers lock clean

demo: $(READY) $(CONSOLE)
	$(BIN)/vedette demo

# More workers than cores: some wait for what flies. OpenBLAS, too, has one core in each of them and in what they start.
test: export OPENBLAS_NUM_THREADS = 1
test: $(READY) $(CONSOLE)
	$(BIN)/python -m pytest -n 6 --dist loadfile --no-loadscope-reorder

# Of tests and of what they load, once for all that run tests side by side.
compiled: $(READY)
	@echo "Compiling modules: half a minute, once."
	-$(BIN)/python -m pytest --collect-only -qq -p no:cacheprovider >/dev/null

check: lint types test

lint: $(READY) $(CONSOLE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python api/console/building/backend.py lint

types: $(READY) $(CONSOLE)
	$(BIN)/mypy
	$(BIN)/python api/console/building/schema.py
	$(BIN)/python api/console/building/backend.py types

console: $(CONSOLE)

$(CONSOLE): $(READY) $(shell find api/console/web api/console/building -name node_modules -prune -o -name openapi.json -prune -o -name schema.d.ts -prune -o -type f -print)
	@echo "Building the console: half a minute, whenever its source has changed."
	$(BIN)/python api/console/building/backend.py

# Pip of the machine fills the environment: Debian's python3 has no ensurepip without one package more.
$(READY): requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "vedette needs Python 3.11 or later: set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "vedette needs pip: apt-get install python3-pip"; exit 1; }
	@echo "Setting up .venv: a minute or two, once."
	$(PYTHON) -m venv --without-pip --clear .venv
	$(PYTHON) -m pip --python $(BIN)/python $(INSTALL) --require-hashes -r requirements.txt -r requirements-dev.txt
	@$(BIN)/python -m compileall -qq -j 0 -x '$(UNLOADED)' .venv/lib || true
	$(PYTHON) -m pip --python $(BIN)/python $(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(READY)

# Peers of the partition have a minute each on six instances: the planner's room takes a quarter of an hour.
bench: $(READY) .venv-peers/ready
	@mkdir -p runs/bench
	@for room in geo planner link sim vision api console; do $(BIN)/python -m bench $$room --json runs/bench/$$room.json || exit 1; done

# Programs that ours is measured beside, or has to work with. OR-Tools wants another protobuf than the libraries of UAS
# standards: they have an environment of their own.
peers: .venv-peers/ready

.venv-peers/ready: requirements-peers.txt
	$(PYTHON) -m venv --without-pip --clear .venv-peers
	$(PYTHON) -m pip --python .venv-peers/bin/python $(INSTALL) --require-hashes --no-deps -r requirements-peers.txt
	@touch $@

# Peers of vision have an environment of their own: they bring an OpenCV with windows.
vision-peers: .venv-vision-peers/ready

.venv-vision-peers/ready: $(READY)
	$(PYTHON) -m venv --without-pip --clear .venv-vision-peers
	$(PYTHON) -m pip --python .venv-vision-peers/bin/python $(INSTALL) supervision trackers torch ultralytics-opencv-headless lap onnxruntime
	@touch $@

# New versions: hashes of every wheel, the address of no index.
lock: $(READY)
	$(PYTHON) -m pip --python $(BIN)/python install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade --quiet -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --extra dev --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade --quiet -c requirements.txt -o requirements-dev.txt
	printf 'ortools\nmavsdk\nMAVProxy\ntrackeval\n' | $(BIN)/uv pip compile - --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade --quiet $(addprefix --no-emit-package=,$(DRAWING) $(TOOLBOX)) -o requirements-peers.txt

clean:
	rm -rf api/console/built api/console/web/node_modules .venv .venv-peers .venv-vision-peers build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
