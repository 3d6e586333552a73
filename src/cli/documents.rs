//! `completion` and `manpage`: what shells and `man` know of the commands.
use super::failure::{FAILED_QUIT, Failure, go_io};
use clap::Args;
use clap_complete::Shell;
use std::{fs, io, path::Path};

/// Generate completion script
#[derive(Args, Debug)]
pub(super) struct Completion {
    /// The shell it is for
    #[arg(value_name = "bash|zsh|fish|powershell")]
    shell: Shell,
}
/// Generates the manual pages for Caddy commands
#[derive(Args, Debug)]
pub(super) struct Manpage {
    /// The output directory where the manpages are generated
    #[arg(short = 'o', long, value_name = "string", default_value = "")]
    directory: String,
}
impl Completion {
    pub(super) fn run(self, mut command: clap::Command) -> Result<(), Failure> {
        let name = command.get_name().to_owned();
        let mut script = vec![];
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        super::output::write(script);
        Ok(())
    }
}
impl Manpage {
    /// A page for the program and one for each command, in section 8.
    pub(super) fn run(self, command: clap::Command) -> Result<(), Failure> {
        let folder = self.directory.trim();
        if folder.is_empty() {
            let why = "designated output directory and specified section are required";
            return Err(Failure::with_code(FAILED_QUIT, why));
        }
        let failed = |error: io::Error| Failure::with_code(FAILED_QUIT, go_io("open", folder, &error));
        fs::create_dir_all(folder).map_err(failed)?;
        let mut command = command.disable_help_subcommand(true);
        command.build();
        write_page(&command, command.get_name(), Path::new(folder)).map_err(failed)
    }
}
fn write_page(command: &clap::Command, name: &str, folder: &Path) -> io::Result<()> {
    let mut page = vec![];
    clap_mangen::Man::new(command.clone().name(name.to_owned())).section("8").render(&mut page)?;
    fs::write(folder.join(format!("{name}.8")), page)?;
    command
        .get_subcommands()
        .try_for_each(|sub| write_page(sub, &format!("{name}-{}", sub.get_name()), folder))
}
