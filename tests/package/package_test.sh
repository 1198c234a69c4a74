#!/usr/bin/env bash
# Installs a build of Atlas into a folder of its own, builds the hello application beside this file and the tutorial's
# against it with find_package(atlas), and asks them what a user would.
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

# build_against_installed <source folder> <build folder>
build_against_installed() {
  cmake -S "$1" -B "$2" -G Ninja -D CMAKE_PREFIX_PATH="$scratch/prefix" \
    -D CMAKE_BUILD_TYPE="$build_type" -D CMAKE_CXX_COMPILER="$compiler" -D CMAKE_CXX_FLAGS="$flags"
  cmake --build "$2"
}

# serve <program>: in the background, on a socket of its own
serve() {
  (cd "$scratch" && exec "$1" --unix "$scratch/socket" --workers 1) &
  server=$!
}

ask() {
  curl --silent --show-error --retry 20 --retry-connrefused --retry-all-errors --retry-delay 1 --retry-max-time 20 \
    --unix-socket "$scratch/socket" "$@"
}

# expect <wanted> <got>
expect() { [[ $1 == "$2" ]] || { echo "package_test: the answer is '$2', not '$1'" >&2; exit 1; }; }

stop() {
  kill -TERM "$server"
  wait "$server" || { echo "package_test: a server ended with status $?" >&2; exit 1; }
  server=
}

build_against_installed "$here" "$scratch/hello"
serve "$scratch/hello/hello"
expect hello "$(ask --fail http://localhost/)"
stop

build_against_installed "$here/tutorial" "$scratch/notes"
serve "$scratch/notes/notes"
expect '{"id":1,"title":"Milk","done":false}' "$(ask --json '{"title":"Milk"}' http://localhost/notes)"
expect 422 "$(ask --output /dev/null --write-out '%{http_code}' --json '{"title":7}' http://localhost/notes)"
expect '[{"id":1,"title":"Milk","done":false}]' "$(ask http://localhost/notes)"
stop
