//! `alluxio fsadmin getBlockInfo [blockId]`

use super::report::HELP;
use crate::shell::fs::Failure;
use crate::shell::fs29::options::CommandLine;
use crate::shell::fs29::{Command, Words, describe};
use crate::shell::{Output, Session};
use crate::types::BlockId;

pub(super) const COMMAND: Command = Command {
    options: &[HELP],
    ..Command::new(
        "getBlockInfo",
        "getBlockInfo [blockId]",
        "get the block information and file path of a specified block id.",
        Words::Exactly(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

// Compatible: 2.9.6 GetBlockInfoCommand, which takes every failure for "there is none"; where no master answers, ours says so.
async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    if line.has("h") {
        output.line(COMMAND.usage);
        output.line(COMMAND.description);
        return Ok(());
    }
    let word = line.word(0);
    let id: i64 = word.parse().map_err(|_| Failure::of(format!("{word} is not a valid block id.")))?;
    let file = BlockId(id).file().0;
    match session.files.block_info_of(BlockId(id)).await {
        Ok(block) => output.line(&describe::block(&block)),
        Err(crate::client::ClientError::Refused(_)) => {
            output.line(&format!("BlockMeta is not available for blockId: {id}"));
        }
        Err(unreachable) => return Err(unreachable.into()),
    }
    match session.files.path_of_id(file).await {
        Ok(path) => output.line(&format!("This block belongs to file {{id={file}, path={path}}}")),
        Err(_) => output.line(&format!("This block belongs to file {{id={file}}}")),
    }
    Ok(())
}
