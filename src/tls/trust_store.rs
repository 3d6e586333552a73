//! The system's store of trusted roots, and Firefox's and Chromium's where `certutil` is installed: a local authority's
//! root is put in and taken out under the names that Caddy uses, so that each finds what the other has left.
use super::keys::{certificates_from_pem, to_pem};
use rustls::pki_types::CertificateDer;
use std::{
    env, fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where systems keep such roots, what their files end in, and what has to be run after a change.
const PLACES: &[(&str, &str, &[&str])] = &[
    ("/etc/pki/ca-trust/source/anchors", "pem", &["update-ca-trust", "extract"]),
    ("/usr/local/share/ca-certificates", "crt", &["update-ca-certificates"]),
    ("/usr/share/pki/trust/anchors", "crt", &["update-ca-certificates"]),
    ("/etc/ca-certificates/trust-source/anchors", "crt", &["trust", "extract-compat"]),
    ("/etc/ssl/certs", "crt", &["trust", "extract-compat"]),
];

/// Makes this machine trust a root (PEM).
///
/// # Errors
/// It is no certificate, the system has no store that is known, or does not let us.
pub fn install(pem: &str) -> Result<(), String> {
    let root = Root::read(pem)?;
    Store::of_system()?.install(&root)?;
    each_database(|certutil, database| {
        let added =
            with_input(certutil.args(["-A", "-d", database, "-t", "C,,", "-n", &root.name]), &root.pem);
        if let Err(error) = added {
            tracing::warn!(target: "pki", database, error, "browsers keep their own roots, and do not take this one");
        }
    });
    Ok(())
}
/// Takes a root (PEM) out again. One that is not there is out already.
///
/// # Errors
/// As [`install`].
pub fn uninstall(pem: &str) -> Result<(), String> {
    let root = Root::read(pem)?;
    Store::of_system()?.uninstall(&root)?;
    each_database(|certutil, database| {
        // It complains where there is nothing to delete.
        with_input(certutil.args(["-D", "-d", database, "-n", &root.name]), "").ok();
    });
    Ok(())
}
/// Whether the system trusts a root (PEM) already.
pub fn is_installed(pem: &str) -> bool {
    let Ok(wanted) = certificates_from_pem(pem.as_bytes()) else { return false };
    rustls_native_certs::load_native_certs().certs.contains(&wanted[0])
}
struct Root {
    pem: String,
    /// Its subject and its number.
    name: String,
}
impl Root {
    fn read(pem: &str) -> Result<Self, String> {
        let certificate: CertificateDer<'_> = certificates_from_pem(pem.as_bytes())?.swap_remove(0);
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&certificate).map_err(|error| error.to_string())?;
        let subject = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        let name = format!("{} {}", subject.unwrap_or("Truststore Development CA"), parsed.serial);
        Ok(Self { pem: to_pem("CERTIFICATE", &certificate), name })
    }
}
struct Store {
    folder: PathBuf,
    ending: &'static str,
    refresh: Vec<String>,
}
impl Store {
    fn of_system() -> Result<Self, String> {
        let place = PLACES.iter().find(|(folder, ..)| Path::new(folder).is_dir());
        let (folder, ending, refresh) = place.ok_or("install is not supported on this system")?;
        let refresh = refresh.iter().map(|word| (*word).to_owned()).collect();
        Ok(Self { folder: folder.into(), ending, refresh })
    }
    fn path(&self, root: &Root) -> PathBuf {
        let name = root.name.replace([' ', '/'], "_");
        self.folder.join(format!("{name}.{}", self.ending))
    }
    fn install(&self, root: &Root) -> Result<(), String> {
        let path = self.path(root);
        match fs::write(&path, &root.pem) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                with_input(as_root("tee").arg(&path), &root.pem)?;
            }
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
        self.refresh()
    }
    fn uninstall(&self, root: &Root) -> Result<(), String> {
        let path = self.path(root);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                with_input(as_root("rm").arg("-f").arg(&path), "")?;
            }
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
        self.refresh()
    }
    fn refresh(&self) -> Result<(), String> {
        match self.refresh.split_first() {
            Some((program, arguments)) => with_input(as_root(program).args(arguments), ""),
            None => Ok(()),
        }
    }
}
/// Through sudo, for those who are not root.
fn as_root(program: &str) -> Command {
    if rustix::process::geteuid().is_root() || !is_there("sudo") {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["--", program]);
    command
}
fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
fn with_input(command: &mut Command, input: &str) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("{name}: {error}");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read says why when it ends.
        stdin.write_all(input.as_bytes()).ok();
    }
    let output = child.wait_with_output().map_err(failed)?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}
/// Firefox's and Chromium's databases of this user.
fn each_database(mut with: impl FnMut(&mut Command, &str)) {
    let Some(home) = env::var_os("HOME").filter(|_| is_there("certutil")) else { return };
    let home = Path::new(&home);
    let within = |folder: &str| fs::read_dir(home.join(folder)).into_iter().flatten().flatten();
    let profiles = within(".mozilla/firefox").chain(within("snap/firefox/common/.mozilla/firefox"));
    let folders = profiles.map(|entry| entry.path()).chain([home.join(".pki/nssdb")]);
    for folder in folders.filter(|folder| folder.join("cert9.db").is_file()) {
        with(&mut Command::new("certutil"), &format!("sql:{}", folder.display()));
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        storage::FileSystem,
        tls::{Authority, AuthoritySettings},
    };
    use std::sync::Arc;

    fn root(folder: &Path) -> Root {
        let storage = Arc::new(FileSystem::new(folder));
        let (root, _) =
            Authority::new("local", AuthoritySettings::default(), storage).certificates().unwrap();
        Root::read(&root).unwrap()
    }
    #[test]
    fn a_root_is_put_in_under_caddys_name_and_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = root(&folder.path().join("state"));
        let refreshed = folder.path().join("refreshed");
        let refresh = ["touch", &refreshed.display().to_string()].map(str::to_owned).into();
        let store = Store { folder: folder.path().into(), ending: "crt", refresh };
        store.install(&root).unwrap();
        let path = store.path(&root);
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("Caddy_Local_Authority_-_2") && name.ends_with(".crt"), "{name}");
        assert!(name.contains("_ECC_Root_") && refreshed.exists());
        assert_eq!(fs::read_to_string(&path).unwrap(), root.pem);
        store.uninstall(&root).unwrap();
        store.uninstall(&root).unwrap();
        assert!(!path.exists());
    }
    #[test]
    fn what_the_system_does_not_do_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let root = root(&folder.path().join("state"));
        let store = Store { folder: folder.path().into(), ending: "crt", refresh: vec!["false".into()] };
        assert!(store.install(&root).unwrap_err().starts_with("false: "));
        assert!(install("no certificate").is_err());
        assert!(!is_installed(&root.pem));
    }
}
