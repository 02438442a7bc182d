//! What Hadoop's own files say: which NameNodes stand behind the name of an HDFS name service.

use std::collections::BTreeMap;
use std::path::Path;

use super::keys::UNDERFS_HDFS_CONFIGURATION;
use super::load::Conf;
use super::sources::Origin;
use super::values::{HostPort, ParseValue};

/// Why Hadoop's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HadoopError {
    /// A file cannot be read.
    #[error("cannot read {path}, which {name} names ({origin})")]
    Read {
        /// The file.
        path: String,
        /// The property that names it.
        name: &'static str,
        /// Where that is set.
        origin: Origin,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file is not XML.
    #[error("{path} is not XML that can be read")]
    Syntax {
        /// The file.
        path: String,
        /// Where and what.
        #[source]
        source: roxmltree::Error,
    },
    /// A property of a name service is missing or wrong.
    #[error("{name} = {text} ({path}): {reason}")]
    Value {
        /// Hadoop's property.
        name: String,
        /// Its value.
        text: String,
        /// The file in which it is set, or the files in which it is not.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// Hadoop's properties: value and file, by name.
type Properties = BTreeMap<String, (String, String)>;

/// The addresses (`host:port`) of the NameNodes of each name service that the Hadoop files of this configuration
/// name. Files at their usual place may be missing; those that somebody asked for may not.
pub fn nameservices(conf: &Conf) -> Result<BTreeMap<String, Vec<String>>, HadoopError> {
    let properties = read_all(conf)?;
    list(&properties, "dfs.nameservices")
        .into_iter()
        .map(|service| {
            let addresses = namenodes(&properties, service)?;
            Ok((service.to_owned(), addresses))
        })
        .collect()
}

/// All of Hadoop's properties in those files, by name.
pub fn properties(conf: &Conf) -> Result<BTreeMap<String, String>, HadoopError> {
    Ok(read_all(conf)?.into_iter().map(|(name, (value, _))| (name, value)).collect())
}

fn read_all(conf: &Conf) -> Result<Properties, HadoopError> {
    let origin = conf.origin(&UNDERFS_HDFS_CONFIGURATION.row);
    let mut properties = Properties::new();
    for path in conf.get(&UNDERFS_HDFS_CONFIGURATION) {
        let name = UNDERFS_HDFS_CONFIGURATION.row.name;
        match std::fs::read_to_string(&path) {
            Ok(text) => read(&path, &text, &mut properties)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && *origin == Origin::Preset => {}
            Err(source) => {
                return Err(HadoopError::Read {
                    path: path.display().to_string(),
                    name,
                    origin: origin.clone(),
                    source,
                });
            }
        }
    }
    Ok(properties)
}

/// Adds the properties of a file; they override those of files before it.
fn read(path: &Path, text: &str, properties: &mut Properties) -> Result<(), HadoopError> {
    let path = path.display().to_string();
    let document =
        roxmltree::Document::parse(text).map_err(|source| HadoopError::Syntax { path: path.clone(), source })?;
    for property in document.root_element().children().filter(|node| node.has_tag_name("property")) {
        let part = |tag| property.children().find(|node| node.has_tag_name(tag)).and_then(|node| node.text());
        if let (Some(name), value) = (part("name"), part("value").unwrap_or_default()) {
            properties.insert(name.trim().to_owned(), (value.trim().to_owned(), path.clone()));
        }
    }
    Ok(())
}

fn namenodes(properties: &Properties, service: &str) -> Result<Vec<String>, HadoopError> {
    let members = format!("dfs.ha.namenodes.{service}");
    let ids = list(properties, &members);
    let names: Vec<String> = if ids.is_empty() {
        vec![format!("dfs.namenode.rpc-address.{service}")]
    } else {
        ids.iter().map(|id| format!("dfs.namenode.rpc-address.{service}.{id}")).collect()
    };
    names.into_iter().map(|name| address(properties, name)).collect()
}

fn address(properties: &Properties, name: String) -> Result<String, HadoopError> {
    let Some((text, path)) = properties.get(&name) else {
        let path = properties.get("dfs.nameservices").map_or(String::new(), |(_, path)| path.clone());
        let reason = "is not set, but dfs.nameservices names its service".to_owned();
        return Err(HadoopError::Value { name, text: String::new(), path, reason });
    };
    let checked = match text.contains("${") {
        true => Err("references to other properties are not resolved; write host:port".to_owned()),
        false => HostPort::parse(text).map(|_| ()),
    };
    match checked {
        Ok(()) => Ok(text.clone()),
        Err(reason) => Err(HadoopError::Value { name, text: text.clone(), path: path.clone(), reason }),
    }
}

fn list<'a>(properties: &'a Properties, name: &str) -> Vec<&'a str> {
    let text = properties.get(name).map_or("", |(text, _)| text);
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::{Role, Sources};

    /// Runs with these files in the configuration folder; the message of a refusal shows the folder as `conf`.
    fn with(files: &[(&str, &str)], options: &[&str]) -> Result<BTreeMap<String, Vec<String>>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, properties) in files {
            let text = format!("<?xml version=\"1.0\"?>\n<!-- site -->\n<configuration>{properties}</configuration>");
            std::fs::write(folder.path().join(name), text).expect("writable");
        }
        let path = folder.path().to_str().expect("a plain path").to_owned();
        let environment = [("ALLUXIO_CONF_DIR".to_owned(), path.clone())].into();
        let command_line = options.iter().map(|option| option.replace("conf/", &format!("{path}/"))).collect();
        let conf = Conf::load(&Sources { role: Role::Master, environment, command_line }).expect("no mistake");
        nameservices(&conf).map_err(|error| error.to_string().replace(&path, "conf"))
    }

    fn property(name: &str, value: &str) -> String {
        format!("<property>\n <name>{name}</name><value> {value} </value><final>true</final></property>")
    }

    fn two() -> String {
        property("dfs.nameservices", "ha, one")
            + &property("dfs.ha.namenodes.ha", "nn1,nn2")
            + &property("dfs.namenode.rpc-address.ha.nn1", "h1:8020")
            + &property("dfs.namenode.rpc-address.ha.nn2", "h2:8020")
            + &property("dfs.namenode.rpc-address.one", "h3:9000")
    }

    #[test]
    fn the_namenodes_of_a_name_service_are_found() {
        let found = with(&[("core-site.xml", ""), ("hdfs-site.xml", &two())], &[]).expect("good files");
        assert_eq!(found["ha"], ["h1:8020", "h2:8020"]);
        assert_eq!(found["one"], ["h3:9000"]);
        assert_eq!(with(&[], &[]), Ok(BTreeMap::new()), "files at the usual place may be missing");
        let later = property("dfs.namenode.rpc-address.one", "h4:9000");
        let found = with(
            &[("a.xml", &two()), ("b.xml", &later)],
            &["alluxio.underfs.hdfs.configuration=conf/a.xml,conf/b.xml"],
        );
        assert_eq!(found.expect("good files")["one"], ["h4:9000"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_file() {
        let asked = with(&[], &["alluxio.underfs.hdfs.configuration=conf/a.xml"]);
        let expected = "cannot read conf/a.xml, which alluxio.underfs.hdfs.configuration names (command line)";
        assert_eq!(asked, Err(expected.to_owned()));
        let open = with(&[("hdfs-site.xml", "<property>")], &[]);
        assert_eq!(open, Err("conf/hdfs-site.xml is not XML that can be read".to_owned()));
        let without = with(&[("hdfs-site.xml", &property("dfs.nameservices", "ha"))], &[]);
        let expected = "dfs.namenode.rpc-address.ha =  (conf/hdfs-site.xml): \
                        is not set, but dfs.nameservices names its service";
        assert_eq!(without, Err(expected.to_owned()));
        let wrong = two() + &property("dfs.namenode.rpc-address.one", "h3");
        let expected = "dfs.namenode.rpc-address.one = h3 (conf/hdfs-site.xml): \"h3\" is not host:port";
        assert_eq!(with(&[("hdfs-site.xml", &wrong)], &[]), Err(expected.to_owned()));
    }
}
