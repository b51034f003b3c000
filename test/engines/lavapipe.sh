#!/usr/bin/env bash
# lavapipe.sh FOLDER [COMMAND…]: Mesa 25's lavapipe (a Vulkan driver in software) in FOLDER, beside the system; runs the
# command with it. Without a command it prints the variable to export.
#
# Debian 12's own lavapipe (Mesa 22.3) is no oracle: Dawn refuses it, and it silently ends every shader after 65,535 turns of
# its loops, all counted together. Mesa 25.0.7 from bookworm-backports does neither. One package is downloaded through the
# machine's own apt configuration and unpacked; nothing is installed. Its libraries come with
#   apt-get install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers
# APT_SOURCE: another deb822 file where sources.list.d/debian.sources is none. A driver chosen by VK_DRIVER_FILES or
# VK_ICD_FILENAMES is kept. SUITE=bookworm fetches Debian 12’s own, which the probe has to refuse.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: lavapipe.sh FOLDER [COMMAND…]" >&2; exit 2; }
folder=$(mkdir -p "$1" && cd "$1" && pwd)
shift

fetch() {
  local work="$folder/.apt" conf source lib options
  rm -rf "$work"
  mkdir -p "$work/lists/partial" "$work/parts" "$folder/keep"
  conf=$(apt-config shell d Dir::Etc/d | sed "s/^d='\(.*\)'$/\1/")
  source=${APT_SOURCE:-${conf%/}/sources.list.d/debian.sources}
  [ -r "$source" ] || { echo "no deb822 Debian source at $source; set APT_SOURCE" >&2; return 1; }
  awk 'BEGIN{RS="";ORS="\n\n"} NR==1' "$source" >"$work/main" # the first stanza is the main archive
  { cat "$work/main"; sed 's/^Suites: .*/Suites: bookworm-backports/' "$work/main"; } >"$work/a.sources"
  options=(-o "Dir::Etc::SourceList=$work/a.sources" -o "Dir::Etc::SourceParts=$work/parts"
    -o "Dir::State::Lists=$work/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
  apt-get "${options[@]}" -qq update
  (cd "$work" && apt-get "${options[@]}" -qq download -t "${SUITE:-bookworm-backports}" mesa-vulkan-drivers && dpkg -x mesa-vulkan-drivers_*.deb "$work/deb")
  lib=$(find "$work/deb" -name libvulkan_lvp.so | head -n 1)
  [ -n "$lib" ] || { echo "libvulkan_lvp.so is not in the package" >&2; return 1; }
  mv -f "$lib" "$folder/keep/"
  sed "s#\"library_path\": \".*\"#\"library_path\": \"$folder/keep/libvulkan_lvp.so\"#" "$work"/deb/usr/share/vulkan/icd.d/lvp_icd*.json >"$folder/lvp_icd.json"
  rm -rf "$work"
}

if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ]; then
  # the ICD file holds an absolute path: a folder that was moved is filled again
  grep -qs "\"$folder/keep/" "$folder/lvp_icd.json" || fetch
  export VK_DRIVER_FILES="$folder/lvp_icd.json" VK_ICD_FILENAMES="$folder/lvp_icd.json"
fi
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$folder} SAMEBIT_GPU=1
if [ $# -eq 0 ]; then echo "VK_ICD_FILENAMES=$VK_ICD_FILENAMES"; else exec "$@"; fi
