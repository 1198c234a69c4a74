#!/usr/bin/env bash
# Installs a build of Atlas into a folder of its own, builds the hello application beside this file against it with
# find_package(atlas), and asks it for a page.
#
# usage: package_test.sh <build folder> <CMAKE_BUILD_TYPE> <C++ compiler> <C++ flags>
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1 build_type=$2 compiler=$3 flags=$4

scratch=$(mktemp -d)
server=
cleanup() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$scratch"
}
trap cleanup EXIT

for file in hello.cpp CMakeLists.txt; do
  lines=$(wc -l <"$here/$file")
  [[ $lines -le 10 ]] || { echo "package_test: $file has $lines lines; ten are promised" >&2; exit 1; }
done

cmake --install "$build" --prefix "$scratch/prefix" >/dev/null
cmake -S "$here" -B "$scratch/build" -G Ninja -D CMAKE_PREFIX_PATH="$scratch/prefix" \
  -D CMAKE_BUILD_TYPE="$build_type" -D CMAKE_CXX_COMPILER="$compiler" -D CMAKE_CXX_FLAGS="$flags"
cmake --build "$scratch/build"

"$scratch/build/hello" --unix "$scratch/socket" --workers 1 &
server=$!
answer=$(curl --silent --show-error --fail --retry 20 --retry-connrefused --retry-all-errors --retry-delay 1 --retry-max-time 20 \
  --unix-socket "$scratch/socket" http://localhost/)
kill -TERM "$server"
wait "$server" || { echo "package_test: hello ended with status $?" >&2; exit 1; }
server=
[[ $answer == hello ]] || { echo "package_test: the answer is '$answer', not 'hello'" >&2; exit 1; }
