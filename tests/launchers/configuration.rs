//! What the launchers take from their surroundings: the folders, the environment file, the program.

use crate::installation::{ENVIRONMENT, Installation, outcome};

#[test]
fn the_program_gets_the_arguments_as_they_are_and_knows_where_it_is() {
    let installed = Installation::new();
    let expected = format!("arguments: fs mkdir /a b /*\n{ENVIRONMENT}");
    assert_eq!(installed.run_shown("bin/alluxio fs mkdir '/a b' '/*'"), outcome(&expected, "", 0));
    assert_eq!(installed.run_shown("cd / && \"$OLDPWD/bin/alluxio\" fs mkdir '/a b' '/*'"), outcome(&expected, "", 0));
    assert_eq!(installed.run_shown("ln -s bin/alluxio link; ./link fs mkdir '/a b' '/*'"), outcome(&expected, "", 0));
    assert_eq!(installed.run_shown("FAKE_EXIT=7 bin/alluxio fs").code, 7);
}

#[test]
fn what_alluxio_env_sets_reaches_the_program_without_export() {
    let installed = Installation::new();
    installed.write("conf/alluxio-env.sh", "ALLUXIO_JAVA_OPTS=\"-Da=${ALLUXIO_HOME} -Xmx1g\"\nALLUXIO_LOGS_DIR=/l\n");
    let expected = "arguments: version\nALLUXIO_CONF_DIR=H/conf\nALLUXIO_HOME=H\n\
                    ALLUXIO_JAVA_OPTS=-Da=H -Xmx1g\nALLUXIO_LOGS_DIR=/l\n";
    assert_eq!(installed.run_shown("bin/alluxio version"), outcome(expected, "", 0));
}

#[test]
fn folders_from_the_environment_are_kept_and_the_home_is_not() {
    let installed = Installation::new();
    installed.write("other/alluxio-env.sh", "");
    let expected = "arguments: x\nALLUXIO_CONF_DIR=other\nALLUXIO_HOME=H\nALLUXIO_LOGS_DIR=/logs\n";
    let line = "ALLUXIO_HOME=/java ALLUXIO_CONF_DIR=other ALLUXIO_LOGS_DIR=/logs bin/alluxio x";
    assert_eq!(installed.run_shown(line), outcome(expected, "", 0));
}

#[test]
fn a_layout_file_moves_everything() {
    let installed = Installation::new();
    installed.write("etc/alluxio-env.sh", "");
    let layout = "ALLUXIO_SYSTEM_INSTALLATION=TRUE\nALLUXIO_HOME=/v\nALLUXIO_CONF_DIR=etc\nALLUXIO_LOGS_DIR=/log\n";
    installed.write("libexec/alluxio-layout.sh", layout);
    let expected = "arguments: x\nALLUXIO_CONF_DIR=etc\nALLUXIO_HOME=/v\nALLUXIO_LOGS_DIR=/log\n";
    assert_eq!(installed.run_shown("bin/alluxio x"), outcome(expected, "", 0));
}

#[test]
fn what_is_missing_is_named() {
    let installed = Installation::new();
    std::fs::remove_file(installed.path("conf/alluxio-env.sh")).unwrap();
    let told = "Cannot find H/conf/alluxio-env.sh. To proceed, you can\n\
                (1) create one based on the provided template file H/conf/alluxio-env.sh.template, or\n\
                (2) use a bootstraping tool by running: H/bin/alluxio bootstrapConf\n";
    for script in ["alluxio", "alluxio copyDir", "alluxio-start.sh -h", "alluxio-stop.sh master", "alluxio-workers.sh"]
    {
        assert_eq!(installed.run(&format!("bin/{script}")), outcome("", told, 1), "{script}");
    }
    // What needs no configuration.
    assert_eq!(installed.run("bin/alluxio-stop.sh").code, 0);
    let installed = Installation::new();
    std::fs::remove_file(installed.path("libexec/alluxio")).unwrap();
    let reason = "Cannot find the program alluxio in H/libexec or H/target. Build it first: cargo build --release\n";
    assert_eq!(installed.run("bin/alluxio version"), outcome("", reason, 1));
}

#[test]
fn of_two_builds_the_newer_is_run() {
    let installed = Installation::new();
    let line = "mkdir -p target/release target/debug; mv libexec/alluxio target/release; \
                printf '#!/bin/sh\\necho debug' > target/debug/alluxio; chmod +x target/debug/alluxio; \
                touch -d '1 hour ago' target/release/alluxio; bin/alluxio; \
                touch -d '2 hours ago' target/debug/alluxio; \
                bin/alluxio";
    assert_eq!(installed.run_shown(line), outcome(&format!("debug\narguments:\n{ENVIRONMENT}"), "", 0));
}

#[test]
fn output_that_is_closed_is_an_error() {
    let installation = Installation::new();
    let closed = outcome("", "cannot write the output: it is closed\n", 255);
    assert_eq!(installation.run("bin/alluxio fs ls / >&-"), closed);
    assert_eq!(installation.run("bin/alluxio fs ls / >/dev/null"), outcome("", "", 0));
}

#[test]
fn a_mistake_in_the_environment_file_stops_every_command() {
    for (mistake, told_as) in [
        ("A=\"not closed\nB=1\n", "alluxio-env.sh: line "),
        ("nosuchcommand\nA=1\n", "alluxio-env.sh: line "),
        ("A=\"${a.b}\"\n", "alluxio-env.sh: line "),
        ("exit 0\nA=1\n", "alluxio-env.sh ends the shell (exit) before its end"),
    ] {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("alluxio-env.sh"), mistake).unwrap();
        let launcher = concat!(env!("CARGO_MANIFEST_DIR"), "/bin/alluxio");
        let output = std::process::Command::new(launcher)
            .args(["version"])
            .env("ALLUXIO_CONF_DIR", home.path())
            .env("ALLUXIO_LOGS_DIR", home.path())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{mistake:?}: {told}");
        assert!(told.contains(told_as) && told.contains("Nothing was done."), "{mistake:?}: {told}");
    }
}

#[test]
fn an_environment_file_that_gives_up_is_heard_and_one_that_only_warns_is_used() {
    let installed = Installation::new();
    installed.write("conf/alluxio-env.sh", "echo 'set DATA_DISK first' >&2\nexit 1\n");
    let told = "set DATA_DISK first\nH/conf/alluxio-env.sh ends the shell (exit) before its end\n\
                Nothing was done. Mend alluxio-env.sh.\n";
    assert_eq!(installed.run("bin/alluxio version"), outcome("", told, 1));
    for harmless in [
        "return 0\n",
        "trap 'echo bye >&2' EXIT\n",
        "exec 2>/dev/null\n",
        "echo \"$0: line 1: warning: setlocale: LC_ALL: cannot change locale\" >&2\n",
    ] {
        installed.write("conf/alluxio-env.sh", &harmless.replace("$0", "${BASH_SOURCE[0]}"));
        let out = installed.run("bin/alluxio version");
        assert_eq!((out.stdout.starts_with("arguments: version\n"), out.code), (true, 0), "{harmless:?}: {out:?}");
    }
}

#[test]
fn the_template_is_the_environment_file_of_the_clone() {
    let read = |file: &str| std::fs::read_to_string(file).unwrap();
    assert_eq!(read("conf/alluxio-env.sh.template"), read("conf/alluxio-env.sh"));
}

#[test]
fn what_bash_x_shows_of_a_launcher_it_shows_of_those_that_it_calls() {
    let installed = Installation::new();
    let traced = installed.run("bash -x bin/alluxio-stop.sh all").stderr;
    assert!(traced.contains("+ begin_on_hosts run_on_host"), "{traced}");
}
