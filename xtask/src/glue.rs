//! What wasm-bindgen wrote, for both engines and with short names.

use anyhow::{Context, Result, ensure};
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

/// Has what codes text made where it is used: a realm that imports the glue may have none, such as
/// jsdom's. One for each text also spares counting how much Safari's has decoded.
pub(crate) fn code_text_lazily(glue: &str) -> Result<String> {
    let parts = glue.split_once("let cachedTextDecoder = ");
    let (before, rest) = parts.context("the glue has no cachedTextDecoder")?;
    let parts = rest.split_once("let WASM_VECTOR_LEN = 0;");
    let (_, after) = parts.context("the glue has no WASM_VECTOR_LEN")?;
    let glue = [before, DECODE_TEXT, "let WASM_VECTOR_LEN = 0;", after].concat();
    let glue = glue.replace("cachedTextEncoder.", "new TextEncoder().");
    // Memory can be reallocated here.
    let parts = glue.split_once("    if (realloc === undefined) {\n");
    let (before, rest) = parts.context("the glue passes text otherwise than it did")?;
    let (_, after) = rest.split_once("    }\n\n").context("a branch does not end")?;
    let glue = [before, after].concat();
    ensure!(!glue.contains("cachedText"), "the glue codes text otherwise than it did");
    Ok(glue)
}

/// Leaves out what frees objects that JavaScript has forgotten: it forgets none before they are freed,
/// because the objects that Rust holds lead to them.
pub(crate) fn forget_finalizers(mut glue: String) -> Result<String> {
    while let Some(start) = glue.find("Finalization = (typeof FinalizationRegistry") {
        let start = glue[..start].rfind("const ").context("a registry has no name")?;
        remove_registry(&mut glue, start)?;
    }
    let dtors = glue.find("const CLOSURE_DTORS = (typeof FinalizationRegistry");
    remove_registry(&mut glue, dtors.context("the glue has no CLOSURE_DTORS")?)?;
    ensure!(!glue.contains("FinalizationRegistry"), "the glue has other registries than it had");
    Ok(glue)
}

/// Removes a registry that is declared there, and the lines that use it.
fn remove_registry(glue: &mut String, start: usize) -> Result<()> {
    let name = glue[start + "const ".len()..].split(' ').next().unwrap_or_default().to_owned();
    let end = glue[start..].find(";\n").context("a registry does not end")?;
    glue.replace_range(start..=start + end + 1, "");
    let uses = [format!("{name}.register("), format!("{name}.unregister(")];
    let uses = |line: &&str| uses.iter().any(|call| line.trim_start().starts_with(call));
    *glue = glue.split_inclusive('\n').filter(|line| !uses(line)).collect();
    ensure!(!glue.contains(&name), "the glue uses {name} otherwise than it did");
    Ok(())
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

/// Leaves out the second way to free an object, and what only it calls.
pub(crate) fn free_one_way(glue: &str) -> Result<String> {
    let parts = glue.split_once("    __destroy_into_raw() {\n");
    let (before, rest) = parts.context("the glue has no __destroy_into_raw")?;
    let (take, rest) =
        rest.split_once("        return ptr;\n    }\n").context("it takes no ptr")?;
    let rest = rest.replace("        const ptr = this.__destroy_into_raw();\n", take);
    let glue = [before, &rest].concat();
    let disposes = |line: &&str| line.starts_with("if (Symbol.dispose) ");
    let glue: String = glue.split_inclusive('\n').filter(|line| !disposes(line)).collect();
    ensure!(!glue.contains("__destroy_into_raw"), "the glue has more classes than it had");
    Ok(glue)
}

/// Makes one object of what the optimised module imports: a bundler names each function twice to
/// make one of exports. Drops what was imported before. What may throw is wrapped once, not at each
/// call: 80 bytes.
pub(crate) fn gather(module: &Module, glue: &str) -> Result<String> {
    let imported = |name| module.imports.iter().any(|import: &Import| import.name == name);
    let (mut imports, mut rest) = (String::new(), String::new());
    let mut lines = glue.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let function = line.strip_prefix("export function ").and_then(|it| it.split_once('('));
        let Some((name, body)) = function.filter(|(name, _)| is_import(name)) else {
            rest.push_str(line);
            continue;
        };
        let mut text = [name, "(", body].concat();
        // The end of a function: deeper lines are indented.
        while !text.ends_with("\n}\n") && !text.ends_with("\n}, arguments); }\n") {
            text.push_str(lines.next().context("a function of the glue does not end")?);
        }
        if imported(name) {
            imports.push_str(&member(text.trim_end()));
            imports.push_str(",\n");
        }
    }
    let rest = rest.replace(CALL_IT, WRAP_IT);
    ensure!(rest.contains(WRAP_IT), "the glue handles errors otherwise than it did");
    Ok(format!("{rest}export const imports = {{\n{imports}}};\n"))
}

/// A function as a member of an object; what it returns has no name of its own.
fn member(function: &str) -> String {
    let mut text = function.to_owned();
    if let Some((name, caught)) = function.split_once("() { return handleError(function ")
        && let Some((arguments, body)) = caught.split_once(" {\n")
        && let Some(body) = body.strip_suffix("}, arguments); }")
    {
        text = format!("{name}: handleError({arguments} => {{\n{body}}})");
    }
    if let Some((before, rest)) = text.split_once("    const ret = ")
        && let Some((made, rest)) = rest.split_once(";\n")
    {
        for (open, close) in [("    return ", ";\n"), ("    return addHeapObject(", ");\n")] {
            if let Some(end) = rest.strip_prefix(&[open, "ret", close].concat()) {
                return [before, open, made, close, end].concat();
            }
        }
    }
    text
}

/// Whether [`shorten`] made this name of an import.
fn is_import(name: &str) -> bool {
    name.strip_prefix('_').is_some_and(|number| number.parse::<u32>().is_ok())
}

/// The BOM is the text's own: Rust has no other.
const DECODE_TEXT: &str = "\
const decodeText = (bytes) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
";

/// How the function begins that calls another one and keeps what it throws.
const CALL_IT: &str = "\
function handleError(f, args) {
    try {
        return f.apply(this, args);
";

/// How one begins that makes one of the two.
const WRAP_IT: &str = "\
const handleError = (f) => (...args) => {
    try {
        return f(...args);
";

/// The module that everything is imported from.
const GLUE: &str = "./everfresh_bg.js";

/// What the glue exports beyond what the crate exports.
pub(crate) const TYPES: &str = "\
/** What the wasm imports. */
export const imports: WebAssembly.ModuleImports;
/** Gives the glue what was instantiated with it. */
export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_crosses_gets_short_names_and_what_nobody_uses_goes() {
        let mut module = Module::default();
        let nothing = module.types.add(&[], &[]);
        let (function, _) = module.add_import_func(GLUE, "__wbg_now_463ac581d2fc7ea3", nothing);
        for name in ["session_start", "session_start_at", "__wbindgen_malloc", "unused"] {
            module.exports.add(name, function);
        }
        let text = "export function __wbg_now_463ac581d2fc7ea3() {}\n\
                    wasm.session_start(); wasm.session_start_at(); wasm.__wbindgen_malloc();";
        let glue = shorten(&mut module, text.to_owned()).unwrap();
        let mut exports: Vec<_> = module.exports.iter().map(|it| it.name.as_str()).collect();
        exports.sort_unstable();
        assert_eq!(exports, ["_0", "e1", "e2"]);
        let calls = "export function _0() {}\nwasm.e2(); wasm.e1(); wasm._0();";
        assert_eq!(glue, calls);
        assert_eq!(module.imports.iter().next().unwrap().name, "_0");
    }

    #[test]
    fn views_are_made_anew_whenever_the_memory_is_another() {
        let bytes = "cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0";
        let followed = follow_memory(bytes.to_owned()).unwrap();
        assert!(followed.ends_with("cachedUint8ArrayMemory0.buffer !== wasm.memory.buffer"));
        let error = follow_memory("cachedFloat32Memory0.byteLength === 0".to_owned());
        assert!(error.is_err(), "a view that is not known");
    }

    #[test]
    fn what_codes_text_is_made_where_it_is_used() {
        let text = "a();\nlet cachedTextDecoder = new TextDecoder('utf-8');\nfunction decodeText() {}\n\
                    let WASM_VECTOR_LEN = 0;\n    if (realloc === undefined) {\n        a();\n    }\n\n\
                    cachedTextEncoder.encodeInto(b);\n";
        let lazy = code_text_lazily(text).unwrap();
        let expected = "a();\nconst decodeText = (bytes) => new TextDecoder('utf-8', { ignoreBOM: \
                        true }).decode(bytes);\nlet WASM_VECTOR_LEN = 0;\nnew \
                        TextEncoder().encodeInto(b);\n";
        assert_eq!(lazy, expected);
        assert!(code_text_lazily("const decoder = new TextDecoder();").is_err());
    }

    #[test]
    fn registries_go_with_the_lines_that_use_them() {
        let registry = "(typeof FinalizationRegistry === 'undefined')\n    ? { register: () => {} }\n    \
                        : new FinalizationRegistry(ptr => wasm._8(ptr, 1));\n";
        let text = format!(
            "a();\nconst AFinalization = {registry}function b() {{\n    \
             AFinalization.register(this, c, this);\n    d();\n}}\nconst CLOSURE_DTORS = {registry}\
             CLOSURE_DTORS.unregister(e);\n"
        );
        let left = forget_finalizers(text.clone()).unwrap();
        assert_eq!(left, "a();\nfunction b() {\n    d();\n}\n");
        assert!(forget_finalizers(text + "f(CLOSURE_DTORS);\n").is_err(), "another use");
        assert!(forget_finalizers("a();\n".to_owned()).is_err());
    }

    #[test]
    fn objects_are_freed_in_one_way() {
        let text = "export class A {\n    __destroy_into_raw() {\n        const ptr = this.__wbg_ptr;\n        \
                    this.__wbg_ptr = 0;\n        return ptr;\n    }\n    free() {\n        const ptr = \
                    this.__destroy_into_raw();\n        wasm._8(ptr, 0);\n    }\n}\n\
                    if (Symbol.dispose) A.prototype[Symbol.dispose] = A.prototype.free;\n";
        let expected = "export class A {\n    free() {\n        const ptr = this.__wbg_ptr;\n        \
                        this.__wbg_ptr = 0;\n        wasm._8(ptr, 0);\n    }\n}\n";
        assert_eq!(free_one_way(text).unwrap(), expected);
        assert!(free_one_way(&[text, text].concat()).is_err());
    }

    #[test]
    fn what_is_imported_is_gathered_and_the_rest_dropped() {
        let mut module = Module::default();
        let ty = module.types.add(&[], &[]);
        module.add_import_func(GLUE, "_1", ty);
        let one = "_1() { return handleError(function () {\n    a();\n}, arguments); }";
        let end = "    } catch (e) {\n    }\n}\n";
        let text = format!(
            "export function _0(arg0) {{\n    c();\n}}\nexport function {one}\n{CALL_IT}{end}"
        );
        let imports = "export const imports = {\n_1: handleError(() => {\n    a();\n}),\n};\n";
        assert_eq!(gather(&module, &text).unwrap(), [WRAP_IT, end, imports].concat());
        assert!(gather(&module, one).is_err());
    }

    #[test]
    fn what_is_returned_has_no_name() {
        for (function, expected) in [
            (
                "_1(arg0) {\n    const ret = !getObject(arg0);\n    return ret;\n}",
                "_1(arg0) {\n    return !getObject(arg0);\n}",
            ),
            (
                "_1() { return handleError(function () {\n    const ret = a();\n    return \
                 addHeapObject(ret);\n}, arguments); }",
                "_1: handleError(() => {\n    return addHeapObject(a());\n})",
            ),
        ] {
            assert_eq!(member(function), expected);
        }
        let twice = "_1(arg0) {\n    const ret = a();\n    return b(ret, ret);\n}";
        assert_eq!(member(twice), twice);
    }
}
