//! WriteBlock: a command, then chunks; flushes are answered with the position; a half-close commits, a reset gives up.
//! What is written is a block here, a file in the UFS, or a block that goes on in the UFS when there is no room here.

use std::sync::Arc;

use bytes::Bytes;
use tonic::Streaming;

use super::blocks::Worker;
use super::data_server::Answers;
use super::write::{Kind, Sink};
use crate::proto::alluxio::grpc::block::write_request::Value;
use crate::proto::alluxio::grpc::block::{RequestType, WriteRequest, WriteRequestCommand, WriteResponse};
use crate::rpc::status;
use crate::types::{BlockId, ErrorKind, FsError};

/// Answers one write.
pub(super) async fn write(
    worker: Arc<Worker>,
    mut inbound: Streaming<WriteRequest>,
    answers: Answers<WriteResponse>,
) -> Result<(), FsError> {
    let Some(first) = inbound.message().await.map_err(status::from_status)? else { return Ok(()) };
    let Some(Value::Command(command)) = first.value else {
        return Err(FsError::new(ErrorKind::InvalidArgument, "The first message of a write must be a command."));
    };
    let mut sink = Sink::begin(&worker, kind(&command)?).await?;
    if let Some(bytes) = to_resume(&command) {
        sink = sink.resume(&worker, bytes).await?;
    }
    // A reset is an error, and drops what is written.
    while let Some(message) = inbound.message().await.map_err(status::from_status)? {
        match message.value {
            Some(Value::Chunk(chunk)) => {
                let data = chunk.data.unwrap_or_else(Bytes::new);
                let bytes = data.len() as u64;
                sink = sink.write(&worker, data).await?;
                worker.store.counters().bytes_written_remote.inc_by(bytes);
            }
            Some(Value::Command(command)) => {
                check(&command, sink.position())?;
                if let Some(bytes) = to_resume(&command) {
                    sink = sink.resume(&worker, bytes).await?;
                } else if command.flush() {
                    // What was written is where readers of the file find it already.
                    let answer = WriteResponse { offset: command.offset, content_hash: None };
                    if answers.send(Ok(answer)).await.is_err() {
                        return Ok(());
                    }
                }
            }
            None => {}
        }
    }
    let position = sink.position();
    if let Some(content_hash) = sink.commit(&worker).await? {
        let offset = i64::try_from(position).ok();
        // The client may have gone; what it wrote stays.
        let _ = answers.send(Ok(WriteResponse { offset, content_hash: Some(content_hash) })).await;
    }
    Ok(())
}

/// What is to be written.
fn kind(command: &WriteRequestCommand) -> Result<Kind, FsError> {
    let lacks = |what: &str| FsError::new(ErrorKind::InvalidArgument, format!("The write request lacks {what}."));
    let block = BlockId(command.id());
    let reserve = u64::try_from(command.space_to_reserve()).unwrap_or(0);
    let kind = match command.r#type() {
        RequestType::AlluxioBlock => Kind::Block { block, reserve, pin: command.pin_on_create(), overflow: None },
        RequestType::UfsFile => {
            let options = command.create_ufs_file_options.clone();
            Kind::UfsFile(Box::new(options.ok_or_else(|| lacks("create_ufs_file_options"))?))
        }
        RequestType::UfsFallbackBlock => {
            let options = command.create_ufs_block_options.ok_or_else(|| lacks("create_ufs_block_options"))?;
            let mount = options.mount_id();
            match options.fallback() {
                // Of a local writer that ran out of room.
                true => Kind::UfsBlock { block, mount },
                false => Kind::Block { block, reserve, pin: command.pin_on_create(), overflow: Some(mount) },
            }
        }
    };
    match command.offset {
        None | Some(0) => Ok(kind),
        Some(other) => Err(mismatch(other, 0)),
    }
}

/// How much of a block its client wrote by short circuit before it came here.
// Compatible: 2.9 UfsFallbackBlockWriteHandler, handleCommand.
fn to_resume(command: &WriteRequestCommand) -> Option<u64> {
    let bytes = command.create_ufs_block_options.as_ref()?.bytes_in_block_store?;
    (command.offset == Some(0) && !command.flush()).then_some(())?;
    u64::try_from(bytes).ok()
}

fn check(command: &WriteRequestCommand, position: u64) -> Result<(), FsError> {
    match command.offset {
        Some(offset) if u64::try_from(offset) != Ok(position) => Err(mismatch(offset, position)),
        _ => Ok(()),
    }
}

// Compatible: 2.9 AbstractWriteHandler, the text to the letter.
fn mismatch(received: i64, expected: u64) -> FsError {
    let text = format!("Offsets do not match [received: {received}, expected: {expected}].");
    FsError::new(ErrorKind::InvalidArgument, text)
}
