# Original Java Alluxio 2.9.6 masters of a test bed, as reference and as peer. Sourced by scripts/testbed.

alluxio_java_up() {
  [ "$alluxio_java" = 0 ] || fail "--alluxio-java is not there yet"
}
