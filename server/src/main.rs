//! The server as a program.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use everfresh_server::config::{ConfigError, Layer, Settings};
use everfresh_server::control::control;
use everfresh_server::policy::Policy;
use everfresh_server::serve::serve;
use everfresh_server::{app, start};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing_subscriber::filter::LevelFilter;

/// Issues, rotates, verifies and revokes session tokens.
///
/// Every option can also stand in a TOML file (--config) and in the environment: --access-ttl is
/// access_ttl there and EVERFRESH_ACCESS_TTL here. A flag wins over the environment, which wins
/// over the file, which wins over the policy. Secrets belong in the environment or the file.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    layer: Layer,

    /// Read options from this TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Name the session strategies and leave
    #[arg(long)]
    list_policies: bool,

    /// Log every request
    #[arg(long, short)]
    verbose: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.list_policies {
        for policy in Policy::all() {
            println!("{:<22} {}", policy.name, policy.summary);
        }
        return ExitCode::SUCCESS;
    }
    let level = if cli.verbose { LevelFilter::DEBUG } else { LevelFilter::INFO };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();

    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("everfresh-server: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: Cli) -> Result<(), Box<dyn std::error::Error>> {
    let mut settings = settings(cli)?;
    let bind = async |address| {
        TcpListener::bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address}: {error}"))
    };
    let listener = bind(settings.listen).await?;
    let address = listener.local_addr()?;
    settings.listen = address;
    let control_listener = match settings.control {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    if let Some(listener) = &control_listener {
        settings.control = Some(listener.local_addr()?);
    }
    if settings.issuer.is_empty() {
        settings.issuer = format!("http://{address}");
    }
    if settings.cookie && settings.plain_loopback() {
        tracing::info!("plain http on loopback: the cookie is called everfresh and is not Secure");
    }

    let state = start::open(settings).await?;
    let (stopping, stopped) = watch::channel(false);
    tokio::spawn(start::sweep_hourly(state.clone()));
    tokio::spawn(start::keep_audit(state.clone()));
    println!("listening on http://{address}");
    let switchboard = control_listener.map(|listener| {
        let address = listener.local_addr().map(|address| address.to_string());
        println!("control on http://{}", address.unwrap_or_default());
        tokio::spawn(serve(listener, control(state.clone()), true, until(stopped.clone())))
    });
    let events = Arc::clone(&state.events);
    tokio::spawn(async move {
        signalled().await;
        tracing::info!("stopping: requests under way may finish");
        events.close();
        stopping.send_replace(true);
    });
    serve(listener, app(state.clone()), switchboard.is_none(), until(stopped)).await;
    if let Some(switchboard) = switchboard {
        switchboard.await?;
    }
    start::write_audit(&state).await;
    Ok(())
}

fn settings(cli: Cli) -> Result<Settings, ConfigError> {
    let file = match &cli.config {
        None => Layer::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| ConfigError(format!("--config {}: {error}", path.display())))?;
            Layer::from_toml(&text)
                .map_err(|error| ConfigError(format!("in {}: {error}", path.display())))?
        }
    };
    let environment = Layer::from_environment(std::env::vars())?;
    Settings::resolve(cli.layer.over(environment).over(file))
}

async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn signalled() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
