//! `mount [-readonly] [-P <properties file name>] <alluxioPath> <ufsURI>`

use std::fs::File;
use std::io::BufReader;

use super::{Failure, paths};
use crate::client::{ClientError, MountOptions};
use crate::shell::local::reason;
use crate::shell::{Output, Session, texts};

pub(super) async fn run(
    word: &str,
    ufs: &str,
    how: &MountOptions,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let uri = paths::parse(word, session, output)?;
    // Compatible: 1.2.0 AlluxioURI takes the slash at the end away.
    let ufs = if ufs.len() > 1 && !ufs.ends_with("://") { ufs.trim_end_matches('/') } else { ufs };
    let mounted = session.files.mount(uri.path(), ufs, how).await;
    mounted.map_err(|error| match error {
        ClientError::Refused(refusal) => Failure::of(texts::of_mount(&refusal, uri.path(), ufs)),
        other => Failure::new(&other, uri.path()),
    })?;
    output.line(&format!("Mounted {ufs} at {uri}"));
    Ok(())
}

/// The options of the command. `properties` names a file.
pub(super) fn options(read_only: bool, properties: Option<&str>) -> Result<MountOptions, Failure> {
    Ok(MountOptions { read_only, shared: false, properties: properties.map_or(Ok(Vec::new()), read)? })
}

fn read(path: &str) -> Result<Vec<(String, String)>, Failure> {
    let file = File::open(path).map_err(|error| Failure::of(format!("{path} ({})", reason(&error))))?;
    let read = java_properties::read(BufReader::new(file));
    let mut properties: Vec<_> = read.map_err(|error| Failure::of(format!("{path}: {error}")))?.into_iter().collect();
    properties.sort();
    Ok(properties)
}
