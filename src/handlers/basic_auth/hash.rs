//! Passwords and their hashes.
use argon2::{Argon2, PasswordHash, PasswordVerifier};
use std::{
    sync::{Arc, LazyLock},
    thread,
};
use tokio::{sync::Semaphore, task};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Bcrypt,
    Argon2id,
}
impl Algorithm {
    pub(super) const NAMES: &[&str] = &["bcrypt", "argon2id"];

    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "bcrypt" => Some(Self::Bcrypt),
            "argon2id" => Some(Self::Argon2id),
            _ => None,
        }
    }
    /// A hash of nobody's password, with the costs that `hash-password` chooses: for where there is no account.
    pub(super) fn decoy(self) -> &'static str {
        match self {
            Self::Bcrypt => "$2a$14$m6ZaYw5x2tkKuSSxy5creOV1ypPZ2Hx8b2D5BFS8OORwixtqg6rPC",
            Self::Argon2id => {
                "$argon2id$v=19$m=47104,t=1,p=1$gwniTYco27naf9VNct/3Iw$GPzjcHRYpblnYvpO/Gdzl0vf9eVsFoigEeVVyuEJj/8"
            }
        }
    }
    /// Slow, by intention: up to a second.
    fn compare_now(self, hash: &[u8], password: &[u8]) -> Result<bool, String> {
        let hash = std::str::from_utf8(hash).map_err(|error| error.to_string())?;
        match self {
            Self::Bcrypt => bcrypt::verify(password, hash).map_err(|error| error.to_string()),
            Self::Argon2id => {
                let hash = PasswordHash::new(hash).map_err(|error| error.to_string())?;
                if hash.algorithm.as_str() != "argon2id" {
                    return Err(format!("{} is not argon2id", hash.algorithm));
                }
                match Argon2::default().verify_password(password, &hash) {
                    Ok(()) => Ok(true),
                    Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                    Err(error) => Err(error.to_string()),
                }
            }
        }
    }
}
/// As many at a time as there are cores, whatever clients send: what waits longer costs memory alone.
static AT_A_TIME: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(thread::available_parallelism().map_or(1, usize::from))));

/// Compares beside the workers.
///
/// # Errors
/// The hash cannot be read.
pub(super) async fn compare(
    algorithm: Algorithm,
    hash: Arc<[u8]>,
    password: Vec<u8>,
) -> Result<bool, String> {
    let turn = AT_A_TIME.clone().acquire_owned().await.map_err(|error| error.to_string())?;
    let work = move || {
        // Goes on though the client may not wait for it, so the turn ends with it.
        let _turn = turn;
        algorithm.compare_now(&hash, &password)
    };
    task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}
