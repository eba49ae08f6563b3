//! What takes the bytes: functions and data of the wasm, modules of the default entry.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

use crate::workspace::Workspace;
use crate::{package, wasm};

/// Prints the biggest contributors, raw bytes, biggest first.
pub(crate) fn print(workspace: &Workspace) -> Result<()> {
    let bytes = fs::read(wasm::build_with_names(workspace)?)?;
    let contents = read(&bytes)?;
    table("wasm by crate", by_crate(&contents), 12);
    table("wasm by function", contents, 30);

    let text = fs::read_to_string(workspace.target(package::METAFILE))?;
    let meta: Metafile = serde_json::from_str(&text).context("esbuild's metafile has changed")?;
    let url = meta.outputs.into_iter().find(|(name, _)| name.ends_with("/url.js"));
    let (_, output) = url.context("esbuild built no url.js")?;
    let modules = output.inputs.into_iter().map(|(name, input)| (name, input.bytes_in_output));
    table("url.js by module, minified", modules.collect(), 20);
    Ok(())
}

/// The sizes of the wasm's functions by their demangled names, and of its data.
fn read(bytes: &[u8]) -> Result<BTreeMap<String, u64>> {
    let mut imports = 0;
    let mut bodies = Vec::new();
    let mut names = BTreeMap::new();
    let mut sizes = BTreeMap::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imports += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.range().len() as u64),
            Payload::DataSection(section) => {
                sizes.insert("[data]".to_owned(), section.range().len() as u64);
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(sections) = section.as_known() {
                    for section in sections {
                        let Name::Function(map) = section? else { continue };
                        for naming in map {
                            let naming = naming?;
                            names.insert(naming.index, naming.name);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    for (index, size) in (imports..).zip(bodies) {
        let name = names.get(&index).copied().unwrap_or("[nameless]");
        *sizes.entry(format!("{:#}", rustc_demangle::demangle(name))).or_default() += size;
    }
    Ok(sizes)
}

fn by_crate(functions: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut crates = BTreeMap::new();
    for (name, size) in functions {
        *crates.entry(crate_of(name)).or_default() += size;
    }
    crates
}

/// The crate of a path such as `<alloc::vec::Vec<T> as core::fmt::Debug>::fmt`.
fn crate_of(function: &str) -> String {
    if function.starts_with('[') {
        return function.to_owned();
    }
    // A primitive type has no path; its trait has.
    for part in function.trim_start_matches(['<', '&', '*', '(']).split(" as ") {
        if let Some((name, _)) = part.split_once("::") {
            return name.strip_prefix("dyn ").unwrap_or(name).to_owned();
        }
    }
    "[exports and intrinsics]".to_owned()
}

fn table(title: &str, sizes: BTreeMap<String, u64>, rows: usize) {
    let total: u64 = sizes.values().sum();
    println!("\n{title}: {total} bytes");
    let mut sizes = Vec::from_iter(sizes);
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let rest = sizes.split_off(rows.min(sizes.len()));
    for (name, size) in &sizes {
        println!("{size:>9}  {name}");
    }
    if !rest.is_empty() {
        let size: u64 = rest.iter().map(|(_, size)| size).sum();
        println!("{size:>9}  in {} more", rest.len());
    }
}

#[derive(Debug, Deserialize)]
struct Metafile {
    outputs: BTreeMap<String, Output>,
}

#[derive(Debug, Deserialize)]
struct Output {
    inputs: BTreeMap<String, Input>,
}

#[derive(Debug, Deserialize)]
struct Input {
    #[serde(rename = "bytesInOutput")]
    bytes_in_output: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_belongs_to_the_crate_of_its_type() {
        assert_eq!(crate_of("<alloc::vec::Vec<T> as core::fmt::Debug>::fmt"), "alloc");
        assert_eq!(crate_of("<u32 as core::fmt::Display>::fmt"), "core");
        assert_eq!(crate_of("everfresh::core::token::decode"), "everfresh");
        assert_eq!(crate_of("[data]"), "[data]");
        assert_eq!(crate_of("__wbindgen_malloc"), "[exports and intrinsics]");
    }
}
