//! What the pages show and refuse.

use std::fs;

use alluxio::client::{
    ChannelSettings, ClientSettings, DataSettings, FileSystem, Fixed, Identity, ListOptions, LoadMetadata,
};
use alluxio::types::AlluxioPath;
use alluxio::types::texts::{mode, size, time};
use chrono::Local;

use super::bed::{Bed, ask};

/// A client as the shell is one.
fn client(bed: &Bed) -> FileSystem {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
    let identity = Some(Identity { user, on_behalf_of: None });
    let settings = ClientSettings {
        channel: ChannelSettings { identity, ..ChannelSettings::default() },
        ..ClientSettings::default()
    };
    let masters = Fixed { address: format!("127.0.0.1:{}", bed.master) };
    FileSystem::new(Box::new(masters), settings, DataSettings::default())
}

fn path(text: &str) -> AlluxioPath {
    AlluxioPath::parse(text).unwrap()
}

/// A file of the project in the namespace, of two blocks.
fn put(bed: &Bed, name: &str) -> Vec<u8> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md");
    bed.alluxio(&["fs", "copyFromLocal", source, name]);
    fs::read(source).unwrap()
}

#[tokio::test]
async fn the_figures_are_those_of_the_rpc() {
    let bed = Bed::up(&[]);
    put(&bed, "/dir/file");
    bed.alluxio(&["fs", "mkdir", "/dir/below"]);
    let files = client(&bed);

    let page = bed.get("/browse?path=/dir");
    let how = ListOptions { recursive: false, load: LoadMetadata::Once };
    let statuses = files.list_status(&path("/dir"), &how).await.unwrap();
    assert_eq!(statuses.len(), 2);
    let of_each =
        |value: &dyn Fn(&alluxio::types::FileStatus) -> String| -> Vec<String> { statuses.iter().map(value).collect() };
    let on_files = |folder: bool, text: String| if folder { String::new() } else { text };
    let slash = |folder: bool| if folder { "/" } else { "" };
    assert_eq!(page.cells("File Name"), of_each(&|s| format!("{}{}", s.path.name(), slash(s.folder))));
    assert_eq!(page.cells("Size"), of_each(&|s| on_files(s.folder, size(s.length))));
    assert_eq!(page.cells("Block Size"), of_each(&|s| on_files(s.folder, size(s.block_size_bytes))));
    assert_eq!(page.cells("In-Alluxio"), of_each(&|s| on_files(s.folder, format!("{}%", s.in_alluxio_percentage))));
    assert_eq!(page.cells("Mode"), of_each(&mode));
    assert_eq!(page.cells("Owner"), of_each(&|s| s.owner.clone()));
    assert_eq!(page.cells("Group"), of_each(&|s| s.group.clone()));
    assert_eq!(page.cells("Persistence State"), of_each(&|s| s.persistence.text().to_owned()));
    assert_eq!(page.cells("Creation Time"), of_each(&|s| time(s.creation_time_ms, &Local)));
    assert_eq!(page.cells("Modification Time"), of_each(&|s| time(s.modification_time_ms, &Local)));

    let status = files.get_status(&path("/dir/file")).await.unwrap();
    let file = bed.get("/browse?path=/dir/file");
    assert!(status.blocks.len() > 1, "{status:?}");
    let blocks: Vec<String> = status.blocks.iter().map(|block| block.id.to_string()).collect();
    assert_eq!(file.cells("ID"), blocks);
    let lengths: Vec<String> = status.blocks.iter().map(|block| block.length.to_string()).collect();
    assert_eq!(file.cells("Size (Byte)"), lengths);
    assert!(file.cells("Locations").iter().all(|place| place == "127.0.0.1 MEM"), "{file:?}");

    let memory = bed.get("/memory");
    assert_eq!(memory.cells("File Path"), ["/dir/file"]);
    assert_eq!(memory.cells("In-Alluxio"), ["100%"]);

    let capacity = files.capacity_bytes().await.unwrap();
    // What was promised to a writer is given back with the next heartbeat.
    while files.used_bytes().await.unwrap() != status.length {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let used = status.length;
    let home = bed.get("/home");
    assert_eq!(home.term("Running Workers:"), "1");
    assert_eq!(home.term("Workers Capacity:"), size(capacity));
    assert_eq!(home.term("Workers Free / Used:"), format!("{} / {}", size(capacity - used), size(used)));
    let workers = bed.get("/workers");
    assert_eq!(workers.cells("Node Name"), [format!("127.0.0.1:{}", bed.worker)]);
    assert_eq!(workers.cells("Workers Capacity"), [size(capacity)]);
    assert_eq!(workers.cells("Space Used"), [size(used)]);
    assert_eq!(workers.cells("Blocks"), [blocks.len().to_string()]);

    let before: u64 = bed.get("/metricsui").term("CreateDirectory Operations").parse().unwrap();
    bed.alluxio(&["fs", "mkdir", "/more"]);
    let metrics = bed.get("/metricsui");
    assert_eq!(metrics.term("CreateDirectory Operations"), (before + 1).to_string());
    assert_eq!(metrics.term("Files Completed"), "1");
    assert_eq!(metrics.term("Master Capacity:"), "100% Free, 0% Used");

    let worker = bed.get_of_worker("/home");
    assert_eq!(worker.term("Total Capacity / Used"), format!("{} / {}", size(capacity), size(used)));
    assert_eq!(worker.term("Blocks:"), blocks.len().to_string());
    let held = bed.get_of_worker("/blockInfo");
    assert_eq!((held.cells("File Path"), held.cells("In-MEM")), (vec!["/dir/file".into()], vec!["100%".into()]));
    let of_file = bed.get_of_worker("/blockInfo?path=/dir/file");
    assert_eq!((of_file.cells("ID"), of_file.cells("Size (Byte)")), (blocks, lengths));
    let to_master = bed.get_of_worker("/toMaster");
    assert_eq!(
        (to_master.status, to_master.headers["location"].clone()),
        (302, format!("http://127.0.0.1:{}/home", bed.web))
    );
}

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
fn opened(bed: &Bed, directory: &str, name: &str) -> super::bed::Answer {
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
    let link = |page: &super::bed::Answer, offset: usize| {
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
    // Without a user of their own they ask as that of the master.
    let bed = Bed::up(&[]);
    put(&bed, "/closed");
    bed.alluxio(&["fs", "chmod", "600", "/closed"]);
    assert_eq!(bed.get("/download?path=/closed").status, 200);
    let bed = Bed::up(&["alluxio.web.file.info.enabled=false"]);
    for path in ["/browse", "/download?path=/x", "/memory"] {
        assert_eq!(bed.get(path).status, 403, "{path}");
    }
    assert_eq!(bed.get_of_worker("/blockInfo").status, 403);
    assert!(!bed.get("/home").text().contains("/browse?"));
}
