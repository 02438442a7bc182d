//! What masters and workers have in common in the REST: their configuration and the levels of their logs.

use serde_json::{Value, json};

use super::rest::Call;
use crate::conf::Conf;
use crate::logs::ServerLog;

/// Every property that has an effect, as people may see it.
pub(super) fn configuration(conf: &Conf) -> Value {
    let shown = conf.shown().into_iter().map(|property| (property.name.to_owned(), json!(property.text)));
    Value::Object(shown.collect())
}

/// Tells, and sets, the level of a logger.
// Compatible: 2.9 LogInfo.
pub(super) fn level(log: &ServerLog, call: &Call) -> Value {
    let name = call.text("logName").unwrap_or_default();
    let change = log.level(name, call.text("level"));
    json!({
        "logName": name,
        "level": change.level.map(|level| level.to_string()),
        "message": change.message,
    })
}
