//! Accounts, in Caddy's files: found again after the image was swapped, registered where there is none.
use super::{
    client::{AcmeError, Result, Session, decode, field},
    jws::{Signer, bind},
};
use crate::{
    config::{ExternalAccount, pretty},
    storage::{self, Storage, safe},
    tls::{key_from_pem, key_to_pem, keys::KeyType},
};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rcgen::KeyPair;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// How long another instance may take to register the same account.
const PATIENCE: Duration = Duration::from_secs(60);

/// An account at an authority.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) key: EcdsaKeyPair,
    /// Its URL, which is its name in requests.
    pub(super) location: String,
}
/// Whose account it is to be, and where it is kept.
pub(super) struct Wanted<'a> {
    pub(super) storage: &'a Arc<dyn Storage>,
    /// The directory's folder, see [`super::folder`].
    pub(super) authority: &'a str,
    pub(super) email: &'a str,
    /// PEM, if the configuration brings its own.
    pub(super) own_key: &'a str,
    pub(super) binding: Option<&'a ExternalAccount>,
}
impl Wanted<'_> {
    /// The account in the storage, or else a fresh one.
    ///
    /// # Errors
    /// The authority refuses, or the storage does.
    pub(super) async fn find_or_register(&self, session: &Session) -> Result<Account> {
        if let Some(stored) = self.load()? {
            return Ok(stored);
        }
        let lock = match self.email.is_empty() {
            true => "register_acme_account".to_owned(),
            false => format!("register_acme_account_{}", self.email),
        };
        let _held = storage::lock(self.storage.clone(), lock, PATIENCE).await.map_err(AcmeError::own)?;
        // Another instance may have been faster.
        match self.load()? {
            Some(stored) => Ok(stored),
            None => self.register(session).await,
        }
    }
    /// Forgets an account that the authority does not know, so that another one is registered.
    pub(super) fn forget(&self, account: &Account) -> Result<()> {
        let stored = |folder: &str, user: &str| -> Result<bool> {
            Ok(self.read(folder, user)?.is_some_and(|stored| stored.location == account.location))
        };
        for folder in self.storage.list(&self.users()).map_err(AcmeError::own)? {
            let folder = format!("{}/{folder}", self.users());
            for file in self.storage.list(&folder).map_err(AcmeError::own)? {
                let Some(user) = file.strip_suffix(".json") else { continue };
                if stored(&folder, user)? {
                    for ending in ["json", "key"] {
                        self.storage.delete(&format!("{folder}/{user}.{ending}")).map_err(AcmeError::own)?;
                    }
                }
            }
        }
        Ok(())
    }
    fn users(&self) -> String {
        format!("acme/{}/users", self.authority)
    }
    /// The folder and the name of its two files.
    fn place(&self) -> (String, String) {
        if self.email.is_empty() {
            return (format!("{}/default", self.users()), "default".into());
        }
        let email = safe(self.email);
        let user = safe(self.email.split('@').next().unwrap_or_default());
        (format!("{}/{email}", self.users()), user)
    }
    fn load(&self) -> Result<Option<Account>> {
        let (folder, user) = self.place();
        let found = self.read(&folder, &user)?;
        if found.is_some() || !self.email.is_empty() {
            return Ok(found);
        }
        // Without an email Caddy takes the account that was used last, whoever it was registered for.
        let mut users = vec![];
        for folder in self.storage.list(&self.users()).map_err(AcmeError::own)? {
            let folder = format!("{}/{folder}", self.users());
            for file in self.storage.list(&folder).map_err(AcmeError::own)? {
                if let Some(user) = file.strip_suffix(".json") {
                    let at = self.storage.modified(&format!("{folder}/{file}")).map_err(AcmeError::own)?;
                    users.push((at, folder.clone(), user.to_owned()));
                }
            }
        }
        users.sort();
        match users.pop() {
            Some((_, folder, user)) => self.read(&folder, &user),
            None => Ok(None),
        }
    }
    /// What is damaged counts as absent: then an account is registered, and the authority finds it by its key.
    fn read(&self, folder: &str, user: &str) -> Result<Option<Account>> {
        let load = |ending: &str| self.storage.load(&format!("{folder}/{user}.{ending}")).ok();
        let (Some(account), Some(key)) = (load("json"), load("key")) else { return Ok(None) };
        let location = serde_json::from_slice::<Value>(&account).ok();
        let location = location.and_then(|account| account.get("location")?.as_str().map(str::to_owned));
        let key = key_from_pem(&key).and_then(|key| es256(&key));
        match (location, key) {
            (Some(location), Ok(key)) if !location.is_empty() => Ok(Some(Account { key, location })),
            (_, Err(error)) => {
                tracing::warn!(target: "tls.issuance.acme", error, folder, "stored account cannot be used");
                Ok(None)
            }
            _ => Ok(None),
        }
    }
    async fn register(&self, session: &Session) -> Result<Account> {
        tracing::info!(
            target: "http",
            email = self.email, ca = self.authority,
            "creating new account because no account for configured email is known to us"
        );
        let pair = match self.own_key {
            "" => KeyType::P256.generate().map_err(AcmeError::own)?,
            pem => key_from_pem(pem.as_bytes()).map_err(AcmeError::own)?,
        };
        let key = es256(&pair).map_err(AcmeError::own)?;
        let url = &session.directory.new_account;
        let contact = format!("mailto:{}", self.email.to_lowercase());
        let contacts: Vec<&str> = if self.email.is_empty() { vec![] } else { vec![&contact] };
        let mut payload = json!({ "termsOfServiceAgreed": true, "contact": contacts });
        match self.binding {
            Some(binding) => {
                let bound = bind(&key, &binding.key_id, &binding.mac_key, url).map_err(AcmeError::own)?;
                payload["externalAccountBinding"] = bound;
            }
            None if session.directory.meta.external_account_required => {
                return Err(AcmeError::own(
                    "the authority wants an external account: see the option acme_eab",
                ));
            }
            None => {}
        }
        let answer = session.post(&key, Signer::Key, url, &payload.to_string()).await?;
        let location =
            field(&answer, "location").ok_or_else(|| AcmeError::own("the account has no URL"))?.to_owned();
        self.store(&pair, &decode(&answer)?, &location)?;
        tracing::info!(target: "http", contact = ?contacts, status = "valid", "new ACME account registered");
        Ok(Account { key, location })
    }
    fn store(&self, key: &KeyPair, account: &Value, location: &str) -> Result<()> {
        let (folder, user) = self.place();
        let mut data = json!({ "status": account.get("status").cloned().unwrap_or("valid".into()) });
        for member in ["contact", "termsOfServiceAgreed", "externalAccountBinding", "orders"] {
            if let Some(value) =
                account.get(member).filter(|value| value.as_array().is_none_or(|a| !a.is_empty()))
            {
                data[member] = value.clone();
            }
        }
        data["termsOfServiceAgreed"] = true.into();
        data["location"] = location.into();
        for (ending, value) in [("key", key_to_pem(key)), ("json", pretty(&data))] {
            let path = format!("{folder}/{user}.{ending}");
            self.storage.store(&path, value.as_bytes()).map_err(AcmeError::own)?;
        }
        Ok(())
    }
}
/// The form that signs requests.
fn es256(key: &KeyPair) -> std::result::Result<EcdsaKeyPair, String> {
    let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, key.serialized_der())
        .or_else(|_| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.serialized_der()));
    pair.map_err(|_| "account keys are elliptic, P-256".into())
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::FileSystem;

    fn stored(storage: &Arc<dyn Storage>, email: &str, location: &str) {
        let wanted = Wanted { storage, authority: "ca-dir", email, own_key: "", binding: None };
        let key = KeyType::P256.generate().unwrap();
        wanted
            .store(&key, &json!({"status": "valid", "contact": [format!("mailto:{email}")]}), location)
            .unwrap();
    }
    fn found(storage: &Arc<dyn Storage>, email: &str) -> Option<String> {
        let wanted = Wanted { storage, authority: "ca-dir", email, own_key: "", binding: None };
        wanted.load().unwrap().map(|account| account.location)
    }
    #[test]
    fn accounts_lie_where_caddy_puts_them() {
        let folder = tempfile::tempdir().unwrap();
        let storage: Arc<dyn Storage> = Arc::new(FileSystem::new(folder.path()));
        stored(&storage, "Someone+tag@Example.com", "https://ca/1");
        let at = "acme/ca-dir/users/someone_plus_tag@example.com";
        assert_eq!(storage.list(at).unwrap(), ["someone_plus_tag.json", "someone_plus_tag.key"]);
        let key = storage.load(&format!("{at}/someone_plus_tag.key")).unwrap();
        assert!(key.starts_with(b"-----BEGIN EC PRIVATE KEY-----\n"));
        assert_eq!(found(&storage, "someone+tag@example.com").as_deref(), Some("https://ca/1"));
    }
    #[test]
    fn without_an_email_the_latest_account_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let storage: Arc<dyn Storage> = Arc::new(FileSystem::new(folder.path()));
        assert_eq!(found(&storage, ""), None);
        stored(&storage, "a@b.c", "https://ca/1");
        assert_eq!(found(&storage, "").as_deref(), Some("https://ca/1"));
        assert_eq!(found(&storage, "x@y.z"), None);
    }
    #[test]
    fn a_damaged_account_counts_as_absent() {
        let folder = tempfile::tempdir().unwrap();
        let storage: Arc<dyn Storage> = Arc::new(FileSystem::new(folder.path()));
        stored(&storage, "a@b.c", "https://ca/1");
        storage.store("acme/ca-dir/users/a@b.c/a.key", b"rubbish").unwrap();
        assert_eq!(found(&storage, "a@b.c"), None);
    }
}
