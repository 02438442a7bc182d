//! HDFS as UFS, by the crate hdfs-native: simple authentication, HA name services.
//!
//! The client has no deadlines of its own, so each call here has one. A file that is written replaces what was there
//! at once; who reads meanwhile sees what is written so far, as with the original.

use super::clients::UfsSettings;
use super::error::{UfsError, UfsErrorKind};
use super::hdfs_connection::HdfsConnection;
use super::storage::{Ufs, UfsAttributes, UfsDeletion, UfsOwnership, UfsReader, UfsStatus, UfsWriter};
use super::uri::UfsUri;
use async_trait::async_trait;
use bytes::Bytes;
use hdfs_native::client::FileStatus;
use hdfs_native::file::FileWriter;
use hdfs_native::{Client, HdfsError, WriteOptions};
use std::pin::Pin;
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio_stream::{Stream, StreamExt};

type Result<T> = std::result::Result<T, UfsError>;

/// Where a NameNode listens that is named without a port.
const PORT_DEFAULT: u16 = 8020;

static OWNER_KEPT: Once = Once::new();

/// See the module text.
#[derive(Debug, Clone)]
pub struct HdfsUfs {
    connection: Arc<HdfsConnection>,
    /// `hdfs://` and what follows, without a path; for messages.
    root: String,
    user: String,
    deadline: Duration,
}

impl HdfsUfs {
    /// A client of the name service or NameNode in this URI. Connects to nothing yet.
    ///
    /// # Errors
    /// A name service that is not configured well.
    pub fn new(uri: &UfsUri, settings: &UfsSettings) -> Result<HdfsUfs> {
        let services = settings.hadoop.get("dfs.nameservices").map_or("", String::as_str);
        let is_service = services.split(',').any(|service| service.trim() == uri.authority);
        let has_port = uri.authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let port = if is_service || has_port { String::new() } else { format!(":{PORT_DEFAULT}") };
        let root = format!("hdfs://{}", uri.authority);
        let service = is_service.then_some(uri.authority.as_str());
        let (user, hadoop) = (settings.hdfs_user.clone(), settings.hadoop.clone());
        let connection = HdfsConnection::new(format!("{root}{port}"), user.clone(), hadoop, service);
        let connection = connection.map_err(|error| failed("use", &root, error))?;
        Ok(HdfsUfs { connection: Arc::new(connection), root, user, deadline: settings.deadline })
    }

    /// The path in HDFS.
    fn path(&self, uri: &str) -> Result<String> {
        let parsed = UfsUri::parse(uri)?;
        if format!("hdfs://{}", parsed.authority) != self.root {
            let reason = format!("it does not lie in {}", self.root);
            return Err(UfsError::new(UfsErrorKind::Invalid, "use", uri, reason));
        }
        Ok(parsed.path)
    }

    /// Makes a call once.
    async fn call<T, F>(&self, operation: &'static str, uri: &str, call: impl FnOnce(Client) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, HdfsError>>,
    {
        within(self.deadline, operation, uri, self.connection.call(call)).await
    }

    /// Makes a call that changes nothing, if need be again.
    async fn ask<T, F>(&self, operation: &'static str, uri: &str, call: impl Fn(Client) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, HdfsError>>,
    {
        within(self.deadline, operation, uri, self.connection.ask(call)).await
    }

    async fn find(&self, operation: &'static str, uri: &str, path: &str) -> Result<Option<FileStatus>> {
        match self.ask(operation, uri, |client| async move { client.get_file_info(path).await }).await {
            Ok(status) => Ok(Some(status)),
            Err(error) if error.kind == UfsErrorKind::NotFound || is_below_a_file(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is there; an error when nothing is, or not what is wanted.
    async fn need(&self, operation: &'static str, uri: &str, directory: bool) -> Result<String> {
        let path = self.path(uri)?;
        match self.find(operation, uri, &path).await? {
            None => Err(UfsError::not_found(operation, uri)),
            Some(status) if status.isdir != directory => {
                let is = if status.isdir { "a directory" } else { "a file" };
                Err(UfsError::new(UfsErrorKind::WrongType, operation, uri, format!("it is {is}")))
            }
            Some(_) => Ok(path),
        }
    }

    async fn own(&self, uri: &str, path: &str, ownership: &UfsOwnership) {
        let named = |name: &'_ str| (!name.is_empty()).then(|| name.to_owned());
        let (owner, group) = (named(&ownership.owner), named(&ownership.group));
        if owner.is_none() && group.is_none() {
            return;
        }
        let set = |client: Client| async move { client.set_owner(path, owner.as_deref(), group.as_deref()).await };
        // Compatible: 2.9 HdfsUnderFileSystem: what is made keeps its owner when it cannot be given away.
        if let Err(error) = self.call("change the owner of", uri, set).await {
            OWNER_KEPT.call_once(|| log::warn!("what is made in HDFS keeps its owner reason={error}"));
        }
    }

    async fn make_directories(
        &self,
        operation: &'static str,
        uri: &str,
        path: &str,
        ownership: &UfsOwnership,
    ) -> Result<()> {
        let mut missing = Vec::new();
        let mut at = path;
        loop {
            match self.find(operation, uri, at).await? {
                Some(status) if status.isdir => break,
                Some(_) if at == path => {
                    return Err(UfsError::new(UfsErrorKind::AlreadyExists, operation, uri, "a file is there"));
                }
                Some(_) => {
                    return Err(UfsError::new(UfsErrorKind::WrongType, operation, uri, format!("{at} is a file")));
                }
                None => missing.push(at),
            }
            match at.rfind('/') {
                Some(end) if end > 0 => at = &at[..end],
                _ => break,
            }
        }
        for path in missing.into_iter().rev() {
            let mode = u32::from(ownership.mode);
            self.call(operation, uri, |client| async move { client.mkdirs(path, mode, true).await }).await?;
            self.own(uri, path, ownership).await;
        }
        Ok(())
    }
}

#[async_trait]
impl Ufs for HdfsUfs {
    async fn status(&self, path: &str) -> Result<Option<UfsStatus>> {
        let found = self.find("look at", path, &self.path(path)?).await?;
        Ok(found.map(status_of))
    }

    async fn list(&self, path: &str) -> Result<Vec<UfsStatus>> {
        let own = self.need("list", path, true).await?;
        let own = own.as_str();
        let listed = self.ask("list", path, |client| async move { client.list_status(own, false).await }).await?;
        let mut found: Vec<UfsStatus> = listed.into_iter().map(status_of).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    async fn mkdir(&self, path: &str, ownership: &UfsOwnership) -> Result<()> {
        self.make_directories("make the directory", path, &self.path(path)?, ownership).await
    }

    async fn create(&self, path: &str, ownership: &UfsOwnership) -> Result<Box<dyn UfsWriter>> {
        let own = self.path(path)?;
        if let Some((parent, _)) = own.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
            // Who may read the file may pass its parents.
            let mode = ownership.mode | (ownership.mode & 0o444) >> 2;
            self.make_directories("create", path, parent, &UfsOwnership { mode, ..ownership.clone() }).await?;
        }
        let at = own.as_str();
        let options = WriteOptions::default().permission(u32::from(ownership.mode)).overwrite(true);
        let file = self.call("create", path, |client| async move { client.create(at, options).await }).await?;
        let writer =
            HdfsWriter { ufs: self.clone(), uri: path.to_owned(), path: own, file: Some(file), has_failed: false };
        writer.ufs.own(path, &writer.path, ownership).await;
        Ok(Box::new(writer))
    }

    async fn open(&self, path: &str, offset: u64) -> Result<Box<dyn UfsReader>> {
        let own = self.need("open", path, false).await?;
        let own = own.as_str();
        let file = self.ask("open", path, |client| async move { client.read(own).await }).await?;
        let length = file.file_length();
        let offset = usize::try_from(offset).map_or(length, |offset| offset.min(length));
        let stream: Packets = Box::pin(file.read_range_stream(offset, length - offset));
        let (uri, rest) = (path.to_owned(), Bytes::new());
        Ok(Box::new(HdfsReader { stream: Some(stream), rest, left: length - offset, uri, deadline: self.deadline }))
    }

    async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (source, target) = (self.path(from)?, self.path(to)?);
        let (old, new) = (source.as_str(), target.as_str());
        let renamed = self.call("rename", from, |client| async move { client.rename(old, new, false).await }).await;
        let Err(error) = renamed else { return Ok(()) };
        // A file and a directory in each other's way have no exception of their own.
        let is_taken = error.kind == UfsErrorKind::Refused && self.find("rename", to, &target).await?.is_some();
        let kind = if is_taken { UfsErrorKind::AlreadyExists } else { error.kind };
        Err(UfsError { kind, path: format!("{from} to {to}"), ..error })
    }

    async fn delete(&self, path: &str, what: UfsDeletion) -> Result<()> {
        let own = self.need("delete", path, what != UfsDeletion::File).await?;
        let delete = |client: Client| async move { client.delete(&own, what == UfsDeletion::Tree).await };
        match self.call("delete", path, delete).await? {
            true => Ok(()),
            false => Err(UfsError::not_found("delete", path)),
        }
    }

    async fn set_attributes(&self, path: &str, attributes: &UfsAttributes) -> Result<()> {
        let operation = "change the attributes of";
        let own = self.path(path)?;
        let own = own.as_str();
        if let Some(mode) = attributes.mode {
            let set = |client: Client| async move { client.set_permission(own, u32::from(mode)).await };
            self.call(operation, path, set).await?;
        }
        let UfsAttributes { owner, group, mode: _ } = attributes;
        if owner.is_some() || group.is_some() {
            let set = |client: Client| async move { client.set_owner(own, owner.as_deref(), group.as_deref()).await };
            self.call(operation, path, set).await?;
        }
        Ok(())
    }

    fn user(&self) -> Option<String> {
        Some(self.user.clone())
    }
}

async fn within<T>(
    deadline: Duration,
    operation: &'static str,
    uri: &str,
    call: impl Future<Output = std::result::Result<T, HdfsError>>,
) -> Result<T> {
    match tokio::time::timeout(deadline, call).await {
        Ok(result) => result.map_err(|error| failed(operation, uri, error)),
        Err(_) => {
            let reason = format!("HDFS did not answer within {} ms", deadline.as_millis());
            Err(UfsError::new(UfsErrorKind::Unavailable, operation, uri, reason))
        }
    }
}

fn status_of(status: FileStatus) -> UfsStatus {
    UfsStatus {
        name: status.path.rsplit('/').next().unwrap_or_default().to_owned(),
        directory: status.isdir,
        length: if status.isdir { 0 } else { status.length as u64 },
        block_size_bytes: status.blocksize.filter(|_| !status.isdir),
        owner: status.owner,
        group: status.group,
        mode: status.permission & 0o777,
        modification_time_ms: i64::try_from(status.modification_time).unwrap_or(i64::MAX),
        etag: None,
    }
}

/// HDFS says so in different ways when a component of the way is a file.
fn is_below_a_file(error: &UfsError) -> bool {
    error.kind == UfsErrorKind::WrongType || error.reason.contains("is not a directory")
}

fn failed(operation: &'static str, uri: &str, error: HdfsError) -> UfsError {
    let kind = match &error {
        HdfsError::FileNotFound(_) | HdfsError::BlocksNotFound(_) => UfsErrorKind::NotFound,
        HdfsError::AlreadyExists(_) => UfsErrorKind::AlreadyExists,
        HdfsError::IsADirectoryError(_) => UfsErrorKind::WrongType,
        HdfsError::InvalidPath(_) | HdfsError::InvalidArgument(_) | HdfsError::UrlParseError(_) => {
            UfsErrorKind::Invalid
        }
        HdfsError::UnsupportedFeature(_) | HdfsError::UnsupportedErasureCodingPolicy(_) => UfsErrorKind::Refused,
        HdfsError::RPCError(class, _) | HdfsError::FatalRPCError(class, _) => kind_of(class),
        _ => UfsErrorKind::Unavailable,
    };
    let text = error.to_string();
    // The rest is the stack of the server.
    let reason = text.lines().next().unwrap_or_default();
    UfsError::new(kind, operation, uri, reason)
}

/// What an exception of the NameNode means.
fn kind_of(class: &str) -> UfsErrorKind {
    match class.rsplit('.').next().unwrap_or_default() {
        "FileNotFoundException" => UfsErrorKind::NotFound,
        "FileAlreadyExistsException" => UfsErrorKind::AlreadyExists,
        "ParentNotDirectoryException" | "PathIsNotDirectoryException" => UfsErrorKind::WrongType,
        "PathIsNotEmptyDirectoryException" => UfsErrorKind::NotEmpty,
        "AccessControlException" => UfsErrorKind::Denied,
        "NSQuotaExceededException" | "DSQuotaExceededException" | "QuotaExceededException" => UfsErrorKind::Full,
        "InvalidPathException" | "HadoopIllegalArgumentException" => UfsErrorKind::Invalid,
        "SafeModeException" | "RetriableException" | "StandbyException" => UfsErrorKind::Unavailable,
        _ => UfsErrorKind::Refused,
    }
}

struct HdfsWriter {
    ufs: HdfsUfs,
    uri: String,
    path: String,
    /// None once it is closed.
    file: Option<FileWriter>,
    has_failed: bool,
}

#[async_trait]
impl UfsWriter for HdfsWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let file = self.file.as_mut().filter(|_| !self.has_failed);
        let file = file.ok_or_else(|| broken("write", &self.uri))?;
        let written = within(self.ufs.deadline, "write", &self.uri, file.write_bytes(bytes)).await;
        self.has_failed = written.is_err();
        written.map(|_| ())
    }

    async fn close(mut self: Box<Self>) -> Result<()> {
        let file = self.file.as_mut().filter(|_| !self.has_failed);
        let file = file.ok_or_else(|| broken("close", &self.uri))?;
        within(self.ufs.deadline, "close", &self.uri, file.close()).await?;
        self.file = None;
        Ok(())
    }
}

fn broken(operation: &'static str, uri: &str) -> UfsError {
    UfsError::new(UfsErrorKind::Unavailable, operation, uri, "a write has failed")
}

impl Drop for HdfsWriter {
    fn drop(&mut self) {
        let (Some(mut file), Ok(runtime)) = (self.file.take(), tokio::runtime::Handle::try_current()) else { return };
        let (ufs, uri, path) = (self.ufs.clone(), std::mem::take(&mut self.uri), std::mem::take(&mut self.path));
        // Bounded by the deadlines of its two calls.
        runtime.spawn(async move {
            // Who cannot close the file does not own it: another has replaced it, or the lease was recovered.
            let gone = match within(ufs.deadline, "close", &uri, file.close()).await {
                Ok(()) => ufs
                    .call("delete", &uri, |client| async move { client.delete(&path, false).await })
                    .await
                    .map(|_| ()),
                Err(error) => Err(error),
            };
            if let Err(error) = gone {
                log::warn!("cannot take away a file that was not finished path={uri} reason={error}");
            }
        });
    }
}

type Packets = Pin<Box<dyn Stream<Item = std::result::Result<Bytes, HdfsError>> + Send>>;

struct HdfsReader {
    /// None after an error.
    stream: Option<Packets>,
    /// Read, but not given out.
    rest: Bytes,
    /// Bytes that the stream has yet to give.
    left: usize,
    uri: String,
    deadline: Duration,
}

#[async_trait]
impl UfsReader for HdfsReader {
    async fn read(&mut self, bytes_max: usize) -> Result<Bytes> {
        while self.rest.is_empty() && self.left > 0 {
            let mut stream = self.stream.take().ok_or_else(|| broken("read", &self.uri))?;
            let next = async { stream.next().await.transpose() };
            let packet = within(self.deadline, "read", &self.uri, next).await?;
            let Some(packet) = packet.filter(|packet| packet.len() <= self.left) else {
                let reason = format!("{} bytes are missing at the end", self.left);
                return Err(UfsError::new(UfsErrorKind::Unavailable, "read", &self.uri, reason));
            };
            self.left -= packet.len();
            (self.rest, self.stream) = (packet, Some(stream));
        }
        Ok(self.rest.split_to(self.rest.len().min(bytes_max)))
    }
}
