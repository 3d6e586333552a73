//! What outlives a reload: limiter windows, upstream health and pools, certificates, metrics. A build asks for each by
//! key and gets what is there already; what nobody holds any more goes away.
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// Shared by all builds of one process. Used at build only, never on the request path.
#[derive(Default)]
pub struct State {
    held: Mutex<HashMap<(TypeId, String), Weak<dyn Any + Send + Sync>>>,
}
impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("State")
    }
}
impl State {
    /// What is known under `key`, or else `new`.
    pub fn get_or<T: Any + Send + Sync>(&self, key: &str, new: impl FnOnce() -> T) -> Arc<T> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, weak| weak.strong_count() > 0);
        let slot = (TypeId::of::<T>(), key.to_owned());
        let found = held.get(&slot).and_then(Weak::upgrade).and_then(|any| any.downcast::<T>().ok());
        found.unwrap_or_else(|| {
            let fresh = Arc::new(new());
            let any: Arc<dyn Any + Send + Sync> = fresh.clone();
            held.insert(slot, Arc::downgrade(&any));
            fresh
        })
    }
    /// All of one type that someone holds, by key: for those who show what there is.
    pub fn all<T: Any + Send + Sync>(&self) -> Vec<(String, Arc<T>)> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let of_type = held.iter().filter(|((of, _), _)| *of == TypeId::of::<T>());
        let mut all: Vec<_> = of_type
            .filter_map(|((_, key), weak)| Some((key.clone(), weak.upgrade()?.downcast::<T>().ok()?)))
            .collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn what_someone_holds_is_found_again_and_the_rest_is_forgotten() {
        let state = State::default();
        let first = state.get_or("zone", || 1_u64);
        assert_eq!(*state.get_or("zone", || 2_u64), 1);
        assert_eq!(*state.get_or("other", || 3_u64), 3);
        assert_eq!(*state.get_or("zone", || "another type"), "another type");
        assert_eq!(state.all::<u64>(), [("zone".to_owned(), first.clone())]);
        drop(first);
        assert_eq!(*state.get_or("zone", || 4_u64), 4);
    }
}
