//! Calls about the configuration: what clients take as default, everywhere and for single paths.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use log::info;
use tonic::body::Body;
use tonic::codegen::http;
use xxhash_rust::xxh3::xxh3_128;

use super::ops::{AdminOperation, Answer, Operation, Query};
use super::server::{MasterServer, Namespace, UserCall, mismatch};
use crate::conf;
use crate::proto::alluxio::grpc::ConfigProperty;
use crate::proto::alluxio::grpc::meta::{
    ConfigProperties, GetConfigHashPOptions, GetConfigHashPResponse, GetConfigurationPOptions,
    GetConfigurationPResponse, RemovePathConfigurationPRequest, RemovePathConfigurationPResponse,
    SetPathConfigurationPRequest, SetPathConfigurationPResponse, UpdateConfigurationPRequest,
    UpdateConfigurationPResponse,
};
use crate::proto::convert;
use crate::rpc::call::{self, Reply};
use crate::types::{AlluxioPath, Caller, ErrorKind, FsError};

/// Properties without which a 2.9 client dies of a null pointer, and their values in 2.9.6.
const REQUIRED: [(&str, &str); 2] = [("alluxio.version", "2.9.6"), ("alluxio.underfs.version", "3.3.4")];

/// A property as clients are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its key.
    pub name: String,
    /// Where its value comes from; for people only.
    pub source: String,
    /// Its value. Never `${…}` for a boolean: 2.9 clients read that as false.
    pub value: String,
}

/// What GetConfiguration answers.
#[derive(Debug)]
pub(super) struct Configuration {
    properties: Vec<ConfigProperty>,
    hash: String,
}

impl Configuration {
    /// Of these properties; what a client cannot do without is added.
    pub(super) fn new(given: Vec<Property>) -> Configuration {
        let missing = REQUIRED.iter().filter(|(name, _)| !given.iter().any(|property| property.name == *name));
        let added: Vec<_> = missing.map(|(name, value)| (*name, "DEFAULT", *value).into()).collect();
        let mut properties: Vec<Property> = given.into_iter().chain(added).collect();
        properties.sort_by(|a, b| a.name.cmp(&b.name));
        let hash = hash_of(properties.iter().map(|Property { name, value, .. }| format!("{name}={value}")));
        Configuration { hash, properties: properties.into_iter().map(sent).collect() }
    }
}

/// 2.9 takes MD5. Clients only compare it with the one they got before.
fn hash_of(lines: impl Iterator<Item = String>) -> String {
    format!("{:032x}", xxh3_128(lines.map(|line| line + "\n").collect::<String>().as_bytes()))
}

impl From<(&str, &str, &str)> for Property {
    fn from((name, source, value): (&str, &str, &str)) -> Property {
        Property { name: name.into(), source: source.into(), value: value.into() }
    }
}

fn sent(property: Property) -> ConfigProperty {
    ConfigProperty { name: Some(property.name), source: Some(property.source), value: Some(property.value) }
}

/// MetaMasterConfigurationService. Whoever asks need not say who it is, as in 2.9; whoever changes something does.
pub(super) fn route<N: Namespace>(server: Arc<MasterServer<N>>, request: http::Request<Body>) -> Reply {
    match call::method_of(&request) {
        Some((_, "GetConfiguration")) => {
            call::unary(request, |message| async move { get_configuration(&server, &message).await })
        }
        Some((_, "GetConfigHash")) => {
            call::unary(request, |_: GetConfigHashPOptions| async move { get_config_hash(&server).await })
        }
        Some((_, "SetPathConfiguration")) => {
            server.as_known(request, |user, request| call::unary(request, |message| set_at_path(user, message)))
        }
        Some((_, "RemovePathConfiguration")) => {
            server.as_known(request, |user, request| call::unary(request, |message| remove_at_path(user, message)))
        }
        Some((_, "UpdateConfiguration")) => {
            server.as_known(request, |_, request| call::unary(request, |message| async { Ok(update(message)) }))
        }
        _ => call::refuse_unknown(&request),
    }
}

async fn get_configuration<N: Namespace>(
    server: &MasterServer<N>,
    request: &GetConfigurationPOptions,
) -> Result<GetConfigurationPResponse, FsError> {
    let mut response = GetConfigurationPResponse::default();
    if !request.ignore_cluster_conf() {
        response.cluster_configs = server.configuration.properties.clone();
        response.cluster_config_hash = Some(server.configuration.hash.clone());
    }
    if !request.ignore_path_conf() {
        let paths = path_properties(server).await?;
        response.path_config_hash = Some(path_hash(&paths));
        response.path_configs = paths.into_iter().map(sent_for_path).collect();
    }
    Ok(response)
}

async fn get_config_hash<N: Namespace>(server: &MasterServer<N>) -> Result<GetConfigHashPResponse, FsError> {
    Ok(GetConfigHashPResponse {
        cluster_config_hash: Some(server.configuration.hash.clone()),
        path_config_hash: Some(path_hash(&path_properties(server).await?)),
    })
}

/// By path and name.
type PathProperties = BTreeMap<AlluxioPath, BTreeMap<String, String>>;

async fn path_properties<N: Namespace>(server: &MasterServer<N>) -> Result<PathProperties, FsError> {
    match server.namespace.query(&Caller::default(), &Query::PathProperties).await? {
        Answer::PathProperties(properties) => Ok(properties),
        answer => Err(mismatch("GetConfiguration", &answer)),
    }
}

fn path_hash(paths: &PathProperties) -> String {
    let of_path = |(path, properties): (&AlluxioPath, &BTreeMap<String, String>)| -> Vec<String> {
        properties.iter().map(|(name, value)| format!("{path}:{name}:{value}")).collect()
    };
    hash_of(paths.iter().flat_map(of_path))
}

// Compatible: 2.9.6 Configuration.toProto, the source of all of them.
fn sent_for_path((path, properties): (AlluxioPath, BTreeMap<String, String>)) -> (String, ConfigProperties) {
    let properties = properties.into_iter().map(|(name, value)| ConfigProperty {
        source: Some("PATH_DEFAULT".to_owned()),
        value: Some(conf::shown_text(&name, &value).to_owned()),
        name: Some(name),
    });
    (path.into_string(), ConfigProperties { properties: properties.collect() })
}

async fn set_at_path<N: Namespace>(
    user: UserCall<N>,
    request: SetPathConfigurationPRequest,
) -> Result<SetPathConfigurationPResponse, FsError> {
    let path = convert::path(request.path())?;
    // Compatible: 2.9.6 PropertyKey.fromString, the text to the letter.
    if let Some(name) = request.properties.keys().find(|name| !conf::is_known(name)) {
        return Err(FsError::new(ErrorKind::InvalidArgument, format!("Invalid property key {name}")));
    }
    let names: Vec<&String> = request.properties.keys().collect();
    info!("defaults of clients are set path={path} names={names:?}");
    let properties = request.properties.into_iter().collect();
    user.change(AdminOperation::SetPathProperties { path, properties }).await?;
    Ok(SetPathConfigurationPResponse {})
}

async fn remove_at_path<N: Namespace>(
    user: UserCall<N>,
    request: RemovePathConfigurationPRequest,
) -> Result<RemovePathConfigurationPResponse, FsError> {
    let path = convert::path(request.path())?;
    info!("defaults of clients are removed path={path} names={:?}", request.keys);
    let names = request.keys.into_iter().collect();
    user.change(AdminOperation::RemovePathProperties { path, names }).await?;
    Ok(RemovePathConfigurationPResponse {})
}

/// No property of ours changes while a server runs.
// Compatible: 2.9.6 DefaultMetaMaster.updateConfiguration, of one that is not dynamic.
fn update(request: UpdateConfigurationPRequest) -> UpdateConfigurationPResponse {
    let status: HashMap<String, bool> = request.properties.into_keys().map(|name| (name, false)).collect();
    UpdateConfigurationPResponse { status }
}

impl<N: Namespace> UserCall<N> {
    async fn change(&self, operation: AdminOperation) -> Result<(), FsError> {
        self.server.front.submit(&self.client().await, None, Operation::Admin(operation)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::{Configuration, Property};

    #[test]
    fn a_client_always_gets_what_it_cannot_do_without() {
        let names = |given: Vec<Property>| -> Vec<(String, String)> {
            let properties = Configuration::new(given).properties.into_iter();
            properties.map(|property| (property.name().to_owned(), property.value().to_owned())).collect()
        };
        let version = ("alluxio.version".to_owned(), "2.9.6".to_owned());
        assert_eq!(names(Vec::new()), [("alluxio.underfs.version".to_owned(), "3.3.4".to_owned()), version.clone()]);
        let own = ("alluxio.underfs.version", "SITE_PROPERTY", "2.7.7").into();
        assert_eq!(names(vec![own]), [("alluxio.underfs.version".to_owned(), "2.7.7".to_owned()), version]);
    }

    #[test]
    fn the_hash_changes_with_a_value_and_not_with_the_order() {
        let hash = |pairs: &[(&str, &str)]| {
            Configuration::new(pairs.iter().map(|(name, value)| (*name, "", *value).into()).collect()).hash
        };
        assert_eq!(hash(&[("a", "1"), ("b", "2")]), hash(&[("b", "2"), ("a", "1")]));
        assert_ne!(hash(&[("a", "1")]), hash(&[("a", "2")]));
        assert_eq!(hash(&[]).len(), 32);
    }
}
