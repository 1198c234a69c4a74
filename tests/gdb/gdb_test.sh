#!/usr/bin/env bash
# Looks with gdb at a program whose fibers are suspended: while it lives, then at its core file.
#
# usage: gdb_test.sh <live|core> <the program> <scripts/gdb/atlas.py>
set -euo pipefail
mode=$1 program=$2 script=$3

fail() { printf 'gdb_test: %s\n%s\n' "$1" "${output:-}" >&2; exit 1; }
command -v gdb >/dev/null || fail "there is no gdb: scripts/setup test installs it"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
quiet=(gdb --batch -nx -iex "set debuginfod enabled off" -iex "set auto-load no" -ex "set width 0")
look=(-ex "source $script" -ex "atlas fibers" -ex "echo the fiber:\n" -ex "atlas fiber 2" -ex bt
  -ex "echo the thread:\n" -ex "atlas thread" -ex bt)

if [[ $mode == live ]]; then
  output=$("${quiet[@]}" -ex "break look_now" -ex run "${look[@]}" "$program" 2>&1) ||
    fail "gdb failed; is ptrace permitted here?"
else
  # Not gdb's gcore, which leaves out whole mappings where the kernel guards pages in them.
  [[ $(</proc/sys/kernel/core_pattern) != [/\|]* ]] || fail "core files go elsewhere: /proc/sys/kernel/core_pattern"
  export ASAN_OPTIONS="${ASAN_OPTIONS:-}:disable_coredump=0" TSAN_OPTIONS="${TSAN_OPTIONS:-}:disable_coredump=0"
  (cd "$scratch" && ulimit -c unlimited && "$program" abort) >/dev/null 2>&1 || true
  core=$(find "$scratch" -name 'core*')
  [[ -n $core ]] || fail "the program left no core file"
  output=$("${quiet[@]}" "${look[@]}" "$program" "$core" 2>&1) || fail "gdb failed on the core file"
fi

expect() { grep -Eq -- "$2" <<<"$1" || fail "there is no '$2' in what gdb says:"; }
refuse() { ! grep -Eq -- "$2" <<<"$1" || fail "there is a '$2' where it should not be:"; }

expect "$output" '^ +1 +3 +1  running +main'
for number in 2 3 4 5 6; do
  expect "$output" "^ +$number +3 +$number  suspended +client +an answer +GET /somebody HTTP/1.1\$"
done
refuse "$output" '^ +7 '
refuse "$output" 'corrupt stack'

fibers_stack=${output#*$'\nthe fiber:\n'}
own_stack=${output#*$'\nthe thread:\n'}
fibers_stack=${fibers_stack%"$own_stack"}
expect "$fibers_stack" '^#[0-9]+ .*wait_for_an_answer'
expect "$fibers_stack" '^#[0-9]+ .*serve_somebody'
expect "$fibers_stack" '^#[0-9]+ .*run_fiber'
refuse "$own_stack" 'wait_for_an_answer'
expect "$own_stack" '^#[0-9]+ .*look_now'
expect "$own_stack" '^#[0-9]+ .*run_fiber'
