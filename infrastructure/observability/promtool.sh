#!/usr/bin/env bash
# promtool out of Debian's package of Prometheus, of the version asked for, into .promtool beside
# this file. Nothing is installed; apt checks what it downloads.
set -euo pipefail
version=$1
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cd "$folder"
if [ "$(id -u)" = 0 ]; then apt-get update -qq; fi
if ! apt-get download -qq "prometheus=$version*" 2> said; then
  cat said >&2
  echo "no Prometheus $version from apt (Debian 12 has it): put promtool on PATH instead" >&2
  exit 1
fi
dpkg -x prometheus_*.deb unpacked
mkdir -p "$here/.promtool"
mv unpacked/usr/bin/promtool "$here/.promtool/promtool"
"$here/.promtool/promtool" --version | head -1
