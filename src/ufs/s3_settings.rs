//! How a bucket is reached and with whose keys: properties of a mount, else those of the site.

use super::error::{UfsError, UfsErrorKind};
use super::uri::UfsUri;
use crate::conf::keys::{self, S3_ROWS};
use crate::conf::{Compatibility, Key, ParseValue, Row};
use crate::types::Properties;
use rusty_s3::{Bucket, Credentials, UrlStyle};
use std::net::IpAddr;

/// See the module text. Not shown: it holds a secret.
pub(super) struct S3Settings {
    pub bucket: Bucket,
    /// As an operator would write it; for messages.
    pub endpoint: String,
    /// None: requests are not signed.
    pub credentials: Option<Credentials>,
    /// Permission bits of all that is there.
    pub mode: u16,
}

impl S3Settings {
    /// For the bucket of this URI.
    ///
    /// # Errors
    /// A property that cannot be used; the text names it.
    pub fn of(uri: &UfsUri, mount: &Properties, site: &Properties) -> Result<S3Settings, UfsError> {
        let invalid = |reason: String| UfsError::new(UfsErrorKind::Invalid, "use", uri.to_string(), reason);
        Values { mount, site }.settings(&uri.authority).map_err(invalid)
    }
}

struct Values<'a> {
    mount: &'a Properties,
    site: &'a Properties,
}

impl Values<'_> {
    fn settings(&self, bucket: &str) -> Result<S3Settings, String> {
        if !bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
            return Err(format!("{bucket} is not the name of a bucket"));
        }
        let region = match self.get(&keys::S3_ENDPOINT_REGION)? {
            Some(region) => region,
            None => self.get(&keys::S3_REGION)?,
        };
        let endpoint = match self.get(&keys::S3_ENDPOINT)? {
            None => format!("https://s3.{region}.amazonaws.com"),
            Some(endpoint) if endpoint.contains("://") => endpoint,
            Some(endpoint) if self.get(&keys::S3_SECURE_HTTP)? => format!("https://{endpoint}"),
            Some(endpoint) => format!("http://{endpoint}"),
        };
        // Compatible: 2.9, whose client puts the bucket into the path of an IP address, too.
        let style = match self.get(&keys::S3_DISABLE_DNS_BUCKETS)? || is_address(&endpoint) {
            true => UrlStyle::Path,
            false => UrlStyle::VirtualHost,
        };
        let wrong = |reason: String| format!("{} = {endpoint}: {reason}", keys::S3_ENDPOINT.row.name);
        let url = endpoint.parse().map_err(|_| wrong("not http://host:port or https://host:port".into()))?;
        let bucket = Bucket::new(url, style, bucket.to_owned(), region);
        let bucket = bucket.map_err(|error| {
            let way = "an endpoint that has no bucket in its host's name needs";
            wrong(format!("{error}; {way} {} = true", keys::S3_DISABLE_DNS_BUCKETS.row.name))
        })?;
        let mode = self.get(&keys::S3_DEFAULT_MODE)?.0;
        Ok(S3Settings { bucket, endpoint, credentials: self.credentials()?, mode })
    }

    fn credentials(&self) -> Result<Option<Credentials>, String> {
        let (access, secret) = (&keys::S3_ACCESS_KEY, &keys::S3_SECRET_KEY);
        match (self.get(access)?, self.get(secret)?) {
            (Some(key), Some(secret)) => Ok(Some(Credentials::new(key, secret))),
            // Compatible: 2.9, which looks into the environment, too; it also asks the host, which is not done here.
            (None, None) => Ok(Credentials::from_env()),
            (Some(_), None) => Err(format!("{} is set, but {} is not", access.row.name, secret.row.name)),
            (None, Some(_)) => Err(format!("{} is set, but {} is not", secret.row.name, access.row.name)),
        }
    }

    fn get<T: ParseValue>(&self, key: &Key<T>) -> Result<T, String> {
        let text = self.text(&key.row).unwrap_or_else(|| key.row.preset.text(Compatibility::V2_9));
        // The text may be a secret.
        key.read(text).map_err(|reason| format!("{}: {reason}", key.row.name))
    }

    fn text(&self, row: &Row) -> Option<&str> {
        let names = || std::iter::once(&row.name).chain(row.aliases);
        names().find_map(|name| self.mount.get(name)).or_else(|| names().find_map(|name| self.site.get(name)))
    }
}

/// The options of a mount that have no effect on S3.
pub(super) fn without_effect(mount: &Properties) -> Vec<&str> {
    let is_read = |name: &str| S3_ROWS.iter().any(|row| row.name == name || row.aliases.contains(&name));
    mount.names().filter(|name| !is_read(name)).collect()
}

fn is_address(endpoint: &str) -> bool {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    host.is_some_and(|host| host.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&str, &str)]) -> Properties {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn of(mount: &[(&str, &str)], site: &[(&str, &str)]) -> Result<S3Settings, UfsError> {
        S3Settings::of(&UfsUri::parse("s3://b/k").unwrap(), &properties(mount), &properties(site))
    }

    #[test]
    fn options_of_a_mount_win_over_the_site() {
        let site = [("s3a.accessKeyId", "site"), ("s3a.secretKey", "s"), ("alluxio.underfs.s3.endpoint", "h:9000")];
        let own = [("aws.accessKeyId", "own"), ("aws.secretKey", "o"), ("alluxio.underfs.s3.default.mode", "755")];
        let settings = of(&own, &site).unwrap();
        let credentials = settings.credentials.unwrap();
        assert_eq!((credentials.key(), credentials.secret(), settings.mode), ("own", "o", 0o755));
        assert_eq!(settings.bucket.base_url().as_str(), "http://b.h:9000/");
        assert_eq!(of(&[], &site).unwrap().credentials.unwrap().key(), "site");
    }

    #[test]
    fn the_bucket_stands_where_the_endpoint_wants_it() {
        let url = |mount: &[(&str, &str)]| of(mount, &[]).unwrap().bucket.base_url().to_string();
        let endpoint = "alluxio.underfs.s3.endpoint";
        let region = ("alluxio.underfs.s3.endpoint.region", "eu-west-1");
        assert_eq!(url(&[]), "https://b.s3.us-east-1.amazonaws.com/");
        assert_eq!(url(&[region]), "https://b.s3.eu-west-1.amazonaws.com/");
        assert_eq!(url(&[(endpoint, "http://127.0.0.1:9000")]), "http://127.0.0.1:9000/b/");
        assert_eq!(url(&[(endpoint, "http://[::1]:9000")]), "http://[::1]:9000/b/");
        let path = ("alluxio.underfs.s3.disable.dns.buckets", "true");
        assert_eq!(url(&[(endpoint, "minio:9000"), path]), "http://minio:9000/b/");
        let secure = ("alluxio.underfs.s3.secure.http.enabled", "true");
        assert_eq!(url(&[(endpoint, "minio:9000"), path, secure]), "https://minio:9000/b/");
    }

    #[test]
    fn what_cannot_be_used_is_named_and_no_secret_is_told() {
        let refused = |mount: &[(&str, &str)]| of(mount, &[]).map(|_| ()).unwrap_err().to_string();
        let half = refused(&[("s3a.secretKey", "hush")]);
        assert_eq!(half, "cannot use s3://b/k: s3a.secretKey is set, but s3a.accessKeyId is not");
        let mode = refused(&[("alluxio.underfs.s3.default.mode", "rwx")]);
        assert!(mode.contains("alluxio.underfs.s3.default.mode: not permission bits"), "{mode}");
        let endpoint = refused(&[("alluxio.underfs.s3.endpoint", "ftp://h")]);
        assert!(endpoint.contains("alluxio.underfs.s3.endpoint = ftp://h: "), "{endpoint}");
        let odd = S3Settings::of(&UfsUri::parse("s3://b%2F/k").unwrap(), &properties(&[]), &properties(&[]));
        assert!(odd.map(|_| ()).unwrap_err().to_string().ends_with("b%2F is not the name of a bucket"));
        let mount = properties(&[("s3a.secretKey", "hush"), ("alluxio.underfs.s3.proxy.host", "h")]);
        assert_eq!(without_effect(&mount), ["alluxio.underfs.s3.proxy.host"]);
    }
}
