# One command each; the same that .ci/run calls. PORT=8000 and PYTHON=python3 may be set.
PYTHON ?= python3
PORT ?= 8000
PY := .venv/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: setup demo test quick check web bench bench-peer soak spark clean

# The locked run-time dependencies and the front end: enough for `make demo`.
.venv/.installed: requirements.lock pyproject.toml hatch_build.py
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install -q --no-deps --require-hashes -r requirements.lock
	@SKIP_FRONTEND=1 $(PY) -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/.installed-dev: requirements-dev.lock .venv/.installed
	@$(PY) -m pip install -q --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

setup: .venv/.installed-dev web

web: .venv/.installed
	@$(PY) hatch_build.py

demo: .venv/.installed web
	@exec .venv/bin/citybrain demo --port $(PORT)

check: .venv/.installed-dev
	@$(PY) -m tests.checks

quick: .venv/.installed-dev web
	@$(PY) -m tests.run quick

test: .venv/.installed-dev web
	@$(PY) -m tests.run all

bench: .venv/.installed-dev web
	@$(PY) -m bench

# The same load on another SensorThings 1.1 server and on ours; PEER_USER and PEER_PASSWORD sign in there.
bench-peer: .venv/.installed-dev web
	@$(PY) -m bench.peer --url "$(URL)"

soak: .venv/.installed-dev web
	@$(PY) -m tests.run soak

# The series on Apache Spark itself, a driver and two executors: 450 MB from the registry, and Java 17 or later on this machine.
.spark/.installed: requirements-spark.lock
	@test -x .spark/bin/python || $(PYTHON) -m venv .spark
	@.spark/bin/python -m pip install -q --no-deps --require-hashes -r requirements-spark.lock
	@touch $@

spark: .venv/.installed-dev .spark/.installed
	@SPARK_HOME=$$(.spark/bin/python -c 'from importlib.util import find_spec; print(*find_spec("pyspark").submodule_search_locations)') \
		$(PY) -m pytest -q -n0 tests/engines/spark -k apache

clean:
	rm -rf .venv .spark var src/citybrain/web/static/build web/node_modules
