# shellcheck shell=bash
# ZooKeeper servers of a test bed: one, or a quorum of three. Sourced by scripts/testbed.

zookeeper_configure() {
  local i j class_path name
  [ "$zookeepers" -gt 0 ] || return 0
  class_path=$(jars "zookeeper-$zookeeper")
  for ((i = 1; i <= zookeepers; i++)); do
    name=zookeeper-$i
    # slf4j-simple writes to the log of the server; 3.4 asks for log4j classes only to show them in JMX.
    server "$name" "127.0.0.1:$((first_port + i))" "$class_path/*" \
      "$server_jvm_flags -Dorg.slf4j.simpleLogger.showDateTime=true -Dzookeeper.jmx.log4j.disable=true" \
      org.apache.zookeeper.server.quorum.QuorumPeerMain "$dir/$name/conf/zoo.cfg"
    {
      echo "tickTime=500"
      echo "minSessionTimeout=1000"
      echo "maxSessionTimeout=120000"
      echo "maxClientCnxns=0"
      echo "forceSync=yes"
      echo "admin.enableServer=false"
      echo "4lw.commands.whitelist=*"
      echo "dataDir=$dir/$name/data"
      echo "clientPort=$((first_port + i))"
      echo "clientPortAddress=127.0.0.1"
      if [ "$zookeepers" -gt 1 ]; then
        echo "initLimit=20"
        echo "syncLimit=10"
        for ((j = 1; j <= zookeepers; j++)); do
          echo "server.$j=127.0.0.1:$((first_port + 3 + j)):$((first_port + 6 + j))"
        done
      fi
    } >"$dir/$name/conf/zoo.cfg"
    echo "$i" >"$dir/$name/data/myid"
  done
  env_line ZOOKEEPER_VERSION "$zookeeper" >>"$dir/testbed.env"
}

zookeeper_start_all() {
  local i
  for ((i = 1; i <= zookeepers; i++)); do start "zookeeper-$i"; done
}

zookeeper_wait_all() {
  local i
  for ((i = 1; i <= zookeepers; i++)); do zookeeper_wait "zookeeper-$i"; done
}

zookeeper_wait() {
  wait_until "$1" "it serves" zookeeper_serves "$(cat "$dir/$1/address")"
}

# A server of a quorum that has no leader answers "not currently serving requests".
zookeeper_serves() {
  ask "$1" srvr | has $'\nMode:'
}
