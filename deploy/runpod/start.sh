#!/usr/bin/env bash
# Starts UltraAndChat on a pod, in one command: in our image, on Runpod's stock PyTorch images, or on any Debian or
# Ubuntu. It installs what is missing, says what it does, and then becomes `ultraandchat serve`, with the arguments it
# was given. A second start finds everything in place. It never restarts anything, and shows no secret.
#
#   /workspace/ultraandchat/deploy/runpod/start.sh
#
# It reads these variables, all optional:
#   INSTALL_FROM    what to install: a checkout, a wheel, or an address that pip takes, with a version in it
#                   (git+https://…@v0.1.0); the checkout that this script lies in
#   INSTALL_INTO    folder of the virtual environment; /workspace/.ultraandchat where there is a volume at /workspace,
#                   so that it outlives the pod's restart, else ~/.local/share/ultraandchat
#   INSTALL_EXTRAS  which extras of the package: demo,gpu,gpu-captions where an NVIDIA driver answers, else demo
#   PYTHON          a Python 3.11, 3.12 or 3.13 to take before all others
#   SERVER          an installed `ultraandchat` to start; then nothing is installed (our image sets it)
# and hands every ULTRAANDCHAT_SECTION__NAME to the server, where it is the setting `section.name`
# (docs/configuration.md). Unless they say otherwise the server listens on 0.0.0.0, port 7860, as a pod's proxy asks, and
# off a pod takes WebRTC over TCP on port 8189; on a pod that port is Runpod's to give.
set -euo pipefail
set -m # each step in a process group of its own, which SIGTERM then ends whole

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
install="$here/../install.sh"
step=

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$@" >&2; exit 1; }

stopped() {
  [ -z "$step" ] || kill -TERM -- "-$step" 2>/dev/null || true
  exit 143 # 128 + SIGTERM
}
trap stopped TERM INT

run() { # COMMAND…: beside us, because bash hears no signal while it waits for a command in front
  "$@" </dev/null &
  step=$!
  wait "$step"
  step=
}

folder() {
  if [ -n "${INSTALL_INTO:-}" ]; then
    printf '%s' "$INSTALL_INTO"
  elif [ -d /workspace ] && [ -w /workspace ]; then
    printf /workspace/.ultraandchat
  else
    printf '%s' "${HOME:-/root}/.local/share/ultraandchat"
  fi
}

extras() {
  if command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1; then
    printf 'demo,gpu,gpu-captions'
  else
    printf demo
  fi
}

installed() { # sets SERVER
  local into from
  into=$(folder)
  from=${INSTALL_FROM:-$(cd "$here/../.." && pwd)}
  [ -n "${INSTALL_FROM:-}" ] || [ -f "$from/pyproject.toml" ] ||
    die "There is no checkout around this script; say what to install with INSTALL_FROM."
  run "$install" system
  mkdir -p "$into"
  # Two pods may share a network volume: one installs, the other waits. Some volumes have no locks; then it is as it is.
  exec 9>"$into.lock"
  run flock -w 900 9 || true
  run "$install" server "$into" "$from" "${INSTALL_EXTRAS:-$(extras)}"
  exec 9>&-
  SERVER=$into/bin/ultraandchat
  unset INSTALL_FROM # it may hold credentials, and the server needs none
}

[ -n "${SERVER:-}" ] || installed
[ -x "$SERVER" ] || die "SERVER: $SERVER cannot be run."

export ULTRAANDCHAT_SERVER__HOST="${ULTRAANDCHAT_SERVER__HOST:-0.0.0.0}"
export ULTRAANDCHAT_SERVER__PORT="${ULTRAANDCHAT_SERVER__PORT:-7860}"
if [ -z "${RUNPOD_POD_ID:-}" ]; then # a port that can be published, not whichever is free
  export ULTRAANDCHAT_WEBRTC__TCP_PORT="${ULTRAANDCHAT_WEBRTC__TCP_PORT:-8189}"
fi
if [ -d /workspace ] && [ -w /workspace ]; then # recordings that people added are kept, like the weights
  export ULTRAANDCHAT_ENGINES__CHATTERBOX__VOICES="${ULTRAANDCHAT_ENGINES__CHATTERBOX__VOICES:-/workspace/voices}"
fi
say "Starting after ${SECONDS} s."
exec "$SERVER" serve "$@"
