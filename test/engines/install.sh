#!/usr/bin/env bash
# install.sh: browsers, a screen in memory, OpenGL and Vulkan libraries that the test beds take from the system (Debian), by
# apt-get where they are missing. That needs root; without it the command to run is printed.
set -euo pipefail
missing=()
for package in libvulkan1 mesa-vulkan-drivers libgl1-mesa-dri chromium firefox-esr xvfb; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
install=(apt-get -qq -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "${missing[@]}")
[ "$(id -u)" -eq 0 ] || { echo "missing: ${missing[*]}; as root: ${install[*]}" >&2; exit 1; }
apt-get -qq -o DPkg::Lock::Timeout=600 update
DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null
