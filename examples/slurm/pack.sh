#!/bin/sh
# Packs Hostwright and what it needs at run time into one archive, for hosts that have Node and no npm.
# Usage: pack.sh ARCHIVE.tar.gz, in a checkout where `npm install` has run.
set -eu

archive=$(realpath "$1")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --ignore-scripts --pack-destination "$work" >"$work/name"
tar -xzf "$work/$(cat "$work/name")" -C "$work"
npm ls --omit=dev --all --parseable >"$work/installed"
# The first line is this folder itself.
sed "1d; s|^$PWD/||" "$work/installed" | tar -c -T - | tar -x -C "$work/package"
node "$work/package/bin/hostwright" --version >/dev/null
tar -czf "$archive" -C "$work" package
