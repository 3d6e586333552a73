//! `storage export` and `storage import`: all certificates, keys and accounts as one archive.
use super::{
    failure::{FAILED_QUIT, Failure, go_io},
    input::Input,
};
use crate::{storage::Storage, tls};
use clap::{Args, Subcommand};
use std::{
    fs::File,
    io::{self, Read, Write},
    sync::Arc,
    time::UNIX_EPOCH,
};

/// Commands for working with Caddy's storage (EXPERIMENTAL)
#[derive(Args, Debug)]
#[command(subcommand_required = false, arg_required_else_help = true)]
pub(super) struct StorageCommand {
    #[command(subcommand)]
    command: Option<Way>,
}
#[derive(Subcommand, Debug)]
enum Way {
    Export(Export),
    Import(Import),
}
/// Exports storage assets as a tarball
#[derive(Args, Debug)]
struct Export {
    /// Input configuration file (required)
    #[arg(short, long, value_name = "string", default_value = "")]
    config: String,
    /// Output path
    #[arg(short, long, value_name = "string", default_value = "")]
    output: String,
}
/// Imports storage assets from a tarball.
#[derive(Args, Debug)]
struct Import {
    /// Configuration file to load (required)
    #[arg(short, long, value_name = "string", default_value = "")]
    config: String,
    /// Tar of assets to load (required)
    #[arg(short, long, value_name = "string", default_value = "")]
    input: String,
}
impl StorageCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.command {
            Some(Way::Export(export)) => export.run(),
            Some(Way::Import(import)) => import.run(),
            // clap has shown the help.
            None => Ok(()),
        }
    }
}
impl Export {
    fn run(self) -> Result<(), Failure> {
        let storage = storage(&self.config)?;
        if self.output.is_empty() {
            return Err(Failure::new("--output is required"));
        }
        let keys = keys(&*storage).map_err(|error| Failure::new(error.to_string()))?;
        if self.output == "-" {
            return write(&*storage, &keys, io::stdout().lock());
        }
        let file = File::create(&self.output).map_err(|error| {
            Failure::new(format!("opening output file: {}", go_io("open", &self.output, &error)))
        })?;
        write(&*storage, &keys, file)
    }
}
impl Import {
    fn run(self) -> Result<(), Failure> {
        let storage = storage(&self.config)?;
        if self.input.is_empty() {
            return Err(Failure::new("--input is required"));
        }
        if self.input == "-" {
            read(&*storage, io::stdin().lock())?;
        } else {
            let file = File::open(&self.input).map_err(|error| {
                Failure::new(format!("opening input file: {}", go_io("open", &self.input, &error)))
            })?;
            read(&*storage, file)?;
        }
        out!("Successfully imported storage");
        Ok(())
    }
}
/// The storage of the configuration in that file.
fn storage(config: &str) -> Result<Arc<dyn Storage>, Failure> {
    if config.is_empty() {
        return Err(Failure::new("--config is required"));
    }
    let input = Input::load(Some(config), None)?;
    Ok(tls::storage(input.json.get("storage"))?)
}
/// All keys with a value, in order.
fn keys(storage: &dyn Storage) -> io::Result<Vec<String>> {
    let (mut found, mut left) = (vec![], vec![String::new()]);
    while let Some(prefix) = left.pop() {
        let names = match storage.list(&prefix) {
            Ok(names) if !names.is_empty() => names,
            // There may be a value instead of a folder.
            _ if !prefix.is_empty() && storage.load(&prefix).is_ok() => {
                found.push(prefix);
                continue;
            }
            names => names?,
        };
        for name in names {
            left.push(if prefix.is_empty() { name } else { format!("{prefix}/{name}") });
        }
    }
    found.sort();
    Ok(found)
}
fn write(storage: &dyn Storage, keys: &[String], to: impl Write) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::with_code(FAILED_QUIT, format!("writing archive: {error}"));
    let mut archive = tar::Builder::new(to);
    for key in keys {
        let (value, modified) = match (storage.load(key), storage.modified(key)) {
            (Ok(value), Ok(modified)) => (value, modified),
            (Err(error), _) | (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                tracing::warn!(target: "", "key: {key} removed while export is in-progress");
                continue;
            }
            (Err(error), _) | (_, Err(error)) => {
                return Err(Failure::with_code(FAILED_QUIT, error.to_string()));
            }
        };
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_size(value.len() as u64);
        header.set_mtime(modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
        archive.append_data(&mut header, key, value.as_slice()).map_err(failed)?;
    }
    archive.into_inner().and_then(|mut to| to.flush()).map_err(failed)
}
fn read(storage: &dyn Storage, from: impl Read) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::with_code(FAILED_QUIT, format!("reading archive: {error}"));
    let mut archive = tar::Archive::new(from);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        if entry.header().entry_type().is_dir() {
            continue;
        }
        let key = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut value = vec![];
        entry.read_to_end(&mut value).map_err(failed)?;
        storage.store(&key, &value).map_err(failed)?;
    }
    Ok(())
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::FileSystem;
    #[test]
    fn what_is_exported_is_what_is_imported() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [from, to] = folders.each_ref().map(|folder| FileSystem::new(folder.path()));
        let long = format!("certificates/{}/a.crt", "directory".repeat(20));
        for (key, value) in [("acme/a/users/me.json", "{}"), (&long, "certificate"), ("empty", "")] {
            from.store(key, value.as_bytes()).unwrap();
        }
        let keys_found = keys(&from).unwrap();
        assert_eq!(keys_found, ["acme/a/users/me.json", &long, "empty"]);
        let mut archive = vec![];
        write(&from, &keys_found, &mut archive).unwrap();
        read(&to, archive.as_slice()).unwrap();
        assert_eq!(keys(&to).unwrap(), keys_found);
        assert_eq!(to.load(&long).unwrap(), b"certificate");
    }
    #[test]
    fn an_archive_that_is_none_or_leaves_the_storage_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileSystem::new(folder.path());
        assert!(read(&storage, [7; 1024].as_slice()).unwrap_err().text().starts_with("reading archive: "));
        let mut archive = tar::Builder::new(vec![]);
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..7].copy_from_slice(b"../evil");
        header.set_size(0);
        header.set_cksum();
        archive.append(&header, io::empty()).unwrap();
        let text = read(&storage, archive.into_inner().unwrap().as_slice()).unwrap_err().text();
        assert_eq!(text, "reading archive: not a storage key: ../evil");
    }
}
