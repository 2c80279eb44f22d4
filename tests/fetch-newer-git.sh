#!/usr/bin/env bash
# Puts a git that knows reftable beside the system's: .tools/bin/git, for the tests (make tools).
# From Debian's next stable release, with its own C library and loader; nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$PWD/.tools
release=trixie

# A git that is new enough is taken as it is.
version=$(git --version | sed -E 's/[^0-9]*([0-9]+\.[0-9]+).*/\1/')
if printf '2.45\n%s\n' "$version" | sort -CV; then
  mkdir -p "$target/bin" && ln -sf "$(command -v git)" "$target/bin/git"
  exit 0
fi
command -v apt-get >/dev/null && command -v dpkg >/dev/null || {
  echo "error: the newer git can be fetched on Debian only" >&2
  echo "hint: put a git of version 2.45 or newer at .tools/bin/git" >&2
  exit 1
}
[ -x "$target/bin/git" ] && exit 0

mirrors=$(grep -rhvs '^#' /etc/apt/sources.list /etc/apt/sources.list.d | grep -oE 'https?://[^ ]+/debian/?( |$)' || true)
mirror=${mirrors%%[[:space:]]*}
apt=$target/apt root=$target/root
rm -rf "$apt" "$root"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$root"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" > "$apt/sources.list"
options=(-q -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root -o Acquire::Retries=5)
apt-get "${options[@]}" update >/dev/null
(cd "$apt" && apt-get "${options[@]}" download git libc6 libpcre2-8-0 zlib1g >/dev/null)
for package in "$apt"/*.deb; do dpkg -x "$package" "$root"; done

loader=$(find "$root" -name 'ld-linux*.so*' -not -type l -print -quit)
libraries=$(dirname "$loader")
# git starts its own parts through its exec path, so that directory holds the same starter.
mkdir -p "$target/bin"
cat > "$target/bin/git" <<EOF
#!/bin/sh
GIT_EXEC_PATH=$target/bin GIT_TEMPLATE_DIR=$root/usr/share/git-core/templates \\
  exec $loader --library-path $libraries $root/usr/bin/git "\$@"
EOF
chmod +x "$target/bin/git"
for part in upload-pack receive-pack upload-archive; do
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$target/bin/git" "$part" > "$target/bin/git-$part"
  chmod +x "$target/bin/git-$part"
done
"$target/bin/git" --version
