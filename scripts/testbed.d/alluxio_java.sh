# shellcheck shell=bash
# Original Java Alluxio 2.9.6 masters and worker of a test bed, as reference and as peer: ZooKeeper election, UFS journal
# on HDFS, a worker that finds its master through ZooKeeper, so that it serves a master of ours as well.
# Everything but ports, folders and the update check (which calls out to the network) is as 2.9.6 sets it.
# Sourced by scripts/testbed.

alluxio_java_jvm_flags="-Djava.net.preferIPv4Stack=true -Dio.netty.tryReflectionSetAccessible=true"
for package in java.lang java.lang.reflect java.nio java.util java.util.concurrent java.net sun.nio.ch \
  jdk.internal.ref jdk.internal.misc; do
  alluxio_java_jvm_flags+=" --add-opens=java.base/$package=ALL-UNNAMED"
done
alluxio_java_jvm_flags+=" --add-exports=java.base/jdk.internal.ref=ALL-UNNAMED"
alluxio_java_jvm_flags+=" --add-exports=java.base/sun.nio.ch=ALL-UNNAMED"

alluxio_java_up() {
  local i name
  [ "$alluxio_java_worker" = 0 ] || alluxio_java_worker_configure
  [ "$alluxio_java" -gt 0 ] || return 0
  for ((i = 1; i <= alluxio_java; i++)); do alluxio_java_configure "$i"; done
  name=alluxio-java-1
  # shellcheck disable=SC2086 # the flags are words
  (cd "$dir/$name" && "$(java_command)" -Xmx256m $alluxio_java_jvm_flags -Dalluxio.logs.dir=. -cp "$(alluxio_java_class_path)" \
    alluxio.cli.Format master >format.log 2>&1) ||
    { tail -15 "$dir/$name/format.log" >&2 && fail "Java Alluxio could not format its journal (see above)"; }
  for ((i = 1; i <= alluxio_java; i++)); do start "alluxio-java-$i"; done
  for ((i = 1; i <= alluxio_java; i++)); do alluxio_java_wait "alluxio-java-$i"; done
  [ "$alluxio_java_worker" -gt 0 ] || return 0
  start alluxio-java-worker-1
  alluxio_java_worker_wait alluxio-java-worker-1
}

alluxio_java_class_path() {
  echo "conf:$(jars alluxio-java-2.9)/*"
}

alluxio_java_configure() {
  local name=alluxio-java-$1 port=$((first_port + 22 + 2 * $1))
  server "$name" "127.0.0.1:$port" "$(alluxio_java_class_path)" \
    "-Xmx1g $alluxio_java_jvm_flags -Dalluxio.logs.dir=$dir/$name" alluxio.master.AlluxioMaster
  mkdir -p "$dir/alluxio-java-hdfs/ufs"
  cat >"$dir/$name/conf/alluxio-site.properties" <<TEXT
alluxio.home=$dir/$name
alluxio.work.dir=$dir/$name/data
alluxio.master.hostname=127.0.0.1
alluxio.master.rpc.port=$port
alluxio.master.web.port=$((port + 1))
alluxio.master.journal.type=UFS
alluxio.master.journal.folder=hdfs://$(cat "$dir/namenode/address")/alluxio-java/journal
alluxio.master.mount.table.root.ufs=$dir/alluxio-java-hdfs/ufs
alluxio.master.metastore.dir=$dir/$name/data/metastore
alluxio.master.update.check.enabled=false
alluxio.zookeeper.enabled=true
alluxio.zookeeper.address=$(addresses zookeeper-)
TEXT
  cp "$dir/hadoop-conf/log4j.properties" "$dir/$name/conf/log4j.properties"
}

# Its blocks lie in the folder of the test bed.
alluxio_java_worker_configure() {
  local name=alluxio-java-worker-1 port=$((first_port + 30))
  server "$name" "127.0.0.1:$port" "$(alluxio_java_class_path)" \
    "-Xmx512m $alluxio_java_jvm_flags -Dalluxio.logs.dir=$dir/$name" alluxio.worker.AlluxioWorker
  cat >"$dir/$name/conf/alluxio-site.properties" <<TEXT
alluxio.home=$dir/$name
alluxio.work.dir=$dir/$name/data
alluxio.worker.hostname=127.0.0.1
alluxio.worker.rpc.port=$port
alluxio.worker.web.port=$((port + 1))
alluxio.worker.ramdisk.size=5GB
alluxio.worker.tieredstore.level0.alias=MEM
alluxio.worker.tieredstore.level0.dirs.path=$dir/$name/ramdisk
alluxio.zookeeper.enabled=true
alluxio.zookeeper.address=$(addresses zookeeper-)
TEXT
  cp "$dir/hadoop-conf/log4j.properties" "$dir/$name/conf/log4j.properties"
  mkdir -p "$dir/$name/ramdisk"
}

# Set up for the masters that these properties name, if it is not running.
alluxio_java_worker_anew() {
  local name=alluxio-java-worker-1 property first_port
  [ -e "$dir/testbed.env" ] || fail "no test bed in $dir; start one with: scripts/testbed up --dir $dir"
  ! alive "$name" || fail "$name runs already, pid $(pid_of "$name")"
  rm -rf "${dir:?}/$name"
  first_port=$(basename "$(grep -lxF -- "$dir" "$port_blocks"/*)")
  alluxio_java_worker_configure
  for property in "$@"; do echo "${property#-D}"; done >>"$dir/$name/conf/alluxio-site.properties"
}

# It listens once it has registered, which needs a master.
alluxio_java_worker_wait() {
  wait_until "$1" "it listens, which it does when a master has taken it" ask_open "$(cat "$dir/$1/address")"
}

# A standby listens too; which of them leads, clients find out through ZooKeeper.
alluxio_java_wait() {
  wait_until "$1" "it listens" ask_open "$(cat "$dir/$1/address")"
}
