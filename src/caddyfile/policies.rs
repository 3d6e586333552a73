//! Automation policies: fewer of them, where they say the same.
use super::{issuers::IssuerId, subjects};
use crate::config::AutomationPolicy;

#[derive(Clone, Default, PartialEq)]
pub(super) struct Policy {
    /// Its issuers are filled in last.
    pub(super) json: AutomationPolicy,
    pub(super) issuers: Vec<IssuerId>,
    /// Its names can only have the internal issuer, so it has that without anyone having asked for it.
    pub(super) implied_internal: bool,
}
/// What a policy's names get that has no issuer.
#[derive(PartialEq, Eq)]
enum Implied {
    CatchAll,
    Public,
    Internal,
    Mixed,
}
impl Policy {
    pub(super) fn all_public(&self) -> bool {
        self.json.subjects.iter().all(|name| self.is_public(name) && !subjects::is_tailscale(name))
    }
    fn is_public(&self, name: &str) -> bool {
        subjects::is_public(name, self.json.on_demand)
    }
    /// It says nothing but whom it is for.
    fn is_empty(&self) -> bool {
        let nothing = AutomationPolicy { subjects: vec![], ..self.json.clone() };
        nothing == AutomationPolicy::default()
    }
    fn implied(&self) -> Implied {
        let public = self.json.subjects.iter().filter(|name| self.is_public(name)).count();
        match (public, self.json.subjects.len() - public) {
            (0, 0) => Implied::CatchAll,
            (_, 0) => Implied::Public,
            (0, _) => Implied::Internal,
            _ => Implied::Mixed,
        }
    }
    /// Whether its names are among the other's.
    fn within(&self, other: &Self) -> bool {
        let (own, others) = (&self.json.subjects, &other.json.subjects);
        if others.is_empty() || own.is_empty() {
            return others.is_empty();
        }
        own.iter().all(|name| others.iter().any(|wildcard| subjects::covers(wildcard, name)))
    }
    fn same_issuers(&self, other: &Self) -> bool {
        if self.json.issuers != other.json.issuers {
            return self.defaults_to_internal() && other.defaults_to_internal();
        }
        let (own, others) = (self.implied(), other.implied());
        !self.json.issuers.is_empty()
            || own == others
            || own == Implied::CatchAll
            || others == Implied::CatchAll
    }
    fn defaults_to_internal(&self) -> bool {
        if self.json.issuers.is_empty() { self.implied() == Implied::Internal } else { self.implied_internal }
    }
    /// Whether they differ in nothing but their names.
    fn same_settings(&self, other: &Self) -> bool {
        let (a, b) = (&self.json, &other.json);
        self.same_issuers(other)
            && a.get_certificate == b.get_certificate
            && a.storage == b.storage
            && a.must_staple == b.must_staple
            && a.key_type == b.key_type
            && a.on_demand == b.on_demand
            && a.reuse_private_keys == b.reuse_private_keys
            && a.renewal_window_ratio.to_bits() == b.renewal_window_ratio.to_bits()
    }
}
/// The most specific first; without those that say nothing, as far as nothing hides behind them; those that say the same
/// joined. None at all if none says anything.
pub(super) fn consolidate(mut policies: Vec<Policy>) -> Vec<Policy> {
    super::sort::stable(&mut policies, |a, b| {
        a.within(b) || !b.within(a) && a.json.subjects.len() > b.json.subjects.len()
    });
    if policies.iter().all(Policy::is_empty) {
        return vec![];
    }
    drop_empty(&mut policies);
    let mut i = 0;
    'next: while i < policies.len() {
        let mut j = i + 1;
        while j < policies.len() {
            if policies[i].json == policies[j].json
                && policies[i].implied_internal == policies[j].implied_internal
            {
                policies.remove(j);
                continue 'next;
            }
            if !policies[i].same_settings(&policies[j]) {
                j += 1;
                continue;
            }
            if !policies[i].json.subjects.is_empty() && policies[j].json.subjects.is_empty() {
                // The later one is for all names; the earlier one may go unless it hides something in between.
                if hidden_behind(i, &policies).is_some_and(|hidden| hidden >= j) {
                    policies.remove(i);
                    continue 'next;
                }
                j += 1;
                continue;
            }
            let merged = policies.remove(j);
            for name in merged.json.subjects {
                if !policies[i].json.subjects.contains(&name) {
                    policies[i].json.subjects.push(name);
                }
            }
        }
        i += 1;
    }
    policies
}
fn drop_empty(policies: &mut Vec<Policy>) {
    let mut at = 0;
    while at < policies.len() {
        let may_go = policies[at].is_empty()
            && (at + 1 == policies.len()
                || hidden_behind(at, policies).is_some_and(|hidden| {
                    // What it hides may have certificate managers: they are for its names too.
                    let mut other = policies[hidden].clone();
                    other.json.get_certificate.clear();
                    other.is_empty()
                }));
        if may_go {
            policies.remove(at);
        } else {
            at += 1;
        }
    }
}
/// The first later policy that has all the names of this one.
fn hidden_behind(at: usize, policies: &[Policy]) -> Option<usize> {
    (at + 1..policies.len()).find(|other| policies[at].within(&policies[*other]))
}
