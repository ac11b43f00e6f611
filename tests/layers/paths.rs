//! Which file uses which: follows `use` declarations and paths through re-exports to the file that
//! defines the item.

use super::source::{Source, Token, is_word, tokens};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// For each file, the files that define the items that it uses.
pub type Edges = BTreeMap<String, BTreeSet<String>>;

/// The declarations and uses of one file.
struct Module {
    file: String,
    path: Vec<String>,
    children: BTreeSet<String>,
    items: BTreeSet<String>,
    uses: Vec<Use>,
    /// Paths of two or more segments, outside of `use`.
    paths: BTreeSet<Vec<String>>,
    /// Every identifier outside of `use`.
    words: BTreeSet<String>,
}

struct Use {
    /// `*` for a glob.
    name: String,
    path: Vec<String>,
    public: bool,
}

/// The target of a path: a module, or an item in a file.
enum Place {
    Module(usize),
    Item(usize),
}

struct Crate {
    modules: Vec<Module>,
    by_path: HashMap<Vec<String>, usize>,
}

/// Returns the edges of one crate.
pub fn edges(sources: &[Source]) -> Edges {
    let modules: Vec<Module> = sources.iter().map(read).collect();
    let by_path = modules.iter().enumerate().map(|(n, module)| (module.path.clone(), n)).collect();
    let all = Crate { modules, by_path };
    all.modules.iter().map(|module| (module.file.clone(), all.used_by(module))).collect()
}

impl Crate {
    fn used_by(&self, module: &Module) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        for path in &module.paths {
            if let Some(Place::Item(file)) = self.resolve(module, path, 0) {
                used.insert(file);
            }
        }
        for one in &module.uses {
            // Paths use a module. A name that is only re-exported is not used.
            let used_here = !one.public || module.words.contains(&one.name);
            match self.resolve(module, &one.path, 0) {
                Some(Place::Item(file)) if used_here => drop(used.insert(file)),
                Some(Place::Module(file)) if one.name == "*" && !one.public => {
                    used.insert(file);
                }
                _ => {}
            }
        }
        let files = used.iter().map(|&n| self.modules[n].file.clone());
        files.filter(|file| *file != module.file).collect()
    }

    fn resolve(&self, from: &Module, path: &[String], depth: usize) -> Option<Place> {
        let (first, rest) = path.split_first()?;
        let here = self.by_path[&from.path];
        let start = match first.as_str() {
            "crate" => Place::Module(self.by_path[&Vec::new()]),
            "self" => Place::Module(here),
            "super" => Place::Module(self.parent(here)?),
            _ => self.look_up(here, first, depth)?,
        };
        rest.iter().try_fold(start, |place, segment| match place {
            Place::Item(_) => Some(place),
            Place::Module(module) if segment == "super" => {
                Some(Place::Module(self.parent(module)?))
            }
            // A macro may define names that are not found.
            Place::Module(module) => {
                Some(self.look_up(module, segment, depth).unwrap_or(Place::Item(module)))
            }
        })
    }

    /// Resolves a name in a module.
    fn look_up(&self, module: usize, name: &str, depth: usize) -> Option<Place> {
        let here = &self.modules[module];
        if here.children.contains(name) {
            let path = [&here.path[..], &[name.to_owned()]].concat();
            return self.by_path.get(&path).copied().map(Place::Module);
        }
        if here.items.contains(name) {
            return Some(Place::Item(module));
        }
        if depth > 8 {
            return None;
        }
        if let Some(one) = here.uses.iter().find(|one| one.name == name) {
            // `use std::io` leads out of the crate, and so does `io::x`.
            return match one.path[0] == name && one.path.len() == 1 {
                true => None,
                false => self.resolve(here, &one.path, depth + 1),
            };
        }
        here.uses.iter().filter(|one| one.name == "*").find_map(|one| {
            match self.resolve(here, &one.path, depth + 1)? {
                Place::Module(module) => self.look_up(module, name, depth + 1),
                Place::Item(_) => None,
            }
        })
    }

    fn parent(&self, module: usize) -> Option<usize> {
        let (_, parent) = self.modules[module].path.split_last()?;
        self.by_path.get(parent).copied()
    }
}

fn read(source: &Source) -> Module {
    let tokens = tokens(&source.code);
    let mut module = Module {
        file: source.file.clone(),
        path: source.module.clone(),
        children: BTreeSet::new(),
        items: BTreeSet::new(),
        uses: Vec::new(),
        paths: BTreeSet::new(),
        words: BTreeSet::new(),
    };
    let mut at = 0;
    while at < tokens.len() {
        let text = |at: usize| tokens.get(at).map_or("", |token: &Token| &token.text);
        match text(at) {
            "use" => {
                let public = at > 0 && ["pub", ")"].contains(&text(at - 1));
                let end = (at..tokens.len()).find(|&n| text(n) == ";").unwrap_or(tokens.len());
                use_tree(&tokens[at + 1..end], &[], public, &mut module.uses);
                at = end;
            }
            "mod" if text(at + 2) == ";" => drop(module.children.insert(text(at + 1).to_owned())),
            "mod" | "struct" | "enum" | "union" | "trait" | "type" | "fn" | "const" | "static" => {
                module.items.insert(text(at + 1).to_owned());
            }
            "macro_rules" => drop(module.items.insert(text(at + 2).to_owned())),
            word if word.starts_with(is_word) => {
                let mut path = vec![word.to_owned()];
                while text(at + 1) == "::" && text(at + 2).starts_with(is_word) {
                    path.push(text(at + 2).to_owned());
                    at += 2;
                }
                module.words.insert(path[0].clone());
                if path.len() > 1 {
                    module.paths.insert(path);
                }
            }
            _ => {}
        }
        at += 1;
    }
    module
}

/// Expands a `use`: `a::{b, c::d as e}` is `a::b` and, with the name `e`, `a::c::d`.
fn use_tree(tokens: &[Token], before: &[String], public: bool, uses: &mut Vec<Use>) {
    let mut path = before.to_vec();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "::" => {}
            "{" => {
                let mut depth = 0;
                let inside = &tokens[at + 1..tokens.len() - 1];
                let branches = inside.split(|token| {
                    depth += match token.text.as_str() {
                        "{" => 1,
                        "}" => -1,
                        _ => 0,
                    };
                    depth == 0 && token.text == ","
                });
                let branches: Vec<_> = branches.filter(|branch| !branch.is_empty()).collect();
                return branches.iter().for_each(|branch| use_tree(branch, &path, public, uses));
            }
            "as" => {
                let name = tokens[at + 1].text.clone();
                return uses.push(Use { name, path, public });
            }
            "*" => return uses.push(Use { name: "*".into(), path, public }),
            "self" if !path.is_empty() => {}
            word => path.push(word.to_owned()),
        }
        at += 1;
    }
    if let Some(name) = path.last().cloned() {
        uses.push(Use { name, path, public });
    }
}

#[test]
fn uses_are_resolved_to_their_files() {
    let tokens = tokens("crate::{a::b, c::{self, d as e}, f::*}");
    let mut uses = Vec::new();
    use_tree(&tokens, &[], false, &mut uses);
    let uses: Vec<_> = uses.iter().map(|one| (one.name.as_str(), one.path.join("::"))).collect();
    let want = [("b", "crate::a::b"), ("c", "crate::c"), ("e", "crate::c::d"), ("*", "crate::f")];
    assert_eq!(uses, want.map(|(name, path)| (name, path.to_owned())));
}
