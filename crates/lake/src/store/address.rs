//! From the address of a lake, as a user writes it, to its store.

use super::{LocalStore, Store, StoreError};
use std::{collections::BTreeMap, sync::Arc};

/// The store at an address: a path, or `s3://bucket/prefix`.
///
/// `environment` holds the settings for S3 under their usual names (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
/// `AWS_SESSION_TOKEN`, `AWS_REGION` or `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`); other names are
/// ignored. The binary passes its environment, since a library does not read it.
///
/// # Errors
/// When the address names no store, or a setting is missing. Nothing is opened or asked yet.
pub fn open_store(address: &str, environment: &BTreeMap<String, String>) -> Result<Arc<dyn Store>, StoreError> {
    let invalid = |expected, hint| Err(StoreError::Address { expected, address: address.to_owned(), hint });
    if let Some(rest) = address.strip_prefix("s3://") {
        return open_s3(address, rest, environment);
    }
    if address.is_empty() || address.contains("://") {
        return invalid("a folder or s3://bucket/prefix", "name a folder, such as lake");
    }
    Ok(Arc::new(LocalStore::new(address)))
}

#[cfg(feature = "s3")]
fn open_s3(address: &str, rest: &str, environment: &BTreeMap<String, String>) -> Result<Arc<dyn Store>, StoreError> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let settings = super::S3Settings::from_environment(environment);
    Ok(Arc::new(super::S3Store::new(address, bucket, prefix.trim_end_matches('/'), settings)?))
}

#[cfg(not(feature = "s3"))]
fn open_s3(address: &str, _: &str, _: &BTreeMap<String, String>) -> Result<Arc<dyn Store>, StoreError> {
    Err(StoreError::Address {
        expected: "a folder",
        address: address.to_owned(),
        hint: "this build has no S3; build it with the feature s3",
    })
}
