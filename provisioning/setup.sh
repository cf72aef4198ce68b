#!/usr/bin/env bash
# Sets up a checkout on Debian 12/13 or Raspberry Pi OS: Debian packages, .venv, models, fonts,
# spoken prompts.
# Safe to run again: every step is skipped when there is nothing left to do.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
venv=.venv
bold= plain=
[ -t 1 ] && bold=$'\033[1m' plain=$'\033[0m'
say() { printf '%s[setup %s]%s %s\n' "$bold" "$1" "$plain" "$2"; }
fail() { printf 'setup: %s\n' "$1" >&2; exit 2; }

packages=(
  libgl1 libegl1 libmtdev1   # Kivy's window, also without any display
  fonts-noto-cjk             # Chinese text on screen and paper
  mosquitto                  # the broker
  espeak-ng                  # the interim voice
  alsa-utils                 # plays the prompts
  chromium                   # pictures and tests of the staff console
  libatomic1                 # what drives Chromium in the demonstration and the tests
  xvfb                       # a screen for tests that drive a window from outside
  faketime                   # wrong clocks for the kiosk in make chaos
)

[ -n "${POSTGRESQL:-}" ] && packages+=(postgresql)  # only for tests of the registry on it

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail "Debian packages are missing (${missing[*]}) and this is neither root nor sudo: ask an administrator to run: apt-get install ${missing[*]}"
  fi
}

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

say 1/6 "Debian packages"
command -v apt-get >/dev/null || fail "this needs Debian 12 or 13, or Raspberry Pi OS (no apt-get here)"
"$python" -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
missing=()
for package in "${packages[@]}"; do
  installed "$package" && continue
  # Raspberry Pi OS 12 calls its Chromium chromium-browser.
  if [ "$package" = chromium ] && installed chromium-browser; then continue; fi
  missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "  installing: ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" \
    | grep --line-buffered -E '^(Setting up|Need to get|E:)' || true
  for package in "${missing[@]}"; do
    installed "$package" || fail "the package $package could not be installed; see the lines above"
  done
else
  echo "  all there"
fi

say 2/6 "Python environment in $venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || fail "Python 3.11 or newer is needed; $python is $("$python" -V 2>&1). Try: make setup PYTHON=python3.11"
if [ ! -x "$venv/bin/python" ]; then
  site=()
  # picamera2 exists only as a system package of Raspberry Pi OS.
  [ -d /usr/lib/python3/dist-packages/picamera2 ] && site=(--system-site-packages)
  "$python" -m venv "${site[@]}" "$venv"
fi

stamp="$venv/.jianzai-lock"
wanted=$(cat requirements.lock setup.cfg | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  say 3/6 "Python packages, pinned with hashes (about 400 MB the first time)"
  "$venv/bin/python" -m pip install --progress-bar on --disable-pip-version-check \
    --only-binary :all: --require-hashes -r requirements.lock \
    > >(grep --line-buffered -vE '^(Ignoring|Requirement already|Looking)' || true) \
    || fail "the Python packages could not be installed; see the lines above"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . \
    || fail "the Python packages could not be installed; see the lines above"
  echo "$wanted" > "$stamp"
else
  say 3/6 "Python packages: up to date"
fi

say 4/6 "Models"
"$venv/bin/python" -m edge models build
say 5/6 "Fonts"
"$venv/bin/python" -m edge fonts
say 6/6 "Spoken prompts"
"$venv/bin/python" -m edge voice build
