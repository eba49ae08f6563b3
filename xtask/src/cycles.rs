//! Modules of a crate that need each other in a circle. Each of them can be read only with all of the
//! others in mind.

use std::collections::{BTreeMap, BTreeSet};

/// A file's path in the repository, and its text.
pub(crate) type Source = (String, String);

/// For modules side by side: which need which, and the file that shows it first.
type Needs = BTreeMap<Path, BTreeMap<Path, String>>;
type Path = Vec<String>;

/// One line for each circle among the modules below a folder.
pub(crate) fn complaints(folder: &str, sources: &[Source]) -> Vec<String> {
    let inside = |path: &str| module(path.strip_prefix(folder)?.strip_prefix('/')?);
    let modules: BTreeMap<Path, &Source> = sources
        .iter()
        .filter_map(|source| inside(&source.0).map(|module| (module, source)))
        .collect();
    let mut needs = Needs::new();
    for (module, (file, text)) in &modules {
        for path in paths(text).into_iter().filter_map(|path| resolve(module, path)) {
            let shared = module.iter().zip(&path).take_while(|(one, other)| one == other).count();
            let (Some(one), Some(other)) = (module.get(..=shared), path.get(..=shared)) else {
                continue;
            };
            if modules.contains_key(other) {
                let needed = needs.entry(one.to_vec()).or_default();
                needed.entry(other.to_vec()).or_insert_with(|| file.clone());
            }
        }
    }
    let mut told = BTreeSet::new();
    let mut complaints = Vec::new();
    for module in needs.keys() {
        let Some(circle) = circle(&needs, module) else { continue };
        if told.insert(circle.iter().cloned().collect::<BTreeSet<_>>()) {
            complaints.push(format!("{folder}: modules in a circle: {}", line(&needs, &circle)));
        }
    }
    complaints
}

/// The module that a file is, as a path from the root of the crate; the root is empty. Files of tests
/// are none.
fn module(file: &str) -> Option<Path> {
    let mut parts: Path = file.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
    match parts.last()?.as_str() {
        "tests" => return None,
        "mod" | "lib" | "main" => drop(parts.pop()),
        _ => {}
    }
    Some(parts)
}

/// What a file names by `crate`, `self` or `super`, without its tests and comments.
fn paths(text: &str) -> Vec<Path> {
    let text = text.split("\nmod tests {").next().unwrap_or_default();
    let code: Vec<&str> =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let words = words(&code.join("\n"));
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let begins = ["crate", "self", "super"].contains(&word.as_str());
        let goes_on = words.get(at + 1).is_some_and(|next| next == "::");
        if begins && goes_on && at.checked_sub(1).is_none_or(|before| words[before] != "::") {
            tree(&words[at..], &[], &mut found);
        }
    }
    found
}

/// Names, `::`, and single signs.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut joins = false;
    for sign in text.chars() {
        let is_name = sign.is_alphanumeric() || sign == '_';
        match words.last_mut() {
            Some(last) if joins && is_name => last.push(sign),
            Some(last) if sign == ':' && last == ":" => last.push(sign),
            _ if sign.is_whitespace() => {}
            _ => words.push(sign.to_string()),
        }
        joins = is_name;
    }
    words
}

/// Reads a path, or a tree of them in braces; says how many words that were.
fn tree(words: &[String], before: &[String], found: &mut Vec<Path>) -> usize {
    let (mut path, mut at) = (before.to_vec(), 0);
    while let Some(word) = words.get(at) {
        if word == "{" {
            at += 1;
            while words.get(at).is_some_and(|word| word != "}") {
                at += tree(&words[at..], &path, found).max(1);
                at += usize::from(words.get(at).is_some_and(|word| word == ","));
            }
            return at + 1;
        }
        path.push(word.clone());
        at += 1;
        if words.get(at).is_none_or(|word| word != "::") {
            break;
        }
        at += 1;
    }
    found.push(path);
    at
}

/// A path as seen from the root of the crate.
fn resolve(module: &[String], path: Path) -> Option<Path> {
    let mut from = module.to_vec();
    let mut rest = path.as_slice();
    while let Some((first, more)) = rest.split_first() {
        match first.as_str() {
            "crate" => from.clear(),
            "super" => drop(from.pop()?),
            "self" => {}
            _ => break,
        }
        rest = more;
    }
    from.extend_from_slice(rest);
    Some(from)
}

/// A shortest way from a module back to itself.
fn circle(needs: &Needs, module: &Path) -> Option<Vec<Path>> {
    let mut ways: Vec<Vec<Path>> = vec![vec![module.clone()]];
    let mut seen = BTreeSet::new();
    let mut next = 0;
    while let Some(way) = ways.get(next).cloned() {
        next += 1;
        for needed in needs.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
            if needed == module {
                return Some(way);
            }
            if seen.insert(needed.clone()) {
                ways.push(way.iter().chain([needed]).cloned().collect());
            }
        }
    }
    None
}

fn line(needs: &Needs, circle: &[Path]) -> String {
    let names = circle.iter().map(|module| module.join("::"));
    let pairs = circle.iter().zip(circle.iter().cycle().skip(1));
    let files: Vec<&str> = pairs.map(|(one, other)| needs[one][other].as_str()).collect();
    format!("{} ({})", names.collect::<Vec<_>>().join(", "), files.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_told_once_with_the_files_that_make_it() {
        let found = look(&[
            ("a.rs", "use crate::{b::{One, Two}, d};"),
            ("b/mod.rs", "use crate::d;"),
            ("b/deep.rs", "fn f() { crate::c::g() }"),
            ("c.rs", "use crate::a::{self, Three};"),
            (
                "d.rs",
                "/// [`crate::a`]\npub(crate) fn f() {}\n#[cfg(test)]\nmod tests { use crate::a; }",
            ),
        ]);
        assert_eq!(
            found,
            ["src: modules in a circle: a, b, c (src/a.rs, src/b/deep.rs, src/c.rs)"]
        );
    }

    #[test]
    fn neighbours_deeper_down_count_and_parents_do_not() {
        let found = look(&[
            ("a/mod.rs", "mod one; mod two; use self::one::One; use one::Other;"),
            ("a/one.rs", "use super::{Three, two::Two};"),
            ("a/two.rs", "use crate::a::one::One;"),
        ]);
        assert_eq!(
            found,
            ["src: modules in a circle: a::one, a::two (src/a/one.rs, src/a/two.rs)"]
        );
    }

    #[test]
    fn what_needs_others_one_way_is_fine() {
        let found = look(&[
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("a.rs", "use crate::b::B; use crate::Top;"),
            ("b.rs", "use std::fmt; use super::Top;"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    fn look(sources: &[(&str, &str)]) -> Vec<String> {
        let source = |(path, text): &(&str, &str)| (format!("src/{path}"), (*text).to_owned());
        complaints("src", &sources.iter().map(source).collect::<Vec<_>>())
    }
}
