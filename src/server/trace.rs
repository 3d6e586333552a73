//! `trace` of a server's `logs`: each handler is named in the log as it is called.
use crate::{
    http::{Exchange, Flow, Handler, Step, Tracer},
    logging::{Level, Logger, Logs},
};
use serde_json::Value;
use std::sync::Arc;

/// Makes what stands before each handler.
pub(super) fn tracer(logs: &Logs) -> Tracer {
    let logger = logs.logger("http.log.trace");
    Arc::new(move |name, fields| {
        let mut module = fields.clone();
        if let Some(Value::Array(routes)) = module.get_mut("routes") {
            routes.iter_mut().filter_map(Value::as_object_mut).for_each(|route| {
                // They speak for themselves.
                route.retain(|key, _| key != "handle" && key != "match");
            });
        }
        let fields = vec![("module".to_owned(), Value::Object(module))];
        Box::new(Trace { logger: logger.clone(), name: name.into(), fields })
    })
}
#[derive(Debug)]
struct Trace {
    logger: Logger,
    name: Box<str>,
    /// The handler's configuration.
    fields: Vec<(String, Value)>,
}
impl Handler for Trace {
    fn handle<'t: 'x, 'x>(&'t self, _: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        self.logger.write(Level::Debug, &self.name, &self.fields);
        Step::Next.into()
    }
}
