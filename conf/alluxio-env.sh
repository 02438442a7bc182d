#!/usr/bin/env bash

# This file is sourced by the launchers in bin/ before a server or the shell runs. What is set here weighs more than
# conf/alluxio-site.properties and less than -D options on the command line. Every line is commented out: nothing needs
# to be set for a single master with a local journal.

# Folder with bin/ and conf/. Default: where bin/ lies.
# ALLUXIO_HOME="/opt/alluxio"

# Folder of log, output and pid files. Default: ${ALLUXIO_HOME}/logs
# ALLUXIO_LOGS_DIR="/var/log/alluxio"

# Host name by which others reach this master. Default: the name of the machine.
# ALLUXIO_MASTER_HOSTNAME="master1"

# What is mounted at the root of the namespace. Default: ${ALLUXIO_HOME}/underFSStorage
# ALLUXIO_UNDERFS_ADDRESS="hdfs://namenode:8020/alluxio/data"

# Folder of a worker's blocks, in memory most often. Default: /mnt/ramdisk
# ALLUXIO_RAM_FOLDER="/dev/shm"

# Bytes of blocks that a worker holds. Default: 1GB
# ALLUXIO_WORKER_MEMORY_SIZE="1000MB"

# Properties for every process, as -Dkey=value. Other options for a Java machine have no effect.
# ALLUXIO_JAVA_OPTS="-Dalluxio.zookeeper.enabled=true -Dalluxio.zookeeper.address=zk1:2181,zk2:2181,zk3:2181 -Dalluxio.master.journal.folder=hdfs://namenode:8020/alluxio/journal"

# Properties for masters only.
# ALLUXIO_MASTER_JAVA_OPTS="-Dalluxio.master.port=39999"

# Properties for workers only.
# ALLUXIO_WORKER_JAVA_OPTS="-Dalluxio.worker.port=49999"

# Properties for the shell and other commands that end by themselves.
# ALLUXIO_USER_JAVA_OPTS="-Dalluxio.user.file.writetype.default=CACHE_THROUGH"
