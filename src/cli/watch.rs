//! `run --watch`: looks at the file every second.
use super::{envfile, input::Input};
use crate::admin::{Instance, Source};
use std::{sync::Arc, time::Duration};
use tokio::{task::spawn_blocking, time::interval};

const PERIOD: Duration = Duration::from_secs(1);

/// Loads the file whenever it says something else, until it cannot be read any more, as Caddy does.
pub(super) async fn watch(instance: Arc<Instance>, source: Source, envfiles: Vec<String>) {
    let config_file = source.file.clone();
    let mut last = match adapted(&source, &envfiles).await {
        Ok(json) => json,
        Err(error) => {
            tracing::error!(target: "watcher", config_file, error, "unable to load latest config");
            return;
        }
    };
    tracing::info!(target: "watcher", config_file, "watching config file for changes");
    let mut every_second = interval(PERIOD);
    loop {
        every_second.tick().await;
        let json = match adapted(&source, &envfiles).await {
            Ok(json) if json == last => continue,
            Ok(json) => json,
            Err(error) => {
                tracing::error!(target: "watcher", config_file, error, "unable to load latest config");
                return;
            }
        };
        tracing::info!(target: "watcher", config_file, "config file changed; reloading");
        if let Err(error) = instance.load(json.as_bytes(), false).await {
            tracing::error!(target: "watcher", config_file, %error, "applying latest config");
        }
        last = json;
    }
}
async fn adapted(source: &Source, envfiles: &[String]) -> Result<String, String> {
    let (source, envfiles) = (source.clone(), envfiles.to_vec());
    let read = spawn_blocking(move || {
        envfile::load(&envfiles)?;
        Input::quietly(&source.file, &source.adapter)?.runnable()
    });
    match read.await {
        Ok(Ok(input)) => Ok(input.to_json()),
        Ok(Err(failure)) => Err(failure.text()),
        Err(error) => Err(error.to_string()),
    }
}
