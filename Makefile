# Everything one runs here. It needs make, a C compiler and Python 3.11, 3.12 or 3.13; the rest goes into .venv.
# Another Python beside it:   make test PYTHON=python3.12 VENV=.venv-3.12
# More words for the command: make test ARGS='-k reset'

PYTHONS := $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
VENV    ?= .venv
RUN     := $(VENV)/bin/python
READY   := $(VENV)/installed
PIP     := $(RUN) -m pip install -qq --no-input --disable-pip-version-check --require-hashes
UV      := uv==0.13.8

.PHONY: help run test check lint soak fuzz bench format lock clean force
.DELETE_ON_ERROR:

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

run: $(READY)  ## serve the page, REST and Slack; without keys, on this machine only
	@WHYDROP_DEV=$${WHYDROP_DEV-1} $(RUN) -m bot serve $(ARGS)

test: lint  ## style, types and tests
	@$(RUN) -m pytest -n auto --maxprocesses=4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: lint  ## style, types and every entry of the knowledge
	@$(RUN) -m bot knowledge check $(ARGS)

lint: $(READY)
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check
	@$(RUN) -m mypy

soak: $(READY)  ## the long tests
	@$(RUN) -m pytest -m soak $(ARGS)

fuzz: $(VENV)/fuzz  ## make up pastes for half an hour; for so many minutes: make fuzz ARGS=3
	@$(RUN) -m tests.fuzz_read $(ARGS)

$(VENV)/fuzz: requirements-fuzz.lock $(READY)
	@$(PIP) -r requirements-fuzz.lock
	@touch $@

bench: $(READY)  ## how long a diagnosis takes and how that grows, how many the service gives, how fast lines are read; more lines: make bench SIZE=1G
	@$(RUN) -m bench.diagnose $(ARGS)
	@$(RUN) -m bench.growth
	@$(RUN) -m bench.serve
	@$(RUN) -m bench.read --size $(or $(SIZE),20M)

format: $(READY)  ## put the source in order
	@$(RUN) -m ruff check --fix-only
	@$(RUN) -m ruff format

clean:  ## remove what these commands made
	rm -rf $(VENV) .venv-lock .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Sets $$python to the first that runs and can build durable-rules. A name on the PATH is not enough: it may be a shim.
FIT = import ensurepip, os, sys, sysconfig; \
	built = os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")); \
	sys.exit(not (built and (3, 11) <= sys.version_info[:2] <= (3, 13)))
FIND = for python in $(PYTHONS); do "$$python" -c '$(FIT)' >/dev/null 2>&1 && break; python=; done; \
	if [ -z "$$python" ]; then \
		echo "No Python 3.11, 3.12 or 3.13 with venv and Python.h among: $(PYTHONS)." >&2; \
		echo "Install one (Debian, Ubuntu: apt install gcc python3-dev python3-venv), or name one: make PYTHON=..." >&2; \
		exit 1; \
	fi

ifndef LOCKED
# One installation at a time: whoever waited for the lock finds the work done. The lock goes with its process.
HOLD = import fcntl, os, sys; lock = os.open("requirements.lock", os.O_RDONLY); os.set_inheritable(lock, True); \
	fcntl.flock(lock, fcntl.LOCK_EX); os.execvp(sys.argv[1], sys.argv[1:])
$(READY): requirements.lock $(if $(shell test -x $(RUN) && echo runs),,force)
	@$(FIND); "$$python" -c '$(HOLD)' $(MAKE) --silent LOCKED=1 PYTHON="$$python" $@
else
# durable-rules is built by the setuptools of the lock, and without pip's cache: a wheel built there before without the
# flag would not load on Python 3.13, whose C API lost PyEval_CallObject. The flag changes nothing on 3.11 and 3.12.
pinned = sed -n '/^$(1)==/,/[^\\]$$/p' requirements.lock >$(VENV)/$(1).txt
fail = { echo "$(1)" >&2; exit 1; }
$(READY): requirements.lock $(if $(shell test -x $(RUN) && echo runs),,force)
	@echo "Installing into $(VENV) with $$($(PYTHON) -V), about half a minute ..."
	@rm -rf $(VENV)
	@"$(PYTHON)" -m venv $(VENV)
	@$(call pinned,setuptools) && $(PIP) -r $(VENV)/setuptools.txt
	@$(call pinned,durable-rules) && CPPFLAGS="$$CPPFLAGS -DPyEval_CallObject=PyObject_CallObject" $(PIP) \
		--no-cache-dir --no-deps --no-build-isolation --no-binary durable-rules -r $(VENV)/durable-rules.txt \
		|| $(call fail,durable-rules could not be built; it needs a C compiler (Debian, Ubuntu: apt install gcc).)
	@$(PIP) -r requirements.lock
	@$(RUN) -c 'import durable.engine' \
		|| $(call fail,durable-rules was built for $$($(PYTHON) -V) and does not load; see the error above.)
	@touch $@
endif
force:

lock:  ## pin the dependencies anew; the newest of all: make lock ARGS=--upgrade
	@$(FIND); "$$python" -m venv .venv-lock
	@.venv-lock/bin/python -m pip install -qq --disable-pip-version-check $(UV)
	@.venv-lock/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra dev --extra build \
		--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(ARGS) \
		--output-file requirements.lock pyproject.toml
	@! grep -nE '://|^-|^[a-z].* @ ' requirements.lock || { echo 'The lock must name no address.' >&2; exit 1; }
