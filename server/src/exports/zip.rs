//! A ZIP archive written as it goes, its files stored as they are: PDF is compressed already (APPNOTE.TXT 6.3.10, without
//! ZIP64).

use billing::{Error, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Version 2.0, and names in UTF-8.
const VERSION: u16 = 20;
const UTF8: u16 = 1 << 11;

/// What an archive remembers of what it wrote: a line for each file.
#[derive(Default)]
pub struct Archive {
    directory: Vec<u8>,
    files: u16,
    written: u32,
}

impl Archive {
    /// The bytes of one more file. What one archive cannot hold is refused: 65,535 files, 4 GiB.
    pub fn file(&mut self, name: &str, at: i64, content: &[u8]) -> Result<Vec<u8>> {
        let full = || Error::internal("an archive holds at most 65,535 files and 4 GiB");
        let size = u32::try_from(content.len()).map_err(|_| full())?;
        let length = u16::try_from(name.len()).map_err(|_| full())?;
        let (time, date) = dos(at);
        let mut about = Vec::with_capacity(26);
        for short in [VERSION, UTF8, 0, time, date] {
            about.extend(short.to_le_bytes());
        }
        for long in [crc32fast::hash(content), size, size] {
            about.extend(long.to_le_bytes());
        }
        for short in [length, 0] {
            about.extend(short.to_le_bytes());
        }
        let mut local = Vec::with_capacity(content.len() + name.len() + 30);
        local.extend(LOCAL.to_le_bytes());
        local.extend(&about);
        local.extend(name.as_bytes());
        local.extend(content);
        self.directory.extend(CENTRAL.to_le_bytes());
        self.directory.extend(VERSION.to_le_bytes());
        self.directory.extend(&about);
        // Comment, disk and attributes: none.
        self.directory.extend([0; 10]);
        self.directory.extend(self.written.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.files = self.files.checked_add(1).ok_or_else(full)?;
        self.written = u32::try_from(local.len()).ok().and_then(|n| self.written.checked_add(n)).ok_or_else(full)?;
        Ok(local)
    }

    /// The archive's last bytes: where its files are.
    pub fn end(mut self) -> Result<Vec<u8>> {
        let size = u32::try_from(self.directory.len()).map_err(Error::internal)?;
        self.directory.extend(END.to_le_bytes());
        for short in [0, 0, self.files, self.files] {
            self.directory.extend(short.to_le_bytes());
        }
        for long in [size, self.written] {
            self.directory.extend(long.to_le_bytes());
        }
        self.directory.extend([0; 2]);
        Ok(self.directory)
    }
}

/// Time and date as MS-DOS keeps them, in UTC.
fn dos(at: i64) -> (u16, u16) {
    let at = TimeZone::UTC.to_datetime(Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH));
    let part = |n: i8| u16::try_from(n).unwrap_or_default();
    let year = u16::try_from(at.year() - 1980).unwrap_or_default().min(127);
    let time = (part(at.hour()) << 11) | (part(at.minute()) << 5) | (part(at.second()) / 2);
    (time, (year << 9) | (part(at.month()) << 5) | part(at.day()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_reads_what_is_written() {
        let mut archive = Archive::default();
        let mut bytes = archive.file("a.txt", 1_780_000_000, b"hello").unwrap();
        bytes.extend(archive.file("ü/ال.txt", 0, b"").unwrap());
        bytes.extend(archive.end().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        std::fs::write(&path, bytes).unwrap();
        let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; \
                      assert [(i.filename, z.read(i), i.date_time) for i in z.infolist()] == [('a.txt', b'hello', (2026, 5, 28, 20, 26, 40)), \
                      ('ü/ال.txt', b'', (1980, 1, 1, 0, 0, 0))], [(i.filename, i.date_time) for i in z.infolist()]";
        let read = std::process::Command::new("python3").args(["-c", script]).arg(&path).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    }
}
