//! The model, in a process of its own: a log a line in, what is wrong with it a line out.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

pub struct Referee {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/model")
}

impl Referee {
    pub fn call() -> Self {
        let mut process = Command::new("python3")
            .args(["-B", "replay.py"])
            .current_dir(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let (to, from) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, to, from }
    }

    /// What is wrong with a log that was acted, if anything.
    pub fn ask(&mut self, told: &Value) -> Option<String> {
        writeln!(self.to, "{told}").expect("the model listens");
        let mut answer = String::new();
        self.from.read_line(&mut answer).expect("the model answers");
        assert!(answer.ends_with('\n'), "the model broke down over {told}");
        Some(answer.trim_end().to_owned()).filter(|answer| !answer.is_empty())
    }
}

impl Drop for Referee {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The vector file is the program's and the model's alike.
#[test]
fn the_vectors_are_what_the_model_says() {
    let out = Command::new("python3")
        .args(["-B", "vectors.py", "../vectors/arithmetic.json"])
        .current_dir(folder())
        .output()
        .expect("python3 runs");
    assert!(out.status.success(), "{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
}
