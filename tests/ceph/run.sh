#!/bin/bash
# The storage tests, the small pipeline among them (ingest, run, verify, open_run), against a real Ceph on bluestore;
# then runs in the middle of which the gateway and the OSD are killed (tests/ceph/test_crash.py).
#   run.sh [--install] [DIR] [arguments of pytest]     -m 'not gpu' adds the long campaigns
# DIR (/tmp/slidecloud-ceph) is made and removed. --install gets Ceph from Debian or Ubuntu first; it needs root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
packages="ceph-mon ceph-mgr ceph-osd ceph-common radosgw curl"
install=
if [ "${1:-}" = --install ]; then install=yes && shift; fi
dir=/tmp/slidecloud-ceph
if [[ ${1:-} == /* ]]; then dir=$1 && shift; fi
if [ -e "$dir" ]; then
    echo "$dir is there already: stop what is in it with '$here/cluster.sh down $dir' and remove it, or name another." >&2
    exit 1
fi

missing() { for program in ceph-mon ceph-mgr ceph-osd ceph radosgw radosgw-admin curl; do command -v $program >/dev/null || echo $program; done; }
if [ -n "$(missing)" ] && [ $install ]; then
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "--install needs apt-get and root. Install by hand: $packages" >&2
        exit 1
    fi
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages
fi
if [ -n "$(missing)" ]; then
    echo "Not installed: $(missing | xargs). Give --install as root, or: apt-get install --no-install-recommends $packages" >&2
    exit 1
fi

cd "$here/../.."
eval "$(PYTHONPATH=tests/support python -c 'import faults; print(f"export AWS_ACCESS_KEY_ID=AKIATEST AWS_SECRET_ACCESS_KEY={faults.SECRET}")')"
trap '"$here/cluster.sh" down "$dir"; rm -rf "$dir" "$dir.log"' EXIT
SLIDECLOUD_S3=$("$here/cluster.sh" up "$dir")
export SLIDECLOUD_S3 SLIDECLOUD_CEPH=$dir
echo "Ceph $(ceph --version | cut -d' ' -f3), object store of its OSD: $(cat "$dir/osd/type")"
python -m pytest -n 0 tests/store/test_s3.py tests/store/test_clients.py tests/store/test_lease.py tests/ceph "$@"
