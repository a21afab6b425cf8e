//! The program: reads what it was asked to do and does it, or says in one line why not.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match server::cli::run().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("portico: {message}");
            std::process::ExitCode::FAILURE
        }
    }
}
