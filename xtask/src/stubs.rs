//! The compiled crate without the messages that nobody reads.

use anyhow::{Context, Result, ensure};
use walrus::ir::{
    Call, Const, Instr, InstrLocId, LocalGet, Unreachable, Value, Visitor, dfs_in_order,
};
use walrus::{FunctionId, Module, ValType};

/// Replaces the bodies of functions that make messages.
///
/// # Errors
/// When a listed name is in no function, though its crate is there: it has been renamed.
pub(crate) fn apply(module: &mut Module) -> Result<()> {
    let functions: Vec<(FunctionId, String)> = module
        .funcs
        .iter_local()
        .map(|(id, _)| (id, module.funcs.get(id).name.as_deref().unwrap_or_default()))
        .map(|(id, name)| (id, demangled(name)))
        .collect();
    for (part, body) in STUBS {
        let crate_name = part.split("::").next().unwrap_or_default().trim_start_matches('<');
        if !functions.iter().any(|(_, name)| name.contains(crate_name)) {
            continue;
        }
        let mut found = false;
        for (id, name) in functions.iter().filter(|(_, name)| name.contains(part)) {
            found = true;
            stub(module, *id, body, name)?;
        }
        ensure!(
            found,
            "no function is named like {part}: has it been renamed, or is it unused now?"
        );
    }
    Ok(())
}

fn stub(module: &mut Module, id: FunctionId, body: &Body, name: &str) -> Result<()> {
    let results = module.types.results(module.funcs.get(id).ty());
    let zero = Const { value: Value::I32(0) }.into();
    let instructions: Vec<Instr> = match body {
        Body::Trap => vec![Unreachable {}.into()],
        Body::Silent if results == [ValType::I32] => vec![zero],
        // Not the part of it that writes.
        Body::Silent => return Ok(()),
        Body::Calls(part) => {
            let function = module.funcs.get(id).kind.unwrap_local();
            let mut calls = Calls::default();
            dfs_in_order(&mut calls, function, function.entry_block());
            let named = |id: &FunctionId| module.funcs.get(*id).name.as_deref().map(demangled);
            let callee =
                calls.0.into_iter().find(|id| named(id).is_some_and(|it| it.contains(part)));
            let func = callee.with_context(|| format!("{name} does not call {part}"))?;
            let arguments = function.args.iter().map(|&local| LocalGet { local }.into());
            arguments.chain([Call { func }.into()]).collect()
        }
    };
    let function = module.funcs.get_mut(id).kind.unwrap_local_mut();
    // Its code refers to nothing any more.
    function.original_range = None;
    let entry = function.entry_block();
    let located = |instruction| (instruction, InstrLocId::default());
    function.block_mut(entry).instrs = instructions.into_iter().map(located).collect();
    Ok(())
}

fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// The functions that a function calls.
#[derive(Default)]
struct Calls(Vec<FunctionId>);

impl Visitor<'_> for Calls {
    fn visit_call(&mut self, call: &Call) {
        self.0.push(call.func);
    }
}

enum Body {
    /// A panic aborts with or without a message.
    Trap,
    /// Nothing reads formatted text: whatever writes some says that it has, and writes nothing.
    Silent,
    /// It hands its arguments to one of the functions that it calls, and does nothing else.
    Calls(&'static str),
}

/// Parts of the names of functions, beginning with the crate, and what they do instead. Panics save
/// 0.4 kB; without the functions that only panics lead to, and the data that is read nowhere else, it
/// is 0.5 kB less.
const STUBS: &[(&str, Body)] = &[
    ("alloc::alloc::handle_alloc_error", Body::Trap),
    ("alloc::raw_vec::handle_error", Body::Trap),
    ("alloc::vec::Vec<_, _>>::remove::assert_failed", Body::Trap),
    ("core::panicking::", Body::Trap),
    ("core::cell::panic_already", Body::Trap),
    ("core::slice::copy_from_slice_impl::len_mismatch_fail", Body::Trap),
    ("core::slice::index::slice_index_fail", Body::Trap),
    ("core::str::slice_error_fail", Body::Trap),
    ("core::fmt::", Body::Silent),
    ("std::panicking::", Body::Trap),
    ("wasm_bindgen::__rt::throw_null", Body::Trap),
    ("wasm_bindgen::__wbindgen_throw", Body::Trap),
    // What it is given is then a constant that nothing reads.
    ("wasm_bindgen::throw_str", Body::Trap),
    // Without the hash table that keeps every text that was converted.
    ("serde_wasm_bindgen::static_str_to_js", Body::Calls("wasm_bindgen::__rt::wbg_cast")),
];

#[cfg(test)]
mod tests {
    use walrus::FunctionBuilder;

    use super::*;

    #[test]
    fn a_function_with_a_listed_name_loses_its_body() {
        let (mut module, _, _) = listed();
        let panics = function(&mut module, "core::panicking::panic_fmt", &[]);
        let writes = function(&mut module, "core::fmt::write", &[ValType::I32]);
        let other = function(&mut module, "everfresh::core::decode", &[ValType::I32]);
        apply(&mut module).unwrap();
        assert!(matches!(only(&module, panics), Instr::Unreachable(_)));
        let silent = only(&module, writes);
        assert!(matches!(silent, Instr::Const(Const { value: Value::I32(0) })));
        assert!(matches!(only(&module, other), Instr::Const(Const { value: Value::I32(7) })));
    }

    #[test]
    fn a_name_that_is_gone_from_a_crate_that_is_there_ends_the_build() {
        let mut module = Module::default();
        function(&mut module, "core::panics::panic_fmt", &[]);
        let error = apply(&mut module).unwrap_err().to_string();
        assert!(error.contains("core::panicking::"), "{error}");
    }

    #[test]
    fn a_text_is_converted_each_time() {
        let (mut module, cached, convert) = listed();
        apply(&mut module).unwrap();
        assert!(matches!(only(&module, cached), Instr::Call(Call { func }) if func == convert));
    }

    /// A module that has what is listed of core and serde-wasm-bindgen; beside it the function that
    /// keeps texts and the one that converts them.
    fn listed() -> (Module, FunctionId, FunctionId) {
        let mut module = Module::default();
        for (name, _) in STUBS {
            if name.starts_with("core::") || name.starts_with("wasm_bindgen::") {
                function(&mut module, name, &[]);
            }
        }
        let convert = "wasm_bindgen::__rt::wbg_cast::breaks_if_inlined";
        let convert = function(&mut module, convert, &[ValType::I32]);
        let mut builder = FunctionBuilder::new(&mut module.types, &[], &[ValType::I32]);
        builder.func_body().call(convert).drop().i32_const(1);
        builder.name("serde_wasm_bindgen::static_str_to_js".to_owned());
        let cached = builder.finish(Vec::new(), &mut module.funcs);
        (module, cached, convert)
    }

    fn function(module: &mut Module, name: &str, results: &[ValType]) -> FunctionId {
        let mut builder = FunctionBuilder::new(&mut module.types, &[], results);
        if !results.is_empty() {
            builder.func_body().i32_const(7);
        }
        builder.name(name.to_owned());
        let id = builder.finish(Vec::new(), &mut module.funcs);
        module.exports.add(name, id);
        id
    }

    fn only(module: &Module, id: FunctionId) -> Instr {
        let function = module.funcs.get(id).kind.unwrap_local();
        let body = &function.block(function.entry_block()).instrs;
        assert_eq!(body.len(), 1);
        body[0].0.clone()
    }
}
