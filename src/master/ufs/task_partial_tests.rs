//! Changes of a UFS that were half done, or that would take more with them than is known.

use super::*;

/// Moves files below `from`, or `from` itself if it is one, as a UFS does that has no call for a tree; so many at most.
async fn move_some(ufs: &MemoryUfs, from: &str, to: &str, files_max: usize) {
    ufs.mkdir(to, &ownership()).await.unwrap();
    let paths = ufs.paths().into_iter().filter(|path| path.starts_with(&format!("{from}/")));
    let files: Vec<String> = paths.filter(|path| !path.ends_with('/')).collect();
    for file in files.iter().take(files_max) {
        let target = format!("{to}{}", &file[from.len()..]);
        ufs.mkdir(&target[..target.rfind('/').unwrap()], &ownership()).await.unwrap();
        ufs.rename(file, &target).await.unwrap();
    }
    if files.len() <= files_max {
        ufs.delete(from, UfsDeletion::Tree).await.unwrap();
    }
}

/// Performs steps where renames move one file and then are not heard of; none when so many were cut short.
async fn run_cut(world: &mut World, (mut task, mut step): (UfsTask, Step), cuts: usize) -> Option<Result<(), FsError>> {
    let mut cut = 0;
    loop {
        let told = match step {
            Step::Done(result) => return Some(result),
            Step::Submit(operation) => Told::Answer(world.submit(Operation::Ufs(operation), None)),
            Step::Call(UfsCall::Rename { from, to }) | Step::Again(UfsCall::Rename { from, to }) => {
                assert_eq!(cut, 0, "what is half done is resumed");
                cut += 1;
                move_some(&world.ufs, &from, &to, 1).await;
                Told::Unknown("cut short".into())
            }
            Step::Call(UfsCall::Resume { from, to }) | Step::Again(UfsCall::Resume { from, to }) => {
                cut += 1;
                move_some(&world.ufs, &from, &to, 1).await;
                Told::Unknown("cut short".into())
            }
            Step::Call(call) | Step::Again(call) => world.call(&call).await,
        };
        if cut > cuts {
            return None;
        }
        step = task.step(told, &world.state, &settings());
    }
}

const MANY: [&str; 4] = ["/a/b/f", "/a/b/g", "/a/h", "/a/i/j"];

#[tokio::test]
async fn a_rename_that_is_cut_short_goes_on() {
    let mut world = World::with(&MANY).await;
    assert_eq!(run_cut(&mut world, UfsTask::begin(mv("/a", "/z")), 100).await, Some(Ok(())));
    assert_eq!(world.agreed(), set(&["/z", "/z/b", "/z/b/f", "/z/b/g", "/z/h", "/z/i", "/z/i/j"]));
}

#[tokio::test]
async fn a_rename_whose_master_died_goes_on_at_another() {
    for cuts in 0..3 {
        let mut world = World::with(&MANY).await;
        assert_eq!(run_cut(&mut world, UfsTask::begin(mv("/a", "/z")), cuts).await, None);
        let inode = *world.state.intents().keys().next().expect("it is open");
        let settled = UfsTask::settle(inode, &world.state, &settings());
        assert_eq!(run_cut(&mut world, settled, 100).await, Some(Ok(())), "{cuts}");
        assert_eq!(world.agreed(), set(&["/z", "/z/b", "/z/b/f", "/z/b/g", "/z/h", "/z/i", "/z/i/j"]));
    }
}

#[tokio::test]
async fn what_another_has_put_at_the_new_path_is_not_touched_where_a_rename_is_one_call() {
    let mut world = World::with(&FILES).await;
    let before = world.agreed();
    world.fault = Some(Fault::NotMade);
    let begun = UfsTask::begin(mv("/a", "/z"));
    world.run((begun.0, begun.1), None, 2).await;
    world.ufs.mkdir(&format!("{ROOT}/z"), &ownership()).await.unwrap();
    world.take_over().await;
    world.ufs.delete(&format!("{ROOT}/z"), UfsDeletion::EmptyDirectory).await.unwrap();
    assert_eq!(world.agreed(), before);
}

#[tokio::test]
async fn what_the_namespace_does_not_know_is_not_deleted_with_a_directory() {
    let unchecked = Operation::Delete(Delete { recursive: true, unchecked: true, ..Delete::of(path("/a")) });
    for (operation, is_deleted) in [(rm("/a"), false), (unchecked, true)] {
        let mut world = World::with(&FILES).await;
        let before = world.agreed();
        let writer = world.ufs.create(&format!("{ROOT}/a/b/unknown"), &ownership()).await.unwrap();
        writer.close().await.unwrap();
        let result = world.run(UfsTask::begin(operation), None, 100).await.unwrap();
        if is_deleted {
            assert_eq!((result, world.agreed()), (Ok(()), set(&["/c", "/c/x"])));
            continue;
        }
        let refused = result.unwrap_err();
        let text = "Failed to delete 1 paths from the under file system: /a/b (UFS dir not in sync. Sync UFS, or \
                    delete with unchecked flag.)";
        assert_eq!((refused.kind, refused.message.as_str()), (ErrorKind::FailedPrecondition, text));
        world.ufs.delete(&format!("{ROOT}/a/b/unknown"), UfsDeletion::File).await.unwrap();
        assert_eq!(world.agreed(), before, "nothing is gone");
        // One that is silent meanwhile is asked again.
        world.ufs.fail_next(UfsErrorKind::Unavailable);
        assert_eq!(world.run(UfsTask::begin(rm("/a")), None, 100).await, Some(Ok(())));
    }
}
