//! Sends the mails that the books have written: over SMTP, or as files where there is no SMTP server.

mod message;

use std::path::{Path, PathBuf};
use std::time::Duration;

use billing::mail::queue::{self, Outcome};
use billing::mail::{Mail, Status};
use billing::{Db, Result, transact};
use lettre::message::Mailbox;
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::io::AsyncWriteExt;

use crate::config::Settings;

/// How long a server may take for one mail: less than a claim lasts.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where mails go without a server, in the working directory.
const FOLDER: &str = "data/mail";
/// Replies that refuse us and not the mail: no, or the wrong, password.
const OURS: [u16; 4] = [530, 534, 535, 538];

/// Where mails are handed in, and whose address they are from. Cheap to clone.
#[derive(Clone)]
pub struct Post {
    way: Way,
    from: Mailbox,
}

#[derive(Clone)]
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// Why a mail was not handed in.
struct Failure {
    message: String,
    is_final: bool,
}

impl Post {
    /// As the settings say; the error is the one line to print.
    pub fn of(settings: &Settings) -> Result<Self, String> {
        let from = settings.sender()?;
        let way = match &settings.smtp_url {
            Some(url) => Way::Smtp(transport(url)?),
            None => Way::Folder(FOLDER.into()),
        };
        Ok(Self { way, from })
    }

    /// Into files of a folder.
    pub fn into_folder(folder: &Path, from: Mailbox) -> Self {
        Self { way: Way::Folder(folder.to_owned()), from }
    }

    async fn hand_in(&self, mail: &Mail, message: Message) -> Result<(), Failure> {
        match &self.way {
            Way::Folder(folder) => {
                let path = folder.join(format!("{}.eml", mail.id));
                let written = write(&path, &message.formatted()).await;
                written.map_err(|e| Failure { message: format!("{}: {e}", path.display()), is_final: false })?;
                tracing::info!(mail = mail.id, template = mail.template.name(), file = %path.display(), "a mail was written");
                Ok(())
            }
            Way::Smtp(smtp) => match tokio::time::timeout(PATIENCE, smtp.send(message)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(Failure { is_final: is_final(&error), message: said(&error) }),
                Err(_) => Err(Failure { is_final: false, message: "the mail server did not answer in time".into() }),
            },
        }
    }
}

/// What `PORTICO_SMTP_URL` names.
pub fn transport(url: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
    Ok(builder.map_err(|e| format!("PORTICO_SMTP_URL: {e}"))?.timeout(Some(PATIENCE / 2)).build())
}

/// Whether the mail itself was refused: the server has said so, and not that it does not know us.
fn is_final(error: &SmtpError) -> bool {
    let code = error.status().map(|code| code.to_string().parse::<u16>().unwrap_or_default());
    error.is_permanent() && !code.is_some_and(|code| OURS.contains(&code))
}

/// Without what the server said about whom: that may name the recipient, and this is logged.
fn said(error: &SmtpError) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_timeout() => "the mail server did not answer in time".into(),
        None => "the mail server could not be reached, or broke off".into(),
    }
}

/// Whole or not at all; the same mail once more takes the place of itself.
async fn write(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    tokio::fs::create_dir_all(folder).await?;
    let draft = path.with_extension("tmp");
    let mut file = tokio::fs::File::create(&draft).await?;
    file.write_all(text).await?;
    file.sync_all().await?;
    tokio::fs::rename(&draft, path).await
}

/// Sends one mail that waits; answers whether there was one. Whether it was sent is known only after the server has taken
/// it: should this process end between the two, the mail is sent again, under the same `Message-ID`.
pub async fn send_one(db: &Db, post: &Post) -> Result<bool> {
    let Some(mut mail) = transact!(db, |tx| queue::claim(tx).await)? else { return Ok(false) };
    let mut tx = db.read().await?;
    let sender = queue::sender(&mut tx, &mut mail).await?;
    drop(tx);
    let sent = match sender {
        None => None,
        Some(brand) => Some(match message::message(&mail, &brand, &post.from) {
            Ok(message) => post.hand_in(&mail, message).await,
            Err(message) => Err(Failure { message, is_final: true }),
        }),
    };
    let outcome = match &sent {
        None => Outcome::Over,
        Some(Ok(())) => Outcome::Sent,
        Some(Err(failure)) if failure.is_final => Outcome::Never(&failure.message),
        Some(Err(failure)) => Outcome::NotNow(&failure.message),
    };
    let status = transact!(db, |tx| queue::settle(tx, &mail, outcome).await)?;
    if let Some(Err(failure)) = &sent {
        let (id, attempt) = (&mail.id, mail.attempts);
        match status {
            Status::Refused => tracing::warn!(mail = id, attempt, failure.message, "a mail cannot be delivered"),
            _ => tracing::warn!(mail = id, attempt, failure.message, "a mail could not be sent yet"),
        }
    }
    Ok(true)
}
