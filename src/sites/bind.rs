//! `bind`: where a site listens.
//!
//! ```caddyfile
//! bind <hosts...> {
//!     protocols [h1|h2|h2c|h3...]
//! }
//! ```
//! A host is a network address without its port, which comes from the site's own address; `unix/` and `fd/` addresses
//! have none.
//!
//! ```caddyfile
//! example.com {
//!     bind 127.0.0.1 [::1]
//! }
//! ```
use crate::caddyfile::{Binding, Directive, Emit, Order, Parse, Support, Words};

pub const DIRECTIVE: Directive = Directive {
    name: "bind",
    docs: "`bind <hosts...> { protocols h1|h2|h2c|h3... }`: listens there, not on every interface.",
    order: Order::None,
    support: Support::Full,
    parse: Parse::Own(|line, _| Ok(vec![Emit::Bind(Binding::read(&mut Words::new(line))?)])),
};
