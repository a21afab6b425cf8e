//! The lists of settings, made from the program's own: `.env.example`, and the table of `docs/operate.md`.

use clap::{Arg, Args, Command};
use server::config::{SECRETS, Settings};

use crate::support::document;

/// One setting as a reader meets it.
struct Setting {
    variable: String,
    flag: String,
    default: String,
    meaning: String,
    is_secret: bool,
}

impl Setting {
    fn of(argument: &Arg) -> Self {
        let variable = argument.get_env().unwrap().to_str().unwrap().to_owned();
        let help = argument.get_help().unwrap().to_string();
        // Where there is no one default, the help says in brackets what happens.
        let (meaning, said) = help.split_once(" [default: ").unwrap_or((&help, ""));
        let values: Vec<_> = argument.get_default_values().iter().map(|value| value.to_str().unwrap()).collect();
        Self {
            flag: format!("--{}", argument.get_long().unwrap()),
            default: if said.is_empty() { values.join(",") } else { said.trim_end_matches(']').to_owned() },
            meaning: meaning.trim_end_matches('.').to_owned(),
            is_secret: SECRETS.iter().any(|(secret, _)| *secret == variable),
            variable,
        }
    }

    fn has_value(&self) -> bool {
        !self.default.is_empty() && !self.default.contains(' ')
    }
}

fn settings() -> Vec<Setting> {
    let command = Settings::augment_args(Command::new("portico"));
    command.get_arguments().map(Setting::of).collect()
}

#[test]
fn the_example_of_an_env_file_lists_every_setting() {
    let mut text = "# Settings of Portico. Copy this file to .env beside the program, and change what differs: what is commented out has\n\
                    # the value shown. The same names work in the environment, which comes before this file.\n"
        .to_owned();
    for setting in settings() {
        let value = if setting.has_value() { &setting.default } else { "" };
        text.push_str(&format!("\n# {}.\n", setting.meaning));
        if !value.is_empty() || setting.default.is_empty() {
            text.push_str(&format!("#{}={value}\n", setting.variable));
        } else {
            text.push_str(&format!("# Default: {}.\n#{}=\n", setting.default, setting.variable));
        }
    }
    document::check(".env.example", &text);
}

#[test]
fn the_manual_lists_every_setting() {
    let mut text = "| Variable | Flag | Default | Meaning |\n|---|---|---|---|\n".to_owned();
    for setting in settings() {
        let default = match setting.default.as_str() {
            "" => "none".to_owned(),
            value if setting.has_value() => format!("`{value}`"),
            said => said.to_owned(),
        };
        let secret =
            if setting.is_secret { format!(" Or in a file: `{}_FILE`.", setting.variable) } else { String::new() };
        text.push_str(&format!(
            "| `{}` | `{}` | {default} | {}.{secret} |\n",
            setting.variable, setting.flag, setting.meaning
        ));
    }
    document::check_part("docs/operate.md", "settings", &text);
}
