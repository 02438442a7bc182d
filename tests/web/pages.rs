//! What the pages show and refuse.

use std::fs;

use super::bed::{Bed, ask, put, read_all};

#[test]
fn a_file_is_shown_in_parts_and_can_be_had_as_a_whole() {
    let bed = Bed::up(&[]);
    let content = put(&bed, "/file");
    let first = bed.get("/browse?path=/file");
    assert!(first.text().contains("/file: First 5KB from 0 in ASCII"));
    assert!(first.text().contains("# Architecture") && first.text().contains("GO!"));
    let text = String::from_utf8(content.clone()).unwrap();
    let at = text.find("## The life of a request").unwrap();
    let later = bed.get(&format!("/browse?path=/file&offset={at}")).text();
    assert!(!later.contains("# Architecture\n") && later.contains("<pre"), "{later}");
    assert!(later.contains(">## The life of a request"), "{later}");
    let whole = bed.get("/download?path=/file");
    assert_eq!((whole.status, whole.body), (200, content.clone()));
    assert_eq!(whole.headers["content-disposition"], "attachment; filename*=UTF-8''file");
    assert_eq!(whole.headers["x-content-type-options"], "nosniff");
    // Of what is in the UFS alone, too.
    fs::write(bed.ufs("there"), &content).unwrap();
    assert_eq!(bed.get("/download?path=/there").body, content);
    assert!(bed.get("/browse?path=/there").text().contains("# Architecture"));
}

/// Follows the link of an entry.
fn opened(bed: &Bed, directory: &str, name: &str) -> crate::page::Answer {
    let page = bed.get(directory);
    assert_eq!(page.status, 200, "{directory}");
    let at = page.cells("File Name").iter().position(|cell| cell.trim_end_matches('/') == name);
    let at = at.unwrap_or_else(|| panic!("{name:?} is not in {:?}", page.cells("File Name")));
    let text = page.text();
    let row = text.split("data-label=\"File Name\"").nth(at + 1).unwrap();
    let link = row.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    bed.get(&link.replace("&#38;", "&"))
}

#[test]
fn names_of_any_kind_are_shown_and_linked_right() {
    let bed = Bed::up(&[]);
    let names =
        ["<script>alert(1)<", "a blank", "\"quoted\" 'twice'", "50% & #1 ?a=b+c", "中文", "&#60;", "back\\slash"];
    for name in names {
        fs::create_dir(bed.ufs(name)).unwrap();
        fs::write(bed.ufs(name).join(name), format!("this is {name}")).unwrap();
    }
    for name in names {
        let inside = opened(&bed, "/browse", name);
        assert_eq!((inside.status, inside.cells("File Name")), (200, vec![name.to_owned()]), "{name}");
        assert!(!inside.text().contains("<script>"), "{name}");
        let directory = inside.links().into_iter().find(|link| link.contains("refresh=on")).unwrap();
        let file = opened(&bed, &directory, name);
        assert_eq!(file.status, 200, "{name}");
        assert!(!file.text().contains("<script>"), "{name}");
        let download = file.links().into_iter().find(|link| link.starts_with("/download?")).unwrap();
        let whole = bed.get(&download);
        assert_eq!((whole.status, whole.text()), (200, format!("this is {name}")), "{name}");
        assert!(whole.headers["content-disposition"].is_ascii());
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_page() {
    let bed = Bed::up(&[]);
    fs::write(bed.ufs("file"), "hello").unwrap();
    for (path, status, reason) in [
        ("/nothing", 404, "There is no page at this address."),
        ("/browse?path=relative", 400, "path = relative"),
        ("/browse?path=/none", 404, "Path &#34;/none&#34; does not exist."),
        ("/browse?offset=-1", 400, "offset = -1: it must be a number from 0"),
        ("/browse?offset=a", 400, "offset = a"),
        ("/browse?offset=99999999999999999999", 400, "offset = 99999999999999999999"),
        ("/browse?offset=100", 404, "there are"),
        ("/browse?limit=0", 400, "limit = 0: it must be a number from 1 to 1000"),
        ("/browse?limit=1001", 400, "limit = 1001"),
        ("/browse?path=/file&offset=6", 404, "the file has 5 bytes only"),
        ("/browse?path=/file&offset=x", 400, "offset = x"),
        ("/memory?after=x", 400, "after = x"),
        ("/download?path=/none", 404, "/none"),
        ("/download?path=/", 400, ""),
        ("/downloadLocal", 400, "must be the name of a log file"),
        ("/browseLogs?path=/none.log", 404, "There is no log file"),
    ] {
        let answer = bed.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(answer.text().contains(reason), "{path}: {}", answer.text());
        assert!(answer.text().contains("<html") && answer.text().contains("/home"), "{path}");
        assert!(answer.headers["content-security-policy"].starts_with("default-src 'none'; style-src 'self';"));
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = ask(bed.web, method, "/home");
        assert_eq!((answer.status, answer.headers["allow"].as_str()), (405, "GET, HEAD"), "{method}");
    }
    let head = ask(bed.web, "HEAD", "/home");
    assert_eq!((head.status, head.body.len()), (200, 0));
    let root = bed.get("/");
    assert_eq!((root.status, root.headers["location"].as_str()), (302, "/home"));
}

#[test]
fn of_the_disk_only_log_files_are_shown() {
    let bed = Bed::up(&[]);
    let logs = bed.folder.path().join("logs");
    fs::write(bed.folder.path().join("secret.log"), "secret").unwrap();
    fs::write(logs.join("notes.txt"), "secret").unwrap();
    fs::create_dir(logs.join("dir.log")).unwrap();
    std::os::unix::fs::symlink(bed.folder.path().join("secret.log"), logs.join("link.log")).unwrap();
    fs::write(logs.join("master.log.1"), "<b>older</b>").unwrap();

    let list = bed.get("/browseLogs");
    let names = list.cells("File Name");
    assert!(names.contains(&"master.log".to_owned()) && names.contains(&"master.log.1".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| ["notes.txt", "dir.log", "link.log", "master.pid"].contains(&name.as_str())));
    assert!(bed.get("/browseLogs?path=/master.log").text().contains("became primary"));
    assert!(bed.get("/browseLogs?path=/master.log.1").text().contains("&#60;b&#62;older"));
    assert_eq!(bed.get("/downloadLocal?path=/master.log.1").body, b"<b>older</b>");
    for path in [
        "/../secret.log",
        "../secret.log",
        "..%2Fsecret.log",
        "%2Fetc%2Fpasswd",
        "/notes.txt",
        "/link.log",
        "/dir.log",
        "/..",
        "..",
        ".",
        "/master.pid",
        "x%00.log",
    ] {
        for page in ["browseLogs", "downloadLocal"] {
            for port in [bed.web, bed.worker_web] {
                let answer = ask(port, "GET", &format!("/{page}?path={path}"));
                assert!(matches!(answer.status, 400 | 404), "{page} {path}: {}", answer.status);
                assert!(!answer.text().contains("secret\n") && !answer.text().contains(">secret"), "{page} {path}");
            }
        }
    }
}

#[test]
fn a_directory_of_a_hundred_thousand_stays_usable() {
    let bed = Bed::up(&[]);
    let big = bed.ufs("big");
    fs::create_dir(&big).unwrap();
    for number in 0..100_000 {
        fs::File::create(big.join(format!("file-{number:06}"))).unwrap();
    }
    // The first look loads them all.
    bed.alluxio(&["fs", "count", "/big"]);
    let began = std::time::Instant::now();
    let first = bed.get("/browse?path=/big");
    assert_eq!(first.cells("File Name").len(), 100);
    assert!(first.text().contains("1–100 of 100000"));
    assert!(first.body.len() < 200_000, "{}", first.body.len());
    let link = |page: &crate::page::Answer, offset: usize| {
        let wanted = format!("/browse?path=/big&offset={offset}&limit=100");
        assert!(page.links().contains(&wanted), "{wanted} is not in {:?}", page.links());
        wanted
    };
    let second = bed.get(&link(&first, 100));
    assert_eq!(second.cells("File Name")[0], "file-000100");
    link(&second, 0);
    let last = bed.get(&link(&first, 99_900));
    assert_eq!(last.cells("File Name").last().unwrap(), "file-099999");
    assert!(last.text().contains("99901–100000 of 100000"));
    let most = bed.get("/browse?path=/big&offset=50000&limit=1000");
    assert_eq!(most.cells("File Name").len(), 1000);
    assert!(began.elapsed().as_secs() < 10, "four pages took {:?}", began.elapsed());
}

#[test]
fn secrets_are_hidden_and_sources_are_told() {
    let key = "fs.s3a.secret.key=very-secret";
    let bed = Bed::up(&[&format!("alluxio.master.mount.table.root.option.{key}"), "alluxio.web.refresh.interval=7s"]);
    let page = bed.get("/configuration");
    assert!(!page.text().contains("very-secret"));
    let names = page.cells("Property");
    let at = |name: &str| names.iter().position(|cell| cell == name).unwrap_or_else(|| panic!("{name}: {names:?}"));
    let (values, sources) = (page.cells("Value"), page.cells("Source"));
    assert_eq!(values[at("alluxio.master.mount.table.root.option.fs.s3a.secret.key")], "******");
    let port = at("alluxio.master.web.port");
    assert_eq!((values[port].clone(), sources[port].as_str()), (bed.web.to_string(), "command line"));
    let lease = at("alluxio.master.journal.fencing.lease");
    assert_eq!((values[lease].as_str(), sources[lease].as_str()), ("2s", "built-in default"));
    // A page refreshes itself when its reader wants that, and leads to others that do.
    assert!(!page.text().contains("http-equiv"));
    let refreshed = bed.get(page.links().iter().find(|link| link.contains("refresh=on")).unwrap());
    assert!(refreshed.text().contains("<meta http-equiv=\"refresh\" content=\"7\">"));
    assert!(refreshed.links().contains(&"/workers?refresh=on".to_owned()), "{:?}", refreshed.links());
}

#[test]
fn the_pages_ask_with_the_rights_of_their_user() {
    let bed = Bed::up(&["alluxio.web.login.username=nobody"]);
    put(&bed, "/open");
    put(&bed, "/closed");
    bed.alluxio(&["fs", "mkdir", "/shut"]);
    bed.alluxio(&["fs", "chmod", "600", "/closed"]);
    bed.alluxio(&["fs", "chmod", "700", "/shut"]);
    assert_eq!(bed.get("/download?path=/open").status, 200);
    assert_eq!(bed.get("/download?path=/closed").status, 403);
    assert_eq!(bed.get("/browse?path=/shut").status, 403);
    assert!(bed.get("/browse?path=/closed").text().contains("Permission denied"));
    for (method, call) in
        [("GET", "list_status?path=/shut"), ("POST", "create_directory?path=/shut/x"), ("POST", "remove?path=/closed")]
    {
        let refused = ask(bed.web, method, &format!("/v1/api/master/file/{call}"));
        assert_eq!((refused.status, refused.text().contains("Permission denied")), (500, true), "{call}: {refused:?}");
    }
    // Without a user of their own they ask as that of the master.
    let bed = Bed::up(&[]);
    put(&bed, "/closed");
    bed.alluxio(&["fs", "chmod", "600", "/closed"]);
    assert_eq!(bed.get("/download?path=/closed").status, 200);
    let bed = Bed::up(&["alluxio.web.file.info.enabled=false"]);
    for path in ["/browse", "/download?path=/x", "/memory"] {
        assert_eq!(bed.get(path).status, 403, "{path}");
    }
    for (method, call) in [("GET", "status"), ("GET", "list_status"), ("POST", "create_directory")] {
        let refused = ask(bed.web, method, &format!("/v1/api/master/file/{call}?path=/x"));
        assert_eq!((refused.status, refused.text().contains("info.enabled is false")), (500, true), "{refused:?}");
    }
    assert_eq!(bed.get_of_worker("/blockInfo").status, 403);
    assert!(!bed.get("/home").text().contains("/browse?"));
}

#[test]
fn what_is_looked_at_stands_in_the_audit_log_with_the_address_of_the_browser() {
    let bed = Bed::up(&["alluxio.master.audit.logging.enabled=true"]);
    for (path, line) in [
        ("/browse?path=/", "cmd=listStatus\tsrc=/"),
        ("/browse?path=/nothing", "cmd=getFileInfo\tsrc=/nothing"),
        ("/v1/api/master/file/list_status?path=/rest", "cmd=listStatus\tsrc=/rest"),
    ] {
        bed.get(path);
        let log = bed.folder.path().join("logs/master_audit.log");
        let line = bed.until(line, || read_all(&log).lines().find(|written| written.contains(line)).map(str::to_owned));
        assert!(line.contains("\tip=/127.0.0.1:"), "{line}");
    }
}
