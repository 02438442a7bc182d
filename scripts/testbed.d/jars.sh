# shellcheck shell=bash
# Jars through Maven, kept in a cache folder outside of the clone. Sourced by scripts that need Java.
# Repositories and mirrors are those of the user's own Maven settings.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/alluxio-rs/testbed
poms=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/poms

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# The java command; JAVA_HOME wins over the path.
java_command() {
  echo "${JAVA_HOME:+$JAVA_HOME/bin/}java"
}

need_java() {
  local version
  command -v "$(java_command)" >/dev/null ||
    fail "no java: install a JDK, 17 is the tested one (Debian, Ubuntu: apt-get install openjdk-17-jdk-headless), or set JAVA_HOME"
  version=$("$(java_command)" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -1)
  [ "${version:-0}" -ge 11 ] ||
    fail "java is version ${version:-unknown}; the servers need 11 or newer, 17 is the tested one (set JAVA_HOME)"
}

need_javac() {
  need_java
  command -v "${JAVA_HOME:+$JAVA_HOME/bin/}javac" >/dev/null ||
    fail "no javac: a JRE is not enough, install a JDK (Debian, Ubuntu: apt-get install openjdk-17-jdk-headless)"
}

# All that a pom depends on, and the artifact in its property <alone>, whose own pom cannot be resolved.
fetch() {
  local alone
  mvn -q -B -f "$1/pom.xml" dependency:copy-dependencies -DoutputDirectory="$1/lib" || return 1
  alone=$(sed -n 's|.*<alone>\(.*\)</alone>.*|\1|p' "$1/pom.xml")
  [ -z "$alone" ] || mvn -q -B -f "$1/pom.xml" dependency:copy -Dartifact="$alone" -DoutputDirectory="$1/lib"
}

# Prints the folder with the jars of one pom; fetches them on the first call.
jars() {
  local pom=$poms/$1.xml folder temporary
  [ -f "$pom" ] || fail "no file $pom"
  folder=$cache/$1-$(cksum <"$pom" | cut -d ' ' -f 1) # a changed pom is another folder
  if [ ! -d "$folder" ]; then
    command -v mvn >/dev/null ||
      fail "no mvn: the jars of $1 come through Maven (Debian, Ubuntu: apt-get install maven)"
    mkdir -p "$cache"
    temporary=$(mktemp -d "$cache/fetch.XXXXXX")
    cp "$pom" "$temporary/pom.xml"
    echo "fetching the jars of $1 through Maven (once)" >&2
    if ! fetch "$temporary" >"$temporary/log" 2>&1; then
      tail -20 "$temporary/log" >&2
      rm -rf "$temporary"
      fail "Maven could not fetch the jars of $1 (see above)"
    fi
    # Two fetches at once: the second to finish drops its own.
    if [ -d "$folder" ]; then
      rm -rf "$temporary"
    else
      mv "$temporary/lib" "$folder"
      rm -rf "$temporary"
    fi
  fi
  echo "$folder"
}
