//! Automation policies: fewer of them, where they say the same.
use super::{issuers::IssuerId, subjects};
use crate::config::AutomationPolicy;
use std::collections::{HashMap, HashSet};

#[derive(Clone, Default, PartialEq)]
pub(super) struct Policy {
    /// Its issuers are filled in last.
    pub(super) json: AutomationPolicy,
    pub(super) issuers: Vec<IssuerId>,
    /// Its names can only have the internal issuer, so it has that without anyone having asked for it.
    pub(super) implied_internal: bool,
}
/// What a policy's names get that has no issuer.
#[derive(Clone, Copy, PartialEq, Eq)]
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
        self.json.get_certificate.is_empty() && self.says_nothing_but_managers()
    }
    fn says_nothing_but_managers(&self) -> bool {
        let AutomationPolicy {
            subjects: _,
            issuers,
            get_certificate: _,
            must_staple,
            renewal_window_ratio,
            key_type,
            storage,
            on_demand,
            reuse_private_keys,
            disable_ocsp_stapling,
            ocsp_overrides,
            disable_renewal,
        } = &self.json;
        issuers.is_empty()
            && key_type.is_empty()
            && storage.is_none()
            && ocsp_overrides.is_empty()
            && *renewal_window_ratio == 0.0
            && !(*must_staple
                || *on_demand
                || *reuse_private_keys
                || *disable_ocsp_stapling
                || *disable_renewal)
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
    fn same_issuers(&self, own: Implied, other: &Self, others: Implied) -> bool {
        if self.json.issuers != other.json.issuers {
            return self.defaults_to_internal(own) && other.defaults_to_internal(others);
        }
        !self.json.issuers.is_empty()
            || own == others
            || own == Implied::CatchAll
            || others == Implied::CatchAll
    }
    fn defaults_to_internal(&self, implied: Implied) -> bool {
        if self.json.issuers.is_empty() { implied == Implied::Internal } else { self.implied_internal }
    }
    /// Whether they differ in nothing but their names and issuers.
    fn same_settings(&self, other: &Self) -> bool {
        let (a, b) = (&self.json, &other.json);
        a.get_certificate == b.get_certificate
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
    let mut list = List::new(policies);
    list.drop_empty();
    list.join_same();
    list.policies.into_iter().flatten().collect()
}
/// Policies in their order; those that are gone leave a gap, so that thousands don't have to move up.
struct List {
    policies: Vec<Option<Policy>>,
    implied: Vec<Implied>,
    /// By a name in lower case, the policies that have it.
    by_name: HashMap<String, Vec<usize>>,
    /// Those that have wildcards, or are for all names.
    wide: Vec<usize>,
}
impl List {
    fn new(policies: Vec<Policy>) -> Self {
        let (mut by_name, mut wide): (HashMap<String, Vec<usize>>, _) = (HashMap::new(), vec![]);
        for (at, policy) in policies.iter().enumerate() {
            let names = &policy.json.subjects;
            if names.is_empty() || names.iter().any(|name| name.contains('*')) {
                wide.push(at);
            }
            for name in names {
                by_name.entry(name.to_lowercase()).or_default().push(at);
            }
        }
        let implied = policies.iter().map(Policy::implied).collect();
        Self { policies: policies.into_iter().map(Some).collect(), implied, by_name, wide }
    }
    /// The first later policy that has all the names of this one.
    fn hidden_behind(&self, at: usize) -> Option<usize> {
        let own = self.policies[at].as_ref()?;
        let first = own.json.subjects.first().map(|name| name.to_lowercase());
        let same = first.and_then(|name| self.by_name.get(&name)).map_or(&[][..], Vec::as_slice);
        let candidates = same.iter().chain(&self.wide).copied().filter(|other| *other > at);
        let has_all = |other: &usize| self.policies[*other].as_ref().is_some_and(|other| own.within(other));
        candidates.filter(has_all).min()
    }
    fn drop_empty(&mut self) {
        for at in 0..self.policies.len() {
            if !self.policies[at].as_ref().is_some_and(Policy::is_empty) {
                continue;
            }
            let last = self.policies[at + 1..].iter().all(Option::is_none);
            let hidden = self.hidden_behind(at).and_then(|hidden| self.policies[hidden].as_ref());
            // What it hides may have certificate managers: they are for its names too.
            if last || hidden.is_some_and(Policy::says_nothing_but_managers) {
                self.policies[at] = None;
            }
        }
    }
    fn join_same(&mut self) {
        for i in 0..self.policies.len() {
            self.join_with_later(i);
        }
    }
    fn join_with_later(&mut self, i: usize) {
        let mut known: Option<HashSet<String>> = None;
        for j in i + 1..self.policies.len() {
            let (Some(a), Some(b)) = (&self.policies[i], &self.policies[j]) else { continue };
            if a.json == b.json && a.implied_internal == b.implied_internal {
                self.policies[j] = None;
                continue;
            }
            if !a.same_settings(b) || !a.same_issuers(self.implied[i], b, self.implied[j]) {
                continue;
            }
            if !a.json.subjects.is_empty() && b.json.subjects.is_empty() {
                // The later one is for all names; the earlier one may go unless it hides something in between.
                if self.hidden_behind(i).is_some_and(|hidden| hidden >= j) {
                    self.policies[i] = None;
                    return;
                }
                continue;
            }
            let names = self.policies[j].take().map(|policy| policy.json.subjects).unwrap_or_default();
            let Some(a) = &mut self.policies[i] else { return };
            let known = known.get_or_insert_with(|| a.json.subjects.iter().cloned().collect());
            a.json.subjects.extend(names.into_iter().filter(|name| known.insert(name.clone())));
            if self.implied[i] != self.implied[j] {
                self.implied[i] = a.implied();
            }
        }
    }
}
