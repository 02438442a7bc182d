//! `alluxio fsadmin updateConf key1=val1 [key2=val2 ...]`

use super::failed;
use crate::shell::{Output, Session};
use std::collections::HashMap;

// Compatible: 2.9.6 UpdateConfCommand, texts and exit codes.
pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    let mut properties = HashMap::new();
    for word in words.iter().filter(|word| word.contains('=')) {
        match word.split('=').collect::<Vec<_>>()[..] {
            [name, value] => drop(properties.insert(name.to_owned(), value.to_owned())),
            _ => {
                output.complain(&format!("Failed to parse {word}, expecting argument in the format of \"key=val\""));
                return 253;
            }
        }
    }
    if properties.is_empty() {
        output.line("No config to update");
        return 255;
    }
    match session.files.update_configuration(&properties).await {
        Ok(status) => {
            output.line(&format!("Updated {} configs", status.len()));
            let refused = status.iter().filter(|(_, done)| !**done).map(|(name, _)| name);
            refused.clone().for_each(|name| output.line(&format!("Failed to Update {name}")));
            if refused.count() == 0 { 0 } else { 254 }
        }
        Err(error) => failed(error, output),
    }
}
