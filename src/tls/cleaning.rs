//! What nobody needs any more leaves the storage: certificates that expired long ago, OCSP answers that are out of date.
use super::keys::certificates_from_pem;
use crate::storage::{self, Storage};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::{
    io::{self, ErrorKind},
    sync::Arc,
    time::{Duration, SystemTime},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two cleanings, by whatever instance, unless the configuration says otherwise.
pub(super) const INTERVAL: Duration = DAY;
/// How long a certificate stays after its end.
const GRACE: Duration = DAY.saturating_mul(14);
/// How old an OCSP answer may get: longer than any is valid.
const STAPLE: Duration = DAY.saturating_mul(14);
const PATIENCE: Duration = Duration::from_secs(60);
const NOTE: &str = "last_clean.json";

/// Cleans once an interval, for as long as it is polled.
pub(super) async fn keep_clean(storage: Arc<dyn Storage>, interval: Duration) {
    loop {
        let held = storage::lock(storage.clone(), "storage_clean".into(), PATIENCE).await;
        let cleaned = held.and_then(|_held| clean(&*storage, interval, SystemTime::now()));
        if let Err(error) = cleaned {
            tracing::error!(target: "tls", %error, "could not clean default/global storage");
        }
        tokio::time::sleep(interval).await;
    }
}
fn clean(storage: &dyn Storage, interval: Duration, now: SystemTime) -> io::Result<()> {
    let name = storage.describe();
    if last(storage)?.is_some_and(|last| now.duration_since(last).unwrap_or_default() < interval) {
        tracing::info!(
            target: "tls", storage = name, "storage cleaning happened too recently; skipping for now"
        );
        return Ok(());
    }
    tracing::info!(target: "tls", storage = name, "cleaning storage unit");
    for staple in storage.list("ocsp")? {
        let key = format!("ocsp/{staple}");
        if storage.modified(&key)? + STAPLE < now {
            storage.delete(&key)?;
        }
    }
    for issuer in storage.list("certificates")? {
        for site in storage.list(&format!("certificates/{issuer}"))? {
            clean_site(storage, &format!("certificates/{issuer}/{site}"), now)?;
        }
    }
    let time = DateTime::<Utc>::from(now).to_rfc3339_opts(SecondsFormat::Nanos, true);
    let instance = storage::instance_id().unwrap_or_default();
    let note = json!({ "tls": { "timestamp": time, "instance_id": instance } });
    storage.store(NOTE, note.to_string().as_bytes())?;
    tracing::info!(target: "tls", "finished cleaning storage units");
    Ok(())
}
/// One that cannot be read stays: it may be that of somebody else.
fn clean_site(storage: &dyn Storage, site: &str, now: SystemTime) -> io::Result<()> {
    for file in storage.list(site)? {
        let Some(base) = file.strip_suffix(".crt") else { continue };
        let Some(end) = end(&storage.load(&format!("{site}/{file}"))?) else { continue };
        if end + GRACE > now {
            continue;
        }
        let key = format!("{site}/{file}");
        tracing::info!(
            target: "tls", asset_key = key, "certificate expired beyond grace period; cleaning up"
        );
        for ending in ["crt", "key", "json"] {
            let key = format!("{site}/{base}.{ending}");
            tracing::info!(target: "tls", asset_key = key, "deleting asset because resource expired");
            storage.delete(&key)?;
        }
    }
    if storage.list(site)?.is_empty() {
        tracing::info!(target: "tls", site_key = site, "deleting site folder because key is empty");
        storage.delete(site)?;
    }
    Ok(())
}
fn end(pem: &[u8]) -> Option<SystemTime> {
    let leaf = certificates_from_pem(pem).ok()?.swap_remove(0);
    let (_, leaf) = x509_parser::parse_x509_certificate(&leaf).ok()?;
    let seconds = leaf.validity().not_after.timestamp().max(0).unsigned_abs();
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}
/// When some instance has cleaned last.
fn last(storage: &dyn Storage) -> io::Result<Option<SystemTime>> {
    let note = match storage.load(NOTE) {
        Ok(note) => note,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let note: Value = serde_json::from_slice(&note).unwrap_or_default();
    let time = note["tls"]["timestamp"].as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    Ok(time.map(|time| time.with_timezone(&Utc).into()))
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{storage::FileSystem, tls::KeyType};
    use rcgen::CertificateParams;

    /// A certificate that ended that many days ago.
    fn put(storage: &FileSystem, name: &str, days: u32) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let end = SystemTime::now() - DAY * days;
        (params.not_before, params.not_after) = ((end - DAY * 90).into(), end.into());
        let pem = params.self_signed(&KeyType::P256.generate().unwrap()).unwrap().pem();
        for (ending, value) in [("crt", pem.as_str()), ("key", "k"), ("json", "{}")] {
            storage.store(&format!("certificates/ca/{name}/{name}.{ending}"), value.as_bytes()).unwrap();
        }
    }
    #[test]
    fn what_expired_long_ago_goes_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileSystem::new(folder.path());
        put(&storage, "old.test", 15);
        put(&storage, "new.test", 13);
        storage.store("certificates/ca/odd.test/odd.test.crt", b"no certificate").unwrap();
        let now = SystemTime::now();
        clean(&storage, INTERVAL, now).unwrap();
        assert_eq!(storage.list("certificates/ca").unwrap(), ["new.test", "odd.test"]);
        let note = String::from_utf8(storage.load(NOTE).unwrap()).unwrap();
        assert!(note.starts_with("{\"tls\":{\"timestamp\":\"2"), "{note}");
        put(&storage, "old.test", 15);
        clean(&storage, INTERVAL, now + DAY / 2).unwrap();
        assert_eq!(storage.list("certificates/ca").unwrap().len(), 3, "it was cleaned just now");
        clean(&storage, INTERVAL, now + DAY * 2).unwrap();
        assert_eq!(storage.list("certificates/ca").unwrap(), ["odd.test"]);
    }
}
