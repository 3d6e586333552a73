//! The placeholders that are known everywhere, also while a configuration is loaded: `{env.*}`, `{file.*}`, `{system.*}`,
//! `{time.*}`.
use super::{Text, Unknown, Value, value::local};
use crate::environment;
use std::{
    env, fs,
    io::{self, Read},
    time::{Duration, SystemTime},
};

/// A key of these families.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Global {
    Env(Box<str>),
    File(Box<str>),
    Hostname,
    Slash,
    Os,
    WorkingDirectory,
    Arch,
    Now,
    NowHttp,
    NowCommonLog,
    NowYear,
    NowUnix,
    NowUnixMs,
}
impl Global {
    pub fn of(key: &str) -> Option<Self> {
        if let Some(name) = key.strip_prefix("env.") {
            return Some(Self::Env(name.into()));
        }
        if let Some(path) = key.strip_prefix("file.") {
            return Some(Self::File(path.into()));
        }
        Some(match key {
            "system.hostname" => Self::Hostname,
            "system.slash" => Self::Slash,
            "system.os" => Self::Os,
            "system.wd" => Self::WorkingDirectory,
            "system.arch" => Self::Arch,
            "time.now" => Self::Now,
            "time.now.http" => Self::NowHttp,
            "time.now.common_log" => Self::NowCommonLog,
            "time.now.year" => Self::NowYear,
            "time.now.unix" => Self::NowUnix,
            "time.now.unix_ms" => Self::NowUnixMs,
            _ => return None,
        })
    }
    /// Its value now. What cannot be had is empty, as in Caddy.
    pub fn value(&self) -> Value<'static> {
        let now = SystemTime::now();
        let since_1970 = || now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        match self {
            Self::Env(name) => environment::var(name).unwrap_or_default().into(),
            Self::File(path) => match file(path) {
                Ok(text) => text.into(),
                Err(error) => {
                    tracing::error!(file = %path, %error, "placeholder: failed to read file");
                    Value::Null
                }
            },
            Self::Hostname => {
                let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
                name.into()
            }
            Self::Slash => std::path::MAIN_SEPARATOR_STR.into(),
            Self::Os => match env::consts::OS {
                "macos" => "darwin",
                other => other,
            }
            .into(),
            Self::WorkingDirectory => {
                env::current_dir().map(|dir| dir.to_string_lossy().into_owned()).unwrap_or_default().into()
            }
            Self::Arch => match env::consts::ARCH {
                "x86_64" => "amd64",
                "aarch64" => "arm64",
                "x86" => "386",
                other => other,
            }
            .into(),
            Self::Now => Value::Time(now),
            Self::NowHttp => httpdate::fmt_http_date(now).into(),
            Self::NowCommonLog => local(now).format("%d/%b/%Y:%H:%M:%S %z").to_string().into(),
            Self::NowYear => local(now).format("%Y").to_string().into(),
            Self::NowUnix => since_1970().as_secs().to_string().into(),
            Self::NowUnixMs => since_1970().as_millis().to_string().into(),
        }
    }
}
/// At most a MiB of it, and without the line's end.
fn file(path: &str) -> io::Result<String> {
    let mut bytes = vec![];
    fs::File::open(path)?.take(1024 * 1024).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// Expands what is known while a configuration is loaded: certificate paths, credentials, listen addresses.
///
/// # Errors
/// With [`Unknown::Fail`] only, in Caddy's words.
pub fn expand_global(text: &str, unknown: Unknown) -> Result<String, String> {
    let text = Text::new(text, &Global::of);
    let expanded = text.expand(unknown, &mut |_, global| global.as_ref().map(Global::value));
    expanded.map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> String {
        expand_global(text, Unknown::Empty).unwrap()
    }
    #[test]
    fn the_environment_is_always_known() {
        assert_eq!(all("{env.PATH}"), env::var("PATH").unwrap());
        assert_eq!(all("a{env.NOT_SET_ANYWHERE}b{http.request.method}c"), "abc");
        assert_eq!(expand_global("{env.NOT_SET_ANYWHERE}{no}", Unknown::Stay).unwrap(), "{no}");
        assert_eq!(expand_global("{no}", Unknown::Fail).unwrap_err(), "unrecognized placeholder {no}");
    }
    #[test]
    fn a_file_loses_the_end_of_its_last_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        for (content, expanded) in [("s3cret\r\n", "s3cret"), ("a\n\n", "a\n"), ("", "")] {
            fs::write(&path, content).unwrap();
            assert_eq!(all(&format!("{{file.{}}}", path.display())), expanded);
        }
        assert_eq!(all("{file./nowhere/at/all}"), "");
    }
    #[test]
    fn names_of_systems_are_those_of_go() {
        assert_eq!(all("{system.slash}"), "/");
        assert!(["linux", "darwin", "windows", "freebsd"].contains(&all("{system.os}").as_str()));
        assert!(!all("{system.arch}").contains("x86"));
        assert!(!all("{system.hostname}").is_empty());
    }
    #[test]
    fn times_have_the_forms_of_go() {
        assert!(all("{time.now.http}").ends_with(" GMT"));
        let common = all("{time.now.common_log}");
        assert_eq!((common.len(), &common[2..3]), ("02/Jan/2006:15:04:05 -0700".len(), "/"));
        assert_eq!(all("{time.now.year}").len(), 4);
        assert_eq!(all("{time.now.unix_ms}").len(), 13);
    }
}
