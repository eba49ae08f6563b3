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
    wasm2js.args(["-O3"]).args(KNOWN).arg(&lowered).arg("-o").arg(script);
    check(&mut wasm2js, LIMIT)?;
    let bigints = bigint_imports(&Module::from_file(wasm)?)?;
    let text = callable(&fs::read_to_string(script)?, &bigints)?;
    fs::write(script, text).context("cannot write the plain JavaScript")
}

/// The imports that take a BigInt, which wasm2js hands over in two halves.
fn bigint_imports(module: &Module) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for import in module.imports.iter() {
        let ImportKind::Function(function) = import.kind else { continue };
        let (params, results) = module.types.params_results(module.funcs.get(function).ty());
        if params == [ValType::I64] {
            found.push(import.name.clone());
        }
        let halves = params.len() > 1 && params.contains(&ValType::I64);
        let has = halves || results.contains(&ValType::I64);
        ensure!(!has, "the import {} has an i64, which is no number of JavaScript", import.name);
    }
    for export in module.exports.iter() {
        let ExportItem::Function(function) = export.item else { continue };
        let (params, results) = module.types.params_results(module.funcs.get(function).ty());
        let has = [params, results].concat().contains(&ValType::I64);
        ensure!(!has, "the export {} has an i64, which is no number of JavaScript", export.name);
    }
    Ok(found)
}

/// Turns a module of wasm2js, which runs when it is imported, into one that can be called.
fn callable(script: &str, bigints: &[String]) -> Result<String> {
    let begin = script.find('\n').filter(|_| script.starts_with("import * as "));
    let end = script.find("var retasmFunc = asmFunc({");
    let (Some(begin), Some(end)) = (begin, end) else {
        bail!("wasm2js writes something else than it did")
    };
    let joined = bigints.iter().map(|name| format!(" {name}: bigint(glue.{name}),"));
    Ok(format!(
        "{}
const bigint = (act) => (low, high) => act((BigInt(high) << 32n) | BigInt(low >>> 0));
export default ({{ {GLUE:?}: glue }}) => asmFunc({{ {GLUE:?}: {{ ...glue,{} }} }});
",
        &script[begin..end],
        joined.collect::<String>()
    ))
}

/// wasm2js knows little beyond WebAssembly as it was in 2017, so later instructions are replaced by
/// older ones.
pub(crate) const LOWER: &[&str] = &["--llvm-nontrapping-fptoint-lowering", "--signext-lowering"];

/// Copies and fills become those of typed arrays: loops over bytes are ten times slower.
const KNOWN: [&str; 3] =
    ["--enable-bulk-memory", "--enable-bulk-memory-opt", "--enable-mutable-globals"];
const GLUE: &str = "./everfresh_bg.js";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_runs_when_it_is_imported_becomes_one_that_is_called() {
        let script = "import * as $glue from './everfresh_bg.js';\nfunction asmFunc(imports) {}\n\
                      var retasmFunc = asmFunc({\n});\nexport var memory = retasmFunc.memory;\n";
        let text = callable(script, &["_7".to_owned()]).unwrap();
        assert!(text.starts_with("\nfunction asmFunc(imports) {}\n"), "{text}");
        assert!(text.contains("export default ("), "{text}");
        assert!(text.contains("...glue, _7: bigint(glue._7),"), "{text}");
        assert!(!text.contains("import *") && !text.contains("retasmFunc"), "{text}");
        assert!(callable("function asmFunc(imports) {}", &[]).is_err());
    }

    #[test]
    fn imports_that_take_a_bigint_are_found_and_other_halves_end_the_build() {
        let mut module = Module::default();
        let one = module.types.add(&[ValType::I64], &[ValType::I32]);
        module.add_import_func(GLUE, "_1", one);
        let two = module.types.add(&[ValType::I32, ValType::F64], &[]);
        module.add_import_func(GLUE, "_2", two);
        assert_eq!(bigint_imports(&module).unwrap(), ["_1"]);
        let three = module.types.add(&[], &[ValType::I64]);
        module.add_import_func(GLUE, "_3", three);
        assert!(bigint_imports(&module).unwrap_err().to_string().contains("_3"));
    }
}
