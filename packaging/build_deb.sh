#!/usr/bin/env bash
# Makes .build/docket_VERSION_ARCH.deb from the release binary: the same bytes from the same binary and sources.
#
#   packaging/build_deb.sh BINARY [FOLDER]
#
# DEB_VERSION  the version of the package; unless given the binary's own
# DEB_MAINTAINER  who answers for the package
# DEB_COMPRESSION_LEVEL  of xz; unless given 6
# PYTHON  which writes the manual pages; unless given python3
# SOURCE_DATE_EPOCH  the time of all files in it; unless given that of the last commit
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC

binary=$(realpath "${1:?usage: packaging/build_deb.sh BINARY [FOLDER]}")
cd "$(dirname "$0")/.."
folder=${2:-.build}

version=${DEB_VERSION:-$("$binary" --version | sed -E 's/^docket ([^,]+),.*/\1/; s/-/~/')}
maintainer=${DEB_MAINTAINER:-Docket <root@localhost>}
architecture=$(dpkg --print-architecture)
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Package.swift)
fi
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
put() { install -D -m "$1" "$2" "$root/$3"; }

put 755 "$binary" usr/bin/docket
# Debian Policy 10.1. Names of functions stay, for profiles and cores.
strip --strip-debug --remove-section=.comment --remove-section=.note "$root/usr/bin/docket"
put 644 packaging/systemd/docket.service usr/lib/systemd/system/docket.service
put 644 packaging/default etc/default/docket

documents=$root/usr/share/doc/docket
put 644 README.md usr/share/doc/docket/README.md
find docs -type f | while read -r file; do put 644 "$file" "usr/share/doc/docket/${file#docs/}"; done
for file in packaging/examples/*; do put 644 "$file" "usr/share/doc/docket/examples/$(basename "$file")"; done

# The licences of what is linked into the binary (Apache 2.0, section 4, wants them and the notices to be passed on).
libraries=
for checkout in .build/checkouts/*/; do
  name=$(basename "$checkout")
  for file in "$checkout"LICENSE* "$checkout"NOTICE*; do
    [ -f "$file" ] || continue
    put 644 "$file" "usr/share/doc/docket/licences/$name/$(basename "$file")"
  done
  libraries+="  $name"$'\n'
done
swift_licence=$(dirname "$(readlink -f "$(command -v swift)")")/../share/swift/LICENSE.txt
if [ -f "$swift_licence" ]; then
  put 644 "$swift_licence" usr/share/doc/docket/licences/swift/LICENSE.txt
  libraries+="  swift (the standard library)"$'\n'
fi
LIBRARIES=$libraries awk '{ if ($0 == "@LIBRARIES@") printf "%s", ENVIRON["LIBRARIES"]; else print }' \
  packaging/debian/copyright.in > "$documents/copyright"
chmod 644 "$documents/copyright"

complete() {
  mkdir -p "$root/$(dirname "$2")"
  "$binary" --generate-completion-script "$1" > "$root/$2"
}
complete bash usr/share/bash-completion/completions/docket
complete zsh usr/share/zsh/vendor-completions/_docket
complete fish usr/share/fish/vendor_completions.d/docket.fish
"$binary" --experimental-dump-help | ${PYTHON:-python3} packaging/man_pages.py "$version" "$root/usr/share/man/man1"
find "$root/usr/share/man" -type f -exec gzip -9n {} +

# dpkg-shlibdeps finds, for each function that the binary takes from a library, the version that brought it.
mkdir -p "$work/source/debian"
printf 'Source: docket\n\nPackage: docket\nArchitecture: any\n' > "$work/source/debian/control"
control=$root/DEBIAN
mkdir "$control"
depends=$(cd "$work/source" && dpkg-shlibdeps -O -e"$root/usr/bin/docket" | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "build_deb.sh: no dependencies were found" >&2; exit 1; }

# The SQL in the binary asks for more than the functions do. Nobody has tried an older version than this.
depends=$(sed -E 's/libsqlite3-0 \([^)]*\)/libsqlite3-0 (>= 3.40.1)/' <<<"$depends")

sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$architecture|" -e "s|@MAINTAINER@|$maintainer|" \
  -e "s|@DEPENDS@|$depends|" -e "s|@INSTALLED_SIZE@|$(du -sk --apparent-size "$root" | cut -f 1)|" \
  packaging/debian/control.in > "$control/control"
install -m 644 packaging/debian/conffiles packaging/debian/templates "$control"
install -m 755 packaging/debian/postinst packaging/debian/prerm packaging/debian/postrm "$control"
(cd "$root" && find usr etc -type f -print0 | sort -z | xargs -0 md5sum) > "$control/md5sums"

find "$root" -print0 | xargs -0 touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
mkdir -p "$folder"
package=$folder/docket_${version}_$architecture.deb
# One thread, since the blocks of several would end elsewhere.
dpkg-deb --root-owner-group -Zxz -z"${DEB_COMPRESSION_LEVEL:-6}" --threads-max=1 --build "$root" "$work/docket.deb" >/dev/null
mv "$work/docket.deb" "$package"
echo "$package"
