//! Documents that are made from the program: committed, and held against what would be made now.

use std::path::PathBuf;

/// Holds the file at `path` (from the top of the repository) against `made`; with `UPDATE=1`, writes it instead.
#[track_caller]
pub fn check(path: &str, made: &str) {
    let file = at(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, made).unwrap();
        return;
    }
    let found = std::fs::read_to_string(file).unwrap_or_default();
    if let Some((n, (line, new))) = lines(&found).zip(lines(made)).enumerate().find(|(_, (line, new))| line != new) {
        let hint = "made anew with UPDATE=1 in the environment of this test";
        panic!("{path} is not up to date at line {} ({hint}):\n- {line}\n+ {new}", n + 1);
    }
}

/// The same for the part between `<!-- name -->` and `<!-- /name -->`.
#[track_caller]
pub fn check_part(path: &str, name: &str, made: &str) {
    let text = std::fs::read_to_string(at(path)).unwrap();
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{path} has no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{path} has no {end}"));
    check(path, &format!("{before}{begin}{made}{end}{after}"));
}

fn at(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Each line, and a last one that says that there are no more.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').chain(["(end of file)"])
}
