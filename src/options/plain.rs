//! Global options that are plain: a flag, a word, a number, a duration.
use crate::caddyfile::{
    Binding, GlobalOption, Options, Parsed, Support, Words, nearest, read_order, unknown,
};
use crate::config::{Duration, parse_duration, parse_int};
use serde_json::{Map, json};

/// A row whose parse function gets the line as words.
macro_rules! option {
    ($name:literal, $docs:literal, |$words:ident, $options:ident| $read:expr) => {
        GlobalOption {
            name: $name,
            docs: $docs,
            parse: |line, $options, _| {
                let mut $words = Words::new(line);
                let $words = &mut $words;
                $read;
                Ok(())
            },
            support: Support::Full,
        }
    };
}
pub const DEBUG: GlobalOption = option!("debug", "`debug`: logs at DEBUG level.", |_words, o| o.debug = true);
pub const HTTP_PORT: GlobalOption = option!(
    "http_port",
    "`http_port <port>`: the port for HTTP, 80 unless this says otherwise.",
    |words, o| {
        o.http_port = Some(port(words)?);
    }
);
pub const HTTPS_PORT: GlobalOption = option!(
    "https_port",
    "`https_port <port>`: the port for HTTPS, 443 unless this says otherwise.",
    |words, o| {
        o.https_port = Some(port(words)?);
    }
);
pub const DEFAULT_BIND: GlobalOption = option!(
    "default_bind",
    "`default_bind <hosts...> { protocols h1|h2|h2c|h3... }`: where sites listen that have no `bind`.",
    |words, o| {
        let mut binding = Binding::read(words)?;
        if binding.addresses.is_empty() {
            binding.addresses.push(String::new());
        }
        o.default_bind.push(binding);
    }
);
pub const ORDER: GlobalOption = GlobalOption {
    name: "order",
    docs: "`order <directive> first|last` or `order <directive> before|after <other>`: gives a directive a place.",
    parse: |line, options, cx| read_order(line, options, cx),
    support: Support::Full,
};
pub const ADMIN: GlobalOption = GlobalOption {
    name: "admin",
    docs: "`admin off` or `admin [<address>] { origins <origins...>; enforce_origin }`: the admin API.",
    parse: |line, options, _| admin(&mut Words::new(line), options, line.block.is_some()),
    support: Support::Full,
};
pub const PERSIST_CONFIG: GlobalOption = option!(
    "persist_config",
    "`persist_config off`: does not write the running configuration to disk.",
    |words, o| {
        only_off(words, "persist_config")?;
        o.persist_config_off = true;
    }
);
pub const GRACE_PERIOD: GlobalOption =
    option!("grace_period", "`grace_period <duration>`: how long a stop waits for requests.", |words, o| {
        o.grace_period = Some(duration(words)?);
    });
pub const SHUTDOWN_DELAY: GlobalOption =
    option!("shutdown_delay", "`shutdown_delay <duration>`: how long a stop is put off.", |words, o| {
        o.shutdown_delay = Some(duration(words)?);
    });
pub const AUTO_HTTPS: GlobalOption = option!(
    "auto_https",
    "`auto_https off|disable_redirects|disable_certs|ignore_loaded_certs...`: what automatic HTTPS leaves out.",
    |words, o| auto_https(words, o)?
);
pub const EMAIL: GlobalOption =
    option!("email", "`email <address>`: of the ACME account.", |words, o| o.email = Some(word(words)?));
pub const DEFAULT_SNI: GlobalOption =
    option!("default_sni", "`default_sni <name>`: for clients that name no server.", |words, o| {
        o.default_sni = Some(word(words)?);
    });
pub const FALLBACK_SNI: GlobalOption = option!(
    "fallback_sni",
    "`fallback_sni <name>`: where no certificate has the name asked for.",
    |words, o| {
        o.fallback_sni = Some(word(words)?);
    }
);

fn word(words: &mut Words<'_>) -> Parsed<String> {
    let text = words.need()?.to_owned();
    words.none()?;
    Ok(text)
}
/// As in Caddy whatever number it is: what cannot be listened on is found out when something is to listen there.
fn port(words: &mut Words<'_>) -> Parsed<i64> {
    let text = words.one()?;
    parse_int(text).map_err(|why| words.error(format!("converting port '{text}' to integer value: {why}")))
}
fn duration(words: &mut Words<'_>) -> Parsed<Duration> {
    parse_duration(words.need()?).map_err(|why| words.error(why))
}
/// The only thing that can be said is `off`.
fn only_off(words: &mut Words<'_>, option: &str) -> Parsed<()> {
    if word(words)? == "off" { Ok(()) } else { Err(words.error(format!("{option} must be 'off'"))) }
}
fn admin(words: &mut Words<'_>, options: &mut Options, has_block: bool) -> Parsed<()> {
    let mut admin = Map::new();
    let address = words.arg().map(|token| token.text.clone());
    if address.as_deref() == Some("off") {
        if words.left() > 0 || has_block {
            return Err(words.error("No more option is allowed after turning off admin config"));
        }
        options.admin = Some(json!({ "disabled": true }));
        return Ok(());
    }
    words.none()?;
    let listen = address.filter(|address| !address.is_empty()).unwrap_or_else(|| "localhost:2019".to_owned());
    admin.insert("listen".to_owned(), listen.into());
    let (mut enforce, mut origins) = (false, vec![]);
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "enforce_origin" => enforce = true,
            "origins" => origins = sub.rest(),
            other => {
                let message = format!("unrecognized parameter '{other}'");
                return Err(unknown(sub.token(), message, &["enforce_origin", "origins"]));
            }
        }
    }
    if enforce {
        admin.insert("enforce_origin".to_owned(), true.into());
    }
    if !origins.is_empty() {
        admin.insert("origins".to_owned(), json!(origins));
    }
    options.admin = Some(admin.into());
    Ok(())
}
fn auto_https(words: &mut Words<'_>, options: &mut Options) -> Parsed<()> {
    const KNOWN: [&str; 4] = ["off", "disable_redirects", "disable_certs", "ignore_loaded_certs"];
    let values = words.some()?;
    if let Some(wrong) = values.iter().find(|value| !KNOWN.contains(&value.as_str())) {
        let message = "auto_https must be one of 'off', 'disable_redirects', 'disable_certs', or \
                       'ignore_loaded_certs'";
        let error = words.error(message);
        return Err(match nearest(wrong, &KNOWN) {
            Some(name) => error.hint(format!("did you mean '{name}'?")),
            None => error,
        });
    }
    options.auto_https = values;
    Ok(())
}
