//! `basic_auth`: asks for a user and a password.
//!
//! ```caddyfile
//! basic_auth [<matcher>] [bcrypt|argon2id [<realm>]] {
//!     <user> <hash>
//! }
//! ```
//!
//! Example: `basic_auth /admin/* { bob $2a$14$… }`, with a hash that `hash-password` made.
mod cache;
mod hash;
#[cfg(test)]
mod tests;

use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words, unknown},
    config::{
        Module, is_default,
        placeholder::{Unknown, expand_global},
    },
    http::{
        Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, HttpError, Result, Step,
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use cache::Cache;
use grammar::Line;
use hash::Algorithm;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{collections::HashMap, sync::Arc};

pub const BASIC_AUTH: Directive = Directive {
    name: "basic_auth",
    docs: "basic_auth [<matcher>] [bcrypt|argon2id [<realm>]] { <user> <hash> }: asks for a user and a password.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(parse),
};
/// What `basic_auth` was called before.
pub const BASICAUTH: Directive = Directive {
    name: "basicauth",
    docs: "basicauth …: deprecated, use basic_auth.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(|line, cx| {
        cx.warn(line.name(), "the 'basicauth' directive is deprecated, please use 'basic_auth' instead!");
        parse(line, cx)
    }),
};
pub const MODULE: HandlerModule = HandlerModule::of::<Authentication>();

/// JSON: `http.handlers.authentication`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Authentication {
    /// Modules of `http.authentication.providers`, by name. Any of them may let a request pass.
    #[serde(skip_serializing_if = "Map::is_empty")]
    providers: Map<String, Value>,
}
/// JSON: `http.authentication.providers.http_basic`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct HttpBasic {
    /// A module of `http.authentication.hashes`: bcrypt, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<Hash>,
    #[serde(skip_serializing_if = "is_default")]
    accounts: Vec<Account>,
    /// `restricted`, if there is none.
    #[serde(skip_serializing_if = "is_default")]
    realm: String,
    /// Remember what passwords were found right or wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash_cache: Option<HashCache>,
}
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Hash {
    algorithm: String,
}
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct HashCache {}
/// Both may hold placeholders that are known when a configuration is loaded.
#[derive(PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Account {
    username: String,
    /// A hash that begins with `$`, or the base64 of one.
    password: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let mut words = Words::new(line);
    let args = words.rest();
    let (algorithm, realm) = match args.as_slice() {
        [] => ("bcrypt", ""),
        [algorithm] => (algorithm.as_str(), ""),
        [algorithm, realm] => (algorithm.as_str(), realm.as_str()),
        _ => return Err(words.arg_error()),
    };
    if Algorithm::named(algorithm).is_none() {
        let at = line.args().first().unwrap_or(line.name());
        let message = format!("unrecognized hash algorithm: {algorithm}");
        return Err(unknown(at, message, Algorithm::NAMES));
    }
    let mut basic = HttpBasic {
        hash: Some(Hash { algorithm: algorithm.to_owned() }),
        realm: realm.to_owned(),
        hash_cache: Some(HashCache {}),
        ..HttpBasic::default()
    };
    let mut block = words.block();
    while let Some(words) = block.next() {
        let username = words.text().to_owned();
        let password = words.arg().map(|word| word.text.clone()).unwrap_or_default();
        words.none()?;
        if username.is_empty() || password.is_empty() {
            return Err(words.error("username and password cannot be empty or missing"));
        }
        basic.accounts.push(Account { username, password });
    }
    let providers = Map::from_iter([("http_basic".to_owned(), json!(basic))]);
    Ok(Module::of(Authentication::NAME, &Authentication { providers }))
}

impl HandlerConfig for Authentication {
    const NAME: &'static str = "authentication";
    fn build(self, _: &mut Build) -> std::result::Result<Box<dyn Handler>, BuildError> {
        let mut provider = None;
        for (name, config) in self.providers {
            if name != "http_basic" {
                let id = format!("http.authentication.providers.{name}");
                return Err(format!("loading authentication providers: unknown module: {id}").into());
            }
            provider = Some(Basic::compile(crate::config::decode(config)?)?);
        }
        Ok(Box::new(Authenticate { provider }))
    }
}
#[derive(Debug)]
struct Authenticate {
    /// Without one nobody passes.
    provider: Option<Basic>,
}
#[derive(Debug)]
struct Basic {
    algorithm: Algorithm,
    /// Hashes by user.
    accounts: HashMap<String, Arc<[u8]>>,
    /// What the passwords of unknown users are compared with, so that they take as long as those of known ones.
    decoy: Arc<[u8]>,
    challenge: HeaderValue,
    cache: Option<Arc<Cache>>,
}
impl Basic {
    fn compile(from: HttpBasic) -> std::result::Result<Self, BuildError> {
        let name = from.hash.as_ref().map_or("bcrypt", |hash| &hash.algorithm);
        let algorithm = Algorithm::named(name);
        let algorithm = algorithm.ok_or_else(|| {
            format!("loading password hasher module: unknown module: http.authentication.hashes.{name}")
        })?;
        let (mut accounts, mut decoy) = (HashMap::new(), None);
        for (at, Account { username, password }) in from.accounts.into_iter().enumerate() {
            if accounts.contains_key(&username) {
                return Err(format!("account {at}: username is not unique: {username}").into());
            }
            let username = expand_global(&username, Unknown::Empty)?;
            let password = expand_global(&password, Unknown::Empty)?;
            if username.is_empty() || password.is_empty() {
                return Err(format!("account {at}: username and password are required").into());
            }
            let hash: Arc<[u8]> = if password.starts_with('$') {
                password.into_bytes().into()
            } else {
                let decoded = BASE64_STANDARD.decode(password);
                decoded.map_err(|error| format!("base64-decoding password: {error}"))?.into()
            };
            decoy.get_or_insert_with(|| hash.clone());
            accounts.insert(username, hash);
        }
        let realm = if from.realm.is_empty() { "restricted" } else { &from.realm };
        Ok(Self {
            algorithm,
            accounts,
            decoy: decoy.unwrap_or_else(|| algorithm.decoy().as_bytes().into()),
            challenge: format!("Basic realm=\"{realm}\"").parse()?,
            cache: from.hash_cache.map(|_| Arc::default()),
        })
    }
}
impl Handler for Authenticate {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        let Some(provider) = &self.provider else {
            return not_authenticated().into();
        };
        let Some((user, password)) = credentials(&x.request.headers) else {
            return provider.refuse(x).into();
        };
        let account = provider.accounts.get(&user);
        let known = account.is_some();
        let hash = account.unwrap_or(&provider.decoy).clone();
        if let Some(cache) = &provider.cache {
            let key = cache.key(known, &hash, &password);
            return match cache.get(&key) {
                Some(same) => Flow::Now(provider.decide(x, user, known && same)),
                None => Flow::wait(async move {
                    let compared = cache.compare(key, provider.algorithm, hash, password).await;
                    let same = provider.is_same(x, compared);
                    provider.decide(x, user, known && same)
                }),
            };
        }
        Flow::wait(async move {
            let compared = hash::compare(provider.algorithm, hash, password).await;
            let same = provider.is_same(x, compared);
            provider.decide(x, user, known && same)
        })
    }
}
impl Basic {
    /// A hash that cannot be read lets nobody pass; the error routes may say so.
    fn is_same(&self, x: &mut Exchange, compared: std::result::Result<bool, String>) -> bool {
        compared.unwrap_or_else(|error| {
            tracing::error!(
                target: "http.handlers.authentication",
                provider = "http_basic",
                error,
                "auth provider returned error"
            );
            x.set("http.auth.http_basic.error", error);
            false
        })
    }
    fn decide(&self, x: &mut Exchange, user: String, authenticated: bool) -> Result<Step<'static>> {
        if !authenticated {
            return Err(self.refuse(x));
        }
        x.set("http.auth.user.id", user);
        Ok(Step::Next)
    }
    fn refuse(&self, x: &mut Exchange) -> Box<HttpError> {
        x.headers.insert(WWW_AUTHENTICATE, self.challenge.clone());
        not_authenticated()
    }
}
fn not_authenticated() -> Box<HttpError> {
    HttpError::new(StatusCode::UNAUTHORIZED, "not authenticated")
}
/// User and password of `Authorization: Basic` (RFC 7617). A user that is no UTF-8 is nobody.
fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case("Basic ") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(encoded).ok()?;
    let colon = memchr::memchr(b':', &decoded)?;
    let user = String::from_utf8_lossy(&decoded[..colon]).into_owned();
    Some((user, decoded[colon + 1..].to_vec()))
}
