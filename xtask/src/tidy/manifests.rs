//! What the manifests and lock files must say: lints, sources, licences, the oldest Rust.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::workspace::{Workspace, output};

/// Checks every manifest and lock file.
pub(super) fn check(workspace: &Workspace, metadata: &Metadata) -> Result<Vec<String>, String> {
    let mut violations = Vec::new();
    for package in &metadata.members {
        violations.extend(inherits_lints(&package.manifest, &workspace.read(&package.manifest)?));
        violations.extend(can_be_published(package));
    }
    if !workspace.read("Cargo.toml")?.lines().any(|line| line.trim() == "unsafe_code = \"forbid\"") {
        violations.push("Cargo.toml: forbid unsafe_code in [workspace.lints.rust]".to_owned());
    }
    for &(lock, manifest) in LOCK_FILES {
        if !workspace.path(lock).is_file() {
            violations.push(format!("{lock}: commit it"));
            continue;
        }
        violations.extend(has_no_git_source(lock, &workspace.read(lock)?));
        let mut command = workspace.cargo();
        command.args(["metadata", "--format-version", "1", "--locked", "--quiet", "--manifest-path", manifest]);
        if output(&mut command).is_err() {
            violations
                .push(format!("{lock}: bring it up to date, `cargo update --workspace --manifest-path {manifest}`"));
        }
    }
    violations.extend(suits_oldest_rust(metadata));
    violations.extend(single_chains_stay_alone(workspace)?);
    Ok(violations)
}

/// What `cargo metadata` says, as far as the rules need it.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    /// The crates of the workspace.
    pub(super) members: Vec<Package>,
    /// Name, version and oldest Rust of every foreign crate that a published one is built from.
    pub(super) foreign: Vec<(String, String, Option<String>)>,
}

#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    /// The path of its manifest from the root of the workspace.
    pub(super) manifest: String,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) features: BTreeMap<String, Vec<String>>,
    /// Whether it goes to a registry.
    pub(super) published: bool,
    pub(super) rust_version: Option<String>,
    /// The fields that a registry asks for and that are missing.
    pub(super) lacks: Vec<&'static str>,
}

impl Package {
    /// Whether `feature` is the only feature that turns the optional dependency on.
    pub(super) fn only_in_feature(&self, dependency: &Dependency, feature: &str) -> bool {
        let by_itself = format!("dep:{}", dependency.name);
        let turns_on = |items: &[String]| items.iter().any(|item| *item == by_itself || *item == dependency.name);
        let named = self.features.iter().filter(|(_, items)| turns_on(items));
        named.map(|(name, _)| name.as_str()).eq([feature])
    }
}

#[derive(Debug, Default)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) optional: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    Build,
    Development,
    #[default]
    Normal,
}

impl Metadata {
    pub(super) fn load(workspace: &Workspace) -> Result<Self, String> {
        let text = output(workspace.cargo().args(["metadata", "--format-version", "1", "--all-features"]))?;
        let value: Value =
            serde_json::from_str(&text).map_err(|error| format!("cargo metadata is no JSON: {error}"))?;
        let root = text_at(&value, "workspace_root").unwrap_or_default();
        let member_ids: Vec<&str> = list(&value["workspace_members"]).iter().filter_map(Value::as_str).collect();

        let mut members = Vec::new();
        let mut all = BTreeMap::new();
        for package in list(&value["packages"]) {
            let parsed = parse_package(package, &root);
            if member_ids.contains(&parsed.id.as_str()) {
                members.push(parse_package(package, &root));
            }
            all.insert(parsed.id.clone(), (parsed, text_at(package, "version").unwrap_or_default()));
        }
        let built = built_from(&value["resolve"]["nodes"], members.iter().filter(|package| package.published));
        let foreign = built
            .into_iter()
            .filter(|id| !member_ids.contains(&id.as_str()))
            .filter_map(|id| all.get(&id))
            .map(|(package, version)| (package.name.clone(), version.clone(), package.rust_version.clone()))
            .collect();
        Ok(Self { members, foreign })
    }
}

fn parse_package(package: &Value, root: &str) -> Package {
    let manifest = text_at(package, "manifest_path").unwrap_or_default();
    let dependencies = list(&package["dependencies"]).iter().map(|dependency| Dependency {
        name: text_at(dependency, "name").unwrap_or_default(),
        kind: match dependency["kind"].as_str() {
            Some("dev") => Kind::Development,
            Some("build") => Kind::Build,
            _ => Kind::Normal,
        },
        optional: dependency["optional"] == Value::Bool(true),
    });
    let features =
        package["features"].as_object().into_iter().flatten().map(|(name, items)| {
            (name.clone(), list(items).iter().filter_map(Value::as_str).map(str::to_owned).collect())
        });
    Package {
        id: text_at(package, "id").unwrap_or_default(),
        name: text_at(package, "name").unwrap_or_default(),
        manifest: manifest.strip_prefix(root).unwrap_or(&manifest).trim_start_matches('/').to_owned(),
        dependencies: dependencies.collect(),
        features: features.collect(),
        // `null` means everywhere; `publish = false` is an empty list.
        published: package["publish"].as_array().is_none_or(|registries| !registries.is_empty()),
        rust_version: text_at(package, "rust_version"),
        lacks: ["description", "license", "repository", "rust_version"]
            .into_iter()
            .filter(|field| package[*field].is_null())
            .collect(),
    }
}

/// The ids of all packages that some packages are built from, development dependencies left out.
fn built_from<'a>(nodes: &Value, roots: impl Iterator<Item = &'a Package>) -> Vec<String> {
    let edges: BTreeMap<&str, &[Value]> =
        list(nodes).iter().filter_map(|node| Some((node["id"].as_str()?, list(&node["deps"])))).collect();
    let mut open: Vec<&str> = roots.map(|package| package.id.as_str()).collect();
    let mut seen = Vec::new();
    while let Some(id) = open.pop() {
        let Some((&id, deps)) = edges.get_key_value(id) else { continue };
        if seen.iter().any(|other| other == id) {
            continue;
        }
        seen.push(id.to_owned());
        for dep in *deps {
            let built = list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].as_str() != Some("dev"));
            if let (true, Some(next)) = (built, dep["pkg"].as_str()) {
                open.push(next);
            }
        }
    }
    seen
}

fn inherits_lints(manifest: &str, text: &str) -> Option<String> {
    let mut section = text.lines().skip_while(|line| line.trim() != "[lints]").skip(1);
    let inherits = section.next().is_some_and(|line| line.replace(' ', "") == "workspace=true");
    (!inherits).then(|| format!("{manifest}: add `workspace = true` under [lints]"))
}

fn can_be_published(package: &Package) -> Vec<String> {
    let missing = if package.published { package.lacks.as_slice() } else { &[] };
    missing.iter().map(|field| format!("{}: state its {field}", package.manifest)).collect()
}

fn has_no_git_source(lock: &str, text: &str) -> Vec<String> {
    let mut name = "";
    let mut violations = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("name = ") {
            name = rest.trim_matches('"');
        } else if line.starts_with("source = \"git+") {
            violations.push(format!("{lock}: take {name} from crates.io, not from git"));
        }
    }
    violations
}

/// The published crates must build with the Rust that they state.
fn suits_oldest_rust(metadata: &Metadata) -> Vec<String> {
    let Some(ours) = metadata
        .members
        .iter()
        .filter(|package| package.published)
        .find_map(|package| package.rust_version.as_deref().map(version))
    else {
        return Vec::new();
    };
    let newer = metadata.foreign.iter().filter_map(|(name, its_version, rust)| {
        let rust = rust.as_deref()?;
        (version(rust) > ours)
            .then(|| format!("Cargo.toml: raise rust-version to {rust} or lower {name} {its_version}, which needs it"))
    });
    newer.collect()
}

/// With one chain alone, no other chain is compiled.
fn single_chains_stay_alone(workspace: &Workspace) -> Result<Vec<String>, String> {
    let chains = workspace.chains()?;
    let mut violations = Vec::new();
    for chain in &chains {
        let mut command = workspace.cargo();
        command.args(["tree", "--package", "nodewright", "--edges", "normal", "--prefix", "none"]);
        command.args(["--no-default-features", "--features", chain]);
        let tree = output(&mut command)?;
        for other in chains.iter().filter(|other| *other != chain) {
            let name = format!("nodewright-{other} ");
            if tree.lines().any(|line| line.starts_with(&name)) {
                violations.push(format!("Cargo.toml: the feature {chain} must not bring in {}", name.trim()));
            }
        }
    }
    Ok(violations)
}

/// A Rust version as numbers that compare.
fn version(text: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = text.split('.').map(|part| part.parse().unwrap_or(0)).collect();
    numbers.resize(3, 0);
    numbers
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text_at(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}

/// The lock files of the three workspaces, and their manifests.
const LOCK_FILES: &[(&str, &str)] = &[
    ("Cargo.lock", "Cargo.toml"),
    ("benches/Cargo.lock", "benches/Cargo.toml"),
    ("fuzz/Cargo.lock", "fuzz/Cargo.toml"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_without_the_lints_is_found() {
        assert!(inherits_lints("a", "[package]\n[lints]\nworkspace = true\n").is_none());
        assert!(inherits_lints("a", "[package]\nworkspace = true\n").is_some());
        assert!(inherits_lints("a", "[lints.rust]\nunsafe_code = \"forbid\"\n").is_some());
    }

    #[test]
    fn a_git_source_is_found_with_its_name() {
        let lock = "[[package]]\nname = \"good\"\nsource = \"registry+x\"\n\n[[package]]\nname = \"bad\"\n\
                    source = \"git+https://example.org/bad\"\n";
        assert_eq!(has_no_git_source("Cargo.lock", lock), ["Cargo.lock: take bad from crates.io, not from git"]);
    }

    #[test]
    fn a_published_crate_states_what_a_registry_asks_for() {
        let package = |published| Package { published, lacks: vec!["license"], ..Package::default() };
        assert_eq!(can_be_published(&package(true)).len(), 1);
        assert!(can_be_published(&package(false)).is_empty());
    }

    #[test]
    fn a_dependency_that_needs_a_newer_rust_is_found() {
        let ours = Package { published: true, rust_version: Some("1.88".to_owned()), ..Package::default() };
        let foreign = |rust: &str| vec![("dep".to_owned(), "1.0.0".to_owned(), Some(rust.to_owned()))];
        let mut metadata = Metadata { members: vec![ours], foreign: foreign("1.88.0") };
        assert!(suits_oldest_rust(&metadata).is_empty());
        metadata.foreign = foreign("1.100");
        assert_eq!(suits_oldest_rust(&metadata).len(), 1);
    }

    #[test]
    fn development_dependencies_are_not_built_from() {
        let nodes = serde_json::json!([
            {"id": "a", "deps": [
                {"pkg": "b", "dep_kinds": [{"kind": null}]},
                {"pkg": "c", "dep_kinds": [{"kind": "dev"}]},
            ]},
            {"id": "b", "deps": [{"pkg": "d", "dep_kinds": [{"kind": "build"}]}]},
            {"id": "c", "deps": []},
            {"id": "d", "deps": []},
        ]);
        let root = Package { id: "a".to_owned(), ..Package::default() };
        assert_eq!(built_from(&nodes, [root].iter()), ["a", "b", "d"]);
    }
}
