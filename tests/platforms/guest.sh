# Ways to start the program, each leaving a recording and a report under $OUT/NAME. Sourced by the
# script that platforms.py writes; /in has the program and the functions' other inputs.
OUT=${OUT:-/out} IN=${IN:-/in}
ARGS="report --json --record"
export HOME=/root
place=${PLACE:-/srv/platforms}
rootfs=$place/rootfs
mkdir -p $rootfs/rec $rootfs/tmp $rootfs/etc $rootfs/proc $rootfs/sys $rootfs/dev $rootfs/run
cp $IN/app $rootfs/app
chmod 1777 $rootfs/rec $rootfs/tmp
chmod 755 $place $rootfs

RUNSC="$place/runsc --platform=ptrace --network=none --ignore-cgroups"
find_runsc() { # gVisor of Debian, unpacked where it is not installed
  ln -sf $(command -v runsc || (cd $place && apt-get download -q runsc >&2 && dpkg -x runsc*.deb . && echo $place/usr/bin/runsc)) $place/runsc
}

docker_image() { tar -C $rootfs -c app rec tmp | docker import -c 'ENTRYPOINT ["/app"]' - platform:1 >/dev/null; }

image_here() {
  docker_image
  docker rm -f sleeper >/dev/null 2>&1
  docker run -d --name sleeper platform:1 >/dev/null
}

start_docker() {
  mkdir -p /etc/docker
  echo '{"runtimes":{"crun":{"path":"/usr/bin/crun"},"runsc":{"path":"/usr/bin/runsc","runtimeArgs":["--platform=ptrace","--network=none","--ignore-cgroups=false"]}}}' >/etc/docker/daemon.json
  systemctl restart docker
  for _ in $(seq 60); do docker info >/dev/null 2>&1 && break; sleep 1; done
  docker_image
  docker inspect sleeper >/dev/null 2>&1 || docker run -d --name sleeper platform:1 >/dev/null
}

# engine CLI NAME OPTIONS: run the program in a container of an engine, and take its recording.
engine() {
  cli=$1 name=$2
  shift 2
  # An interrupted run leaves these, and its recording with them.
  $cli rm -f "p-$name" >/dev/null 2>&1
  $cli volume rm -f rec runsc >/dev/null 2>&1
  timeout ${LIMIT:-90} $cli run --cidfile $OUT/$name/cid --name "p-$name" "$@" platform:1 $ARGS /rec/r >$OUT/$name/report.json
  cp $OUT/$name/cid $OUT/$name/id # podman removes its own with the container
  $cli cp "p-$name:/rec/r" $OUT/$name/recording
  $cli rm -f "p-$name" >/dev/null
}

start_podman() {
  printf '[containers]\nlog_driver="k8s-file"\n[engine]\nevents_logger="file"\n' >/etc/containers/containers.conf
  grep -q ^containers: /etc/subuid || { echo containers:2147483647:2147483648 >>/etc/subuid; echo containers:2147483647:2147483648 >>/etc/subgid; }
  tar -C $rootfs -cf $place/image.tar app rec tmp
  podman import -q -c 'ENTRYPOINT ["/app"]' $place/image.tar platform:1 >/dev/null
}

rootless() { # NAME OPTIONS, as a user
  name=$1
  shift
  chmod 777 $OUT/$name
  su - u -c "cd /; export XDG_RUNTIME_DIR=/run/user/\$(id -u); timeout 120 podman run --cidfile $OUT/$name/cid --name p-$name $* platform:1 $ARGS /rec/r >$OUT/$name/report.json; cp $OUT/$name/cid $OUT/$name/id; podman cp p-$name:/rec/r $OUT/$name/recording"
}

start_rootless() {
  [ -f $place/image.tar ] || tar -C $rootfs -cf $place/image.tar app rec tmp
  id u >/dev/null 2>&1 || { useradd -m -s /bin/bash u; loginctl enable-linger u; sleep 8; }
  su - u -c "cd /; export XDG_RUNTIME_DIR=/run/user/\$(id -u); podman import -q -c 'ENTRYPOINT [\"/app\"]' $place/image.tar platform:1" >/dev/null
}

start_rootless_docker() {
  start_rootless
  cat >/srv/platforms/rootless-docker <<'S'
export XDG_RUNTIME_DIR=/run/user/$(id -u) PATH=$PATH:/usr/sbin:/sbin:/usr/share/docker.io/contrib
export DOCKERD_ROOTLESS_ROOTLESSKIT_NET=slirp4netns DOCKERD_ROOTLESS_ROOTLESSKIT_PORT_DRIVER=builtin
systemd-run --user --unit docker-rootless -p Delegate=yes --setenv PATH=$PATH --setenv HOME=$HOME --setenv DOCKERD_ROOTLESS_ROOTLESSKIT_NET=slirp4netns \
  /usr/share/docker.io/contrib/dockerd-rootless.sh --storage-driver vfs --iptables=false
export DOCKER_HOST=unix://$XDG_RUNTIME_DIR/docker.sock
for _ in $(seq 60); do docker info >/dev/null 2>&1 && break; sleep 1; done
tar -C /srv/platforms/rootfs -c app rec tmp | docker import -c 'ENTRYPOINT ["/app"]' - platform:1 >/dev/null
S
  su - u -c "bash /srv/platforms/rootless-docker" || su - u -c 'journalctl --user -u docker-rootless | tail -20'
}

rootless_docker() {
  name=$1
  shift
  chmod 777 $OUT/$name
  su - u -c "export XDG_RUNTIME_DIR=/run/user/\$(id -u); export DOCKER_HOST=unix://\$XDG_RUNTIME_DIR/docker.sock; timeout 120 docker run --cidfile $OUT/$name/cid --name p-$name --network none $* platform:1 $ARGS /rec/r >$OUT/$name/report.json; cp $OUT/$name/cid $OUT/$name/id; docker cp p-$name:/rec/r $OUT/$name/recording"
}

# bundle NAME RUNTIME EDIT: run a bundle as `runc spec` makes it; EDIT is Python over its "c".
bundle() {
  name=$1 runtime=$2 edit=$3
  mkdir -p $place/$name
  cp -a $rootfs $place/$name/rootfs
  (cd $place/$name && runc spec && python3 - "$edit" <<'P'
import json, sys
c = json.load(open("config.json"))
c["process"].update(args=["/app", "report", "--json", "--record", "/rec/r"], terminal=False)
c["root"]["readonly"] = False
exec(sys.argv[1])
json.dump(c, open("config.json", "w"))
P
  ) || return
  (cd $place/$name && timeout 90 $runtime run "b-$name" >$OUT/$name/report.json)
  cp -a $place/$name/rootfs/rec/r $OUT/$name/recording
}

direct() { # NAME COMMAND...: a process of the machine
  name=$1
  shift
  chmod 777 $OUT/$name
  timeout 60 "$@" $IN/app $ARGS $OUT/$name/recording >$OUT/$name/report.json
}

unit() { # NAME PROPERTIES: a transient unit of systemd
  name=$1
  shift
  chmod 777 $OUT/$name
  timeout 60 systemd-run --quiet --wait --pipe "$@" $IN/app $ARGS $OUT/$name/recording >$OUT/$name/report.json
}

nspawn() { # NAME OPTIONS
  name=$1
  shift
  rm -rf $place/$name
  cp -a $rootfs $place/$name
  mkdir -p $place/$name/usr
  echo 'ID=test' >$place/$name/etc/os-release
  timeout 60 systemd-nspawn --quiet -D $place/$name --as-pid2 --pipe "$@" /app $ARGS /rec/r >$OUT/$name/report.json
  cp -a $place/$name/rec/r $OUT/$name/recording
}

lxc() { # NAME CONFIGURATION
  name=$1
  shift
  mkdir -p /var/lib/lxc/$name
  cp -a $rootfs /var/lib/lxc/$name/rootfs
  mkdir -p /var/lib/lxc/$name/rootfs/dev/pts /var/lib/lxc/$name/rootfs/dev/shm
  cp /usr/sbin/init.lxc.static /var/lib/lxc/$name/rootfs/ 2>/dev/null
  [ -z "${owner:-}" ] || chown -R $owner:$owner /var/lib/lxc/$name/rootfs
  { printf 'lxc.include = /usr/share/lxc/config/common.conf\nlxc.rootfs.path = dir:/var/lib/lxc/%s/rootfs\nlxc.uts.name = %s\n' $name $name; printf '%s\n' "$@"; } >/var/lib/lxc/$name/config
  timeout 60 lxc-execute -n $name -- /app $ARGS /rec/r >$OUT/$name/report.json
  cp -a /var/lib/lxc/$name/rootfs/rec/r $OUT/$name/recording
}

lxc_mapped() { # NAME CONFIGURATION, in a user namespace
  for file in /etc/subuid /etc/subgid; do grep -q ^root: $file || echo root:100000:65536 >>$file; done
  mkdir -p /var/lib/lxc/$1
  chmod 755 /var/lib/lxc /var/lib/lxc/$1
  owner=100000 lxc "$@" 'lxc.include = /usr/share/lxc/config/userns.conf' 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536'
}

sandbox() { # NAME OPTIONS: bubblewrap, as a user
  name=$1
  shift
  chmod 777 $OUT/$name
  timeout 60 setpriv --reuid 1000 --regid 1000 --clear-groups bwrap --ro-bind $rootfs / --dev /dev --proc /proc --bind $OUT/$name /rec "$@" /app $ARGS /rec/recording >$OUT/$name/report.json
}

nest_image() { # an image that has the machine's programs, for an engine inside a container
  mkdir -p $place/nest/{tmp,etc,usr,proc,sys,dev,run,var/lib,var/tmp}
  for link in bin lib lib64 sbin; do ln -sfn usr/$link $place/nest/$link; done
  grep -q ^root: $place/nest/etc/passwd 2>/dev/null || { grep ^root: /etc/passwd >$place/nest/etc/passwd; grep ^root: /etc/group >$place/nest/etc/group; }
  tar -C $rootfs -cf $place/nest/image.tar app rec tmp
  docker image inspect nest:1 >/dev/null 2>&1 || tar -C $place/nest -c . | docker import - nest:1 >/dev/null
}

nested() { # NAME: a bundle that runc starts in a privileged container of Docker
  name=$1
  nest_image
  mkdir -p $place/$name
  cp -a $rootfs $place/$name/rootfs
  (cd $place/$name && runc spec && sed -i 's/"terminal": true/"terminal": false/; s/"readonly": true/"readonly": false/; s#"sh"#"/app","report","--json","--record","/rec/r"#' config.json)
  timeout 120 docker run --rm --privileged --network none -v /usr:/usr:ro -v $place/$name:/bundle nest:1 /usr/sbin/runc --root /run/runc run --bundle /bundle nested >$OUT/$name/report.json
  cp -a $place/$name/rootfs/rec/r $OUT/$name/recording
}

# The groups of a container with processes in its own group cannot have limits below: those move.
MOVE='mkdir -p /sys/fs/cgroup/init; for p in $(cat /sys/fs/cgroup/cgroup.procs); do echo $p >/sys/fs/cgroup/init/cgroup.procs; done 2>/dev/null; for c in $(cat /sys/fs/cgroup/cgroup.controllers); do echo +$c >/sys/fs/cgroup/cgroup.subtree_control; done 2>/dev/null'

nested_docker() { # NAME OPTIONS: an engine in a privileged container, and its own container
  name=$1
  shift
  nest_image
  cat >$OUT/$name/inner <<S
$MOVE
export PATH=/usr/sbin:/usr/bin HOME=/tmp
dockerd --storage-driver vfs --iptables=false --ip6tables=false --bridge=none >/out/dockerd 2>&1 &
for _ in \$(seq 90); do docker info >/dev/null 2>&1 && break; sleep 1; done
docker import -c 'ENTRYPOINT ["/app"]' /image.tar platform:1 >/dev/null
docker run --cidfile /out/cid --name inner --network none $* platform:1 $ARGS /rec/r >/out/report.json
docker cp inner:/rec/r /out/recording
cp /out/cid /out/id
S
  timeout 300 docker run --rm --privileged --network none -v /usr:/usr:ro -v /etc/ssl:/etc/ssl:ro -v nest-$name:/var/lib/docker -v $OUT/$name:/out nest:1 /usr/bin/bash /out/inner
}

nested_podman() { # NAME OPTIONS: podman in a privileged container of Docker
  name=$1
  shift
  nest_image
  cat >$OUT/$name/inner <<S
$MOVE
export PATH=/usr/sbin:/usr/bin HOME=/tmp
p="podman --storage-driver vfs --cgroup-manager cgroupfs --events-backend file"
\$p import -q -c 'ENTRYPOINT ["/app"]' /image.tar platform:1 >/dev/null
\$p run --log-driver k8s-file --cidfile /out/cid --name inner --network none $* platform:1 $ARGS /rec/r >/out/report.json
cp /out/cid /out/id
\$p cp inner:/rec/r /out/recording
S
  timeout 300 docker run --rm --privileged --network none -v /usr:/usr:ro -v /etc/containers:/etc/containers:ro -v nest-$name:/var/lib/containers -v $OUT/$name:/out nest:1 /usr/bin/bash /out/inner
}

nested_nspawn() { # NAME OPTIONS: nspawn in nspawn
  name=$1
  shift
  rm -rf $place/$name
  mkdir -p $place/$name/{tmp,etc,usr,proc,sys,dev,run,var/lib,var/tmp,inner}
  for link in bin lib lib64 sbin; do ln -sfn usr/$link $place/$name/$link; done
  cp /etc/passwd /etc/group /etc/os-release $place/$name/etc/
  systemd-id128 new >$place/$name/etc/machine-id
  cp -a $rootfs/. $place/$name/inner/
  mkdir -p $place/$name/inner/usr
  echo 'ID=test' >$place/$name/inner/etc/os-release
  timeout 120 systemd-nspawn --quiet -D $place/$name --bind-ro=/usr --as-pid2 --pipe --capability=all /usr/bin/systemd-nspawn --quiet --register=no --keep-unit -D /inner --as-pid2 --pipe "$@" /app $ARGS /rec/r >$OUT/$name/report.json
  cp -a $place/$name/inner/rec/r $OUT/$name/recording
}

lxc_podman() { # NAME OPTIONS: podman in a container of LXC with a name space of AppArmor
  name=$1
  shift
  root=/var/lib/lxc/$name/rootfs
  mkdir -p $root/{tmp,etc/containers,usr,proc,sys,dev/pts,dev/shm,run,var/lib,var/tmp,out}
  for link in bin lib lib64 sbin; do ln -sfn usr/$link $root/$link; done
  grep ^root: /etc/passwd >$root/etc/passwd
  grep ^root: /etc/group >$root/etc/group
  cp -r /etc/containers/. $root/etc/containers/
  tar -C $rootfs -cf $root/image.tar app rec tmp
  cat >$root/inner <<S
mount -o remount,rw /sys/fs/cgroup 2>/dev/null
mkdir -p /dev/shm /out && mount -t tmpfs shm /dev/shm
$MOVE
export PATH=/usr/sbin:/usr/bin HOME=/tmp
p="podman --storage-driver vfs --cgroup-manager cgroupfs --events-backend file"
\$p import -q -c 'ENTRYPOINT ["/app"]' /image.tar platform:1 >/dev/null
\$p run --log-driver k8s-file --cidfile /out/cid --name inner --network none $* platform:1 $ARGS /rec/r >/out/report.json
\$p cp inner:/rec/r /out/recording
S
  printf '%s\n' 'lxc.include = /usr/share/lxc/config/common.conf' 'lxc.mount.auto = cgroup:rw' "lxc.rootfs.path = dir:$root" "lxc.uts.name = $name" 'lxc.net.0.type = empty' 'lxc.apparmor.profile = generated' 'lxc.apparmor.allow_nesting = 1' 'lxc.mount.entry = /usr usr none bind,ro 0 0' >/var/lib/lxc/$name/config
  cp /usr/sbin/init.lxc.static $root/ 2>/dev/null
  timeout 240 lxc-execute -n $name -- /usr/bin/bash /inner
  cp $root/out/report.json $OUT/$name/
  cp $root/out/cid $OUT/$name/id
  cp -a $root/out/recording $OUT/$name/recording
}
