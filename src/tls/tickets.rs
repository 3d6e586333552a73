//! Session tickets, whose keys are made when they are first needed: that starts the library's source of randomness,
//! which takes tens of milliseconds that a configuration which is only validated, or has no TLS, is spared.
use rustls::{crypto::aws_lc_rs::Ticketer, server::ProducesTickets};
use std::sync::{Arc, OnceLock};

/// Shared by all workers and kept over reloads.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    /// `None` where the system has no randomness: then there are no session tickets.
    ticketer: OnceLock<Option<Arc<dyn ProducesTickets>>>,
}
impl Tickets {
    /// Makes the keys, so that no handshake has to wait for them.
    pub(super) fn prepare(&self) -> Option<&dyn ProducesTickets> {
        self.ticketer.get_or_init(|| Ticketer::new().ok()).as_deref()
    }
}
impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }
    fn lifetime(&self) -> u32 {
        self.prepare().map_or(0, ProducesTickets::lifetime)
    }
    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.prepare()?.encrypt(plain)
    }
    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.prepare()?.decrypt(cipher)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_and_nothing_else() {
        let tickets = Tickets::default();
        let ticket = tickets.encrypt(b"a session").unwrap();
        assert_eq!(tickets.decrypt(&ticket).as_deref(), Some(&b"a session"[..]));
        assert_eq!(Tickets::default().decrypt(&ticket), None, "another process's");
        assert!(tickets.lifetime() > 0);
    }
}
