#!/usr/bin/env bash
# Compiles what beginners write, each source beside this file: the first error must say what its first line promises.
#
# usage: compile_errors_test.sh <C++ compiler> <option>...
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
compile=("$@")

# first_error <source>
first_error() { "${compile[@]}" -std=c++20 -fsyntax-only "$1" 2>&1 | grep -m 1 'error:'; }

wrong=0
for source in "$here"/*.cpp; do
  promised=$(sed -n '1s/^\/\/ error: //p' "$source")
  said=$(first_error "$source" || true)
  if [[ -z $promised || $said != *"$promised"* ]]; then
    echo "compile_errors_test: $(basename "$source"): '$said' is not '$promised'" >&2
    wrong=1
  fi
done
exit $wrong
