//! Whole files (checkpoints, FORMAT): written block after block, closed, read back, of any length.

use super::super::chunks::{Chunks, Sum};
use super::file::HdfsClient;
use super::pipeline::Pipeline;
use super::wire::{HdfsError, Result};
use crate::proto::alluxio_rs::hdfs::{ExtendedBlock, LocatedBlock, LocatedBlocks};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// All blocks of a file, the one that is being written too.
pub fn blocks_of(located: LocatedBlocks) -> Vec<LocatedBlock> {
    let mut blocks = located.blocks;
    if let Some(last) = located.last_block
        && !blocks.iter().any(|block| block.b.block_id == last.b.block_id)
    {
        blocks.push(last);
    }
    blocks
}

impl HdfsClient {
    /// Writes a file of as many blocks as it takes, and closes it.
    pub async fn write_whole(self: &Arc<Self>, path: &str, content: Vec<Bytes>) -> Result<Vec<Sum>> {
        let held = self.create(path).await?;
        let mut previous = None;
        let mut open: Option<(LocatedBlock, Pipeline)> = None;
        let mut chunks = Chunks::new(content);
        for mut rest in chunks.by_ref() {
            while !rest.is_empty() {
                let (block, mut pipeline) = match open.take() {
                    Some(open) => open,
                    None => self.open_block(&held.file, previous.take()).await?,
                };
                let room = self.settings.block_bytes - pipeline.position();
                let part = rest.split_to(rest.len().min(room as usize));
                pipeline.append(part).await?;
                if pipeline.position() == self.settings.block_bytes {
                    previous = Some(end_block(block, pipeline).await?);
                } else {
                    open = Some((block, pipeline));
                }
            }
        }
        if let Some((block, pipeline)) = open {
            previous = Some(end_block(block, pipeline).await?);
        }
        self.complete(&held.file, previous).await?;
        Ok(chunks.sums())
    }

    /// Reads a closed file back and compares it with what was written.
    pub async fn verify_whole(&self, path: &str, written: &[Sum]) -> Result<()> {
        let differs = |reason: String| HdfsError::protocol(path, reason);
        let located = self.namenode.block_locations(path).await?;
        let located = located.ok_or_else(|| differs("the file vanished after it was written".into()))?;
        let length: u64 = written.iter().map(|sum| sum.bytes as u64).sum();
        if located.under_construction || located.file_length != length {
            return Err(differs(format!("{} of {length} bytes are in the file", located.file_length)));
        }
        let blocks = blocks_of(located);
        let mut offset = 0;
        for sum in written {
            let read = self.read_range(&blocks, offset, sum.bytes as u64).await?;
            if !sum.is_of(&read) {
                return Err(differs(format!("what was written at {offset} is not what is read")));
            }
            offset += sum.bytes as u64;
        }
        Ok(())
    }

    /// Reads a range that may span blocks. Gives less when the blocks end before it.
    pub async fn read_range(&self, blocks: &[LocatedBlock], offset: u64, bytes: u64) -> Result<Bytes> {
        let end = offset + bytes;
        let mut parts: Vec<Bytes> = Vec::new();
        let mut at = offset;
        while at < end {
            let Some(block) = blocks.iter().rev().find(|block| block.offset <= at) else { break };
            let next = blocks.iter().map(|b| b.offset).filter(|o| *o > block.offset).min().unwrap_or(u64::MAX);
            let part = self.datanodes.read(block, 0, at - block.offset, end.min(next) - at).await;
            parts.push(part.map_err(|failure| in_file(failure, block.offset))?);
            at = end.min(next);
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let mut all = BytesMut::with_capacity(bytes as usize);
        parts.iter().for_each(|part| all.extend_from_slice(part));
        Ok(all.freeze())
    }
}

/// A position in a block, as one in the file.
fn in_file(failure: HdfsError, block_offset: u64) -> HdfsError {
    match failure {
        HdfsError::Checksum { server, offset } => HdfsError::Checksum { server, offset: block_offset + offset },
        other => other,
    }
}

async fn end_block(block: LocatedBlock, mut pipeline: Pipeline) -> Result<ExtendedBlock> {
    pipeline.finish().await?;
    let mut block = block.b;
    block.num_bytes = Some(pipeline.position());
    Ok(block)
}
