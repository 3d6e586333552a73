//! `hash-password`: what `basic_auth` compares with.
use super::{failure::Failure, output};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::{self, BufRead, IsTerminal};

/// Hashes a password and writes base64
#[derive(Args, Debug)]
pub(super) struct HashPassword {
    /// The plaintext password; read from stdin if omitted
    #[arg(short, long, value_name = "string", default_value = "")]
    plaintext: String,
    /// Name of the hash algorithm
    #[arg(short, long, value_name = "string", default_value = "bcrypt")]
    algorithm: String,
    /// Bcrypt hashing cost (only used with 'bcrypt' algorithm)
    #[arg(long, value_name = "int", default_value_t = BCRYPT_COST)]
    bcrypt_cost: u32,
    /// Number of iterations for Argon2id hashing
    #[arg(long, value_name = "uint32", default_value_t = 1)]
    argon2id_time: u32,
    /// Memory to use in KiB for Argon2id hashing
    #[arg(long, value_name = "uint32", default_value_t = 47104)]
    argon2id_memory: u32,
    /// Number of CPU threads to use for Argon2id hashing
    #[arg(long, value_name = "uint8", default_value_t = 1)]
    argon2id_threads: u8,
    /// Length of the resulting Argon2id hash in bytes
    #[arg(long, value_name = "uint32", default_value_t = 32)]
    argon2id_keylen: u32,
}
const BCRYPT_COST: u32 = 14;
/// What Go's bcrypt takes.
const BCRYPT_LONGEST: usize = 72;

impl HashPassword {
    pub(super) fn run(self) -> Result<(), Failure> {
        let password = if self.plaintext.is_empty() { ask()? } else { self.plaintext.clone().into_bytes() };
        if password.is_empty() {
            return Err(Failure::new("plaintext is required"));
        }
        let hash = match self.algorithm.as_str() {
            "bcrypt" => self.bcrypt(&password)?,
            "argon2id" => self.argon2id(&password)?,
            other => return Err(Failure::new(format!("unrecognized hash algorithm: {other}"))),
        };
        out!("{hash}");
        Ok(())
    }
    fn bcrypt(&self, password: &[u8]) -> Result<String, Failure> {
        if password.len() > BCRYPT_LONGEST {
            return Err(Failure::new(format!("bcrypt: password length exceeds {BCRYPT_LONGEST} bytes")));
        }
        let cost = if (4..=31).contains(&self.bcrypt_cost) { self.bcrypt_cost } else { BCRYPT_COST };
        let parts = bcrypt::hash_with_result(password, cost);
        let parts = parts.map_err(|error| Failure::new(error.to_string()))?;
        Ok(parts.format_for_version(bcrypt::Version::TwoA))
    }
    fn argon2id(&self, password: &[u8]) -> Result<String, Failure> {
        let wrong = |error: argon2::Error| Failure::new(error.to_string());
        let (memory, time, threads) = (self.argon2id_memory, self.argon2id_time, self.argon2id_threads);
        let length = self.argon2id_keylen as usize;
        let params = Params::new(memory, time, u32::from(threads), Some(length)).map_err(wrong)?;
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| Failure::new("there is no randomness"))?;
        let mut key = vec![0; length];
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        hasher.hash_password_into(password, &salt, &mut key).map_err(wrong)?;
        let [salt, key] = [&salt[..], &key].map(|bytes| STANDARD_NO_PAD.encode(bytes));
        Ok(format!("$argon2id$v=19$m={memory},t={time},p={threads}${salt}${key}"))
    }
}
/// Twice at a terminal, without an echo; else the first line of standard input.
fn ask() -> Result<Vec<u8>, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return line();
    }
    let first = hidden("Enter password: ")?;
    if hidden("Confirm password: ")? != first {
        return Err(Failure::new("password does not match"));
    }
    Ok(first)
}
fn line() -> Result<Vec<u8>, Failure> {
    let mut line = vec![];
    let read = io::stdin().lock().read_until(b'\n', &mut line);
    read.map_err(|error| Failure::new(error.to_string()))?;
    match line.pop() {
        Some(b'\n') => Ok(line),
        _ => Err(Failure::new("EOF")),
    }
}
fn hidden(prompt: &str) -> Result<Vec<u8>, Failure> {
    let wrong = |error: rustix::io::Errno| Failure::new(error.to_string());
    let stdin = io::stdin();
    let before = tcgetattr(&stdin).map_err(wrong)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    output::error(prompt);
    tcsetattr(&stdin, OptionalActions::Now, &silent).map_err(wrong)?;
    let read = line();
    tcsetattr(&stdin, OptionalActions::Now, &before).map_err(wrong)?;
    err!("");
    read
}
