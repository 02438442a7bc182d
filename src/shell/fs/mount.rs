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
    how: MountOptions,
    properties: Option<&str>,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let uri = paths::parse(word, session, output)?;
    let how = match properties {
        Some(file) => MountOptions { properties: read(file, output)?, ..how },
        None => how,
    };
    // Compatible: 1.2.0 AlluxioURI takes the slash at the end away.
    let ufs = if ufs.len() > 1 && !ufs.ends_with("://") { ufs.trim_end_matches('/') } else { ufs };
    let path = uri.path()?;
    let mounted = session.files.mount(path, ufs, &how).await;
    mounted.map_err(|error| match error {
        ClientError::Refused(refusal) => Failure::of(texts::of_mount(&refusal, path, ufs)),
        other => Failure::new(&other, path),
    })?;
    output.line(&format!("Mounted {ufs} at {uri}"));
    Ok(())
}

/// The options of the command.
pub(super) fn options(read_only: bool) -> MountOptions {
    MountOptions { read_only, ..MountOptions::default() }
}

/// The properties in the file that is called `name`.
// Compatible: 1.2.0 names the file, not what is wrong with it; tests/shell, 22-unrecorded.
fn read(name: &str, output: &mut Output<'_>) -> Result<Vec<(String, String)>, Failure> {
    let failed = |reason: String| Failure::of(format!("Unable to load property file: {name}")).because(&reason);
    let file = File::open(name).map_err(|error| failed(reason(&error)))?;
    let read = java_properties::read(BufReader::new(file)).map_err(|error| failed(error.to_string()))?;
    let mut properties: Vec<_> = read.into_iter().collect();
    properties.sort();
    if !properties.is_empty() {
        output.line(&format!("Using properties from file: {name}"));
    }
    Ok(properties)
}
