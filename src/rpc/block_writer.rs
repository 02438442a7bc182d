//! Writing a block, or a file of the UFS, through a worker as a stream of chunks.

use std::time::Duration;

use bytes::Bytes;

use super::duplex::Duplex;
use super::worker::Worker;
use crate::proto::alluxio::grpc::block::write_request::Value;
use crate::proto::alluxio::grpc::block::{Chunk, RequestType, WriteRequest, WriteRequestCommand, WriteResponse};
use crate::proto::alluxio::proto::dataserver::CreateUfsFileOptions;
use crate::types::{BlockId, ErrorKind, FsError};

const WRITE_BLOCK: &str = "/alluxio.grpc.block.BlockWorker/WriteBlock";

/// What is written.
#[derive(Debug, Clone)]
pub enum BlockWrite {
    /// A block of the worker.
    Block {
        /// Its id.
        id: BlockId,
        /// Whether it must stay until it is persisted (ASYNC_THROUGH).
        pin: bool,
        /// Space that the worker makes at once.
        reserve_bytes: i64,
    },
    /// A file of the UFS, written by the worker.
    UfsFile(UfsFile),
}

/// A file of the UFS that is created.
#[derive(Debug, Clone)]
pub struct UfsFile {
    /// Where in the UFS.
    pub path: String,
    /// Which mount it belongs to.
    pub mount_id: i64,
    /// Its owner.
    pub owner: String,
    /// Its group.
    pub group: String,
    /// Its permission bits.
    pub mode: u16,
}

/// A write that is under way. Dropped before [`BlockWriter::commit`], it leaves nothing.
#[derive(Debug)]
pub struct BlockWriter {
    call: Duplex<WriteRequest, WriteResponse>,
    /// What opened it; a flush repeats it.
    command: WriteRequestCommand,
    position: i64,
    commit_patience: Duration,
}

impl BlockWriter {
    /// Begins to write. That the worker cannot take it is told by what follows.
    pub fn open(worker: &Worker, what: &BlockWrite) -> BlockWriter {
        let command = command(what);
        let first = WriteRequest { value: Some(Value::Command(command.clone())) };
        let call =
            Duplex::open(worker.connection.clone(), &worker.server, WRITE_BLOCK, worker.settings.write_patience, first);
        BlockWriter { call, command, position: 0, commit_patience: worker.settings.commit_patience }
    }

    /// Adds `chunk`, as soon as the worker has room for it.
    ///
    /// # Errors
    /// The worker failed or takes nothing more. A writer that failed is of no more use.
    pub async fn write(&mut self, chunk: Bytes) -> Result<(), FsError> {
        // An empty one would mean something else to the worker.
        if chunk.is_empty() {
            return Ok(());
        }
        let length = chunk.len() as i64;
        self.call.send(WriteRequest { value: Some(Value::Chunk(Chunk { data: Some(chunk) })) }).await?;
        self.position += length;
        Ok(())
    }

    /// Waits until the worker has taken all that was written.
    ///
    /// # Errors
    /// As [`BlockWriter::write`].
    pub async fn flush(&mut self) -> Result<(), FsError> {
        let flush = WriteRequestCommand { offset: Some(self.position), flush: Some(true), ..self.command.clone() };
        self.call.send(WriteRequest { value: Some(Value::Command(flush)) }).await?;
        let reached = self.call.expect().await?.offset();
        if reached != self.position {
            let text = format!("the worker flushed {reached} bytes of {} that were written", self.position);
            return Err(FsError::new(ErrorKind::Internal, text));
        }
        Ok(())
    }

    /// Waits until the worker has committed all that was written. Gives the hash of the content, if the worker tells one: of
    /// a file of the UFS.
    ///
    /// # Errors
    /// As [`BlockWriter::write`]. Then it is not known whether it was committed.
    pub async fn commit(mut self) -> Result<Option<String>, FsError> {
        self.call.half_close().await?;
        self.call.be_patient(self.commit_patience);
        // At most one answer comes, with a hash of the content.
        let mut content_hash = None;
        while let Some(answer) = self.call.receive().await? {
            content_hash = answer.content_hash.or(content_hash);
        }
        Ok(content_hash)
    }

    /// How much was written.
    pub fn position(&self) -> i64 {
        self.position
    }
}

fn command(what: &BlockWrite) -> WriteRequestCommand {
    let any = WriteRequestCommand { tier: Some(0), medium_type: Some(String::new()), ..WriteRequestCommand::default() };
    match what {
        BlockWrite::Block { id, pin, reserve_bytes } => WriteRequestCommand {
            r#type: Some(RequestType::AlluxioBlock.into()),
            id: Some(id.0),
            pin_on_create: Some(*pin),
            space_to_reserve: Some(*reserve_bytes),
            ..any
        },
        BlockWrite::UfsFile(file) => WriteRequestCommand {
            r#type: Some(RequestType::UfsFile.into()),
            id: Some(-1),
            create_ufs_file_options: Some(CreateUfsFileOptions {
                ufs_path: Some(file.path.clone()),
                owner: Some(file.owner.clone()),
                group: Some(file.group.clone()),
                mode: Some(file.mode.into()),
                mount_id: Some(file.mount_id),
                acl: None,
            }),
            ..any
        },
    }
}
