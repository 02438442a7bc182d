use super::*;
use parking_lot::Mutex;
use std::sync::mpsc;

fn line(user: &str, groups: &[&str], path: &str) -> Line {
    let caller = Caller { user: user.into(), groups: groups.iter().map(|group| (*group).into()).collect() };
    Line {
        client: Client {
            caller: Arc::new(caller),
            authentication: AuthenticationType::Simple,
            address: Some("10.0.0.7:4711".parse().expect("an address")),
        },
        subject: Subject {
            command: "getFileInfo",
            source: Some(AlluxioPath::parse(path).expect("a path")),
            target: None,
        },
        ownership: Some(Ownership { owner: "ada".into(), group: "staff".into(), mode: 0o751 }),
        failure: None,
        took: Duration::from_micros(42),
    }
}

#[test]
fn a_line_has_the_form_of_2_9() {
    let mut line = line("ada", &["staff", "wheel"], "/a b");
    assert_eq!(
        line.to_string(),
        "succeeded=true\tallowed=true\tugi=ada,staff (AUTH=SIMPLE)\tip=/10.0.0.7:4711\tcmd=getFileInfo\tsrc=/a b\t\
         dst=null\tperm=ada:staff:rwxr-x--x\texecutionTimeUs=42\tproto=rpc"
    );
    line.failure = Some(ErrorKind::PermissionDenied);
    line.ownership = None;
    line.subject = Subject {
        command: "rename",
        source: Some(AlluxioPath::parse("/x").expect("a path")),
        target: Some(AlluxioPath::parse("/y").expect("a path")),
    };
    let denied = line.to_string();
    assert!(denied.starts_with("succeeded=false\tallowed=false\t"), "{denied}");
    assert!(denied.contains("\tcmd=rename\tsrc=/x\tdst=/y\tperm=null\t"), "{denied}");
    line.failure = Some(ErrorKind::NotFound);
    assert!(line.to_string().starts_with("succeeded=false\tallowed=true\t"));
}

#[test]
fn names_from_outside_forge_neither_a_field_nor_a_line() {
    let forged = line("eve\tip=/1.2.3.4:5\nsucceeded=true", &["a\u{2028}b"], "/x\r\n\u{7}\u{202e}\\n");
    let text = forged.to_string();
    assert_eq!(text.lines().count(), 1);
    assert_eq!(text.split('\t').count(), line("ada", &[], "/x").to_string().split('\t').count());
    let ugi = "\tugi=eve\\tip=/1.2.3.4:5\\nsucceeded=true,a\\u2028b (AUTH=SIMPLE)\t";
    assert!(text.contains(ugi), "{text}");
    assert!(text.contains("\tsrc=/x\\r\\n\\u0007\\u202e\\\\n\t"), "{text}");
}

#[test]
fn who_is_not_known_and_has_no_group_is_said_so() {
    assert!(line("", &[], "/x").to_string().contains("\tugi=N/A (AUTH=SIMPLE)\t"));
    assert!(line("ada", &[], "/x").to_string().contains("\tugi=ada,N/A (AUTH=SIMPLE)\t"));
}

#[test]
fn a_full_queue_loses_lines_counts_them_and_makes_nobody_wait() {
    let counters = Arc::new(MasterCounters::default());
    let (open, gate) = mpsc::channel::<()>();
    let written = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&written);
    let log = AuditLog::start(2, Arc::clone(&counters), move |line: &Line| {
        let _ = gate.recv();
        seen.lock().push(line.to_string());
    })
    .expect("a thread");
    for _ in 0..10 {
        log.log(line("ada", &[], "/x"));
    }
    // Two wait, and at most one is with the thread.
    assert!((7..=8).contains(&counters.audit_entries_dropped.get()), "{counters:?}");
    drop(open);
    drop(log);
    let lost = counters.audit_entries_dropped.get() as usize;
    assert_eq!(written.lock().len(), 10 - lost);
}
