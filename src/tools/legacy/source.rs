//! Reads the files of a journal of the originals, on a local disk or in HDFS, in the order in which a master would.

use super::error::LegacyError;
use super::gather::{Ending, Gathered, Whole};
use super::{checkpoint, layout};
use crate::ufs::{Ufs, UfsClients, UfsError, UfsSettings};
use bytes::Bytes;
use std::io::Read;
use std::sync::Arc;

/// Masters whose journals are read first; all others follow.
const MASTERS: [&str; 3] = ["FileSystemMaster", "BlockMaster", "MetaMaster"];
/// Read at a time.
const READ_BYTES: usize = 4 << 20;

/// Why a journal cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The storage.
    #[error("cannot read {file}")]
    Ufs {
        /// What.
        file: String,
        /// Why not.
        #[source]
        source: UfsError,
    },
    /// What is in it.
    #[error(transparent)]
    Legacy(#[from] LegacyError),
}

/// Which layout a journal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// 1.0 to 1.7.
    V0,
    /// 1.8 to 2.9.
    V1,
    /// A file that `fsadmin backup` of 1.8 or 2.x has written, or ours.
    Backup,
}

impl Generation {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Generation::V0 => "layout v0 (Alluxio 1.0 to 1.7)",
            Generation::V1 => "layout v1 (Alluxio 1.8 to 2.9)",
            Generation::Backup => "a backup (fsadmin backup of Alluxio 1.8 or 2.x)",
        }
    }
}

/// The journal in that folder, or the backup in that file.
///
/// # Errors
/// It cannot be read, is damaged, or is none.
pub async fn read_journal(settings: UfsSettings, uri: &str) -> Result<(Generation, Whole), SourceError> {
    let failed = |source| SourceError::Ufs { file: uri.to_owned(), source };
    let ufs = UfsClients::new(settings).of(uri).map_err(failed)?;
    let status = ufs.status(uri).await.map_err(failed)?;
    let mut gathered = Gathered::default();
    let folder = Folder { ufs, uri: uri.trim_end_matches('/').to_owned() };
    let generation = match status {
        None => {
            let reason = "there is nothing".to_owned();
            return Err(LegacyError::NoJournal { folder: folder.uri, reason }.into());
        }
        Some(status) if status.directory => folder.read(&mut gathered).await?,
        Some(_) => {
            let file = folder.bytes_at(&folder.uri).await?;
            gathered.unnumbered(&folder.uri, &unpacked(&folder.uri, &file)?)?;
            Generation::Backup
        }
    };
    Ok((generation, gathered.finish(&folder.uri)?))
}

/// The entries in a backup.
fn unpacked(file: &str, bytes: &[u8]) -> Result<Vec<u8>, LegacyError> {
    let mut entries = Vec::new();
    let outcome = flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut entries);
    outcome.map_err(|error| LegacyError::Damaged {
        file: file.to_owned(),
        offset: entries.len(),
        reason: format!("no whole backup (gzip): {error}"),
    })?;
    Ok(entries)
}

struct Folder {
    ufs: Arc<dyn Ufs>,
    /// As given.
    uri: String,
}

impl Folder {
    async fn read(&self, gathered: &mut Gathered) -> Result<Generation, SourceError> {
        let mut masters = self.directories("").await?;
        masters.sort_by_key(|name| MASTERS.iter().position(|first| first == name).unwrap_or(MASTERS.len()));
        let mut generation = None;
        for master in &masters {
            let found = if self.directories(master).await?.iter().any(|name| name == "v1") {
                self.read_v1(master, gathered).await?;
                Generation::V1
            } else if self.read_v0(master, gathered).await? {
                Generation::V0
            } else {
                continue;
            };
            if *generation.get_or_insert(found) != found {
                let reason = format!("{master} has the {}, others have the other", found.text());
                return Err(LegacyError::Misfit { folder: self.uri.clone(), reason }.into());
            }
        }
        if generation.is_some() && !masters.iter().any(|name| name == "BlockMaster") {
            let reason = "BlockMaster is missing, which has the blocks of all files".to_owned();
            return Err(LegacyError::Misfit { folder: self.uri.clone(), reason }.into());
        }
        let reason = || "it has no folder FileSystemMaster with v1, checkpoint.data or log.out".to_owned();
        Ok(generation.ok_or_else(|| LegacyError::NoJournal { folder: self.uri.clone(), reason: reason() })?)
    }

    async fn read_v1(&self, master: &str, gathered: &mut Gathered) -> Result<(), SourceError> {
        let [checkpoints, logs] = [format!("{master}/v1/checkpoints"), format!("{master}/v1/logs")];
        let (newest, spans) = layout::plan_v1(&self.files(&checkpoints).await?, &self.files(&logs).await?);
        let mut expected = Some(0);
        if let Some(newest) = newest {
            let file = format!("{checkpoints}/{}", newest.name);
            let bytes = self.bytes(&file).await?;
            if checkpoint::has_type(&bytes) {
                gathered.checkpoint(&self.name(&file), &bytes)?;
            } else {
                gathered.numbered(&self.name(&file), &bytes, Ending::Whole, &mut None)?;
            }
            expected = Some(newest.end);
        }
        for span in &spans {
            let file = self.name(&format!("{logs}/{}", span.name));
            if let Some(from) = expected.filter(|from| *from < span.start) {
                return Err(LegacyError::Gap { file, from, before: span.start }.into());
            }
            let bytes = self.bytes(&format!("{logs}/{}", span.name)).await?;
            let ending = if span.is_finished() { Ending::Before(span.end) } else { Ending::MayBeTorn };
            gathered.numbered(&file, &bytes, ending, &mut expected)?;
        }
        Ok(())
    }

    /// False if there is nothing of v0.
    async fn read_v0(&self, master: &str, gathered: &mut Gathered) -> Result<bool, SourceError> {
        let files = self.files(master).await?;
        let has = |name: &str| files.iter().any(|file| file == name);
        let completed = self.files(&format!("{master}/completed")).await?;
        let misfit = |reason| LegacyError::Misfit { folder: self.uri.clone(), reason };
        let mut logs: Vec<String> = layout::plan_v0(&completed).map_err(|e| misfit(format!("{master}: {e}")))?;
        logs.iter_mut().for_each(|log| *log = format!("completed/{log}"));
        logs.extend(has("log.out").then(|| "log.out".to_owned()));
        if !has("checkpoint.data") {
            if logs.is_empty() && !files.iter().any(|file| file.starts_with("checkpoint.data")) {
                return Ok(false);
            }
            let others: Vec<&str> =
                files.iter().map(String::as_str).filter(|f| f.starts_with("checkpoint.data")).collect();
            let reason = format!(
                "{master}/checkpoint.data is missing (there: {}). A master that died while it replaced it leaves it under \
                 another name: copy the journal, rename the newest of these in the copy to checkpoint.data, and import that",
                if others.is_empty() { "nothing like it".to_owned() } else { others.join(", ") }
            );
            return Err(misfit(reason).into());
        }
        let mut expected = None;
        let file = format!("{master}/checkpoint.data");
        gathered.numbered(&self.name(&file), &self.bytes(&file).await?, Ending::Whole, &mut expected)?;
        // The last log may be one whose writer died; a new leader gives it its number before it goes on.
        let last = logs.len().wrapping_sub(1);
        for (index, log) in logs.iter().enumerate() {
            let file = format!("{master}/{log}");
            let ending = if index == last { Ending::MayBeTorn } else { Ending::Whole };
            gathered.numbered(&self.name(&file), &self.bytes(&file).await?, ending, &mut expected)?;
        }
        Ok(true)
    }

    /// How a file is called in messages.
    fn name(&self, file: &str) -> String {
        format!("{}/{file}", self.uri)
    }

    async fn directories(&self, below: &str) -> Result<Vec<String>, SourceError> {
        Ok(self.list(below).await?.into_iter().filter(|(_, directory)| *directory).map(|(name, _)| name).collect())
    }

    async fn files(&self, below: &str) -> Result<Vec<String>, SourceError> {
        Ok(self.list(below).await?.into_iter().filter(|(_, directory)| !*directory).map(|(name, _)| name).collect())
    }

    /// Names, and whether they are directories; none where there is none.
    async fn list(&self, below: &str) -> Result<Vec<(String, bool)>, SourceError> {
        let path = self.name(below).trim_end_matches('/').to_owned();
        let failed = |source| SourceError::Ufs { file: path.clone(), source };
        if !self.ufs.status(&path).await.map_err(failed)?.is_some_and(|status| status.directory) {
            return Ok(Vec::new());
        }
        let listed = self.ufs.list(&path).await.map_err(failed)?;
        Ok(listed.into_iter().map(|status| (status.name, status.directory)).collect())
    }

    async fn bytes(&self, file: &str) -> Result<Bytes, SourceError> {
        self.bytes_at(&self.name(file)).await
    }

    async fn bytes_at(&self, uri: &str) -> Result<Bytes, SourceError> {
        let failed = |source| SourceError::Ufs { file: uri.to_owned(), source };
        let mut reader = self.ufs.open(uri, 0).await.map_err(failed)?;
        let mut bytes = Vec::new();
        loop {
            let more = reader.read(READ_BYTES).await.map_err(failed)?;
            if more.is_empty() {
                return Ok(bytes.into());
            }
            bytes.extend_from_slice(&more);
        }
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
