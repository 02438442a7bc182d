//! `alluxio fsadmin ufs [--mode <noAccess/readOnly/readWrite>] <ufsPath>`

use crate::proto::alluxio::grpc::file::UfsPMode;
use crate::shell::fs::Failure;
use crate::shell::fs29::options::{ARG, CommandLine, Opt};
use crate::shell::fs29::{Command, Words};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[Opt::with(
        "",
        "mode",
        ARG,
        "Set maintenance mode for a ufs path under one or more Alluxio mount points.",
    )],
    ..Command::new(
        "ufs",
        "ufs [--mode <noAccess/readOnly/readWrite>] <ufsPath>",
        "Update attributes for a ufs path.",
        Words::Exactly(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

// Compatible: 2.9.6 UfsCommand.
async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let Some(root) = root(line.word(0)) else {
        return Err(Failure::of("The ufs path should have only scheme and authority but no path."));
    };
    let Some(mode) = line.value("mode") else {
        output.line("No attribute to update");
        return Ok(());
    };
    let mode = match mode {
        "noAccess" => UfsPMode::NoAccess,
        "readOnly" => UfsPMode::ReadOnly,
        "readWrite" => UfsPMode::ReadWrite,
        _ => return Err(Failure::of("Unrecognized mode")),
    };
    session.files.update_ufs_mode(&root, mode).await?;
    output.line("Ufs mode updated");
    Ok(())
}

/// The scheme and authority, with a slash behind them, if that is all there is.
fn root(ufs: &str) -> Option<String> {
    let (head, rest) = match ufs.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), ufs),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // Without a scheme there is no authority.
    let is_root = path.trim_matches('/').is_empty() && (authority.is_empty() || !head.is_empty()) && !ufs.is_empty();
    is_root.then(|| format!("{head}{authority}/"))
}

#[cfg(test)]
mod tests {
    use super::root;

    #[test]
    fn only_scheme_and_authority_name_a_ufs() {
        assert_eq!(
            [root("/"), root("hdfs://nn:1"), root("hdfs://nn:1/")].map(Option::unwrap_or_default),
            ["/", "hdfs://nn:1/", "hdfs://nn:1/"]
        );
        assert_eq!([root("/lab"), root("hdfs://nn:1/a"), root("a"), root("")], [None, None, None, None]);
    }
}
