#!/usr/bin/env bash
# Prints the full-screen terminal as README shows it: the real program in tmux, 80 × 24, with two peers and a server of its own on this machine.
# Usage: docs/screen.sh PUNCHLINE, where PUNCHLINE is the published tool.
set -euo pipefail
punchline=$(realpath "$1")
cd "$(mktemp -d)"
tmux() { command tmux -L "screen-$$" "$@"; }
pids=()
trap 'tmux kill-server; kill "${pids[@]}"; wait; rm -r "$PWD"' EXIT

"$punchline" serve 0 --listen 127.0.0.1 --state server > lines &
pids+=($!)
until server=$(grep -o '127\.0\.0\.1:[0-9]*#[a-z0-9]*' lines); do sleep 0.1; done
export PUNCHLINE_SERVER=$server PUNCHLINE_SECRET=335v2-k3h52-22x47-djrbv PUNCHLINE_NO_PORT_MAPPING=1
for name in bob carla; do
    mkfifo "$name"
    "$punchline" join fosera --name "$name" --state "state-$name" < "$name" > "$name.out" 2>&1 &
    pids+=($!)
done
exec 3> bob 4> carla

tmux new-session -d -x 80 -y 24 -e LC_ALL=C.UTF-8 "$punchline join fosera --name alice --state state-alice"
# What is on the screen before the next thing happens.
shows() { until tmux capture-pane -p | grep -q "$1"; do sleep 0.1; done; }
shows 'bob is connected'
shows 'carla is connected'
echo 'Hello! Is anybody in between?' >&3
shows 'in between'
tmux send-keys 'Nobody: you are on my own network, says the line below.' Enter
shows 'below. ✓'
echo '皆さん、こんにちは 👋' >&4
shows 'こんにちは'
tmux send-keys '/verify bob yes' Enter
shows 'you compared'
tmux send-keys 'bo' Tab 'shall we '
shows 'shall we'
tmux capture-pane -p
