#!/usr/bin/env bash
# Installs a build of Atlas into a folder of its own, builds the hello application beside this file against it with
# find_package(atlas), and asks it what a user would. Then it follows docs/tutorial.md, to the letter.
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

# ---- the tutorial ----

page=$here/../../docs/tutorial.md
folder=$scratch/notes
mkdir "$folder"

# Its blocks are files: CMakeLists.txt, and what stands behind each first line that names one.
awk -v folder="$folder" '
  /^```cmake$/ { file = folder "/CMakeLists.txt"; next }
  /^```cpp$/ { begins = 1; in_cpp = 1; file = last; next }
  /^```/ { file = ""; in_cpp = 0; next }
  in_cpp && begins && /^\/\/ [a-z_]+\.[ch]pp$/ { file = last = folder "/" $2 }
  { begins = 0 }
  file != "" { print > file }
' "$page"

# block <number>: of those with commands
block() { awk -v wanted="$1" '/^```sh$/ { inside = ++blocks == wanted; next } /^```/ { inside = 0 } inside' "$page"; }

export CMAKE_PREFIX_PATH=$scratch/prefix CMAKE_GENERATOR=Ninja CXX=$compiler CXXFLAGS=$flags
(cd "$folder" && bash -euo pipefail -c "$(block 1)")

listening=$scratch/listening
(cd "$folder" && exec $(block 2 | sed 's/--port 8000/--port 0/')) >"$listening" &
server=$!
for _ in {1..200}; do
  port=$(sed -nE 's/.*listening on .*:([0-9]+).*/\1/p' "$listening")
  [[ -z $port ]] || break
  sleep 0.1
done

# "command # answer"; an answer that begins with … is the end of one.
while read -r line; do
  wanted=${line##*# }
  command=${line%% # *}
  got=$(cd "$folder" && bash -c "${command//:8000/:$port} --silent --show-error")
  if [[ $wanted == '… '* ]]; then got="… ${got: -$((${#wanted} - 2))}"; fi
  expect "$wanted" "$got"
done < <(block 3)
stop
