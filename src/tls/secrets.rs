//! `insecure_secrets_log`: the secrets of sessions in a file, in NSS's format, for those who look into their own traffic.
use crate::config::placeholder::{Unknown, expand_global};
use rustls::KeyLog;
use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    sync::{Mutex, PoisonError},
};

#[derive(Debug)]
pub(super) struct SecretsLog(Mutex<File>);
impl SecretsLog {
    /// Appends to `path`, in which placeholders are expanded.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(super) fn open(path: &str) -> Result<Self, String> {
        let path = expand_global(path, Unknown::Empty)?;
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = file.map_err(|error| format!("loading secrets log file: {path}: {error}"))?;
        tracing::warn!(target: "tls", log_filename = path, "TLS SECURITY COMPROMISED: secrets logging is enabled!");
        Ok(Self(Mutex::new(file)))
    }
}
impl KeyLog for SecretsLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        // A full disk is no reason to refuse the client.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes()).ok();
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn secrets_are_lines_that_others_cannot_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        for _ in 0..2 {
            let log = SecretsLog::open(&path.display().to_string()).unwrap();
            log.log("CLIENT_RANDOM", &[1, 255], &[0xab]);
        }
        let line = "CLIENT_RANDOM 01ff ab\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), line.repeat(2));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(
            SecretsLog::open("/none/such/file").unwrap_err().starts_with("loading secrets log file: /none")
        );
    }
}
