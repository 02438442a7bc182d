use super::*;

fn some() -> InodeExtras {
    let named = |names: &[(&str, u16)]| names.iter().map(|(name, bits)| ((*name).to_owned(), *bits)).collect();
    let acl = ExtendedAcl { users: named(&[("ann", 7), ("bob", 4)]), groups: named(&[("dev", 5)]), mask: 5 };
    InodeExtras {
        default_acl: Some(DefaultAcl { mode: 0o750, extended: Some(acl.clone()) }),
        acl: Some(acl),
        xattr: [("a".to_owned(), vec![0; 200]), ("b".to_owned(), Vec::new())].into(),
        media: ["MEM".to_owned(), "SSD".to_owned()].into(),
        content_hash: ContentHash::Text("etag".into()),
    }
}

#[test]
fn what_is_set_is_got_and_what_is_removed_leaves_nothing() {
    let mut extras = Extras::new();
    assert_eq!(extras.set(InodeId(7), &some()), Stored::Something);
    let shorter = InodeExtras { xattr: Xattrs::new(), ..some() };
    extras.set(InodeId(6), &shorter);
    extras.set(InodeId(8), &shorter);
    assert_eq!(extras.get(InodeId(7)), Some(some()));
    assert_eq!(extras.verify().unwrap().len(), 3);
    extras.set(InodeId(7), &shorter);
    assert_eq!(extras.get(InodeId(7)), Some(shorter.clone()));
    extras.verify().unwrap();
    assert_eq!(extras.set(InodeId(7), &InodeExtras::default()), Stored::Nothing);
    assert_eq!(extras.get(InodeId(7)), None);
    assert_eq!((extras.get(InodeId(6)), extras.get(InodeId(8))), (Some(shorter.clone()), Some(shorter)));
    extras.remove(InodeId(6));
    extras.remove(InodeId(8));
    assert_eq!(extras.parts.len(), 0);
}

#[test]
fn each_alone_is_read_as_it_was_written() {
    let InodeExtras { acl, default_acl, xattr, media, content_hash } = some();
    let none = InodeExtras::default;
    let all = [
        InodeExtras { acl, ..none() },
        InodeExtras { default_acl: default_acl.map(|acl| DefaultAcl { extended: None, ..acl }), ..none() },
        InodeExtras { default_acl: some().default_acl, ..none() },
        InodeExtras { xattr, ..none() },
        InodeExtras { media, ..none() },
        InodeExtras { content_hash, ..none() },
    ];
    for one in all {
        assert_eq!(decode(&encode(&one)), Some(one));
    }
    // That of length and time stands elsewhere.
    let short = ContentHash::LengthAndTime { length: 1, modification_time_ms: 2 };
    assert!(encode(&InodeExtras { content_hash: short, ..none() }).is_empty());
}

#[test]
fn parts_that_nobody_wrote_are_found() {
    let mut lacking = Extras::new();
    lacking.set(InodeId(7), &some());
    lacking.parts.remove(part_order(InodeId(7), 1)).unwrap();
    assert!(lacking.verify().unwrap_err().contains("a part of the extras of inode 7"));
    let mut first = Extras::new();
    first.set(InodeId(7), &some());
    first.parts.remove(part_order(InodeId(7), 0)).unwrap();
    assert!(first.verify().is_err());
    let mut odd = Extras::new();
    odd.set(InodeId(7), &some());
    let mut part = odd.parts.remove(part_order(InodeId(7), 0)).unwrap();
    part[CONTENT_AT] = 99;
    odd.parts.insert(&part, part_order(InodeId(7), 0));
    assert!(odd.verify().unwrap_err().contains("cannot be read"));
}

#[test]
fn no_cut_bytes_are_read_as_something_longer() {
    let bytes = encode(&some());
    for end in 0..bytes.len() {
        if let Some(read) = decode(&bytes[..end]) {
            assert_eq!(encode(&read), bytes[..end]);
        }
    }
}
