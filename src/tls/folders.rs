//! `load_host_folders`: the certificates that somebody has put into folders named for hosts, watched for change.
use super::certificate::{Certificate, Index};
use crate::storage::{Fingerprint, HostFolders};
use arc_swap::ArcSwap;
use std::{sync::Arc, time::Duration};
use tokio::task::spawn_blocking;

/// Between two looks at the folders.
pub(super) const PERIOD: Duration = Duration::from_secs(2);

/// What is loaded of a configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Folders {
    pub(super) roots: Vec<HostFolders>,
    /// What does not come from folders.
    pub(super) others: Index,
    /// As the folders were before they were read.
    before: Vec<Fingerprint>,
}
impl Folders {
    pub(super) fn new(roots: Vec<HostFolders>, others: Index) -> Self {
        Self { before: roots.iter().map(HostFolders::fingerprint).collect(), roots, others }
    }
    /// All of it; what cannot be used is one of the `problems`.
    pub(super) fn load(&self, problems: &mut Vec<String>) -> Index {
        let mut index = self.others.clone();
        for (host, pair) in self.roots.iter().flat_map(HostFolders::by_hand) {
            let loaded = pair.map_err(|error| error.to_string());
            match loaded.and_then(|(chain, key)| Certificate::from_pem(&chain, &key, vec![])) {
                Ok(certificate) => index.insert(Arc::new(certificate)),
                Err(why) => problems.push(format!("loading certificates: {host}: {why}")),
            }
        }
        index
    }
}
/// Puts what changes in the folders into force, for as long as it is polled. A certificate that cannot be used leaves
/// all as it was: somebody may be half way through writing it.
pub(super) async fn watch(folders: &Folders, loaded: &ArcSwap<Index>, period: Duration) {
    if folders.roots.is_empty() {
        return;
    }
    let mut known = folders.before.clone();
    let mut every = tokio::time::interval(period);
    loop {
        every.tick().await;
        let roots = folders.roots.clone();
        let look = spawn_blocking(move || roots.iter().map(HostFolders::fingerprint).collect::<Vec<_>>());
        match look.await {
            Ok(seen) if seen != known => known = seen,
            _ => continue,
        }
        let of = folders.clone();
        let mut problems = vec![];
        let load = spawn_blocking(move || (of.load(&mut problems), problems));
        match load.await {
            Ok((index, problems)) if problems.is_empty() => {
                tracing::info!(target: "tls", "certificates in folders have changed; serving them");
                loaded.store(Arc::new(index));
            }
            Ok((_, problems)) => {
                let error = problems.join("; ");
                tracing::warn!(target: "tls", error, "certificates in folders have changed, but cannot be used");
            }
            Err(error) => tracing::error!(target: "tls", %error, "reading certificates in folders"),
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{KeyType, key_to_pem};
    use rcgen::CertificateParams;
    use std::{fs, path::Path};

    fn put(folder: &Path, name: &str) {
        let key = KeyType::P256.generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("key.pem"), key_to_pem(&key)).unwrap();
        fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    }
    #[tokio::test]
    async fn what_is_put_into_a_folder_is_served_without_a_reload() {
        let root = tempfile::tempdir().unwrap();
        put(&root.path().join("a"), "a.example.com");
        let folders = Folders::new(vec![HostFolders::new(root.path())], Index::default());
        let loaded = ArcSwap::from_pointee(folders.load(&mut vec![]));
        assert!(loaded.load().covers("a.example.com") && !loaded.load().covers("b.example.com"));
        let period = Duration::from_millis(5);
        let changed = async {
            put(&root.path().join("b"), "b.example.com");
            while !loaded.load().covers("b.example.com") {
                tokio::time::sleep(period).await;
            }
            // Half of a pair changes nothing.
            fs::write(root.path().join("a/key.pem"), "half").unwrap();
            tokio::time::sleep(10 * period).await;
            loaded.load().covers("a.example.com")
        };
        tokio::select! {
            () = watch(&folders, &loaded, period) => unreachable!("it goes on for ever"),
            kept = changed => assert!(kept),
        }
    }
    #[test]
    fn a_pair_that_cannot_be_used_is_a_problem_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        put(&root.path().join("a"), "a.example.com");
        put(&root.path().join("b"), "b.example.com");
        fs::copy(root.path().join("a/key.pem"), root.path().join("b/key.pem")).unwrap();
        let folders = Folders::new(vec![HostFolders::new(root.path())], Index::default());
        let mut problems = vec![];
        let index = folders.load(&mut problems);
        assert!(index.covers("a.example.com") && !index.covers("b.example.com"));
        assert_eq!(problems, ["loading certificates: b: private key does not match public key"]);
    }
}
