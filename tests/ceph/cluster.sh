#!/bin/bash
# A Ceph cluster of one node on loopback: monitor, manager, bluestore OSD on a file, S3 gateway. No systemd.
#   cluster.sh up DIR      start it, on new or existing data; DIR is absolute and short, it holds sockets
#   cluster.sh down DIR    stop it
#   cluster.sh crash DIR [gateway] [osd]   kill -9 of both or one; "up" starts them again
# Debian: apt-get install --no-install-recommends ceph-mon ceph-mgr ceph-osd radosgw
set -euo pipefail
action=${1:?up, down or crash} dir=${2:?absolute folder}
shift 2
victims=${*:-gateway osd} port=${PORT:-7481} monitor=${MONITOR_PORT:-40791}
conf=$dir/ceph.conf

running() { [ -f "$dir/run/$1.pid" ] && kill -0 "$(cat "$dir/run/$1.pid")" 2>/dev/null; }
stop() { if running "$1"; then kill "-$2" "$(cat "$dir/run/$1.pid")"; while running "$1"; do sleep .1; done; fi; rm -f "$dir/run/$1.pid"; }
await() { for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return; fi; sleep .2; done; echo "$* did not succeed in a minute" >&2; exit 1; }
ceph_() { timeout 10 ceph -c "$conf" "$@"; }
osd_is_up() { ceph_ osd stat 2>/dev/null | grep -q '1 up'; }

configure() {
    mkdir -p "$dir"/{mon,mgr,osd,rgw,run,log}
    cat >"$conf" <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = [v2:127.0.0.1:$monitor,v1:127.0.0.1:$((monitor + 1))]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.0/8
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data avail crit = 1
mon data avail warn = 2
run dir = $dir/run
admin socket = $dir/run/\$cluster-\$name.asok
pid file = $dir/run/\$name.pid
log file = $dir/log/\$name.log
crash dir = $dir/log
keyring = $dir/keyring
[mon]
mon data = $dir/mon
auth allow insecure global id reclaim = false
[mgr]
mgr data = $dir/mgr
[osd]
osd data = $dir/osd
osd objectstore = bluestore
bluestore block size = 21474836480
bluestore block create = true
bluestore cache autotune = false
bluestore cache size = 268435456
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw data = $dir/rgw
rgw dns name = localhost
CONF
    ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *'
    for name in client.admin client.rgw.a osd.0 mgr.x; do
        ceph-authtool "$dir/keyring" --gen-key -n $name --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
    done
    monmaptool --create --addv a "[v2:127.0.0.1:$monitor,v1:127.0.0.1:$((monitor + 1))]" \
        --fsid "$(sed -n 's/^fsid = //p' "$conf")" "$dir/monmap"
    ceph-mon -c "$conf" --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring"
}

up() {
    local new=
    if [ ! -f "$conf" ]; then
        if curl -s -o /dev/null "http://127.0.0.1:$port/"; then
            echo "Something answers at port $port already; choose PORT and MONITOR_PORT." >&2
            exit 1
        fi
        new=yes && configure
    fi
    running mon.a || ceph-mon -c "$conf" -i a
    await ceph_ -s
    running mgr.x || ceph-mgr -c "$conf" -i x
    if [ $new ]; then
        local id
        id=$(cat /proc/sys/kernel/random/uuid)
        ceph_ osd new "$id"
        ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$id"
    fi
    running osd.0 || ceph-osd -c "$conf" -i 0
    await osd_is_up
    running client.rgw.a || radosgw -c "$conf" -n client.rgw.a
    await curl -s -o /dev/null "http://127.0.0.1:$port/"
    if [ ! -f "$dir/user" ]; then
        radosgw-admin -c "$conf" user create --uid=tests --display-name=tests --access-key="${AWS_ACCESS_KEY_ID:?}" \
            --secret="${AWS_SECRET_ACCESS_KEY:?}"
        touch "$dir/user"
    fi
}

case $action in
    up) up >"$dir.log" 2>&1 || { tail -20 "$dir.log" >&2; exit 1; }; echo "http://127.0.0.1:$port" ;;
    down) for name in client.rgw.a osd.0 mgr.x mon.a; do stop $name TERM; done ;;
    crash)
        if [[ $victims == *gateway* ]]; then stop client.rgw.a KILL; fi
        if [[ $victims == *osd* ]]; then stop osd.0 KILL; fi
        ;;
    *) echo "expected up, down or crash, not $action" >&2; exit 2 ;;
esac
