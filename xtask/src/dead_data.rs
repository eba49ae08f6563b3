//! Blanks the data that no code is left to read, and the places of the function table that none calls
//! through. wasm-opt does not see it: it knows addresses, not what lies between them. The linker wrote
//! down who refers to what (`--emit-relocs`).

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use anyhow::{Context, Result, bail};
use walrus::ir::{Call, Instr, InstrSeq, Value, Visitor, dfs_in_order};
use walrus::{
    ConstExpr, ElementItems, ElementKind, ExportItem, FunctionId, FunctionKind, LocalFunction,
    Module,
};
use wasmparser::{
    DefinedDataSymbol, KnownCustom, Linking, Parser, Payload, RelocationEntry, RelocationType,
    SymbolInfo,
};

/// Takes a module and the file that the linker wrote for it. Saves 4 kB in a module that reads claims
/// with serde.
///
/// # Errors
/// When the linker wrote what is not known.
pub(crate) fn blank(module: &mut Module, compiled: &[u8]) -> Result<()> {
    let mut linked = Linked::read(compiled)?;
    linked.forget(&unread_arguments(module));
    let code = reached(module, &linked);
    let live = linked.live(&code);
    let dead = linked.unread(&live);
    let segments: Vec<_> = module.data.iter().map(|segment| segment.id()).collect();
    for (id, start) in segments.into_iter().zip(&linked.segments) {
        for (byte, place) in module.data.get_mut(id).value.iter_mut().zip(*start..) {
            if dead.contains(&place) {
                *byte = 0;
            }
        }
    }
    let [called, others] = linked.table_places(&code, &live);
    empty(module, &(&others - &called));
    Ok(())
}

/// The code of the functions that exports lead to, by calls or by the table. Not those that only lead
/// to each other: a waker names a table of functions of which one makes such a waker.
fn reached(module: &Module, linked: &Linked<'_>) -> Vec<Range<usize>> {
    let table = table(module);
    let exported = module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(function) => Some(function),
        _ => None,
    });
    let mut open: Vec<FunctionId> = exported.collect();
    let (mut reached, mut code) = (BTreeSet::new(), Vec::new());
    while !open.is_empty() {
        while let Some(id) = open.pop() {
            if let FunctionKind::Local(function) = &module.funcs.get(id).kind
                && reached.insert(id)
            {
                code.extend(function.original_range.clone());
                let mut calls = Calls::default();
                dfs_in_order(&mut calls, function, function.entry_block());
                open.extend(calls.0);
            }
        }
        let [called, _] = linked.table_places(&code, &linked.live(&code));
        let called = called.iter().filter_map(|place| table.get(place).copied());
        open.extend(called.filter(|id| !reached.contains(id)));
    }
    code
}

/// The functions in the table, by their places.
fn table(module: &Module) -> HashMap<u32, FunctionId> {
    let mut table = HashMap::new();
    for element in module.elements.iter() {
        if let ElementItems::Functions(functions) = &element.items
            && let ElementKind::Active { offset: ConstExpr::Value(Value::I32(start)), .. } =
                element.kind
        {
            table.extend((start as u32..).zip(functions.iter().copied()));
        }
    }
    table
}

/// The functions that a function calls.
#[derive(Default)]
struct Calls(Vec<FunctionId>);

impl Visitor<'_> for Calls {
    fn visit_call(&mut self, call: &Call) {
        self.0.push(call.func);
    }
}

/// Puts one function that stays into all these places of the table: there is no nothing to put there.
fn empty(module: &mut Module, places: &BTreeSet<u32>) {
    for element in module.elements.iter_mut() {
        let ElementItems::Functions(functions) = &mut element.items else { continue };
        let ElementKind::Active { offset: ConstExpr::Value(Value::I32(start)), .. } = element.kind
        else {
            continue;
        };
        let is_empty = |at: usize| places.contains(&(start as u32 + at as u32));
        let Some(stays) = (0..functions.len()).find(|at| !is_empty(*at)) else { continue };
        let stays = functions[stays];
        for at in (0..functions.len()).filter(|at| is_empty(*at)) {
            functions[at] = stays;
        }
    }
}

/// The places, in the file that the linker wrote, of constants that are handed to functions which look
/// at nothing: those whose messages are not read.
fn unread_arguments(module: &Module) -> BTreeSet<usize> {
    let looks_at_nothing = |function: &LocalFunction| {
        let body = &function.block(function.entry_block()).instrs;
        matches!(&body[..], [(Instr::Unreachable(_) | Instr::Const(_), _)])
    };
    let mut found = Arguments::default();
    for (id, function) in module.funcs.iter_local() {
        if looks_at_nothing(function) {
            let parameters = module.types.params(module.funcs.get(id).ty());
            found.parameters.insert(id, parameters.len());
        }
    }
    for (_, function) in module.funcs.iter_local() {
        dfs_in_order(&mut found, function, function.entry_block());
    }
    found.places
}

/// The constants before calls of functions with N parameters.
#[derive(Default)]
struct Arguments {
    parameters: HashMap<FunctionId, usize>,
    places: BTreeSet<usize>,
}

impl<'a> Visitor<'a> for Arguments {
    fn start_instr_seq(&mut self, sequence: &'a InstrSeq) {
        for (at, (instruction, _)) in sequence.instrs.iter().enumerate() {
            let Instr::Call(call) = instruction else { continue };
            let Some(&count) = self.parameters.get(&call.func) else { continue };
            let before = sequence.instrs[..at].iter().rev().take(count);
            let plain =
                before.take_while(|(it, _)| matches!(it, Instr::Const(_) | Instr::LocalGet(_)));
            self.places.extend(plain.map(|(_, place)| place.data() as usize));
        }
    }
}

/// What the linker says of its file; ranges and segments are places in that file.
struct Linked<'a> {
    file: &'a [u8],
    /// Where the bytes of each segment begin.
    segments: Vec<usize>,
    /// All symbols, of which some are data.
    symbols: Vec<Option<DefinedDataSymbol>>,
    /// Addresses and places of the table in the code, by their offset in the code section, and where
    /// that begins.
    code: Vec<RelocationEntry>,
    code_start: usize,
    /// Those in the data, by their place in the file.
    data: Vec<RelocationEntry>,
}

impl<'a> Linked<'a> {
    fn read(file: &'a [u8]) -> Result<Self> {
        let (segments, symbols, code, data) = Default::default();
        let mut it = Self { file, segments, symbols, code, code_start: 0, data };
        let mut data_section = 0;
        for payload in Parser::new(0).parse_all(file) {
            match payload? {
                Payload::CodeSectionStart { range, .. } => it.code_start = range.start,
                Payload::DataSection(section) => {
                    data_section = section.range().start;
                    for segment in section {
                        let segment = segment?;
                        it.segments.push(segment.range.end - segment.data.len());
                    }
                }
                Payload::CustomSection(section) => match (section.name(), section.as_known()) {
                    (_, KnownCustom::Linking(parts)) => {
                        for part in parts {
                            let Linking::SymbolTable(symbols) = part? else { continue };
                            for symbol in symbols {
                                let data = match symbol? {
                                    SymbolInfo::Data { symbol, .. } => symbol,
                                    _ => None,
                                };
                                it.symbols.push(data);
                            }
                        }
                    }
                    ("reloc.CODE", KnownCustom::Reloc(entries)) => {
                        it.code = references(entries.entries())?;
                    }
                    ("reloc.DATA", KnownCustom::Reloc(entries)) => {
                        it.data = references(entries.entries())?;
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        for entry in &mut it.data {
            entry.offset += u32::try_from(data_section)?;
        }
        if it.symbols.is_empty() || it.code.is_empty() {
            bail!("the linker wrote no relocations");
        }
        Ok(it)
    }

    /// Drops the addresses that these instructions have, by their place in the file.
    fn forget(&mut self, instructions: &BTreeSet<usize>) {
        // The number follows the byte that says what the instruction is.
        let place = |entry: &RelocationEntry| self.code_start + entry.offset as usize - 1;
        self.code.retain(|entry| !instructions.contains(&place(entry)));
    }

    /// The symbols of data that these parts of the code section lead to.
    fn live(&self, code: &[Range<usize>]) -> BTreeSet<usize> {
        let read = |it: &&RelocationEntry| is_address(it) && is_within(code, it);
        let mut open: Vec<usize> =
            self.code.iter().filter(read).map(|entry| entry.index as usize).collect();
        let mut live = BTreeSet::new();
        while let Some(symbol) = open.pop() {
            if !self.is_location(symbol) && live.insert(symbol) {
                open.extend(self.referred_by(symbol).map(|entry| entry.index as usize));
            }
        }
        live
    }

    /// The places of the table that these parts of the code section and these symbols name, and those
    /// that others do.
    fn table_places(&self, code: &[Range<usize>], live: &BTreeSet<usize>) -> [BTreeSet<u32>; 2] {
        let data: Vec<_> = live.iter().filter_map(|symbol| self.range(*symbol)).collect();
        let (mut called, mut others) = (BTreeSet::new(), BTreeSet::new());
        for (entries, parts, start) in
            [(&self.code, code, self.code_start), (&self.data, &data[..], 0)]
        {
            for entry in entries.iter().filter(|entry| !is_address(entry)) {
                let number = &self.file[start + entry.offset as usize..];
                let slot = match entry.ty {
                    RelocationType::TableIndexI32 => {
                        number.iter().take(4).rfold(0, |sum, byte| sum << 8 | u32::from(*byte))
                    }
                    // Seven bits a byte, padded to five bytes.
                    _ => {
                        number.iter().take(5).rfold(0, |sum, byte| sum << 7 | u32::from(byte & 127))
                    }
                };
                if is_within(parts, entry) { &mut called } else { &mut others }.insert(slot);
            }
        }
        [called, others]
    }

    /// The places of the data that belong to other symbols than these alone.
    fn unread(&self, live: &BTreeSet<usize>) -> BTreeSet<usize> {
        let places = |alive: bool| {
            let symbols = (0..self.symbols.len()).filter(|it| live.contains(it) == alive);
            symbols.filter_map(|it| self.range(it)).flatten().collect::<BTreeSet<_>>()
        };
        // A text may end as another does, and lie in it.
        &places(false) - &places(true)
    }

    fn range(&self, symbol: usize) -> Option<Range<usize>> {
        let DefinedDataSymbol { index, offset, size } = self.symbols[symbol]?;
        let start = self.segments.get(index as usize)? + offset as usize;
        Some(start..start + size as usize)
    }

    fn referred_by(&self, symbol: usize) -> impl Iterator<Item = &RelocationEntry> {
        let range = self.range(symbol).unwrap_or_default();
        self.data.iter().filter(move |it| is_address(it) && range.contains(&(it.offset as usize)))
    }

    /// Whether it is a `core::panic::Location`: the name of a source file and three numbers. Panics
    /// take one and trap, so nobody reads it.
    fn is_location(&self, symbol: usize) -> bool {
        let Some(range) = self.range(symbol).filter(|range| range.len() == 16) else {
            return false;
        };
        let mut texts = self.referred_by(symbol);
        let (Some(text), None) = (texts.next(), texts.next()) else { return false };
        let file = self.range(text.index as usize).map(|range| &self.file[range]);
        text.offset as usize == range.start
            && file.is_some_and(|it| it.strip_suffix(b"\0").unwrap_or(it).ends_with(b".rs"))
    }
}

fn is_within(parts: &[Range<usize>], entry: &RelocationEntry) -> bool {
    parts.iter().any(|part| part.contains(&(entry.offset as usize)))
}

/// Else it is a place of the table.
const fn is_address(entry: &RelocationEntry) -> bool {
    !matches!(entry.ty, RelocationType::TableIndexSleb | RelocationType::TableIndexI32)
}

/// Those of the relocations that are addresses of data or places of the table.
fn references(
    entries: wasmparser::SectionLimited<'_, RelocationEntry>,
) -> Result<Vec<RelocationEntry>> {
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.context("the linker's relocations cannot be read")?;
        match entry.ty {
            RelocationType::MemoryAddrLeb
            | RelocationType::MemoryAddrSleb
            | RelocationType::MemoryAddrI32
            | RelocationType::TableIndexSleb
            | RelocationType::TableIndexI32 => found.push(entry),
            RelocationType::FunctionIndexLeb
            | RelocationType::FunctionIndexI32
            | RelocationType::TableNumberLeb
            | RelocationType::TypeIndexLeb
            | RelocationType::GlobalIndexLeb => {}
            other => bail!("the linker wrote a relocation of the kind {other:?}"),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use walrus::{FunctionBuilder, RefType, ValType};

    use super::*;

    #[test]
    fn data_is_read_when_code_that_is_reached_leads_to_it() {
        let code = [address(2, 0), address(22, 1)];
        let data = [address(100, 2)];
        let linked = linked(&[(0, 4), (4, 4), (8, 4), (12, 4)], &code, &data);
        assert_eq!(unread_from(&linked, &[0..10, 40..50]), (104..108).chain(112..116).collect());
        assert_eq!(unread_from(&linked, &[0..10, 20..30]), (112..116).collect());
    }

    #[test]
    fn a_text_that_lies_in_another_lives_with_it() {
        let linked = linked(&[(0, 8), (4, 4)], &[address(0, 1)], &[]);
        assert_eq!(unread_from(&linked, &[0..1, 40..50]), (100..104).collect());
    }

    #[test]
    fn where_a_panic_would_have_been_is_read_by_nobody() {
        let mut file = vec![0; 140];
        file[120..127].copy_from_slice(b"lib.rs\0");
        let code = [address(0, 0)];
        let data = [address(100, 1)];
        let mut linked = linked(&[(0, 16), (20, 7)], &code, &data);
        linked.file = &file;
        assert_eq!(unread_from(&linked, &[0..1, 40..50]), (100..116).chain(120..127).collect());
        let mut other = file.clone();
        other[124] = b'_';
        linked.file = &other;
        assert!(unread_from(&linked, &[0..1, 40..50]).is_empty(), "a text beside three numbers");
    }

    #[test]
    fn what_is_handed_to_a_function_that_traps_is_not_read() {
        let mut module = Module::default();
        let parameter = module.locals.add(ValType::I32);
        let mut traps = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[]);
        traps.func_body().unreachable();
        let traps = traps.finish(vec![parameter], &mut module.funcs);
        let mut caller = FunctionBuilder::new(&mut module.types, &[], &[]);
        caller.func_body().i32_const(7).drop().i32_const(8).i32_const(9).call(traps).drop();
        let caller = caller.finish(Vec::new(), &mut module.funcs);
        module.exports.add("caller", caller);
        let file = module.emit_wasm();
        let unread = unread_arguments(&Module::from_buffer(&file).unwrap());
        let found: Vec<_> = unread.iter().map(|place| &file[*place..place + 2]).collect();
        assert_eq!(found, [[0x41, 9]], "the argument alone");

        let mut linked = linked(&[(0, 4)], &[address(11, 0)], &[]);
        linked.code_start = 20;
        linked.forget(&[30].into());
        assert_eq!(unread_from(&linked, std::slice::from_ref(&(0..20))), (100..104).collect());
    }

    #[test]
    fn a_function_leaves_the_table_when_nothing_that_lives_names_its_place() {
        let slot = |ty, offset| RelocationEntry { ty, offset, index: 0, addend: 0 };
        let leb = |offset| slot(RelocationType::TableIndexSleb, offset);
        let code = [address(2, 0), leb(4), leb(24)];
        let data = [100, 104].map(|place| slot(RelocationType::TableIndexI32, place));
        let mut linked = linked(&[(0, 4), (4, 4)], &code, &data);
        let mut file = vec![0; 140];
        file[4..9].copy_from_slice(&[0x81, 0x81, 0x80, 0x80, 0]);
        file[24..29].copy_from_slice(&[0x82, 0x80, 0x80, 0x80, 0]);
        file[100..108].copy_from_slice(&[3, 0, 0, 0, 4, 0, 0, 0]);
        linked.file = &file;
        let code = [0..10, 40..50];
        let places = linked.table_places(&code, &linked.live(&code));
        assert_eq!(places, [[3, 129].into(), [2, 4].into()]);
    }

    #[test]
    fn functions_that_only_lead_to_each_other_are_not_reached() {
        let mut module = Module::default();
        let [exported, other] = [1, 2].map(|number| {
            let mut builder = FunctionBuilder::new(&mut module.types, &[], &[]);
            builder.func_body().i32_const(number).drop();
            builder.finish(Vec::new(), &mut module.funcs)
        });
        module.exports.add("exported", exported);
        let table = module.tables.add_local(false, 2, None, RefType::FUNCREF);
        let kind = ElementKind::Active { table, offset: ConstExpr::Value(Value::I32(1)) };
        module.elements.add(kind, ElementItems::Functions(vec![other]));
        let module = Module::from_buffer(&module.emit_wasm()).unwrap();
        let ranges = module.funcs.iter_local().map(|(_, it)| it.original_range.clone().unwrap());
        let [exported, other] = <[_; 2]>::try_from(ranges.collect::<Vec<_>>()).unwrap();
        let mut file = [0; 140];
        file[100] = 1;
        let place = RelocationType::TableIndexI32;
        let data = [RelocationEntry { ty: place, offset: 100, index: 0, addend: 0 }];
        for (names, expected) in
            [(&other, vec![exported.clone()]), (&exported, vec![exported.clone(), other.clone()])]
        {
            let code = [address(u32::try_from(names.start).unwrap(), 0)];
            let mut linked = linked(&[(0, 4)], &code, &data);
            linked.file = &file;
            assert_eq!(reached(&module, &linked), expected);
        }
    }

    #[test]
    fn a_place_of_the_table_that_is_empty_holds_what_stays() {
        let mut module = Module::default();
        let mut functions = [0; 3].map(|_| {
            let mut builder = FunctionBuilder::new(&mut module.types, &[], &[]);
            builder.func_body().unreachable();
            builder.finish(Vec::new(), &mut module.funcs)
        });
        let table = module.tables.add_local(false, 4, None, RefType::FUNCREF);
        let offset = ConstExpr::Value(Value::I32(1));
        let kind = ElementKind::Active { table, offset };
        let element = module.elements.add(kind, ElementItems::Functions(functions.to_vec()));
        empty(&mut module, &[1, 3].into());
        functions = [functions[1]; 3];
        let ElementItems::Functions(left) = &module.elements.get(element).items else { panic!() };
        assert_eq!(left[..], functions);
    }

    fn unread_from(linked: &Linked<'_>, code: &[Range<usize>]) -> BTreeSet<usize> {
        linked.unread(&linked.live(code))
    }

    /// Symbols by offset and size in one segment at 100.
    fn linked<'a>(
        symbols: &[(u32, u32)],
        code: &[RelocationEntry],
        data: &[RelocationEntry],
    ) -> Linked<'a> {
        let symbol =
            |&(offset, size): &(u32, u32)| Some(DefinedDataSymbol { index: 0, offset, size });
        Linked {
            file: &[0; 140],
            segments: vec![100],
            symbols: symbols.iter().map(symbol).collect(),
            code: code.to_vec(),
            code_start: 0,
            data: data.to_vec(),
        }
    }

    fn address(offset: u32, index: u32) -> RelocationEntry {
        RelocationEntry { ty: RelocationType::MemoryAddrI32, offset, index, addend: 0 }
    }
}
