use std::time::Duration;

use super::*;
use crate::conf::values::{Bytes, FencingMode, Hostname, Port, WriteType};
use crate::conf::{Role, keys};

/// Sources of a master with this site file, environment and command line, apart from the machine they run on.
struct Given {
    folder: tempfile::TempDir,
    sources: Sources,
}

impl Given {
    fn new(site: &str, environment: &[(&str, &str)], command_line: &[&str]) -> Given {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("alluxio-site.properties"), site).expect("a site file");
        let own = [("ALLUXIO_CONF_DIR", folder.path().to_str().expect("a plain path")), ("HOME", "/home/ann")];
        let environment = own.iter().chain(environment).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let command_line = command_line.iter().map(|word| (*word).to_owned()).collect();
        Given { folder, sources: Sources { role: Role::Master, environment, command_line } }
    }

    fn conf(&self) -> Conf {
        Conf::load(&self.sources).expect("a configuration without mistakes")
    }

    /// The message of the refusal, with the folder as `conf`.
    fn refusal(&self) -> String {
        let error = Conf::load(&self.sources).expect_err("a mistake");
        error.to_string().replace(self.folder.path().to_str().expect("a plain path"), "conf")
    }

    fn warnings(&self) -> Vec<String> {
        let folder = self.folder.path().to_str().expect("a plain path");
        self.conf().warnings().iter().map(|line| line.to_string().replace(folder, "conf")).collect()
    }
}

fn port(given: &Given) -> u16 {
    let Port(port) = given.conf().get(&keys::MASTER_RPC_PORT);
    port
}

#[test]
fn the_command_line_beats_the_environment_beats_the_site_file_beats_the_default() {
    let site = "alluxio.master.rpc.port=2\n";
    let opts = ("ALLUXIO_JAVA_OPTS", "-Dalluxio.master.rpc.port=3");
    assert_eq!(port(&Given::new("", &[], &[])), 19998);
    assert_eq!(port(&Given::new(site, &[], &[])), 2);
    assert_eq!(port(&Given::new(site, &[opts], &[])), 3);
    assert_eq!(port(&Given::new(site, &[opts], &["alluxio.master.rpc.port=4"])), 4);
}

#[test]
fn an_alias_weighs_as_much_as_the_name() {
    let given = Given::new("alluxio.master.rpc.port=2\n", &[("ALLUXIO_JAVA_OPTS", "-Dalluxio.master.port=3")], &[]);
    assert_eq!(port(&given), 3);
    let given = Given::new("alluxio.master.port=2\n", &[], &["alluxio.master.rpc.port=5"]);
    assert_eq!(port(&given), 5);
    assert_eq!(given.conf().text("alluxio.master.port"), Some("5"));
}

#[test]
fn role_options_lose_against_common_ones_as_in_1_2_and_win_as_in_2_9() {
    let opts =
        [("ALLUXIO_JAVA_OPTS", "-Dalluxio.master.port=3"), ("ALLUXIO_MASTER_JAVA_OPTS", "-Dalluxio.master.port=4")];
    assert_eq!(port(&Given::new("", &opts, &[])), 3);
    assert_eq!(port(&Given::new("alluxio.compatibility=2.9\n", &opts, &[])), 4);
    assert_eq!(port(&Given::new("", &opts[1..], &[])), 4);
    assert_eq!(port(&Given::new("", &[("ALLUXIO_USER_JAVA_OPTS", "-Dalluxio.master.port=4")], &[])), 19998);
}

#[test]
fn named_variables_beat_the_options_of_the_user() {
    let opts = ("ALLUXIO_JAVA_OPTS", "-Dalluxio.master.hostname=a -Dalluxio.underfs.address=/a");
    let named = [opts, ("ALLUXIO_MASTER_HOSTNAME", "b"), ("ALLUXIO_UNDERFS_ADDRESS", "hdfs://nn:8020/data")];
    let given = Given::new("", &named, &[]);
    assert_eq!(given.conf().get(&keys::MASTER_HOSTNAME), Some(Hostname("b".into())));
    assert_eq!(given.conf().get(&keys::ROOT_UFS), "hdfs://nn:8020/data");
    let empty = Given::new("", &[opts, ("ALLUXIO_MASTER_HOSTNAME", "")], &[]);
    assert_eq!(empty.conf().get(&keys::MASTER_HOSTNAME), Some(Hostname("a".into())));
}

#[test]
fn the_options_of_the_walkthrough_are_read() {
    let opts = "-Dalluxio.zookeeper.enabled=true -Dalluxio.zookeeper.address=h1:2181,h2:2181,h3:2181 \
                -Dalluxio.master.journal.folder=hdfs://nn:8020/alluxio/journal";
    let conf = Given::new("", &[("ALLUXIO_JAVA_OPTS", opts)], &[]).conf();
    assert!(conf.get(&keys::ZOOKEEPER_ENABLED));
    assert_eq!(conf.get(&keys::ZOOKEEPER_ADDRESS).as_deref(), Some("h1:2181,h2:2181,h3:2181"));
    assert_eq!(conf.get(&keys::JOURNAL_FOLDER), "hdfs://nn:8020/alluxio/journal");
    assert_eq!(conf.warnings(), &[]);
}

#[test]
fn options_are_split_as_a_shell_would_and_jvm_flags_are_named_once() {
    let opts = " -Xmx4g  -XX:+UseG1GC\n'-Dalluxio.security.login.username=two words' -agentlib:jdwp=transport=x -Dfs.s3a.secret=S3 ";
    let given = Given::new("", &[("ALLUXIO_JAVA_OPTS", opts), ("ALLUXIO_MASTER_JAVA_OPTS", "-Xms1g")], &[]);
    assert_eq!(given.conf().get(&keys::LOGIN_USERNAME).as_deref(), Some("two words"));
    assert_eq!(
        given.warnings(),
        ["options for a Java machine have no effect, ignored: -Xms1g (ALLUXIO_MASTER_JAVA_OPTS), \
          -Xmx4g (ALLUXIO_JAVA_OPTS), \
          -XX:+UseG1GC (ALLUXIO_JAVA_OPTS), -agentlib:jdwp (ALLUXIO_JAVA_OPTS), -Dfs.s3a.secret (ALLUXIO_JAVA_OPTS)"]
    );
    let open = Given::new("", &[("ALLUXIO_JAVA_OPTS", "-Dalluxio.master.hostname='a")], &[]);
    assert_eq!(
        open.refusal(),
        "ALLUXIO_JAVA_OPTS has a quote or backslash without its end: -Dalluxio.master.hostname='a"
    );
}

#[test]
fn a_bad_value_is_named_with_key_value_file_and_line() {
    let site = "# site\n\nalluxio.master.rpc.port = abc\n";
    assert_eq!(
        Given::new(site, &[], &[]).refusal(),
        "alluxio.master.rpc.port = abc (conf/alluxio-site.properties:3): not a port number (1 to 65535)"
    );
    let continued = "alluxio.master.rpc.addresses=a:1,\\\n  b:2\nalluxio.user.rpc.retry.base.sleep.ms=soon\n";
    assert_eq!(
        Given::new(continued, &[], &[]).refusal(),
        "alluxio.user.rpc.retry.base.sleep.ms = soon (conf/alluxio-site.properties:3): \
         not a duration such as 250ms, 10s or 5min"
    );
    assert_eq!(
        Given::new("", &[("ALLUXIO_JAVA_OPTS", "-Dalluxio.zookeeper.enabled=yes")], &[]).refusal(),
        "alluxio.zookeeper.enabled = yes (ALLUXIO_JAVA_OPTS): must be true or false"
    );
    assert_eq!(
        Given::new("", &[], &["alluxio.master.journal.fencing.mode"]).refusal(),
        "alluxio.master.journal.fencing.mode =  (command line): must be lease or confirm"
    );
    assert_eq!(
        Given::new("alluxio.zookeeper.acl.credentials=masters s3cret", &[], &[]).refusal(),
        "alluxio.zookeeper.acl.credentials = ****** (conf/alluxio-site.properties:1): \
         must be user:password in visible ASCII characters"
    );
    assert_eq!(
        Given::new("", &[], &["alluxio.compatibility=3"]).refusal(),
        "alluxio.compatibility = 3 (command line): must be 1.2 or 2.9"
    );
}

#[test]
fn a_mistake_that_a_later_layer_overrides_does_no_harm() {
    assert_eq!(port(&Given::new("alluxio.master.rpc.port=abc\n", &[], &["alluxio.master.rpc.port=7"])), 7);
}

#[test]
fn a_site_file_that_cannot_be_read_is_an_error() {
    assert_eq!(
        Given::new("alluxio.master.hostname=\\u12\n", &[], &[]).refusal().split(':').next(),
        Some("conf/alluxio-site.properties")
    );
    let given = Given::new("", &[], &[]);
    let path = given.folder.path().join("alluxio-site.properties");
    std::fs::remove_file(&path).expect("it is there");
    std::fs::create_dir(&path).expect("a folder in its place");
    assert_eq!(given.refusal(), "cannot read conf/alluxio-site.properties");
}

#[test]
fn the_site_file_is_looked_for_in_the_home_of_the_user_too_and_the_first_counts() {
    let home = Given::new("", &[], &[]);
    std::fs::create_dir(home.folder.path().join(".alluxio")).expect("a folder");
    std::fs::write(home.folder.path().join(".alluxio/alluxio-site.properties"), "alluxio.master.port=6\n")
        .expect("a file");
    let path = home.folder.path().to_str().expect("a plain path");
    let own = Given::new("", &[("HOME", path)], &[]);
    assert_eq!(port(&own), 19998, "the file in the configuration folder is the first");
    std::fs::remove_file(own.folder.path().join("alluxio-site.properties")).expect("it is there");
    assert_eq!(port(&own), 6);
    let elsewhere = Given::new("", &[], &[&format!("alluxio.site.conf.dir={path}/.alluxio")]);
    assert_eq!(port(&elsewhere), 6);
}

#[test]
fn references_are_resolved_through_aliases_and_defaults() {
    let site = "alluxio.underfs.address=${alluxio.master.journal.folder}/../data\nmy.base = /srv/${user.name}\n\
                alluxio.master.journal.folder=${my.base}/journal\n";
    let conf = Given::new(site, &[("USER", "ann"), ("ALLUXIO_HOME", "/opt/a")], &[]).conf();
    assert_eq!(conf.get(&keys::ROOT_UFS), "/srv/ann/journal/../data");
    assert_eq!(conf.get(&keys::LOGS_DIR), PathBuf::from("/opt/a/logs"));
    assert!(conf.warnings().is_empty(), "{:?}", conf.warnings());
}

#[test]
fn references_in_a_circle_or_to_nothing_are_named() {
    let circle = "alluxio.master.journal.folder=${a}/x\na=${b}\nb=${a}\n";
    assert!(
        Given::new(circle, &[], &[]).refusal().starts_with(
            "alluxio.master.journal.folder = ${a}/x (conf/alluxio-site.properties:1): refers to itself through ${"
        ),
        "{}",
        Given::new(circle, &[], &[]).refusal()
    );
    assert_eq!(
        Given::new("alluxio.master.journal.folder=${nowhere}/x\n", &[], &[]).refusal(),
        "alluxio.master.journal.folder = ${nowhere}/x (conf/alluxio-site.properties:1): \
         refers to ${nowhere}, which is not set"
    );
    assert_eq!(
        Given::new("alluxio.master.journal.folder=${nowhere\n", &[], &[]).refusal(),
        "alluxio.master.journal.folder = ${nowhere (conf/alluxio-site.properties:1): has a ${ without its }"
    );
}

#[test]
fn a_word_among_options_that_is_none_is_refused() {
    let given = |opts| Given::new("", &[("ALLUXIO_JAVA_OPTS", opts)], &[]);
    for (opts, word) in [
        ("-Dalluxio.zookeeper.address=a:1, b:1", "b:1"),
        ("-D alluxio.zookeeper.address=a:1", "alluxio.zookeeper.address"),
        ("alluxio.zookeeper.address=a:1", "alluxio.zookeeper.address"),
    ] {
        assert_eq!(
            given(opts).refusal(),
            format!(
                "ALLUXIO_JAVA_OPTS has the word {word:?}, which is no option; options are -Dkey=value, a value with \
                 blanks in quotes"
            )
        );
    }
    let of_java = "-cp /a:/b --add-opens java.base/java.lang=ALL-UNNAMED -Dalluxio.master.hostname=a";
    assert_eq!(given(of_java).conf().text("alluxio.master.hostname"), Some("a"));
}

#[test]
fn properties_without_effect_are_warned_of() {
    let site = "alluxio.master.rcp.port=2\nalluxio.worker.network.keepalive.time=1min\nlog4j.x=y\nalluxio.x=1\n\
                alluxio.worker.tieredstore.level1.alias=SSD\n";
    assert_eq!(
        Given::new(site, &[], &[]).warnings(),
        [
            "alluxio.master.rcp.port (conf/alluxio-site.properties:1) is not a property of Alluxio, ignored; \
             did you mean alluxio.master.rpc.port?",
            "alluxio.worker.network.keepalive.time (conf/alluxio-site.properties:2) is not supported, ignored",
            "alluxio.worker.tieredstore.level1.alias (conf/alluxio-site.properties:5) is not supported, ignored",
            "alluxio.x (conf/alluxio-site.properties:4) is not a property of Alluxio, ignored",
        ]
    );
}

#[test]
fn variables_that_are_like_one_that_is_read_are_warned_of() {
    let told = |name| Given::new("", &[(name, "x")], &[]).warnings();
    for (name, meant) in [
        ("ALLUXIO_JAVA_OPT", "ALLUXIO_JAVA_OPTS"),
        ("ALLUXIO_MASTER_HOST", "ALLUXIO_MASTER_HOSTNAME"),
        ("ALLUXIO_UNDERFS_ADRESS", "ALLUXIO_UNDERFS_ADDRESS"),
    ] {
        assert_eq!(
            told(name),
            [format!(
                "{name} in the environment or alluxio-env.sh is not read by anybody, ignored; did you mean {meant}?"
            )]
        );
    }
    for name in ["ALLUXIO_MY_OWN", "ALLUXIO_", "ALLUXIO_FUSE_JAVA_OPTS", "ALLUXIO_JOB_MASTER_JAVA_OPTS", "ALLUXIO_JARS"]
    {
        assert_eq!(told(name), [""; 0], "{name}");
    }
}

#[test]
fn defaults_follow_the_compatibility() {
    let old = Given::new("", &[], &[]).conf();
    assert_eq!(old.get(&keys::USER_WRITE_TYPE), WriteType::MustCache);
    assert_eq!(old.get(&keys::USER_BLOCK_SIZE), Bytes(512 << 20));
    let new = Given::new("alluxio.compatibility = 2.9 \n", &[], &[]).conf();
    assert_eq!(new.get(&keys::USER_WRITE_TYPE), WriteType::AsyncThrough);
    assert_eq!(new.get(&keys::USER_BLOCK_SIZE), Bytes(64 << 20));
    assert_eq!(new.compatibility(), Compatibility::V2_9);
}

#[test]
fn what_was_set_and_where_can_be_told() {
    let site = "alluxio.underfs.address=/data\nmy.own=1\nalluxio.worker.network.keepalive.time=${nothing}\n";
    let given =
        Given::new(site, &[("ALLUXIO_MASTER_HOSTNAME", "m1")], &["alluxio.master.journal.fencing.mode=confirm"]);
    let conf = given.conf();
    let set: Vec<_> = conf.set_by_operator().filter(|set| set.name != "alluxio.conf.dir").collect();
    let names: Vec<_> = set.iter().map(|set| (set.name, set.text)).collect();
    assert_eq!(
        names,
        [
            ("alluxio.master.hostname", "m1"),
            ("alluxio.master.journal.fencing.mode", "confirm"),
            ("alluxio.master.mount.table.root.ufs", "/data"),
            ("alluxio.worker.network.keepalive.time", "${nothing}"),
        ]
    );
    assert_eq!(*set[0].origin, Origin::Environment("ALLUXIO_MASTER_HOSTNAME".to_owned()));
    assert_eq!(*set[1].origin, Origin::CommandLine);
    assert!(matches!(set[2].origin, Origin::File { line: 1, .. }));
    assert_eq!(*conf.origin(&keys::MASTER_RPC_PORT.row), Origin::Preset);
    assert_eq!(conf.get(&keys::JOURNAL_FENCING_MODE), FencingMode::Confirm);
    assert_eq!(conf.get(&keys::JOURNAL_FENCING_LEASE), Duration::from_secs(2));
}

#[test]
fn families_are_read_by_the_word_in_their_names() {
    let site = "alluxio.master.security.impersonation.yarn.users=ann, bob\n\
                alluxio.master.security.impersonation.hive.users=*\n";
    let users = Given::new(site, &[], &[]).conf().family(&keys::IMPERSONATION_USERS);
    assert_eq!(users["yarn"], ["ann", "bob"]);
    assert_eq!(users["hive"], ["*"]);
    assert_eq!(users.len(), 2);
}
