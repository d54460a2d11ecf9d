#!/bin/bash
# The storage tests, the small pipeline among them, against a real Ceph: run.sh [DIR] [arguments of pytest]
# Then a run that is cut short by kill -9 of the gateway and the OSD (tests/ceph/test_crash.py).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-/tmp/slidecloud-ceph}; shift || true
missing=$(for program in ceph-mon ceph-mgr ceph-osd radosgw; do command -v $program >/dev/null || echo $program; done)
if [ -n "$missing" ]; then
    echo "Not installed: $missing. Debian: apt-get install --no-install-recommends ceph-mon ceph-mgr ceph-osd radosgw" >&2
    exit 1
fi
cd "$here/../.."
eval "$(PYTHONPATH=tests/support python -c 'import faults; print(f"export AWS_ACCESS_KEY_ID=AKIATEST AWS_SECRET_ACCESS_KEY={faults.SECRET}")')"
trap '"$here/cluster.sh" down "$dir"; rm -rf "$dir" "$dir.log"' EXIT
SLIDECLOUD_S3=$("$here/cluster.sh" up "$dir")
export SLIDECLOUD_S3 SLIDECLOUD_CEPH=$dir
python -m pytest -n 0 tests/store/test_s3.py tests/store/test_clients.py tests/store/test_lease.py tests/ceph \
    -k "not no_credentials" "$@"
