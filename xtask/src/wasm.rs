//! From the crate to pkg/wasm: cargo, wasm-bindgen, wasm-opt.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use walrus::Module;
use walrus::ir::{InstrLocId, Unreachable};
use wasm_bindgen_cli_support::Bindgen;

use crate::process::{capture, check};
use crate::setup::WASM_TARGET;
use crate::workspace::Workspace;

/// Builds `pkg/wasm/everfresh.js` and `pkg/wasm/everfresh_bg.wasm`, as they are shipped.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let compiled = compile(workspace)?;
    let out = workspace.join("pkg/wasm");
    bind(&compiled, &out, false)?;
    let wasm = out.join("everfresh_bg.wasm");
    optimise(workspace, &wasm, &workspace.target("xtask/wasm-opt"))?;
    tells_no_path(workspace, &fs::read(wasm)?)
}

/// The shipped wasm, but with the names of its functions; returns its path.
pub(crate) fn build_with_names(workspace: &Workspace) -> Result<PathBuf> {
    let compiled = compile(workspace)?;
    let out = workspace.target("xtask/named");
    bind(&compiled, &out, true)?;
    let wasm = out.join("everfresh_bg.wasm");
    wasm_opt(workspace, &wasm, &wasm, &["-g"])?;
    Ok(wasm)
}

fn compile(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo(&["rustc", "--package", "everfresh", "--lib"]);
    cargo.args(["--profile", "wasm", "--target", WASM_TARGET, "--", INLINE_LITTLE]);
    check(&mut cargo, LIMIT)?;
    Ok(workspace.target(WASM_TARGET).join("wasm/everfresh.wasm"))
}

fn bind(compiled: &Path, out: &Path, names: bool) -> Result<()> {
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    Bindgen::new()
        .input_module("everfresh", without_panics(compiled)?)
        .out_name("everfresh")
        .web(true)?
        // For our own type check; the package's types are written by hand.
        .typescript(true)
        // The entries say where the wasm is; a second `new URL` would be a second asset.
        .omit_default_module_path(true)
        .remove_name_section(!names)
        .demangle(false)
        .remove_producers_section(true)
        .generate(out)
        .context("wasm-bindgen refused the compiled crate")?;
    let wasm = out.join("everfresh_bg.wasm");
    let mut module = Module::from_file(&wasm).context("wasm-bindgen wrote no wasm")?;
    for name in UNUSED {
        module.exports.remove(name).with_context(|| format!("the wasm exports no {name}"))?;
    }
    module.emit_wasm_file(wasm)
}

/// The compiled crate, in which what leads to a panic's message is a trap at once. A panic aborts
/// either way, and nobody sees the message: formatting it is dead weight.
fn without_panics(compiled: &Path) -> Result<Module> {
    let mut module = Module::from_file(compiled).context("cargo built no wasm")?;
    let mut found = false;
    let names: Vec<_> = module.funcs.iter().map(|it| (it.id(), it.name.clone())).collect();
    for (id, name) in names {
        let name = format!("{:#}", rustc_demangle::demangle(name.as_deref().unwrap_or_default()));
        if !PANICS.iter().any(|part| name.contains(part)) {
            continue;
        }
        found = true;
        let body = module.funcs.get_mut(id).kind.unwrap_local_mut();
        let entry = body.entry_block();
        body.block_mut(entry).instrs = vec![(Unreachable {}.into(), InstrLocId::default())];
    }
    let segments: Vec<_> = module.data.iter().map(|segment| segment.id()).collect();
    for id in segments {
        blank_paths(&mut module.data.get_mut(id).value);
    }
    ensure!(found, "no function panics: has core changed its names?");
    Ok(module)
}

/// Blanks the paths of the standard library's sources, which only panics tell.
fn blank_paths(bytes: &mut [u8]) {
    while let Some(start) = find(bytes, SYSROOT) {
        let Some(length) = find(&bytes[start..], b".rs") else { return };
        bytes[start..start + length + 3].fill(0);
    }
}

/// Fails when the wasm says where it was built.
fn tells_no_path(workspace: &Workspace, wasm: &[u8]) -> Result<()> {
    let root = workspace.root().as_os_str().as_encoded_bytes();
    for place in [SYSROOT, b"/registry/src/", root] {
        if let Some(start) = find(wasm, place) {
            let path = String::from_utf8_lossy(&wasm[start..wasm.len().min(start + 99)]);
            bail!("the wasm holds the path of a source file: {path:?}");
        }
    }
    Ok(())
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// Optimises a file in place, and tells its new names in names.json beside it; `cache` keeps the last input and output, since it takes seconds.
fn optimise(workspace: &Workspace, wasm: &Path, cache: &Path) -> Result<()> {
    let (input, output) = (cache.join("input.wasm"), cache.join("output.wasm"));
    let names = cache.join("names.json");
    let flags = cache.join("flags");
    let fresh = fs::read(wasm)?;
    let known = fs::read(&input).is_ok_and(|input| input == fresh)
        && fs::read_to_string(&flags).is_ok_and(|flags| flags == WASM_OPT.join(" "));
    if !known || !output.exists() || !names.exists() {
        fs::create_dir_all(cache)?;
        fs::remove_file(&flags).ok();
        let mut rename = workspace.npm_tool("wasm-opt");
        rename.arg(RENAME).arg(wasm).arg("-o").arg(&output);
        fs::write(&names, capture(&mut rename, LIMIT)?)?;
        wasm_opt(workspace, &output, &output, STRIP)?;
        fs::write(&input, fresh)?;
        fs::write(&flags, WASM_OPT.join(" "))?;
    }
    fs::copy(&output, wasm).context("cannot write the optimised wasm")?;
    fs::copy(&names, wasm.with_file_name("names.json")).context("cannot write the names")?;
    Ok(())
}

fn wasm_opt(workspace: &Workspace, input: &Path, output: &Path, more: &[&str]) -> Result<()> {
    let mut command = workspace.npm_tool("wasm-opt");
    command.args(WASM_OPT).args(more).arg(input).arg("-o").arg(output);
    check(&mut command, LIMIT)
}

/// A function is copied into its callers when that is smaller than the calls, or there is only one.
const INLINE_LITTLE: &str = "-Cllvm-args=-inline-threshold=5";

/// Parts of the names of functions that only panics lead to.
const PANICS: &[&str] = &["panicking::", "alloc::handle_alloc_error", "raw_vec::handle_error"];

/// What wasm-bindgen exports for glue that pkg/tools/trim-glue.mjs leaves out.
const UNUSED: &[&str] = &[
    "__abort_handler",
    "__instance_terminated",
    "__wbindgen_externrefs",
    "__wbindgen_free",
    "__wbindgen_realloc",
];

/// What the paths of the standard library's sources begin with.
const SYSROOT: &[u8] = b"/rustc/";

/// The features are read from the file's own target_features section. The lowest memory is the far
/// end of the stack, so no object lies there; memory is not imported, so it begins as zeros.
const WASM_OPT: &[&str] = &[
    "-Oz",
    "--converge",
    "--low-memory-unused",
    "--zero-filled-memory",
    "--reorder-functions",
    "--reorder-locals",
];
/// Gives imports and exports short names; tells which.
const RENAME: &str = "--minify-imports-and-exports-and-modules";
const STRIP: &[&str] = &["--strip-debug", "--strip-producers", "--strip-target-features"];
const LIMIT: Duration = Duration::from_secs(1_800);
