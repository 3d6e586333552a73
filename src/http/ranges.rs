//! Ranges of addresses: written down, or fetched from elsewhere while the server runs.
use arc_swap::ArcSwapOption;
use ipnet::IpNet;
use std::{net::IpAddr, sync::Arc};
use tokio::sync::Notify;

/// What a module of `http.ip_sources` builds.
#[derive(Clone, Debug)]
pub enum Ranges {
    Fixed(Box<[IpNet]>),
    Changing(Arc<Changing>),
}
impl Default for Ranges {
    fn default() -> Self {
        Self::Fixed([].into())
    }
}
impl Ranges {
    pub fn contain(&self, address: IpAddr) -> bool {
        match self {
            Self::Fixed(ranges) => ranges.iter().any(|range| range.contains(&address)),
            Self::Changing(changing) => changing.contains(address),
        }
    }
    /// What has to be waited for before they are asked: [`Changing::known`].
    pub(super) fn pending(&self) -> Option<&Changing> {
        match self {
            Self::Changing(changing) if changing.current.load().is_none() => Some(changing),
            _ => None,
        }
    }
}
/// Ranges that somebody fetches; unknown until the first attempt has ended, whatever came of it.
#[derive(Debug, Default)]
pub struct Changing {
    current: ArcSwapOption<Vec<IpNet>>,
    attempted: Notify,
}
impl Changing {
    pub fn contains(&self, address: IpAddr) -> bool {
        self.current.load().as_ref().is_some_and(|known| known.iter().any(|range| range.contains(&address)))
    }
    /// The ranges from here on. `None`: they could not be fetched, and those from before stay; there are none at first.
    pub fn set(&self, ranges: Option<Vec<IpNet>>) {
        if ranges.is_some() || self.current.load().is_none() {
            self.current.store(Some(Arc::new(ranges.unwrap_or_default())));
        }
        self.attempted.notify_waiters();
    }
    /// Waits for the first attempt.
    pub async fn known(&self) {
        let attempted = self.attempted.notified();
        // From here on no call is missed.
        if self.current.load().is_none() {
            attempted.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_fetched_stays_until_something_else_is() {
        let changing = Arc::new(Changing::default());
        let ranges = Ranges::Changing(changing.clone());
        let contain = |address: &str| ranges.contain(address.parse().unwrap());
        assert!(ranges.pending().is_some() && !contain("10.0.0.1"));
        let waiting = changing.known();
        changing.set(None);
        waiting.await;
        assert!(ranges.pending().is_none() && !contain("10.0.0.1"));
        changing.set(Some(vec!["10.0.0.0/8".parse().unwrap()]));
        changing.set(None);
        changing.known().await;
        assert!(contain("10.0.0.1") && !contain("11.0.0.1"));
    }
}
