//! `alluxio fsadmin journal checkpoint`

use super::failed;
use crate::shell::{FAILED, Output, Session};

pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    match words {
        ["checkpoint"] => checkpoint(session, output).await,
        [] | ["checkpoint", ..] => usage(output),
        [name, ..] => {
            output.complain(&format!("{name} is an unknown command."));
            usage(output)
        }
    }
}

fn usage(output: &mut Output<'_>) -> i32 {
    output.line("usage: journal checkpoint");
    FAILED
}

async fn checkpoint(session: &Session, output: &mut Output<'_>) -> i32 {
    match session.files.checkpoint().await {
        Ok(host) => {
            output.line(&format!("Successfully took a checkpoint on master {host}"));
            0
        }
        Err(error) => failed(error, output),
    }
}
