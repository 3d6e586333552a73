//! `<host>/{cert,key,chain}.pem`: the layout of proxy-rs. Beside these, `meta.json` tells a certificate that we have
//! obtained from one that somebody has put there by hand. All other state lies below the same root in Caddy's layout.
use super::{FileSystem, Lock, Storage};
use serde_json::{Map, Value};
use std::{
    fs,
    io::{self, ErrorKind},
    path::PathBuf,
    time::{Duration, SystemTime},
};

const META: &str = "meta.json";
/// In `meta.json`: the issuer's folder in Caddy's layout.
const ISSUER: &str = "issuer";
/// Written, but not in its place yet.
const STAGED: &str = ".new";

/// Of files: when each was written, and its length.
pub type Fingerprint = Vec<(PathBuf, Option<(SystemTime, u64)>)>;

/// A chain, its leaf first, and the leaf's key.
pub type Pair = (Vec<u8>, Vec<u8>);

#[derive(Clone, Debug)]
pub struct HostFolders {
    root: PathBuf,
    files: FileSystem,
}
/// What a key of Caddy's layout is about.
struct Place<'k> {
    issuer: &'k str,
    /// As it is in keys: [`super::safe`].
    host: &'k str,
    part: Part,
}
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Chain,
    Key,
    Meta,
    Whole,
}
impl<'k> Place<'k> {
    /// `certificates/<issuer>/<host>[/<host>.crt]`; `None` for what is no certificate's.
    fn of(key: &'k str) -> Option<Self> {
        let mut parts = key.strip_prefix("certificates/")?.split('/');
        let (issuer, host) = (parts.next()?, parts.next()?);
        let part = match parts.next() {
            None => Part::Whole,
            Some(file) => match file.strip_prefix(host)? {
                ".crt" => Part::Chain,
                ".key" => Part::Key,
                ".json" => Part::Meta,
                _ => return None,
            },
        };
        parts.next().is_none().then_some(Self { issuer, host, part })
    }
    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.host)
    }
}
impl HostFolders {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { files: FileSystem::new(&root), root }
    }
    /// What somebody has put there, by the folder's name.
    pub fn by_hand(&self) -> Vec<(String, io::Result<Pair>)> {
        let hosts = self.hosts().unwrap_or_default();
        let pair = |host: &String| Ok((self.chain(host)?, self.files.load(&format!("{host}/key.pem"))?));
        let foreign = hosts.into_iter().filter(|host| self.is_by_hand(host));
        foreign.map(|host| (host.clone(), pair(&host))).collect()
    }
    /// Changes when something about [`by_hand`](Self::by_hand) may have changed.
    pub fn fingerprint(&self) -> Fingerprint {
        let hosts = self.hosts().unwrap_or_default();
        let files = hosts.iter().flat_map(|host| {
            ["cert.pem", "chain.pem", "key.pem", META].map(|name| self.root.join(host).join(name))
        });
        let seen = |file: &PathBuf| {
            let meta = fs::metadata(file).ok()?;
            Some((meta.modified().ok()?, meta.len()))
        };
        files.map(|file| (file.clone(), seen(&file))).collect()
    }
    /// Folders that hold a certificate, sorted.
    fn hosts(&self) -> io::Result<Vec<String>> {
        let names = self.files.list("")?;
        Ok(names.into_iter().filter(|name| self.root.join(name).join("cert.pem").exists()).collect())
    }
    fn is_by_hand(&self, host: &str) -> bool {
        let folder = self.root.join(host);
        !folder.join(META).exists() && ["cert.pem", "key.pem"].iter().any(|name| folder.join(name).exists())
    }
    /// The leaf and what certifies it; `cert.pem` may hold all of it.
    fn chain(&self, host: &str) -> io::Result<Vec<u8>> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        let mut chain = self.files.load(&format!("{host}/cert.pem"))?;
        if String::from_utf8_lossy(&chain).matches(BEGIN).count() == 1 {
            match self.files.load(&format!("{host}/chain.pem")) {
                Ok(rest) => {
                    chain.push(b'\n');
                    chain.extend(rest);
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(chain)
    }
    fn meta(&self, place: &Place<'_>) -> io::Result<Map<String, Value>> {
        let text = self.files.load(&place.file(META))?;
        let meta: Map<String, Value> = serde_json::from_slice(&text)?;
        match meta.get(ISSUER).and_then(Value::as_str) == Some(place.issuer) {
            true => Ok(meta),
            false => Err(ErrorKind::NotFound.into()),
        }
    }
    fn store_part(&self, place: &Place<'_>, value: &[u8]) -> io::Result<()> {
        if self.is_by_hand(place.host) {
            let folder = self.root.join(place.host);
            let message = format!("{}: holds a certificate that was put there by hand", folder.display());
            return Err(io::Error::new(ErrorKind::AlreadyExists, message));
        }
        match place.part {
            Part::Key => {
                // First of all, so that nothing of ours is ever taken for somebody else's.
                self.store_meta(place, Map::new())?;
                self.files.store(&place.file(&format!("key.pem{STAGED}")), value)
            }
            Part::Chain => self.store_chain(place, value),
            Part::Meta => self.store_meta(place, serde_json::from_slice(value)?),
            Part::Whole => Err(ErrorKind::IsADirectory.into()),
        }
    }
    fn store_meta(&self, place: &Place<'_>, mut meta: Map<String, Value>) -> io::Result<()> {
        meta.insert(ISSUER.to_owned(), place.issuer.into());
        self.files.store(&place.file(META), serde_json::to_string_pretty(&meta)?.as_bytes())
    }
    /// With the key that has been stored before it. All of it is on the disk before anything takes its place.
    fn store_chain(&self, place: &Place<'_>, value: &[u8]) -> io::Result<()> {
        const END: &str = "-----END CERTIFICATE-----\n";
        let text = String::from_utf8_lossy(value);
        let end = text.find(END).map_or(text.len(), |at| at + END.len());
        let (leaf, rest) = text.split_at(end);
        let names = ["key.pem", "chain.pem", "cert.pem"];
        for (name, text) in [("chain.pem", rest.trim_start()), ("cert.pem", leaf)] {
            self.files.store(&place.file(&format!("{name}{STAGED}")), text.as_bytes())?;
        }
        let folder = self.root.join(place.host);
        for name in names {
            match fs::rename(folder.join(format!("{name}{STAGED}")), folder.join(name)) {
                // A chain for the key that is there already.
                Err(error) if error.kind() == ErrorKind::NotFound && name == "key.pem" => {}
                renamed => renamed?,
            }
        }
        fs::File::open(folder)?.sync_all()
    }
    fn delete_all(&self, place: &Place<'_>) -> io::Result<()> {
        if self.meta(place).is_ok() {
            self.files.delete(place.host)?;
        }
        Ok(())
    }
    /// Issuers of the certificates that we have obtained, each with its host.
    fn obtained(&self) -> io::Result<Vec<(String, String)>> {
        let issuer = |host: &String| {
            let text = self.files.load(&format!("{host}/{META}")).ok()?;
            let meta: Map<String, Value> = serde_json::from_slice(&text).ok()?;
            Some(meta.get(ISSUER)?.as_str()?.to_owned())
        };
        Ok(self.hosts()?.into_iter().filter_map(|host| Some((issuer(&host)?, host))).collect())
    }
}
impl Storage for HostFolders {
    fn load(&self, key: &str) -> io::Result<Vec<u8>> {
        let Some(place) = Place::of(key) else { return self.files.load(key) };
        let mut meta = self.meta(&place)?;
        match place.part {
            Part::Chain => self.chain(place.host),
            Part::Key => self.files.load(&place.file("key.pem")),
            Part::Meta => {
                meta.remove(ISSUER);
                Ok(serde_json::to_vec(&meta)?)
            }
            Part::Whole => Err(ErrorKind::IsADirectory.into()),
        }
    }
    fn store(&self, key: &str, value: &[u8]) -> io::Result<()> {
        match Place::of(key) {
            Some(place) => self.store_part(&place, value),
            None => self.files.store(key, value),
        }
    }
    fn delete(&self, key: &str) -> io::Result<()> {
        match Place::of(key) {
            Some(place) if place.part == Part::Whole => self.delete_all(&place),
            // The parts of a certificate go together.
            Some(_) => Ok(()),
            None => self.files.delete(key),
        }
    }
    fn list(&self, prefix: &str) -> io::Result<Vec<String>> {
        let Some(below) = prefix.strip_prefix("certificates") else { return self.files.list(prefix) };
        let below = below.trim_matches('/');
        let obtained = self.obtained()?;
        let mut names: Vec<String> = match below.split_once('/') {
            None if below.is_empty() => obtained.into_iter().map(|(issuer, _)| issuer).collect(),
            None => {
                obtained.into_iter().filter(|(issuer, _)| issuer == below).map(|(_, host)| host).collect()
            }
            Some((issuer, host)) => {
                let there = obtained.iter().any(|(of, name)| of == issuer && name == host);
                ["crt", "json", "key"]
                    .iter()
                    .filter(|_| there)
                    .map(|ending| format!("{host}.{ending}"))
                    .collect()
            }
        };
        names.sort();
        names.dedup();
        Ok(names)
    }
    fn modified(&self, key: &str) -> io::Result<SystemTime> {
        let Some(place) = Place::of(key) else { return self.files.modified(key) };
        self.meta(&place)?;
        let name = match place.part {
            Part::Chain => "cert.pem",
            Part::Key => "key.pem",
            Part::Meta | Part::Whole => META,
        };
        self.files.modified(&place.file(name))
    }
    fn lock(&self, name: &str, patience: Duration) -> io::Result<Box<dyn Lock>> {
        self.files.lock(name, patience)
    }
    fn describe(&self) -> String {
        format!("HostFolders:{}", self.root.display())
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    const LEAF: &str = "-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n";
    const REST: &str = "-----BEGIN CERTIFICATE-----\nrest\n-----END CERTIFICATE-----\n";
    fn key(issuer: &str, ending: &str) -> String {
        format!("certificates/{issuer}/a.example.com/a.example.com.{ending}")
    }
    fn store(storage: &HostFolders, issuer: &str) {
        storage.store(&key(issuer, "key"), b"key").unwrap();
        storage.store(&key(issuer, "crt"), format!("{LEAF}\n{REST}").as_bytes()).unwrap();
        storage.store(&key(issuer, "json"), b"{\"sans\":[\"a.example.com\"]}").unwrap();
    }
    #[test]
    fn an_obtained_certificate_lies_in_the_hosts_folder() {
        let root = tempfile::tempdir().unwrap();
        let storage = HostFolders::new(root.path());
        store(&storage, "ca");
        let read = |name: &str| fs::read_to_string(root.path().join("a.example.com").join(name)).unwrap();
        assert_eq!(
            (read("cert.pem"), read("chain.pem"), read("key.pem")),
            (LEAF.into(), REST.into(), "key".into())
        );
        let mut files = storage.files.list("a.example.com").unwrap();
        files.sort();
        assert_eq!(files, ["cert.pem", "chain.pem", "key.pem", "meta.json"]);
        assert_eq!(storage.load(&key("ca", "crt")).unwrap(), format!("{LEAF}\n{REST}").into_bytes());
        assert_eq!(storage.load(&key("ca", "json")).unwrap(), b"{\"sans\":[\"a.example.com\"]}");
        assert!(storage.by_hand().is_empty());
    }
    #[test]
    fn another_issuers_certificate_is_not_found_and_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let storage = HostFolders::new(root.path());
        store(&storage, "staging");
        for ending in ["crt", "key", "json"] {
            assert_eq!(storage.load(&key("ca", ending)).unwrap_err().kind(), ErrorKind::NotFound);
        }
        store(&storage, "ca");
        assert!(storage.load(&key("ca", "crt")).is_ok() && storage.load(&key("staging", "crt")).is_err());
        assert_eq!(storage.list("certificates").unwrap(), ["ca"]);
        assert_eq!(storage.list("certificates/ca").unwrap(), ["a.example.com"]);
        storage.delete("certificates/staging/a.example.com").unwrap();
        assert!(storage.load(&key("ca", "key")).is_ok());
        storage.delete("certificates/ca/a.example.com").unwrap();
        assert!(!root.path().join("a.example.com").exists());
    }
    #[test]
    fn what_is_there_by_hand_is_told_apart_and_never_written_over() {
        let root = tempfile::tempdir().unwrap();
        let storage = HostFolders::new(root.path());
        let folder = root.path().join("a.example.com");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("cert.pem"), LEAF).unwrap();
        let before = storage.fingerprint();
        fs::write(folder.join("key.pem"), "key").unwrap();
        assert_ne!(storage.fingerprint(), before);
        let [(host, pair)] = storage.by_hand().try_into().unwrap();
        assert_eq!((host.as_str(), pair.unwrap()), ("a.example.com", (LEAF.into(), b"key".to_vec())));
        fs::write(folder.join("chain.pem"), REST).unwrap();
        let [(_, pair)] = storage.by_hand().try_into().unwrap();
        assert_eq!(pair.unwrap().0, format!("{LEAF}\n{REST}").into_bytes());
        let refused = storage.store(&key("ca", "key"), b"other").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(folder.join("key.pem")).unwrap(), b"key");
        assert!(storage.load(&key("ca", "crt")).is_err());
    }
    #[test]
    fn all_else_lies_below_the_root_as_in_caddys_layout() {
        let root = tempfile::tempdir().unwrap();
        let storage = HostFolders::new(root.path());
        storage.store("acme/ca/users/a@b/a.key", b"account").unwrap();
        assert_eq!(fs::read(root.path().join("acme/ca/users/a@b/a.key")).unwrap(), b"account");
        assert_eq!(storage.list("acme/ca/users").unwrap(), ["a@b"]);
        drop(storage.lock("issue_cert_a", Duration::ZERO).unwrap());
    }
}
