//! `--flag=false`: Go's flags may say that they are not set.
use clap::{ArgAction, Command};
use std::ffi::OsString;

/// `args` without flags that are switched off, and with those that are switched on in clap's spelling.
///
/// # Errors
/// What is no truth value, in the words of Caddy's flags (pflag).
pub(super) fn plain(command: &Command, args: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let (mut command, mut out) = (command, Vec::<OsString>::with_capacity(args.len()));
    let mut args = args.into_iter();
    out.extend(args.next());
    while let Some(arg) = args.next() {
        if arg == "--" {
            out.push(arg);
            out.extend(args);
            break;
        }
        if let Some(sub) = command.find_subcommand(&arg) {
            command = sub;
        }
        match arg.to_str().and_then(|arg| switch(command, arg)) {
            None => out.push(arg),
            Some((flag, spelling, value)) => {
                out.retain(|earlier| earlier != spelling);
                let truth = truth(value).ok_or_else(|| {
                    format!(
                        "invalid argument \"{value}\" for \"{flag}\" flag: strconv.ParseBool: parsing \"{value}\": invalid syntax"
                    )
                })?;
                if truth {
                    out.push(spelling.into());
                }
            }
        }
    }
    Ok(out)
}
/// Flag (as pflag names it, and as it is written) and value, if this is a switch with a value.
fn switch<'a>(command: &Command, arg: &'a str) -> Option<(String, &'a str, &'a str)> {
    let (spelling, value) = arg.split_once('=')?;
    let name = spelling.strip_prefix('-')?;
    let found = command.get_arguments().filter(|arg| matches!(arg.get_action(), ArgAction::SetTrue)).find(
        |known| match name.strip_prefix('-') {
            Some(long) => known.get_long() == Some(long),
            None => known.get_short().is_some_and(|short| name == short.to_string()),
        },
    )?;
    let long = found.get_long().unwrap_or_default();
    let shown = found.get_short().map_or_else(|| format!("--{long}"), |short| format!("-{short}, --{long}"));
    Some((shown, spelling, value))
}
/// As Go reads it.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn read(args: &[&str]) -> Result<Vec<OsString>, String> {
        let pretty = Arg::new("pretty").short('p').long("pretty").action(ArgAction::SetTrue);
        let adapt = Command::new("adapt").arg(pretty).arg(Arg::new("config").long("config"));
        let command = Command::new("caddy").subcommand(adapt);
        plain(&command, args.iter().map(OsString::from).collect())
    }
    #[test]
    fn switches_may_have_values() {
        for (args, expected) in [
            (&["caddy", "adapt", "--pretty=true"][..], &["caddy", "adapt", "--pretty"][..]),
            (&["caddy", "adapt", "--pretty=false"], &["caddy", "adapt"]),
            (&["caddy", "adapt", "--pretty", "--pretty=F"], &["caddy", "adapt"]),
            (&["caddy", "adapt", "-p=1"], &["caddy", "adapt", "-p"]),
            (&["caddy", "adapt", "--config=false"], &["caddy", "adapt", "--config=false"]),
            (&["caddy", "adapt", "--", "--pretty=x"], &["caddy", "adapt", "--", "--pretty=x"]),
        ] {
            assert_eq!(read(args).unwrap(), expected, "{args:?}");
        }
        assert_eq!(
            read(&["caddy", "adapt", "--pretty=maybe"]).unwrap_err(),
            "invalid argument \"maybe\" for \"-p, --pretty\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax"
        );
    }
}
