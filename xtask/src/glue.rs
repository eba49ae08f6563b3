//! What wasm-bindgen wrote, for both engines and with short names.

use anyhow::{Result, ensure};
use walrus::{ExportId, Import, Module};

/// Has views of the memory made anew when it has grown. The glue looks whether the old memory is
/// detached, which that of plain JavaScript never is.
pub(crate) fn follow_memory(mut glue: String) -> Result<String> {
    for view in ["Uint8Array", "DataView"] {
        let cached = format!("cached{view}Memory0");
        let moved = format!("{cached}.buffer !== wasm.memory.buffer");
        let detached = format!("{cached}.buffer.detached");
        glue = glue.replace(&format!("{cached}.byteLength === 0"), &moved);
        let either = format!("{detached} === true || ({detached} === undefined && {moved})");
        glue = glue.replace(&either, &moved);
    }
    let done = !glue.contains("byteLength === 0") && !glue.contains(".detached");
    ensure!(done, "the glue has other views of the memory than it had");
    Ok(glue)
}

/// Renames imports and exports in the module and in the glue; drops the exports that the glue does
/// not use. wasm-bindgen's names end with hashes, which no compressor can shorten: 1.7 kB.
///
/// What the application calls has a name without, what wasm-bindgen calls one with an underscore in
/// front, as before: pkg/src/bug.ts tells them apart by it.
pub(crate) fn shorten(module: &mut Module, mut glue: String) -> Result<String> {
    for (number, import) in module.imports.iter_mut().enumerate() {
        ensure!(import.module == GLUE, "{} imports from elsewhere: {}", import.name, import.module);
        let short = format!("_{number}");
        let (before, after) =
            (format!("export function {}(", import.name), format!("export function {short}("));
        ensure!(glue.matches(&before).count() == 1, "the glue lacks `{before}`");
        glue = glue.replace(&before, &after);
        import.name = short;
    }
    let mut exports: Vec<(ExportId, String)> =
        module.exports.iter().map(|export| (export.id(), export.name.clone())).collect();
    // Longer names first, so that no name is found in another.
    exports.sort_by_key(|(_, name)| std::cmp::Reverse(name.len()));
    for (number, (id, name)) in exports.into_iter().enumerate() {
        ensure!(name != "__wbindgen_start", "the crate has a start function, which nobody calls");
        let used = format!("wasm.{name}");
        if !glue.contains(&used) {
            module.exports.delete(id);
            continue;
        }
        let short = format!("{}{number}", if name.starts_with('_') { "_" } else { "e" });
        glue = glue.replace(&used, &format!("wasm.{short}"));
        module.exports.get_mut(id).name = short;
    }
    Ok(glue)
}

/// Drops what the module imported before it was optimised.
pub(crate) fn prune(module: &Module, glue: &str) -> String {
    let mut kept = String::new();
    let mut drops = false;
    for line in glue.split_inclusive('\n') {
        if let Some((name, _)) =
            line.strip_prefix("export function _").and_then(|rest| rest.split_once('('))
        {
            let number = name.parse::<u32>().is_ok();
            let imported = |import: &Import| import.name.strip_prefix('_') == Some(name);
            drops = number && !module.imports.iter().any(imported);
        }
        if !drops {
            kept.push_str(line);
        }
        // The end of a function: deeper lines are indented.
        drops &= !line.starts_with('}');
    }
    kept
}

/// The module that everything is imported from.
const GLUE: &str = "./everfresh_bg.js";

/// What the glue exports beyond what the crate exports.
pub(crate) const TYPES: &str = "\
/** Gives the glue what was instantiated with it. */
export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
";
