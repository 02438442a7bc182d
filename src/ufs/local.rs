//! A local disk as UFS.
//!
//! Links are followed, as the original does. What the operating system does not allow a plain user, to give a file
//! away, is not done and said once; mode and content are what counts.

use super::blocking::{blocking, io_error};
use super::error::{UfsError, UfsErrorKind};
use super::storage::{Ufs, UfsAttributes, UfsDeletion, UfsOwnership, UfsReader, UfsStatus, UfsWriter};
use super::uri::{UfsScheme, UfsUri};
use async_trait::async_trait;
use bytes::Bytes;
use nix::unistd::{Gid, Group, Uid, User};
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

type Result<T> = std::result::Result<T, UfsError>;

static OWNER_KEPT: Once = Once::new();

/// See the module text.
#[derive(Debug, Clone)]
pub struct LocalUfs {
    deadline: Duration,
}

impl LocalUfs {
    /// Calls that take longer have failed for their caller.
    pub fn new(deadline: Duration) -> LocalUfs {
        LocalUfs { deadline }
    }

    async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        path: &str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        blocking(self.deadline, operation, &path_of(path)?, work).await
    }
}

#[async_trait]
impl Ufs for LocalUfs {
    async fn status(&self, path: &str) -> Result<Option<UfsStatus>> {
        let name = UfsUri::parse(path)?.name().to_owned();
        self.run("look at", path, move |path| match fs::metadata(path) {
            Ok(metadata) => Ok(Names::default().status(name, &metadata)),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(e) => Err(e),
        })
        .await
    }

    async fn list(&self, path: &str) -> Result<Vec<UfsStatus>> {
        self.run("list", path, list).await
    }

    async fn mkdir(&self, path: &str, ownership: &UfsOwnership) -> Result<()> {
        let ownership = ownership.clone();
        self.run("make the directory", path, move |path| make_directories(path, &ownership)).await
    }

    async fn create(&self, path: &str, ownership: &UfsOwnership) -> Result<Box<dyn UfsWriter>> {
        let owned = ownership.clone();
        let file = self.run("create", path, move |path| create(path, &owned)).await?;
        let path = path_of(path)?;
        Ok(Box::new(LocalWriter { path, file: Some(file), deadline: self.deadline }))
    }

    async fn open(&self, path: &str, offset: u64) -> Result<Box<dyn UfsReader>> {
        let file = self.run("open", path, open).await?;
        let path = path_of(path)?;
        Ok(Box::new(LocalReader { path, file: Some(file), offset, deadline: self.deadline }))
    }

    async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let target = path_of(to)?;
        let renamed = self.run("rename", from, move |from| rename(from, &target)).await;
        renamed.map_err(|error| UfsError { path: format!("{} to {to}", error.path), ..error })
    }

    async fn delete(&self, path: &str, what: UfsDeletion) -> Result<()> {
        self.run("delete", path, move |path| match what {
            UfsDeletion::File if path.is_dir() => Err(ErrorKind::IsADirectory.into()),
            UfsDeletion::File => fs::remove_file(path),
            UfsDeletion::EmptyDirectory => fs::remove_dir(path),
            UfsDeletion::Tree if path.is_file() => Err(ErrorKind::NotADirectory.into()),
            UfsDeletion::Tree => fs::remove_dir_all(path),
        })
        .await
    }

    async fn set_attributes(&self, path: &str, attributes: &UfsAttributes) -> Result<()> {
        let attributes = attributes.clone();
        self.run("change the attributes of", path, move |path| {
            fs::metadata(path)?;
            if let Some(mode) = attributes.mode {
                fs::set_permissions(path, Permissions::from_mode(u32::from(mode)))?;
            }
            give_away(
                path,
                attributes.owner.as_deref().unwrap_or_default(),
                attributes.group.as_deref().unwrap_or_default(),
            );
            Ok(())
        })
        .await
    }

    fn user(&self) -> Option<String> {
        Some(user_of(nix::unistd::geteuid()))
    }
}

/// The name of a user; the number of one that has none.
fn user_of(uid: Uid) -> String {
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

fn path_of(uri: &str) -> Result<PathBuf> {
    let parsed = UfsUri::parse(uri)?;
    match parsed.scheme {
        UfsScheme::Local => Ok(parsed.path.into()),
        _ => Err(UfsError::new(UfsErrorKind::Invalid, "use", uri, "it is not a local path")),
    }
}

/// Names of users and groups, each looked up once.
#[derive(Default)]
struct Names {
    users: BTreeMap<u32, String>,
    groups: BTreeMap<u32, String>,
}

impl Names {
    /// None for what is neither a file nor a directory.
    fn status(&mut self, name: String, metadata: &Metadata) -> Option<UfsStatus> {
        if !metadata.is_file() && !metadata.is_dir() {
            return None;
        }
        let (uid, gid) = (metadata.uid(), metadata.gid());
        let group = || Group::from_gid(Gid::from_raw(gid)).ok().flatten().map_or_else(|| gid.to_string(), |g| g.name);
        Some(UfsStatus {
            name,
            directory: metadata.is_dir(),
            length: if metadata.is_dir() { 0 } else { metadata.len() },
            block_size_bytes: None,
            owner: self.users.entry(uid).or_insert_with(|| user_of(Uid::from_raw(uid))).clone(),
            group: self.groups.entry(gid).or_insert_with(group).clone(),
            mode: (metadata.mode() & 0o777) as u16,
            modification_time_ms: metadata.mtime() * 1000 + metadata.mtime_nsec() / 1_000_000,
            etag: None,
        })
    }
}

fn list(path: &Path) -> io::Result<Vec<UfsStatus>> {
    let mut names = Names::default();
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            log::warn!("left out of a listing: its name is not UTF-8 path={}", entry.path().display());
            continue;
        };
        match fs::metadata(entry.path()) {
            Ok(metadata) => found.extend(names.status(name, &metadata)),
            // Gone meanwhile, or a link that leads nowhere.
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Each directory that is made belongs to whom the last one is to belong to.
fn make_directories(path: &Path, ownership: &UfsOwnership) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.exists()).collect();
    if missing.is_empty() && !path.is_dir() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    for path in missing.into_iter().rev() {
        match DirBuilder::new().mode(u32::from(ownership.mode)).create(path) {
            Ok(()) => own(path, ownership)?,
            // Somebody else was faster.
            Err(e) if e.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Whatever the mask of the process is.
fn own(path: &Path, ownership: &UfsOwnership) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(u32::from(ownership.mode)))?;
    give_away(path, &ownership.owner, &ownership.group);
    Ok(())
}

// Compatible: 2.9 LocalUnderFileSystem.setOwner: an owner that cannot be set is a warning.
fn give_away(path: &Path, owner: &str, group: &str) {
    let user = (!owner.is_empty()).then(|| User::from_name(owner).ok().flatten());
    let team = (!group.is_empty()).then(|| Group::from_name(group).ok().flatten());
    let is_unknown = user == Some(None) || team == Some(None);
    let uid = user.flatten().map(|user| user.uid.as_raw());
    let gid = team.flatten().map(|team| team.gid.as_raw());
    if (uid.is_some() || gid.is_some() || is_unknown)
        && (is_unknown | std::os::unix::fs::chown(path, uid, gid).is_err())
    {
        OWNER_KEPT.call_once(|| {
            log::warn!(
                "files of the local UFS keep their owner: {owner}:{group} cannot be set path={}",
                path.display()
            );
        });
    }
}

/// What was there is another file from now on, so that its writer, if it still has one, cannot harm the new one.
fn create(path: &Path, ownership: &UfsOwnership) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        // Who may read the file may pass its parents.
        let mode = ownership.mode | (ownership.mode & 0o444) >> 2;
        make_directories(parent, &UfsOwnership { mode, ..ownership.clone() })?;
    }
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    own(path, ownership)?;
    Ok(file)
}

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system without it, as NFS: the namespace, which nobody else changes, has looked already.
        Err(Errno::INVAL | Errno::NOSYS) if to.symlink_metadata().is_ok() => Err(ErrorKind::AlreadyExists.into()),
        Err(Errno::INVAL | Errno::NOSYS) => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

struct LocalWriter {
    path: PathBuf,
    /// None after an error.
    file: Option<File>,
    deadline: Duration,
}

impl LocalWriter {
    fn take(&mut self, operation: &'static str) -> Result<File> {
        let path = self.path.display().to_string();
        self.file.take().ok_or_else(|| UfsError::new(UfsErrorKind::Unavailable, operation, path, "a write has failed"))
    }
}

#[async_trait]
impl UfsWriter for LocalWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let mut file = self.take("write")?;
        let kept = file.try_clone().map_err(|e| io_error("write", &self.path, &e))?;
        let written = blocking(self.deadline, "write", &self.path, move |_| file.write_all(&bytes)).await;
        match &written {
            Ok(()) => self.file = Some(kept),
            Err(_) => remove_if_same(&self.path, &kept),
        }
        written
    }

    async fn close(mut self: Box<Self>) -> Result<()> {
        let file = self.take("close")?;
        blocking(self.deadline, "close", &self.path, move |_| file.sync_all()).await
    }
}

impl Drop for LocalWriter {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            remove_if_same(&self.path, file);
        }
    }
}

/// Takes the file away unless another one has its path by now.
fn remove_if_same(path: &Path, file: &File) {
    if let (Ok(own), Ok(there)) = (file.metadata(), fs::metadata(path))
        && (own.dev(), own.ino()) == (there.dev(), there.ino())
        && let Err(error) = fs::remove_file(path)
    {
        log::warn!("cannot take away a file that was not finished path={} reason={error}", path.display());
    }
}

struct LocalReader {
    path: PathBuf,
    file: Option<File>,
    offset: u64,
    deadline: Duration,
}

#[async_trait]
impl UfsReader for LocalReader {
    async fn read(&mut self, bytes_max: usize) -> Result<Bytes> {
        let path = || self.path.display().to_string();
        let file = self.file.take();
        let file = file.ok_or_else(|| UfsError::new(UfsErrorKind::Unavailable, "read", path(), "a read has failed"))?;
        let offset = self.offset;
        let work = move |_: &Path| {
            let mut bytes = vec![0; bytes_max];
            let length = file.read_at(&mut bytes, offset)?;
            bytes.truncate(length);
            Ok((file, bytes))
        };
        let (file, bytes) = blocking(self.deadline, "read", &self.path, work).await?;
        self.file = Some(file);
        self.offset += bytes.len() as u64;
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::suite::{self, Place};
    use super::*;

    struct Folder(tempfile::TempDir);

    impl Place for Folder {
        fn client(&self) -> std::sync::Arc<dyn Ufs> {
            std::sync::Arc::new(LocalUfs::new(Duration::from_secs(30)))
        }

        fn root(&self) -> String {
            format!("file://{}", self.0.path().display())
        }
    }

    suite::every_behaviour!(async { Folder(tempfile::tempdir().unwrap()) });

    #[tokio::test]
    async fn links_and_what_is_no_file_do_not_spoil_a_listing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("f"), "abc").unwrap();
        std::os::unix::fs::symlink(folder.path().join("f"), folder.path().join("link")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("broken")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let listed = LocalUfs::new(Duration::from_secs(30)).list(folder.path().to_str().unwrap()).await.unwrap();
        let seen: Vec<_> = listed.iter().map(|status| (status.name.as_str(), status.length)).collect();
        assert_eq!(seen, [("f", 3), ("link", 3)]);
    }

    #[tokio::test]
    async fn a_writer_that_is_dropped_leaves_the_file_of_another_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let ufs = LocalUfs::new(Duration::from_secs(30));
        let ownership = UfsOwnership { owner: String::new(), group: String::new(), mode: 0o644 };
        let mut first = ufs.create(path.to_str().unwrap(), &ownership).await.unwrap();
        first.write(Bytes::from_static(b"first")).await.unwrap();
        let mut second = ufs.create(path.to_str().unwrap(), &ownership).await.unwrap();
        second.write(Bytes::from_static(b"second")).await.unwrap();
        drop(first);
        second.close().await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
    }
}
