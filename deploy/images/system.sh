# Collects the files below the images: system.sh ROOT OUT. Node without symbols, its libraries and those of the native modules in OUT.
set -eu
root=$1
out=$2
mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/tmp" "$root/dev" "$root/proc" "$root/sys" "$root/run/secrets" "$root/model" "$root/data/backups" "$root/data/archive" "$root/var/cache/recollect" /shell/bin /shell/usr/local/bin /empty
chmod 1777 "$root/tmp"
chown -R 10001:10001 "$root/data" "$root/model" "$root/var/cache/recollect" /empty

node=$(command -v node)
strip -o "$root/usr/local/bin/node" "$node"
cp "$(command -v tini)" "$root/usr/local/bin/tini"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
printf 'root:x:0:0::/:\nrecollect:x:10001:10001::/tmp:\n' >"$root/etc/passwd"
printf 'root:x:0:\nrecollect:x:10001:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"

# Where the loader looks for them. Libraries beside their module stay there.
{ ldd "$node" "$root/usr/local/bin/tini"; find "$out" -name '*.node' -exec ldd {} +; } |
  grep -o '/[^ ]*\.so[^ ]*' | sort -u | while read -r library; do
  case $library in "$out"/*) continue ;; esac
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done

# One program with the shell and cp, for the images that need them.
cp "$(command -v busybox)" /shell/bin/busybox
for name in sh cp; do ln -s busybox "/shell/bin/$name"; done
printf '#!/bin/sh\nexec /usr/local/bin/node /opt/recollect/cli/bin.mjs "$@"\n' >/shell/usr/local/bin/recollect
chmod 755 /shell/usr/local/bin/recollect
