//! The wasm as plain JavaScript, for where WebAssembly is missing or forbidden.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use walrus::{ExportItem, ImportKind, Module, ValType};

use crate::process::check;
use crate::wasm::{FEATURES, LIMIT};
use crate::workspace::Workspace;

/// Writes a module whose default export takes what the wasm imports and returns what it exports.
pub(crate) fn translate(workspace: &Workspace, wasm: &Path, script: &Path) -> Result<()> {
    let lowered = script.with_extension("wasm");
    let mut wasm_opt = workspace.npm_tool("wasm-opt");
    check(wasm_opt.args(FEATURES).args(LOWER).arg(wasm).arg("-o").arg(&lowered), LIMIT)?;
    let mut wasm2js = workspace.npm_tool("wasm2js");
    wasm2js.args(["-O3", "--enable-mutable-globals"]).arg(&lowered).arg("-o").arg(script);
    check(&mut wasm2js, LIMIT)?;
    passes_numbers(&Module::from_file(wasm)?)?;
    let text = callable(&fs::read_to_string(script)?)?;
    fs::write(script, text).context("cannot write the plain JavaScript")
}

/// Fails where an i64 crosses, which wasm2js hands over in two halves.
fn passes_numbers(module: &Module) -> Result<()> {
    let functions = module.imports.iter().filter_map(|import| match import.kind {
        ImportKind::Function(function) => Some((&import.name, function)),
        _ => None,
    });
    let exported = module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(function) => Some((&export.name, function)),
        _ => None,
    });
    for (name, function) in functions.chain(exported) {
        let (params, results) = module.types.params_results(module.funcs.get(function).ty());
        let has = [params, results].concat().contains(&ValType::I64);
        ensure!(!has, "{name} has an i64, which is no number of JavaScript");
    }
    Ok(())
}

/// Turns a module of wasm2js, which runs when it is imported, into one that can be called.
fn callable(script: &str) -> Result<String> {
    let begin = script.find('\n').filter(|_| script.starts_with("import * as "));
    let end = script.find("var retasmFunc = asmFunc({");
    let (Some(begin), Some(end)) = (begin, end) else {
        bail!("wasm2js writes something else than it did")
    };
    Ok([&script[begin..end], "export default asmFunc;\n"].concat())
}

/// wasm2js knows WebAssembly as it was in 2017, so later instructions are replaced by older ones.
pub(crate) const LOWER: &[&str] = &[
    "--llvm-memory-copy-fill-lowering",
    "--llvm-nontrapping-fptoint-lowering",
    "--signext-lowering",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_runs_when_it_is_imported_becomes_one_that_is_called() {
        let script = "import * as $glue from './everfresh_bg.js';\nfunction asmFunc(imports) {}\n\
                      var retasmFunc = asmFunc({\n});\nexport var memory = retasmFunc.memory;\n";
        let text = callable(script).unwrap();
        assert_eq!(text, "\nfunction asmFunc(imports) {}\nexport default asmFunc;\n");
        assert!(callable("function asmFunc(imports) {}").is_err());
    }

    #[test]
    fn what_comes_in_halves_ends_the_build() {
        let mut module = Module::default();
        let numbers = module.types.add(&[ValType::I32, ValType::F64], &[ValType::F64]);
        module.add_import_func("./everfresh_bg.js", "_1", numbers);
        assert!(passes_numbers(&module).is_ok());
        let half = module.types.add(&[], &[ValType::I64]);
        module.add_import_func("./everfresh_bg.js", "_2", half);
        assert!(passes_numbers(&module).unwrap_err().to_string().contains("_2"));
    }
}
