//! `cargo xtask demo`: the package and the server at work, until Ctrl-C.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::package;
use crate::process::{Group, check};
use crate::workspace::Workspace;

/// Builds, serves, and stops cleanly when it is told to.
pub(crate) fn run(workspace: &Workspace, port: u16) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let control = SocketAddr::from((Ipv4Addr::LOCALHOST, port + 1));
    for address in [address, control] {
        ensure_free(address)?;
    }
    package::build(workspace)?;
    let mut cargo = workspace.cargo(&["build", "--release", "--package", "everfresh-server"]);
    check(cargo.args(["--features", "control"]), BUILD)?;
    let site = workspace.target("demo");
    assemble(workspace, &site, control)?;

    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        stop.send(()).ok();
    })
    .context("cannot listen for Ctrl-C")?;
    let mut server = Command::new(workspace.target("release/everfresh-server"));
    server.current_dir(workspace.root());
    server.args(["--listen", &address.to_string(), "--control", &control.to_string()]);
    server.args(["--access-ttl", "20s", "--user", "demo:demo"]);
    server.arg("--data").arg(workspace.target("demo-data")).arg("--serve").arg(&site);
    let mut server = Group::spawn(&mut server)?;
    let began = Instant::now();
    let mut ready = false;
    while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        if let Some(status) = server.poll()? {
            bail!("the server has stopped by itself ({status}); its own words are above");
        }
        if !ready && TcpStream::connect(address).is_ok() {
            ready = true;
            println!("\nThe demo is at http://{address}/ (sign in as demo, password demo)");
            println!("Ctrl-C stops it.");
        }
        ensure!(ready || began.elapsed() < START, "the server does not answer at {address}");
    }
    println!("stopping");
    server.signal("TERM");
    server.wait(STOP)?;
    Ok(())
}

fn ensure_free(address: SocketAddr) -> Result<()> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "{address} is in use by another program: stop that, or choose another port, such as \
             `cargo xtask demo --port 8090`"
        ),
        Err(error) => Err(error).with_context(|| format!("cannot listen on {address}")),
    }
}

/// The site: www/ with the package's files in /everfresh/, and where the switchboard is.
fn assemble(workspace: &Workspace, site: &Path, control: SocketAddr) -> Result<()> {
    if site.exists() {
        fs::remove_dir_all(site)?;
    }
    copy_all(&workspace.join("www"), site)?;
    copy_all(&workspace.join("pkg/dist"), &site.join("everfresh"))?;
    let config = format!("{{\"control\": \"http://{control}\"}}\n");
    fs::write(site.join("demo-config.json"), config).context("cannot write demo-config.json")
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_all(&from, &to)?;
        } else {
            fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}

const TICK: Duration = Duration::from_millis(100);
const BUILD: Duration = Duration::from_secs(1_800);
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_named_with_the_remedy() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = held.local_addr().unwrap();
        let said = ensure_free(address).unwrap_err().to_string();
        assert!(said.contains(&address.to_string()) && said.contains("--port"), "{said}");
        drop(held);
        assert!(ensure_free(address).is_ok());
    }
}
