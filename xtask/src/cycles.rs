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
    let files: BTreeMap<Path, (&str, Vec<String>)> = sources
        .iter()
        .filter_map(|(file, text)| Some((inside(file)?, (file.as_str(), code(text)))))
        .collect();
    let names = Names::of(&files);
    let mut needs = Needs::new();
    for (module, (file, words)) in &files {
        let paths = paths(words).into_iter().filter_map(|path| resolve(module, path));
        for path in paths.flat_map(|path| names.follow(path)) {
            let shared = module.iter().zip(&path).take_while(|(one, other)| one == other).count();
            let (Some(one), Some(other)) = (module.get(..=shared), path.get(..=shared)) else {
                continue;
            };
            if files.contains_key(other) {
                let needed = needs.entry(one.to_vec()).or_default();
                needed.entry(other.to_vec()).or_insert_with(|| (*file).to_owned());
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

/// What every module calls by a name, itself or after another, whether or not others may.
struct Names {
    modules: BTreeSet<Path>,
    /// Where a name of a module leads; nowhere if what it names is made there.
    lead: BTreeMap<(Path, String), Option<Path>>,
    /// The modules all of whose names are names of this one too.
    globs: BTreeMap<Path, Vec<Path>>,
}

impl Names {
    fn of(files: &BTreeMap<Path, (&str, Vec<String>)>) -> Self {
        let modules: BTreeSet<Path> = files.keys().cloned().collect();
        let mut names = Self { modules, lead: BTreeMap::new(), globs: BTreeMap::new() };
        for (module, (_, words)) in files {
            for pair in words.windows(2).filter(|pair| MAKERS.contains(&pair[0].as_str())) {
                names.lead.insert((module.clone(), pair[1].clone()), None);
            }
            for (path, name) in uses(words) {
                let Some(path) = resolve(module, path) else { continue };
                if name == "*" {
                    names.globs.entry(module.clone()).or_default().push(path);
                } else if path != child(module, &name) {
                    names.lead.insert((module.clone(), name), Some(path));
                }
            }
        }
        names
    }

    /// A path, and all that it stands for because a module on its way has the name from another.
    fn follow(&self, path: Path) -> Vec<Path> {
        let mut found = vec![path];
        // A name may lead to a longer path that begins with it.
        let mut asked = BTreeSet::new();
        let mut next = 0;
        while let Some(path) = found.get(next).cloned() {
            next += 1;
            let depth = (0..path.len()).take_while(|&end| self.modules.contains(&path[..=end]));
            let depth = depth.count();
            let Some(name) = path.get(depth) else { continue };
            if asked.insert(path[..=depth].to_vec()) {
                for mut other in self.led(&path[..depth], name) {
                    other.extend_from_slice(&path[depth + 1..]);
                    found.push(other);
                }
            }
        }
        found
    }

    fn led(&self, module: &[String], name: &str) -> Vec<Path> {
        match self.lead.get(&(module.to_vec(), name.to_owned())) {
            Some(lead) => lead.iter().cloned().collect(),
            None => {
                let globs = self.globs.get(module).into_iter().flatten();
                globs.map(|glob| child(glob, name)).collect()
            }
        }
    }
}

fn child(module: &[String], name: &str) -> Path {
    module.iter().map(String::as_str).chain([name]).map(str::to_owned).collect()
}

/// The words of a file, without its tests and comments.
fn code(text: &str) -> Vec<String> {
    let text = text.split("\nmod tests {").next().unwrap_or_default();
    let code: Vec<&str> =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    words(&code.join("\n"))
}

/// What a file names by a path.
fn paths(words: &[String]) -> Vec<Path> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at + 1 < words.len() {
        let begins = words[at] != "::" && words[at + 1] == "::";
        at += if begins { tree(&words[at..], &[], &mut found).max(1) } else { 1 };
    }
    found.into_iter().map(|(path, _)| path).collect()
}

/// What a file imports, and the name that it gets there.
fn uses(words: &[String]) -> Vec<(Path, String)> {
    let mut found = Vec::new();
    for at in (0..words.len()).filter(|&at| words[at] == "use") {
        tree(&words[at + 1..], &[], &mut found);
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

/// Reads a path, or a tree of them in braces, with the names that they are given; says how many words
/// that were.
fn tree(words: &[String], before: &[String], found: &mut Vec<(Path, String)>) -> usize {
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
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let mut name = path.last().cloned().unwrap_or_default();
    if let [word, alias, ..] = &words[at..]
        && word == "as"
    {
        name.clone_from(alias);
        at += 2;
    }
    path.retain(|part| part != "*");
    found.push((path, name));
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

/// The words before a name that is made in the file.
const MAKERS: [&str; 9] =
    ["struct", "enum", "union", "trait", "type", "fn", "const", "static", "mod"];

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

    #[test]
    fn a_circle_through_what_others_hand_on_is_seen() {
        let found = look(&[
            ("lib.rs", "mod a; mod b; mod jwt; pub use b::{self as other, Bee};"),
            ("a.rs", "use crate::Bee;"),
            ("b.rs", "use crate::jwt::Of; pub(crate) fn f() { crate::other::g() }"),
            ("jwt/mod.rs", "mod one; mod two; pub use one::One as First; use self::two::{Two};"),
            ("jwt/one.rs", "use super::Two;"),
            ("jwt/two.rs", "use crate::jwt as up; fn f() -> up::First { up::g() }"),
        ]);
        assert_eq!(
            found,
            ["src: modules in a circle: jwt::one, jwt::two (src/jwt/one.rs, src/jwt/two.rs)"]
        );
        let found = look(&[
            ("lib.rs", "mod a; mod b; mod c; pub(crate) use a::*; pub use c::deep;"),
            ("a.rs", "pub use crate::deep::Deep; pub(crate) const fn first() {}"),
            ("b.rs", "use crate::first; pub struct First;"),
            ("c/mod.rs", "pub mod deep;"),
            ("c/deep.rs", "pub use crate::b::First; pub struct Deep; pub use crate::Deep as It;"),
        ]);
        assert_eq!(
            found,
            [
                "src: modules in a circle: a, c (src/a.rs, src/c/deep.rs)",
                "src: modules in a circle: b, a, c (src/b.rs, src/a.rs, src/c/deep.rs)",
            ]
        );
    }

    #[test]
    fn names_that_lead_to_each_other_are_followed_to_an_end() {
        let found = look(&[
            ("lib.rs", "mod a; mod b; pub use a::It; pub use self::b::*; pub use crate::*;"),
            ("a.rs", "pub use crate::It; use crate::It as That; use crate::Nothing;"),
            ("b.rs", "pub use super::*; use hyper::hyper; use ring::sha; use sha::ring;"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    fn look(sources: &[(&str, &str)]) -> Vec<String> {
        let source = |(path, text): &(&str, &str)| (format!("src/{path}"), (*text).to_owned());
        complaints("src", &sources.iter().map(source).collect::<Vec<_>>())
    }
}
