//! What handshakes ask: which names have certificates on demand, and how they get them.
use super::{Automation, Policy};
use crate::tls::{Certificate, Index, on_demand::CertificateManager};
use std::{sync::Arc, time::SystemTime};

impl Automation {
    /// Whether a name's certificates come at the handshake: obtained, or from managers.
    pub fn is_on_demand(&self, name: &str) -> bool {
        let policy = self.spoken_of(name);
        policy.is_some_and(|policy| policy.on_demand || !policy.managers.is_empty())
    }
    pub(in crate::tls) fn permission(&self) -> Option<&dyn super::Permission> {
        self.permission.as_deref()
    }
    /// Whether issuers may be asked at a handshake, as far as the configuration goes. Where it has managers alone to
    /// keep strangers off, only those are.
    pub(in crate::tls) fn may_obtain(&self, name: &str) -> bool {
        self.permission.is_some() || !self.policy(name).invites_abuse()
    }
    pub(in crate::tls) fn managers(&self, name: &str) -> Vec<Arc<dyn CertificateManager>> {
        self.policy(name).managers
    }
    /// Whether it is time to renew a certificate that is still good.
    pub(in crate::tls) fn is_close(&self, name: &str, held: &Certificate) -> bool {
        self.is_due(&self.policy(name), held, None)
    }
    /// From the storage, or else from an issuer. Once: who fails is not tried again before the next handshake.
    pub(in crate::tls) async fn obtain_on_demand(&self, name: &str) -> Result<(), String> {
        let policy = self.policy(name);
        // A wildcard's certificate is as good.
        let wildcard = name.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        for stored in std::iter::once(name.to_owned()).chain(wildcard) {
            if let Some(found) = self.load(&policy, &stored)
                && !self.is_due(&policy, &found.certificate, found.renewal_info().as_ref())
            {
                self.serve(&stored, found.certificate);
                return Ok(());
            }
        }
        self.obtain(&policy, name, 1, None).await.map_err(|error| error.message)
    }
    pub(in crate::tls) fn forget_expired(&self, name: &str) {
        let now = SystemTime::now();
        self.managed.rcu(|index| {
            let mut index = Index::clone(index);
            let gone: Vec<_> =
                index.all().filter(|c| c.names == [name] && c.not_after <= now).cloned().collect();
            gone.iter().for_each(|gone| index.remove(gone));
            index
        });
    }
}
impl Policy {
    /// Whether anybody could have certificates obtained for any name.
    pub(super) fn invites_abuse(&self) -> bool {
        let everything =
            self.subjects.is_empty() || self.subjects.iter().any(|subject| subject.contains('*'));
        let internal = matches!(&self.issuers[..], [issuer] if issuer.is_internal());
        (self.on_demand || !self.managers.is_empty()) && everything && !internal
    }
}
