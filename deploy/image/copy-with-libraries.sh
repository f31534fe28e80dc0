#!/bin/sh
# Copies programs and libraries with every shared library that they are linked to into a tree of their own, and what
# dpkg knows of the packages they come from into its var/lib/dpkg/status.d, where scanners of images look.
#   copy-with-libraries.sh TREE FILE...
set -eu
tree=$1
shift
mkdir -p "$tree/var/lib/dpkg/status.d"

linked() {
  ldd "$1" 2>/dev/null | sed -n 's/^[^/]*\(\/[^ ]*\) (0x.*/\1/p'
}

# The package of a file; with /usr merged, dpkg knows some files by their name without it.
package_of() {
  for name in "$1" "${1#/usr}"; do
    if found=$(dpkg-query -S "$name" 2>/dev/null | grep -v '^diversion ' | head -n 1) && [ -n "$found" ]; then
      found=${found%%: *}
      echo "${found%%:*}"
      return
    fi
  done
}

copy() {
  # /lib is a link to /usr/lib: the tree has the real folders, so that it can be laid over another.
  to=$(readlink -f "$(dirname "$1")")/$(basename "$1")
  package=$(package_of "$(readlink -f "$1")")
  # The image's own C library fits its loader.
  if [ -e "$tree$to" ] || [ "$package" = libc6 ]; then
    return
  fi
  mkdir -p "$tree$(dirname "$to")"
  cp -L "$1" "$tree$to"
  if [ -n "$package" ]; then
    dpkg-query -s "$package" >"$tree/var/lib/dpkg/status.d/$package"
  fi
}

for file in "$@"; do
  copy "$file"
  for library in $(linked "$file"); do
    copy "$library"
  done
done
