# The two that matter: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
PY := .venv/bin/python
SCENARIO ?= good-day
CAMERA ?= resident
OUT ?= demo-out

.PHONY: help setup demo test check audit-deps format lock texts pictures gallery journeys receipts conformance fuzz-serial fuzz-settings setup-postgresql registry-postgres bench bench-ingest kill-workers settings-fleet cycles bench-store bench-import bench-work bench-console bench-screen swaps chaos drain attack evaluate browser console-pictures clean

help:  ## list what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup:  ## Debian packages, .venv, models, fonts, spoken prompts
	@PYTHON=$(PYTHON) provisioning/setup.sh

setup-postgresql:  ## the same, and Debian's PostgreSQL
	@PYTHON=$(PYTHON) POSTGRESQL=1 provisioning/setup.sh

demo: setup  ## the main job on simulated hardware (SCENARIO=… CAMERA=… STAY=1)
	@$(PY) -m provisioning demo --scenario $(SCENARIO) --camera $(CAMERA) --out $(OUT) $(if $(STAY),--stay)

check:  ## ruff, mypy
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

test: setup-postgresql check  ## everything CI runs
	$(PY) -m pytest
	REGISTRY_ENGINE=postgresql $(PY) -m pytest -m engine tests/unit/cloud tests/integration

registry-postgres: setup-postgresql  ## all of the registry's tests on a private PostgreSQL cluster
	REGISTRY_ENGINE=postgresql $(PY) -m pytest tests/unit/cloud $(sort $(wildcard tests/integration/test_cloud_*.py))

bench-ingest:  ## records filed in a second beside a raw loop, on both engines, and end to end (bench/ingest.json)
	@$(PY) -m tests.tools.bench_ingest --json bench/ingest.json

kill-workers:  ## bridge workers killed every 5 s for two minutes, on PostgreSQL (docs/reports/kill-workers-DATE.json)
	@$(PY) -m tests.tools.kill_workers --json docs/reports/kill-workers-$$(date +%F).json

format:  ## let ruff mend what it can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

lock:  ## pin all dependencies again, with hashes, for every platform
	$(PY) -m uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --upgrade \
	  -c constraints.txt --extra demo --extra cloud --extra postgresql --extra dev --extra pi setup.cfg -o requirements.lock

texts:  ## compile the console's Chinese catalogue
	msgfmt --check -o cloud_bridge/locale/zh_Hans/LC_MESSAGES/django.mo cloud_bridge/locale/zh_Hans/LC_MESSAGES/django.po

attack:  ## hostile repositories, sticks, clocks and 2,000 cuts against the updater
	$(PY) -m tests.attack.run

audit-deps:  ## known weaknesses of the locked packages, asked over the network from an environment of its own
	$(PY) -m venv .audit-deps
	.audit-deps/bin/pip install --quiet "pip-audit>=2.9,<3"
	.audit-deps/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip --progress-spinner off

pages:  ## write the generated documentation pages again
	PYTHONPATH=. $(PY) tests/tools/config_page.py > docs/configuration.md
	PYTHONPATH=. $(PY) tests/tools/wire_page.py > docs/wire.md
	PYTHONPATH=. $(PY) -m tests.tools.branches_page > docs/branches.md
	PYTHONPATH=. $(PY) -m tests.tools.roles_page > docs/roles.md

pictures: demo  ## the README's pictures, from a fresh demonstration
	@$(PY) tests/tools/readme_pictures.py $(OUT) docs/pictures

gallery:  ## every screen on four panels, in both languages and both sizes of letters (gallery/index.html, summary.json)
	@$(PY) -m tests.tools.gallery

journeys:  ## every flow and branch touched through in a real window, a picture of each step (journeys/index.html)
	@$(PY) -m tests.window.journeys.page

console-pictures:  ## the pictures of docs/console.md
	@$(PY) -m tests.browser.guide

browser:  ## every page of the console in Chromium: pictures, print, keyboard, accessibility (browser-out/index.html)
	@BROWSER_OUT=browser-out $(PY) -m pytest tests/browser -q
	@$(PY) -m tests.browser.gallery

receipts:  ## every receipt as printed, in both widths and languages (receipts-out/index.html)
	@$(PY) tests/tools/receipt_pictures.py --out receipts-out

conformance:  ## every driver and simulator through its port's suite (conformance/report.json; HARDWARE="camera=0 …")
	@$(PY) -m pytest tests/conformance -q -r fE --conformance-report conformance/report.json \
	  $(foreach device,$(HARDWARE),--hardware $(device))

fuzz-serial:  ## a million spoilt frames through the card reader's codec (fuzz/serial.json)
	$(PY) -m tests.tools.fuzz_serial --frames 1000000

fuzz-settings:  ## a thousand mutated wishes about settings, files damaged in between (fuzz/settings.json)
	$(PY) -m tests.tools.fuzz_settings

settings-fleet:  ## one change of settings for ten thousand kiosks, some of them away (fuzz/settings-fleet.json)
	$(PY) -m tests.tools.settings_fleet

cycles:  ## ten thousand card visits with everything going wrong (fuzz/cycles.json)
	$(PY) -m tests.tools.card_cycles --cycles 10000 --at-line-rate 100

bench-store:  ## what a certification costs the card: time and bytes beside a bare fsync (bench/store.json)
	$(PY) -m tests.tools.bench_store --json bench/store.json

bench: setup-postgresql  ## every figure of the registry: a million people, both engines, beside the floor (PEOPLE=100000: sooner)
	@missed=; for part in ingest import console work; do \
	  $(MAKE) --no-print-directory bench-$$part PEOPLE=$(or $(PEOPLE),1000000) || missed="$$missed $$part"; \
	done; [ -z "$$missed" ] || { echo "goals missed:$$missed"; exit 1; }

bench-import:  ## rosters and signals taken in, on both engines, beside the floor (bench/import.json; CONFIG=registry.toml: one that is there)
	@$(PY) -m tests.tools.bench_import $(if $(CONFIG),--config $(CONFIG)) $(if $(PEOPLE),--people $(PEOPLE)) --json bench/import.json

bench-screen:  ## how the window feels: start, touch, preview, idle, memory (bench/screen.json; SOAK=500: growth, half an hour)
	@$(PY) -m tests.tools.bench_screen $(if $(SOAK),--soak $(SOAK)) --json bench/screen.json

bench-work:  ## due lists, tasks, dashboards and the timers' commands on a large county, both engines (docs/reports/work-….json; CONFIG=registry.toml: one that is there)
	@$(PY) -m tests.tools.bench_work $(if $(CONFIG),--config $(CONFIG),--people $(or $(PEOPLE),100000)) \
	  --json docs/reports/work-$(shell date +%F).json

bench-console:  ## pages, due lists and exports of a large county on both engines (docs/reports/console-….json; PEOPLE=1000000 QUESTIONS=0 for all)
	@$(PY) -m tests.tools.bench_console --people $(or $(PEOPLE),100000) --questions $(or $(QUESTIONS),600) \
	  $(if $(IMPORTS),--imports $(IMPORTS)) --json docs/reports/console-$(shell date +%F).json

swaps:  ## two people cut against each other, and honest residents, in front of the check (fuzz/swaps.json)
	$(PY) -m tests.tools.models_swaps --rounds 8 --honest 16 --report fuzz/swaps.json

chaos:  ## power cuts, kills, full disks, days offline (chaos/report.json; FULL=1 for the long form)
	$(PY) -m tests.chaos $(if $(FULL),--full)

evaluate:  ## attacks, the living and real clips before the camera check (FULL=1: three hours, resumable)
	@$(PY) -m edge evaluate $(if $(FULL),--full)

drain:  ## a backlog of ten thousand records through the real processes, and what silence costs (fuzz/drain.json)
	@$(PY) -m tests.tools.bench_drain

clean:  ## remove what was built, keep .venv
	rm -rf build dist demo-out receipts-out gallery journeys conformance chaos .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
