//! One file from here to there, chunk by chunk. At most a few chunks are in memory, however large the file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{Failure, paths};
use crate::client::{FileReader, FileWriter};
use crate::shell::local::{self, absolute, reason};
use crate::shell::progress::Progress;
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};

/// What 1.2.0 says where a directory is needed.
pub(in crate::shell) const TARGET_IS_A_FILE: &str =
    "The destination cannot be an existing file when the source is a directory or a list of files.";

/// Copies the local file `source` to `target`, into it if that is a directory.
pub(in crate::shell) async fn from_local(
    source: &Path,
    target: &Uri,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let target = &match paths::look_if_there(target, session).await? {
        Some(status) if status.folder => target.child(&source.file_name().unwrap_or_default().to_string_lossy()),
        _ => target.clone(),
    };
    let unreadable = |error: &io::Error| Failure::of(format!("{} ({})", source.display(), reason(error)));
    let file = File::open(source).map_err(|error| unreadable(&error))?;
    let length = file.metadata().map_err(|error| unreadable(&error))?.len();
    let progress = Progress::new(output, &source.display().to_string(), length);
    create(target, session, async |writer| {
        let mut chunks = local::Chunks::new(file);
        while let Some(chunk) = chunks.next().await.map_err(|error| unreadable(&error))? {
            progress.add(chunk.len());
            writer.write(chunk).await.map_err(|error| Failure::about(&error, target))?;
        }
        Ok(())
    })
    .await
}

/// Copies the file `source` to `target`, both in Alluxio.
pub(in crate::shell) async fn within(
    source: &Uri,
    target: &Uri,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut reader = open(source, session).await?;
    let progress = Progress::new(output, &source.to_string(), reader.status().length.unsigned_abs());
    create(target, session, async |writer| {
        while let Some(chunk) = next(&mut reader, source).await? {
            progress.add(chunk.len());
            writer.write(chunk).await.map_err(|error| Failure::about(&error, target))?;
        }
        Ok(())
    })
    .await
}

/// Copies the file `source` to the local `target`, under another name first.
// Compatible: 1.2.0, which names the other file in its errors; tests/shell, 07-copyToLocal.
pub(in crate::shell) async fn to_local(
    source: &Uri,
    target: &Path,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut reader = open(source, session).await?;
    let part = PathBuf::from(format!("{}.{}_copyToLocal_", absolute(target).display(), local::random_name()));
    let broken = |error: &io::Error| Failure::of(format!("{} ({})", part.display(), reason(error)));
    let mut file = File::create(&part).map_err(|error| broken(&error))?;
    let progress = Progress::new(output, &source.to_string(), reader.status().length.unsigned_abs());
    let copied = async {
        while let Some(chunk) = next(&mut reader, source).await? {
            file.write_all(&chunk).map_err(|error| broken(&error))?;
            progress.add(chunk.len());
        }
        fs::rename(&part, target).map_err(|_| {
            Failure::of(format!("Failed to rename {} to destination {}", part.display(), target.display()))
        })
    };
    if let Err(failure) = copied.await {
        // The failure is told; what is left of the copy is of no use.
        let _ = fs::remove_file(&part);
        return Err(failure);
    }
    Ok(())
}

/// Makes a file with what `fill` writes. When that fails, there is no file.
async fn create(
    uri: &Uri,
    session: &Session,
    fill: impl AsyncFnOnce(&mut FileWriter<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let path = uri.path()?;
    let failed = |error| Failure::about(&error, uri);
    let mut writer = session.files.create(path, &session.file()).await.map_err(failed)?;
    let written = fill(&mut writer).await;
    let done = match written {
        Ok(()) => writer.complete().await.map(drop).map_err(failed),
        Err(failure) => {
            drop(writer);
            Err(failure)
        }
    };
    if done.is_err() {
        // What went wrong is told; an incomplete file would only stand in the way of the next attempt.
        let _ = session.files.delete(path, false).await;
    }
    done
}

async fn open<'a>(uri: &Uri, session: &'a Session) -> Result<FileReader<'a>, Failure> {
    session.files.open(uri.path()?, session.read_type()).await.map_err(|error| Failure::of_look(&error, uri))
}

async fn next(reader: &mut FileReader<'_>, uri: &Uri) -> Result<Option<Bytes>, Failure> {
    reader.next().await.map_err(|error| Failure::about(&error, uri))
}
