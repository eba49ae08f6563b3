//! The server as a program.

use std::io::IsTerminal as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use everfresh_server::accounts::{self, AccountChange};
use everfresh_server::clock::Clock;
use everfresh_server::config::{ConfigError, Layer, Settings, StoreKind};
use everfresh_server::jwt::seconds;
use everfresh_server::policy::Policy;
use everfresh_server::secret::Secret;
use everfresh_server::serve::{Listening, serve};
use everfresh_server::store::User;
use everfresh_server::{app, bootstrap, maintenance, shared_keys};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing_subscriber::filter::LevelFilter;

/// A request makes hundreds of short-lived texts and boxes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do instead of serving. Options go before the command.
#[derive(Debug, Subcommand)]
enum Command {
    /// Look at the signing keys in the data folder, or change them. A server that runs takes the
    /// change over within a second
    #[command(subcommand)]
    Keys(KeyCommand),
    /// Add a user, lock one out, or void the sessions of one. A server that runs takes the change
    /// over at once
    #[command(subcommand)]
    User(UserCommand),
    /// Print the newest entries of the audit log, a line of JSON each, the newest last
    Audit {
        /// How many
        #[arg(long, default_value_t = 100)]
        newest: usize,
        /// Only those of this user id (as in the claim sub)
        #[arg(long, value_name = "ID")]
        of_user: Option<String>,
        /// Only sign-ins that failed, from this address
        #[arg(long, value_name = "IP")]
        of_address: Option<IpAddr>,
        /// Only those of this session (as in the claim sid)
        #[arg(long, value_name = "ID")]
        of_session: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Print them, a line of JSON each
    List,
    /// Publish a new key, which signs in five minutes, when every verifier has seen it
    Rotate {
        /// Let it sign at once
        #[arg(long)]
        now: bool,
    },
    /// Forget a key that has leaked: whatever it signed is refused at once
    Drop {
        /// Its name, as `keys list` prints it
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add one; the password is the first line of standard input
    Add {
        /// What they sign in as
        name: String,
    },
    /// Lock one out: no sign-in and no refresh, and the access tokens are worth nothing at once
    Disable {
        /// What they sign in as
        name: String,
    },
    /// Let one in again
    Enable {
        /// What they sign in as
        name: String,
    },
    /// Give one another password, the first line of standard input, and end all their sessions
    Password {
        /// What they sign in as
        name: String,
    },
    /// End all sessions of one
    BumpVersion {
        /// What they sign in as
        name: String,
    },
}

fn main() -> ExitCode {
    let mut cli = Cli::parse();
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

    let done = match cli.command.take() {
        None => run(cli),
        Some(Command::Keys(command)) => keys(cli, &command),
        Some(Command::User(command)) => user(cli, command),
        Some(Command::Audit { newest, of_user, of_address, of_session }) => {
            audit(cli, newest, of_user, of_address, of_session)
        }
    };
    match done {
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
    #[cfg(feature = "control")]
    let control_listener = match settings.control {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    #[cfg(feature = "control")]
    if let Some(listener) = &control_listener {
        settings.control = Some(listener.local_addr()?);
    }

    let state = bootstrap::open(settings).await?;
    let (stopping, stopped) = watch::channel(false);
    tokio::spawn(maintenance::upkeep(state.clone()));
    println!("listening on http://{address}");
    #[cfg(feature = "control")]
    let (router, switchboard) = rigged(&state, control_listener, until(stopped.clone()));
    #[cfg(not(feature = "control"))]
    let (router, switchboard) = (app(state.clone()), None::<tokio::task::JoinHandle<()>>);
    let events = Arc::clone(&state.events);
    tokio::spawn(async move {
        signalled().await;
        tracing::info!("stopping: requests under way may finish");
        events.close();
        stopping.send_replace(true);
    });
    let listening =
        Listening { keep_alive: switchboard.is_none(), most: state.settings.max_connections };
    serve(listener, router, listening, until(stopped)).await;
    if let Some(switchboard) = switchboard {
        switchboard.await?;
    }
    if timeout(FINISH, state.finished()).await.is_err() {
        tracing::warn!("some handlers did not finish in time and are cut off");
    }
    maintenance::write_audit(&state).await;
    Ok(())
}

/// The server's routes, and with `--control` its switchboard at work.
#[cfg(feature = "control")]
fn rigged(
    state: &everfresh_server::AppState,
    listener: Option<TcpListener>,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> (axum::Router, Option<tokio::task::JoinHandle<()>>) {
    let Some(listener) = listener else { return (app(state.clone()), None) };
    let harness = everfresh_server::control::Harness::around(state.clone());
    let address = listener.local_addr().map(|address| address.to_string());
    println!("control on http://{}", address.unwrap_or_default());
    let switchboard = serve(listener, harness.switchboard, Listening::default(), stopped);
    (harness.app, Some(tokio::spawn(switchboard)))
}

#[tokio::main(flavor = "current_thread")]
async fn keys(cli: Cli, command: &KeyCommand) -> Result<(), Box<dyn std::error::Error>> {
    let settings = settings(cli)?;
    if settings.store == StoreKind::Memory {
        return Err("--store memory: keeps its keys to itself; there is nothing to change".into());
    }
    let longest = bootstrap::longest_life(&settings);
    let state = bootstrap::existing(settings).await?;
    let at = seconds(Clock::system().now());
    match command {
        KeyCommand::List => {}
        KeyCommand::Rotate { now } => {
            shared_keys::change(&state, |keys| keys.rotate(at, *now, longest)).await?;
        }
        KeyCommand::Drop { kid } => {
            if !shared_keys::change(&state, |keys| keys.drop_key(kid, at)).await? {
                return Err(format!("there is no key {kid:?}; `keys list` prints those").into());
            }
        }
    }
    for key in state.issuer.keys.list(at) {
        println!("{}", serde_json::to_string(&key)?);
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn user(cli: Cli, command: UserCommand) -> Result<(), Box<dyn std::error::Error>> {
    let settings = settings(cli)?;
    if settings.store == StoreKind::Memory {
        return Err("--store memory: keeps its users to itself; start it with --user".into());
    }
    let state = bootstrap::beside(settings).await?;
    let change = async |name: &str, change| accounts::change(&state, name, change).await;
    let user = match &command {
        UserCommand::Add { name } => accounts::add(&state, name, password()?).await?,
        UserCommand::Disable { name } => change(name, AccountChange::Disable).await?,
        UserCommand::Enable { name } => change(name, AccountChange::Enable).await?,
        UserCommand::Password { name } => {
            change(name, AccountChange::Password(password()?)).await?
        }
        UserCommand::BumpVersion { name } => change(name, AccountChange::BumpVersion).await?,
    };
    maintenance::write_audit(&state).await;
    let User { id, username, disabled, version, .. } = user;
    let told = serde_json::json!({
        "id": id, "username": username, "disabled": disabled, "version": version,
    });
    println!("{told}");
    Ok(())
}

/// A command line is for all users of the machine to read, and a terminal shows what is typed.
fn password() -> Result<Secret, Box<dyn std::error::Error>> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Err(
            "give the password on standard input: `everfresh-server user ... < FILE`".into()
        );
    }
    let mut line = String::new();
    input.read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err("the password is empty: its place is the first line of standard input".into());
    }
    Ok(password.into())
}

#[tokio::main(flavor = "current_thread")]
async fn audit(
    cli: Cli,
    newest: usize,
    user: Option<String>,
    address: Option<IpAddr>,
    session: Option<String>,
) -> Result<(), Box<dyn std::error::Error>> {
    let state = bootstrap::existing(settings(cli)?).await?;
    let hashed = |id: Option<String>| id.map(|id| state.audit.pseudonym(&id));
    let (user, session) = (hashed(user), hashed(session));
    let address = hashed(address.map(|address| address.to_string()));
    let wanted = |wanted: &Option<String>, entry: &str| match wanted {
        Some(wanted) => wanted == entry,
        None => true,
    };
    let mut entries = state.store.audited(newest).await?;
    entries.retain(|entry| wanted(&user, &entry.user) && wanted(&session, &entry.session));
    entries.retain(|entry| wanted(&address, &entry.address));
    for entry in entries.iter().rev() {
        println!("{}", serde_json::to_string(entry)?);
    }
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
    let mut settings = Settings::resolve(cli.layer.over(environment).over(file))?;
    // It may hold passwords.
    settings.private.extend(cli.config);
    Ok(settings)
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

/// How long handlers may go on after the last connection has ended.
const FINISH: Duration = Duration::from_secs(10);
