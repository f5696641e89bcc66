//! A lake in an S3-compatible store.
//!
//! There is no lock: the conditional put of the ledger decides whose publication comes first. Calls block on a private
//! runtime, so they must not be made from within another one.

use super::{Contents, Listed, Lock, Store, StoreError, StoreWriter, check_folder, check_path, check_size};
use futures_util::TryStreamExt;
use object_store::{
    Error as ObjectError, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
    aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut},
    path::Path,
};
use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    io::{self, Write},
    sync::Arc,
};
use tokio::runtime::Runtime;

/// Bytes of one part of a large upload, and most that a file being written keeps in memory. Parts but the last must have
/// at least 5 MiB, and an upload at most 10,000: so a data file may have 156 GiB.
const PART_BYTES: usize = 16 << 20;

/// Largest data file that is read: it is held in memory whole.
const OBJECT_BYTES: u64 = 4 << 30;

/// How to reach an S3-compatible store. Its `Debug` shows no secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct S3Settings {
    /// `AWS_ACCESS_KEY_ID`
    pub access_key_id: Option<String>,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_access_key: Option<String>,
    /// `AWS_SESSION_TOKEN`
    pub session_token: Option<String>,
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`
    pub region: Option<String>,
    /// `AWS_ENDPOINT_URL`. `None` means the endpoint of the region.
    pub endpoint: Option<String>,
    /// `AWS_ALLOW_HTTP`: whether the endpoint may be reached without TLS.
    pub allow_http: bool,
}

impl S3Settings {
    /// Takes the settings from an environment, under their usual names.
    #[must_use]
    pub fn from_environment(environment: &BTreeMap<String, String>) -> Self {
        let get = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
        Self {
            access_key_id: get("AWS_ACCESS_KEY_ID"),
            secret_access_key: get("AWS_SECRET_ACCESS_KEY"),
            session_token: get("AWS_SESSION_TOKEN"),
            region: get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")),
            endpoint: get("AWS_ENDPOINT_URL"),
            allow_http: get("AWS_ALLOW_HTTP").is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true")),
        }
    }

    /// A message without the secrets that a server may have repeated in it.
    fn redact(&self, message: String) -> String {
        let secrets = [&self.access_key_id, &self.secret_access_key, &self.session_token];
        // What is shorter protects nothing (test servers take any), and would make every message unreadable.
        let secrets = secrets.into_iter().map(|secret| secret.as_ref().filter(|secret| secret.len() >= 8));
        secrets.flatten().fold(message, |message, secret| message.replace(secret.as_str(), "[redacted]"))
    }
}

impl fmt::Debug for S3Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |secret: &Option<String>| secret.as_ref().map(|_| "[redacted]");
        formatter
            .debug_struct("S3Settings")
            .field("access_key_id", &shown(&self.access_key_id))
            .field("secret_access_key", &shown(&self.secret_access_key))
            .field("session_token", &shown(&self.session_token))
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .field("allow_http", &self.allow_http)
            .finish()
    }
}

/// A bucket of an S3-compatible store, or what lies below a prefix in it.
pub struct S3Store {
    client: Arc<Client>,
}

struct Client {
    address: String,
    prefix: String,
    settings: S3Settings,
    objects: AmazonS3,
    runtime: Runtime,
}

impl fmt::Debug for S3Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client = &self.client;
        formatter.debug_struct("S3Store").field("address", &client.address).field("settings", &client.settings).finish()
    }
}

impl S3Store {
    /// The lake below `prefix` (which may be empty) in `bucket`. `address` is what messages call it. Nothing is asked yet.
    ///
    /// # Errors
    /// When the bucket has no name, the prefix is none, or a setting is missing or makes no sense.
    pub fn new(address: &str, bucket: &str, prefix: &str, settings: S3Settings) -> Result<Self, StoreError> {
        let invalid = |expected, hint| StoreError::Address { expected, address: address.to_owned(), hint };
        if bucket.is_empty() {
            return Err(invalid("a bucket", "write s3://bucket/prefix"));
        }
        check_folder(prefix)?;
        let (Some(access), Some(secret)) = (&settings.access_key_id, &settings.secret_access_key) else {
            return Err(invalid("credentials for S3", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
        };
        if !settings.allow_http && settings.endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://"))
        {
            return Err(invalid("an endpoint with TLS", "set AWS_ALLOW_HTTP=true to reach this one without"));
        }
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_access_key_id(access)
            .with_secret_access_key(secret)
            .with_allow_http(settings.allow_http)
            .with_conditional_put(S3ConditionalPut::ETagMatch);
        if let Some(token) = &settings.session_token {
            builder = builder.with_token(token);
        }
        if let Some(region) = &settings.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let refused = |message: String| {
            let source = io::Error::other(settings.redact(message));
            StoreError::Io { action: "set up", path: address.to_owned(), source }
        };
        let objects = builder.build().map_err(|error| refused(describe(&error)))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| refused(error.to_string()))?;
        let (address, prefix) = (address.to_owned(), prefix.to_owned());
        Ok(Self { client: Arc::new(Client { address, prefix, settings, objects, runtime }) })
    }
}

/// An error with its causes.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

impl Client {
    fn location(&self, path: &str) -> Result<Path, StoreError> {
        check_path(path)?;
        self.any_location(path)
    }

    fn any_location(&self, path: &str) -> Result<Path, StoreError> {
        let whole = match (self.prefix.as_str(), path) {
            ("", path) => path.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}/{path}"),
        };
        Path::parse(whole).map_err(|_| StoreError::Path { path: path.to_owned() })
    }

    fn wait<T>(
        &self,
        action: &'static str,
        path: &str,
        future: impl Future<Output = Result<T, ObjectError>>,
    ) -> Result<T, StoreError> {
        self.runtime.block_on(future).map_err(|error| match error {
            ObjectError::NotFound { .. } => StoreError::NotFound { path: path.to_owned() },
            ObjectError::AlreadyExists { .. } => StoreError::Exists { path: path.to_owned() },
            error => {
                let source = io::Error::other(self.settings.redact(describe(&error)));
                StoreError::Io { action, path: path.to_owned(), source }
            }
        })
    }

    fn get(&self, path: &str, limit_bytes: u64) -> Result<bytes::Bytes, StoreError> {
        let location = self.location(path)?;
        let answer = self.wait("read", path, self.objects.get(&location))?;
        check_size(path, answer.meta.size, limit_bytes)?;
        self.wait("read", path, answer.bytes())
    }

    fn listed(&self, object: ObjectMeta) -> Option<Listed> {
        let path = object.location.as_ref().strip_prefix(self.prefix.as_str())?.trim_start_matches('/').to_owned();
        // What the lake did not write has names it would not write: passed over.
        check_path(&path).ok()?;
        Some(Listed { path, bytes: object.size })
    }
}

impl Store for S3Store {
    fn address(&self) -> String {
        self.client.address.clone()
    }

    fn read(&self, path: &str, limit_bytes: u64) -> Result<Vec<u8>, StoreError> {
        self.client.get(path, limit_bytes).map(Vec::from)
    }

    fn open(&self, path: &str, limit_bytes: u64) -> Result<Contents, StoreError> {
        self.client.get(path, limit_bytes.min(OBJECT_BYTES)).map(Contents::Bytes)
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        let location = self.client.location(path)?;
        match self.client.wait("look at", path, self.client.objects.head(&location)) {
            Ok(object) => Ok(Some(object.size)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn create(&self, path: &str) -> Result<Box<dyn StoreWriter>, StoreError> {
        if self.size(path)?.is_some() {
            return Err(StoreError::Exists { path: path.to_owned() });
        }
        let location = self.client.location(path)?;
        let client = self.client.clone();
        Ok(Box::new(S3Writer { client, location, path: path.to_owned(), buffer: Vec::new(), upload: None }))
    }

    fn put_new(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let location = self.client.location(path)?;
        let payload = PutPayload::from(bytes.to_vec());
        let options = PutOptions::from(PutMode::Create);
        self.client.wait("write", path, self.client.objects.put_opts(&location, payload, options)).map(drop)
    }

    /// A copy, then a deletion: who reads in between finds both.
    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let (source, target) = (self.client.location(from)?, self.client.location(to)?);
        self.client.wait("copy", from, self.client.objects.copy(&source, &target))?;
        self.delete(from)
    }

    fn delete(&self, path: &str) -> Result<(), StoreError> {
        let location = self.client.location(path)?;
        match self.client.wait("delete", path, self.client.objects.delete(&location)) {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        check_folder(folder)?;
        let location = self.client.any_location(folder)?;
        let prefix = (!location.as_ref().is_empty()).then_some(&location);
        let objects = self.client.objects.list(prefix).try_collect::<Vec<ObjectMeta>>();
        let objects = self.client.wait("list", folder, objects)?;
        let mut listed: Vec<Listed> = objects.into_iter().filter_map(|object| self.client.listed(object)).collect();
        listed.sort();
        Ok(listed)
    }

    /// An object that was answered for is durable.
    fn sync(&self, _folders: &[&str]) -> Result<(), StoreError> {
        Ok(())
    }

    fn lock(&self) -> Result<Lock, StoreError> {
        Ok(Lock::Shared)
    }
}

/// An object being written. It appears when it is closed.
struct S3Writer {
    client: Arc<Client>,
    location: Path,
    path: String,
    buffer: Vec<u8>,
    /// `None` while everything fits into one request.
    upload: Option<Box<dyn MultipartUpload>>,
}

impl S3Writer {
    fn send_part(&mut self) -> Result<(), StoreError> {
        let client = self.client.clone();
        let payload = PutPayload::from(std::mem::take(&mut self.buffer));
        let mut upload = match self.upload.take() {
            Some(upload) => upload,
            None => client.wait("write", &self.path, client.objects.put_multipart(&self.location))?,
        };
        let sent = client.wait("write", &self.path, upload.put_part(payload));
        self.upload = Some(upload);
        sent
    }
}

impl Write for S3Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PART_BYTES.saturating_sub(self.buffer.len());
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.buffer.extend_from_slice(taken);
        if self.buffer.len() >= PART_BYTES {
            self.send_part().map_err(io::Error::other)?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl StoreWriter for S3Writer {
    fn close(mut self: Box<Self>) -> Result<(), StoreError> {
        let client = self.client.clone();
        if self.upload.is_none() {
            let payload = PutPayload::from(std::mem::take(&mut self.buffer));
            return client.wait("write", &self.path, client.objects.put(&self.location, payload)).map(drop);
        }
        if !self.buffer.is_empty() {
            self.send_part()?;
        }
        let Some(mut upload) = self.upload.take() else { return Ok(()) };
        client.wait("write", &self.path, upload.complete()).map(drop)
    }
}

impl Drop for S3Writer {
    fn drop(&mut self) {
        if let Some(mut upload) = self.upload.take() {
            // Parts that cannot be given back now are for the bucket's life-cycle rule.
            let _ = self.client.wait("end", &self.path, upload.abort());
        }
    }
}
