# The portal in one command: make run. What each target does: make help.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run setup test test-spark check bench clean environment tools browser spark

PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile
export PORT ?= 8000
# Asked of a portal in production by its own checks; none of it is secret or reached.
PRODUCTION := DRESSPORTAL_ENV=production DRESSPORTAL_ALLOWED_HOSTS=portal.example \
	DRESSPORTAL_SECRET_KEY=only-for-make-check-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF \
	DATABASE_URL=postgres://portal@localhost/portal DRESSPORTAL_EMAIL_URL=smtp://localhost:25
PURE := $(wildcard verify/consensus.py verify/scoring.py verify/reliability.py verify/audit.py verify/crowd_files.py verify/replay.py \
	verify/fairplay.py verify/crowd.py verify/splits.py verify/rights.py verify/identities.py verify/selection.py verify/option_sets.py verify/simulation/*.py verify/captions.py verify/gates.py verify/intake/instagram/errors.py verify/intake/instagram/pacing.py verify/dreaming/dream.py \
	recommend/ratings.py recommend/recommender.py recommend/methods.py recommend/readers.py recommend/splits.py \
	recommend/metrics.py recommend/popular.py recommend/trial.py recommend/apart.py recommend/evaluate.py recommend/tuning.py \
	recommend/evaluation_table.py recommend/evaluation_plots.py recommend/report.py recommend/kernel.py \
	recommend/factorise.py recommend/shelf.py recommend/diversify.py recommend/reasons.py recommend/judging.py recommend/centring.py recommend/alike.py recommend/neighbours.py recommend/svd.py \
	recommend/liking.py recommend/ease.py recommend/ials.py recommend/pairwise.py recommend/ensemble.py recommend/hybrid.py \
	recommend/gauss.py recommend/exploration.py)

help:
	@echo "make run      the portal at http://127.0.0.1:$(PORT)/ (options: PORT=8001 DATABASE_URL=postgres://…)"
	@echo "make setup    the environment (.venv) and the database, nothing else"
	@echo "make test     every test, browser tests included (option: ARGS='-k rotation')"
	@echo "make test-spark  what runs on Spark: installs pyspark (430 MB), needs Java 17 or newer"
	@echo "make check    formatting, lint, types, layers, migrations, deployment checks"
	@echo "make bench    the figures in the README"
	@echo "make clean    remove .venv and caches; var/ with the data stays"

run: environment
	@exec $(PYTHON) manage.py serve

setup: environment
	@$(PYTHON) manage.py migrate --verbosity 0 && $(PYTHON) manage.py setup_schedules >/dev/null
	@echo "The environment and the database are ready: make run"

# Nothing a test does may touch the portal's own data or its database.
test: export DRESSPORTAL_VAR := $(CURDIR)/var/test
test: export DRESSPORTAL_FSYNC := off  # var/test is thrown away
test: export OMP_NUM_THREADS := 1  # the runners share the cores
test: tools browser
	@unset DRESSPORTAL_ENV DRESSPORTAL_POOL PORT; mkdir -p var; rm -rf var/test; \
	$(PYTHON) -m pytest -n 3 --dist loadgroup -m "not spark" $(ARGS)

test-spark: export DRESSPORTAL_VAR := $(CURDIR)/var/test-spark
test-spark: tools spark
	@unset DRESSPORTAL_ENV DRESSPORTAL_POOL PORT; $(PYTHON) -c "from recommend.spark_session import check_spark; check_spark()" && \
	$(PYTHON) -m pytest -m spark tests/recommend $(ARGS)

check: tools
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	$(if $(PURE),.venv/bin/mypy $(PURE))
	.venv/bin/lint-imports
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(PYTHON) manage.py check --deploy --fail-level WARNING

bench: tools
	@set -e; for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(PYTHON) $$script; done

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache var/test
	find . -name __pycache__ -type d -not -path "./var/*" -prune -exec rm -rf {} +

environment: .venv/installed
tools: .venv/tools-installed
spark: .venv/spark-installed

.venv/bin/python:
	@for candidate in python3.11 python3 python; do \
		if $$candidate -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then \
			echo "Making .venv with $$(command -v $$candidate)"; exec $$candidate -m venv --clear .venv; \
		fi; \
	done; \
	echo "Python 3.11 with its venv module is needed, and not found. On Debian: apt-get install python3.11-venv" >&2; exit 1

.venv/installed: requirements.txt | .venv/bin/python
	@echo "Installing the portal's packages (the first time takes a minute or two)"
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m ensurepip >/dev/null  # making .venv was cut short
	@$(PIP) -r requirements.txt
	@touch $@

.venv/tools-installed: requirements-dev.txt .venv/installed
	@echo "Installing the tools for tests and checks"
	@$(PIP) -r requirements-dev.txt
	@touch $@

.venv/spark-installed: requirements-spark.txt .venv/installed
	@echo "Installing pyspark (430 MB the first time)"
	@$(PIP) -r requirements-spark.txt
	@touch $@

browser:
	@if command -v chromium-headless-shell >/dev/null; then exit 0; fi; \
	install="apt-get install -y -qq --no-install-recommends"; export DEBIAN_FRONTEND=noninteractive; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian's headless chromium for the browser tests"; \
		($$install chromium-headless-shell || command -v chromium || \
			(apt-get update -qq && ($$install chromium-headless-shell || $$install chromium))) >/dev/null 2>&1; \
	fi; \
	command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || \
		printf '\n%s\n%s\n\n' "*** NO CHROMIUM: THE BROWSER TESTS WILL BE SKIPPED. ***" "*** Install it (Debian: apt-get install chromium-headless-shell) and run make test again. ***" >&2
