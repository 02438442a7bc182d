# shellcheck shell=bash
# HDFS of a test bed: a NameNode and one or three DataNodes, each a process with a configuration folder of its own.
# Sourced by scripts/testbed.

# Hadoop 2.7 and 3.3 look into these packages by reflection.
hadoop_jvm_flags=
for package in java.lang java.lang.reflect java.util java.util.concurrent java.io java.nio java.net sun.nio.ch; do
  hadoop_jvm_flags+=" --add-opens=java.base/$package=ALL-UNNAMED"
done
hadoop_jvm_flags+=" --add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED"

property() {
  echo "  <property><name>$1</name><value>$2</value></property>"
}

# Writes core-site.xml, hdfs-site.xml and the logging of one process; further properties come on standard input.
hadoop_conf() {
  mkdir -p "$1"
  {
    echo '<?xml version="1.0"?><configuration>'
    property fs.defaultFS "hdfs://$(cat "$dir/namenode/address")"
    property hadoop.tmp.dir "$dir/tmp"
    echo '</configuration>'
  } >"$1/core-site.xml"
  {
    echo '<?xml version="1.0"?><configuration>'
    property dfs.replication "$datanodes"
    cat
    echo '</configuration>'
  } >"$1/hdfs-site.xml"
  cat >"$1/log4j.properties" <<'TEXT'
log4j.rootLogger=INFO, console
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
TEXT
}

hdfs_configure() {
  local i lib class_path port name
  [ "$datanodes" -gt 0 ] || return 0
  lib=$(jars "hdfs-$hdfs")
  # The web applications are not in the jar, but their folders must be on the class path.
  mkdir -p "$dir/webapps"/webapps/{hdfs,datanode,static}
  class_path="conf:$dir/webapps:$lib/*"

  server namenode "127.0.0.1:$((first_port + 10))" "$class_path" "$server_jvm_flags $hadoop_jvm_flags" \
    org.apache.hadoop.hdfs.server.namenode.NameNode
  {
    property dfs.namenode.rpc-address "$(cat "$dir/namenode/address")"
    property dfs.namenode.http-address "127.0.0.1:$((first_port + 11))"
    property dfs.namenode.name.dir "file://$dir/namenode/data"
    property dfs.namenode.safemode.extension 0 # a restarted NameNode serves as soon as the blocks are reported
    property dfs.namenode.datanode.registration.ip-hostname-check false
  } | hadoop_conf "$dir/namenode/conf"
  echo "127.0.0.1:$((first_port + 11))" >"$dir/namenode/web"

  for ((i = 1; i <= datanodes; i++)); do
    name=datanode-$i
    port=$((first_port + 12 + 3 * (i - 1)))
    server "$name" "127.0.0.1:$port" "$class_path" "$server_jvm_flags $hadoop_jvm_flags" \
      org.apache.hadoop.hdfs.server.datanode.DataNode
    {
      property dfs.datanode.data.dir "file://$dir/$name/data"
      property dfs.datanode.address "127.0.0.1:$port"
      property dfs.datanode.ipc.address "127.0.0.1:$((port + 1))"
      property dfs.datanode.http.address "127.0.0.1:$((port + 2))"
    } | hadoop_conf "$dir/$name/conf"
  done
  hadoop_conf "$dir/hadoop-conf" </dev/null
  # shellcheck disable=SC2086 # the flags are words
  "$(java_command)" -Xmx128m $hadoop_jvm_flags -cp "$dir/namenode/conf:$lib/*" \
    org.apache.hadoop.hdfs.server.namenode.NameNode -format -nonInteractive >"$dir/namenode/format.log" 2>&1 ||
    { tail -15 "$dir/namenode/format.log" >&2 && fail "the NameNode could not be formatted (see above)"; }
  env_line HDFS_VERSION "$hdfs" >>"$dir/testbed.env"
}

hdfs_start_all() {
  local i
  [ "$datanodes" -gt 0 ] || return 0
  start namenode
  for ((i = 1; i <= datanodes; i++)); do start "datanode-$i"; done
}

hdfs_wait_all() {
  local i
  [ "$datanodes" -gt 0 ] || return 0
  namenode_wait namenode
  for ((i = 1; i <= datanodes; i++)); do datanode_wait "datanode-$i"; done
}

namenode_wait() {
  wait_until "$1" "it has left safe mode" namenode_operational
}

namenode_operational() {
  ask "$(cat "$dir/namenode/web")" \
    $'GET /jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState HTTP/1.0\r\n\r\n' | has '"FSState" : "Operational"'
}

datanode_wait() {
  wait_until "$1" "it is registered with the NameNode" logged "$1" "successfully registered with NN"
}

# `hadoop fs` against this test bed.
hdfs_shell() {
  [ -e "$dir/testbed.env" ] || fail "no test bed in $dir; start one with: scripts/testbed up --dir $dir"
  local TESTBED_HDFS_VERSION=
  # shellcheck source=/dev/null
  . "$dir/testbed.env"
  [ -n "$TESTBED_HDFS_VERSION" ] || fail "the test bed in $dir has no HDFS"
  # shellcheck disable=SC2086 # the flags are words
  exec "$(java_command)" -Xmx256m $hadoop_jvm_flags -cp "$dir/hadoop-conf:$(jars "hdfs-$TESTBED_HDFS_VERSION")/*" \
    org.apache.hadoop.fs.FsShell "$@"
}
