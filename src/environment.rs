//! Environment variables: the process', and beside them those of `--envfile`, which can be read again while others run.
use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    sync::{Arc, PoisonError, RwLock},
};

type Variables = Arc<BTreeMap<String, String>>;
static FILES: RwLock<Option<Variables>> = RwLock::new(None);

/// The value of `name`, if it is set. The process' own variable comes first.
pub fn var(name: &str) -> Option<String> {
    match env::var_os(name) {
        Some(own) => Some(own.to_string_lossy().into_owned()),
        None => files().and_then(|files| files.get(name).cloned()),
    }
}
/// All variables, the process' own first, as `NAME=VALUE`.
pub fn all() -> Vec<String> {
    let pair = |(name, value): (OsString, OsString)| {
        format!("{}={}", name.to_string_lossy(), value.to_string_lossy())
    };
    let mut all: Vec<String> = env::vars_os().map(pair).collect();
    let files = files().unwrap_or_default();
    let added = files.iter().filter(|(name, _)| env::var_os(name).is_none());
    all.extend(added.map(|(name, value)| format!("{name}={value}")));
    all
}
/// From here on, what files say is exactly this.
pub fn set_files(variables: BTreeMap<String, String>) {
    *FILES.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(variables));
}
fn files() -> Option<Variables> {
    FILES.read().unwrap_or_else(PoisonError::into_inner).clone()
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn own_variables_come_first() {
        set_files(BTreeMap::from([
            ("PATH".into(), "elsewhere".into()),
            ("ONLY_IN_A_FILE".into(), "x".into()),
        ]));
        assert_eq!(var("PATH"), env::var("PATH").ok());
        assert_eq!(var("ONLY_IN_A_FILE").as_deref(), Some("x"));
        assert_eq!(var("NOWHERE_AT_ALL"), None);
        assert!(all().contains(&"ONLY_IN_A_FILE=x".to_owned()));
    }
}
