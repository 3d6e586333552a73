//! How fast orders may follow one another, as certmagic has it: an authority is not to be annoyed by a start with a
//! thousand names.
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Mutex as AsyncMutex,
    time::{Instant, sleep_until},
};

/// So many orders …
const ORDERS: usize = 10;
/// … within such a time, of one account at one authority.
const WINDOW: Duration = Duration::from_secs(10);

/// When the last orders were made; who waits holds it, so that all wait in line.
type Recent = AsyncMutex<VecDeque<Instant>>;
static ACCOUNTS: LazyLock<Mutex<HashMap<String, Arc<Recent>>>> = LazyLock::new(Mutex::default);

/// Waits until an account may order once more.
pub(super) async fn wait_for_turn(name: &str, authority: &str, account: &str) {
    let key = format!("{authority} {account}");
    let recent = ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
    let mut recent = recent.lock().await;
    if recent.len() == ORDERS
        && let Some(first) = recent.pop_front()
        && first + WINDOW > Instant::now()
    {
        tracing::info!(target: "http", identifiers = ?[name], ca = authority, account, "waiting on internal rate limiter");
        sleep_until(first + WINDOW).await;
        tracing::info!(target: "http", identifiers = ?[name], ca = authority, account, "done waiting on internal rate limiter");
    }
    recent.push_back(Instant::now());
}
