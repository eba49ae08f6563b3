//! From the crate to pkg/wasm: cargo, wasm-bindgen, wasm-opt, wasm2js.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use walrus::{Module, RawCustomSection};
use wasm_bindgen_cli_support::Bindgen;

use crate::process::check;
use crate::setup::WASM_TARGET;
use crate::workspace::Workspace;
use crate::{dead_data, glue, plain, stubs};

/// Builds what pkg/tools/build.mjs packs: `everfresh_bg.wasm`, `everfresh_js.js`, the same as plain
/// JavaScript, and `everfresh_bg.js`, the glue of both; all in `pkg/wasm`.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let compiled = compile(workspace)?;
    let out = workspace.join("pkg/wasm");
    bind(&compiled, &out)?;
    let wasm = out.join("everfresh_bg.wasm");
    let cache = workspace.target("xtask/wasm-opt");
    let (input, script) = (cache.join("input.wasm"), cache.join("everfresh_js.js"));
    let (optimised, flags) = (cache.join("everfresh_bg.wasm"), cache.join("flags"));
    let fresh = fs::read(&wasm)?;
    let wanted = format!("{FEATURES:?} {PASSES:?} {:?}", plain::LOWER);
    // Both take seconds, and most builds change no Rust.
    if fs::read(&input).ok().as_ref() != Some(&fresh)
        || fs::read_to_string(&flags).ok().as_ref() != Some(&wanted)
    {
        fs::create_dir_all(&cache)?;
        fs::remove_file(&flags).ok();
        wasm_opt(workspace, &wasm, &optimised, STRIP)?;
        plain::translate(workspace, &optimised, &script)?;
        fs::write(&input, fresh)?;
        fs::write(&flags, wanted)?;
    }
    for file in [&optimised, &script] {
        let name = file.file_name().context("a file has a name")?;
        fs::copy(file, out.join(name)).with_context(|| format!("cannot write {name:?}"))?;
    }
    let shipped = fs::read(wasm)?;
    let glue = out.join("everfresh_bg.js");
    let text = fs::read_to_string(&glue).context("wasm-bindgen wrote no glue")?;
    fs::write(glue, glue::gather(&Module::from_buffer(&shipped)?, &text)?)?;
    tells_no_path(workspace, &shipped)
}

/// The shipped wasm, but with the names of its functions; returns its path.
pub(crate) fn build_with_names(workspace: &Workspace) -> Result<PathBuf> {
    let compiled = compile(workspace)?;
    let out = workspace.target("xtask/named");
    bind(&compiled, &out)?;
    let wasm = out.join("everfresh_bg.wasm");
    wasm_opt(workspace, &wasm, &wasm, &["-g"])?;
    Ok(wasm)
}

fn compile(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo =
        workspace.cargo(&["rustc", "--package", "everfresh", "--lib", "--features", "npm"]);
    cargo.args([
        "--crate-type",
        "cdylib",
        "--profile",
        "wasm",
        "--target",
        WASM_TARGET,
        "--",
        INLINE_LITTLE,
        RELOCATIONS,
    ]);
    // So that wasm-bindgen's crate keeps JavaScript's objects on a heap of its own.
    let without = WITHOUT.map(|feature| format!("-{feature}")).join(",");
    check(cargo.env("RUSTFLAGS", format!("-Ctarget-feature={without}")), LIMIT)?;
    Ok(workspace.target(WASM_TARGET).join("wasm/everfresh.wasm"))
}

fn bind(compiled: &Path, out: &Path) -> Result<()> {
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    let compiled = fs::read(compiled).context("cargo built no wasm")?;
    let mut module = Module::from_buffer(&compiled)?;
    without_features(&mut module)?;
    stubs::apply(&mut module)?;
    let mut bound = Bindgen::new()
        .input_module("everfresh", module)
        .out_name("everfresh")
        .bundler(true)?
        // For our own type check; the package's types are written by hand.
        .typescript(true)
        .demangle(false)
        .remove_producers_section(true)
        .generate_output()
        .context("wasm-bindgen refused the compiled crate")?;
    bound.emit(out)?;
    let path = out.join("everfresh_bg.js");
    let text = fs::read_to_string(&path).context("wasm-bindgen wrote no glue")?;
    let text = glue::code_text_lazily(&glue::follow_memory(text)?)?;
    let text = glue::free_one_way(&glue::forget_finalizers(text)?)?;
    let text = glue::shorten(bound.wasm_mut(), text)?;
    fs::write(path, text).context("cannot write the glue")?;
    let wasm = out.join("everfresh_bg.wasm");
    dead_data::blank(bound.wasm_mut(), &compiled)?;
    bound.wasm_mut().emit_wasm_file(&wasm)?;
    let types = format!("{}\n{}", bound.ts().unwrap_or_default(), glue::TYPES);
    fs::write(out.join("everfresh_bg.d.ts"), types).context("cannot write the glue's types")
}

/// Takes [`WITHOUT`] from the module's list of features, where the standard library brings them
/// along: wasm-bindgen goes by the list.
fn without_features(module: &mut Module) -> Result<()> {
    let section = module.customs.remove_raw("target_features");
    let RawCustomSection { name, data } =
        section.context("no target_features; was it stripped?")?;
    let (mut kept, mut rest) = (vec![0], &data[1..]);
    while let [_, length, ..] = rest {
        let (feature, more) = rest.split_at(2 + usize::from(*length));
        if !WITHOUT.iter().any(|without| without.as_bytes() == &feature[2..]) {
            kept[0] += 1;
            kept.extend_from_slice(feature);
        }
        rest = more;
    }
    module.customs.add(RawCustomSection { name, data: kept });
    Ok(())
}

/// Fails when the wasm says where it was built.
fn tells_no_path(workspace: &Workspace, wasm: &[u8]) -> Result<()> {
    let root = workspace.root().as_os_str().as_encoded_bytes();
    for place in [b"/rustc/", b"/registry/src/".as_slice(), root] {
        let found = wasm.windows(place.len()).position(|window| window == place);
        if let Some(start) = found {
            let path = String::from_utf8_lossy(&wasm[start..wasm.len().min(start + 99)]);
            bail!("the wasm holds the path of a source file: {path:?}");
        }
    }
    Ok(())
}

fn wasm_opt(workspace: &Workspace, input: &Path, output: &Path, more: &[&str]) -> Result<()> {
    let mut command = workspace.npm_tool("wasm-opt");
    command.args(FEATURES).args(PASSES).args(more).arg(input).arg("-o").arg(output);
    check(&mut command, LIMIT)
}

/// A function is copied into its callers when that is smaller than the calls, or there is only one:
/// 5.5 kB in a module with classes and serde.
const INLINE_LITTLE: &str = "-Cllvm-args=-inline-threshold=8";

/// Has the linker write down who refers to which data.
const RELOCATIONS: &str = "-Clink-arg=--emit-relocs";

/// What plain JavaScript has no equal of. The heap of objects that wasm-bindgen keeps instead costs
/// nothing: the prototype became 532 bytes smaller.
const WITHOUT: [&str; 2] = ["multivalue", "reference-types"];

/// What the compiled crate uses beyond WebAssembly as it was in 2017.
pub(crate) const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
];

/// Rust's data and stack begin above what "low memory" is. Flat code, laid out anew, gets smaller by a
/// second round: 0.4 kB. A function with one caller stays apart if it is not small, or its caller has
/// too many locals: 0.2 kB. Functions of one module lie together and are alike: 0.2 kB.
const PASSES: &[&str] = &[
    "--low-memory-unused",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--one-caller-inline-max-function-size=60",
    "--reorder-functions-by-name",
];

const STRIP: &[&str] = &["--strip-debug", "--strip-producers"];
pub(crate) const LIMIT: Duration = Duration::from_secs(1_800);
