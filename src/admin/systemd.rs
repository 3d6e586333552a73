//! What a service manager is told (`sd_notify`); without one, nothing.
use sd_notify::NotifyState;

pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}
pub(super) fn ready() {
    notify(&[NotifyState::Ready]);
}
pub(super) fn failed(why: &str) {
    notify(&[NotifyState::Status(why)]);
}
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::error!(target: "", %error, "unable to notify service manager");
    }
}
