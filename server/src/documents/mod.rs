//! Printed documents: what stands in a [`Paper`] set as a file that can be kept, and the doors to them.

pub mod file;
mod layout;
mod pdf;
mod serve;
mod text;

use app::paper::Paper;
use billing::{Error, Result};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

pub use pdf::Pdf;
pub use serve::{open, own};

/// How many documents are set at the same time: it is work for the processor alone.
const AT_ONCE: usize = 4;

static PRESSES: Semaphore = Semaphore::const_new(AT_ONCE);

/// Makes a file of a document. The same document gives the same bytes.
pub trait Typesetter: Send + Sync {
    fn set(&self, paper: &Paper) -> Result<Vec<u8>>;
}

/// Sets a document beside the threads that answer requests.
pub async fn print(paper: Paper) -> Result<Vec<u8>> {
    let permit = PRESSES.acquire().await.map_err(Error::internal)?;
    let set = spawn_blocking(move || {
        let set = Pdf.set(&paper);
        drop(permit);
        set
    });
    set.await.map_err(Error::internal)?
}
