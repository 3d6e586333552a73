//! The one table. A directive's place in it is its default order.
use crate::{
    caddyfile::{Directive, Syntax},
    handlers::{
        encode, error, headers, intercept, invoke, rate_limit, request_body, respond, reverse_proxy, rewrite,
        subroute, vars,
    },
    http::Modules,
    matchers::{file, method, not, path, path_regexp, vars as vars_matcher},
};

static DIRECTIVES: &[Directive] = &[
    headers::HEADER,
    rate_limit::RATE_LIMIT,
    subroute::HANDLE,
    respond::RESPOND,
    reverse_proxy::REVERSE_PROXY,
];
pub static MODULES: Modules = Modules {
    handlers: &[
        encode::MODULE,
        error::MODULE,
        headers::MODULE,
        intercept::MODULE,
        invoke::MODULE,
        rate_limit::MODULE,
        request_body::MODULE,
        respond::MODULE,
        reverse_proxy::MODULE,
        reverse_proxy::COPY_RESPONSE,
        reverse_proxy::COPY_RESPONSE_HEADERS,
        rewrite::MODULE,
        subroute::MODULE,
        vars::MODULE,
    ],
    matchers: &[
        file::MODULE,
        method::MODULE,
        not::MODULE,
        path::MODULE,
        path_regexp::MODULE,
        vars_matcher::MODULE,
    ],
};
/// What a Caddyfile may say.
pub static SYNTAX: Syntax = Syntax { directives: DIRECTIVES, matchers: &[], options: &[], modules: &[] };
