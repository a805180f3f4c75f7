//! Which crate may depend on which: rules 1 to 3 of the architecture. Development dependencies are free.

use super::manifests::{Dependency, Kind, Metadata, Package};

/// Checks the direction of every dependency.
pub(super) fn check(metadata: &Metadata) -> Vec<String> {
    let mut violations = Vec::new();
    for package in &metadata.members {
        let Some(layer) = Layer::of(package) else {
            violations.push(format!("{}: give it a layer in xtask/src/tidy/layers.rs", package.manifest));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind != Kind::Development) {
            if let Some(instead) = layer.refuses(package, dependency) {
                violations.push(format!("{}: drop the dependency on {}: {instead}", package.manifest, dependency.name));
            }
        }
    }
    violations
}

/// A layer of the workspace; what a crate may depend on follows from its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Chain,
    Core,
    Facade,
    Family,
    Ops,
    Stores,
    Task,
    Testkit,
}

impl Layer {
    /// The layer of a crate, from its place.
    fn of(package: &Package) -> Option<Self> {
        let folder = package.manifest.strip_suffix("Cargo.toml")?.trim_end_matches('/');
        Some(match folder {
            "" => Self::Facade,
            "xtask" => Self::Task,
            "crates/core" => Self::Core,
            "crates/ops" => Self::Ops,
            "crates/stores" => Self::Stores,
            "crates/testkit" => Self::Testkit,
            _ => match folder.strip_prefix("crates/chains/")? {
                name if FAMILIES.contains(&name) => Self::Family,
                _ => Self::Chain,
            },
        })
    }

    /// Says what to do instead if this layer may not have this dependency.
    fn refuses(self, package: &Package, dependency: &Dependency) -> Option<&'static str> {
        let own = dependency.name.strip_prefix("nodewright-");
        match (self, own) {
            (Self::Core, None) if !CORE_MAY_USE.contains(&dependency.name.as_str()) => {
                Some("core stands on std and a short list of small crates")
            }
            (Self::Core, Some(_)) => Some("core depends on no other crate of the workspace"),
            (Self::Ops | Self::Stores | Self::Testkit, Some(other)) if other != "core" => {
                Some("it knows core alone and is handed everything else")
            }
            (Self::Family, Some(other)) if other != "core" && !FAMILIES.contains(&other) => {
                Some("a family crate depends on core and other families")
            }
            (Self::Chain, Some("testkit")) => match (dependency.optional, package.only_in_feature(dependency, "sim")) {
                (true, true) => None,
                _ => Some("the simulator stands behind the feature `sim`"),
            },
            (Self::Chain, Some(other)) if other != "core" && !FAMILIES.contains(&other) => {
                Some("a chain depends on core and the family crates; share code through a family")
            }
            (Self::Task, Some(_)) => Some("tasks must build while the crates do not"),
            _ => None,
        }
    }
}

/// The crates in `crates/chains` that chains share; they are no chains.
const FAMILIES: &[&str] = &["rpc", "utxo", "evm"];

/// What core may depend on, rule 1 of the architecture; `hex` is for text forms.
const CORE_MAY_USE: &[&str] = &["async-trait", "hex", "semver", "serde", "thiserror"];

#[cfg(test)]
mod tests {
    use super::*;

    fn package(manifest: &str, dependencies: &[(&str, Kind, bool)], features: &[(&str, &[&str])]) -> Metadata {
        let dependencies = dependencies
            .iter()
            .map(|&(name, kind, optional)| Dependency { name: name.to_owned(), kind, optional })
            .collect();
        let features = features
            .iter()
            .map(|&(name, turns_on)| (name.to_owned(), turns_on.iter().map(|&item| item.to_owned()).collect()))
            .collect();
        let package = Package { manifest: manifest.to_owned(), dependencies, features, ..Package::default() };
        Metadata { members: vec![package], ..Metadata::default() }
    }

    fn violations_of(manifest: &str, dependency: &str) -> usize {
        check(&package(manifest, &[(dependency, Kind::Normal, false)], &[])).len()
    }

    #[test]
    fn core_may_not_use_a_runtime_or_another_crate() {
        for refused in ["tokio", "reqwest", "tracing", "nodewright-rpc"] {
            assert_eq!(violations_of("crates/core/Cargo.toml", refused), 1, "{refused}");
        }
        assert_eq!(violations_of("crates/core/Cargo.toml", "thiserror"), 0);
    }

    #[test]
    fn a_chain_may_not_use_another_chain_or_ops() {
        for refused in ["nodewright-bitcoin", "nodewright-ops", "nodewright-stores", "nodewright"] {
            let expected = usize::from(refused != "nodewright");
            assert_eq!(violations_of("crates/chains/dash/Cargo.toml", refused), expected, "{refused}");
        }
        for allowed in ["nodewright-core", "nodewright-rpc", "nodewright-utxo", "tokio"] {
            assert_eq!(violations_of("crates/chains/dash/Cargo.toml", allowed), 0, "{allowed}");
        }
    }

    #[test]
    fn a_family_may_not_use_a_chain() {
        assert_eq!(violations_of("crates/chains/utxo/Cargo.toml", "nodewright-dash"), 1);
        assert_eq!(violations_of("crates/chains/utxo/Cargo.toml", "nodewright-rpc"), 0);
    }

    #[test]
    fn ops_stores_and_testkit_know_core_alone() {
        for manifest in ["crates/ops/Cargo.toml", "crates/stores/Cargo.toml", "crates/testkit/Cargo.toml"] {
            assert_eq!(violations_of(manifest, "nodewright-dash"), 1, "{manifest}");
            assert_eq!(violations_of(manifest, "nodewright-core"), 0, "{manifest}");
        }
    }

    #[test]
    fn development_dependencies_are_free() {
        let found = package("crates/chains/dash/Cargo.toml", &[("nodewright-ops", Kind::Development, false)], &[]);
        assert_eq!(check(&found), Vec::<String>::new());
    }

    #[test]
    fn a_chain_may_use_the_testkit_for_its_simulator_only() {
        let at = "crates/chains/dash/Cargo.toml";
        let testkit = |optional, features: &[(&str, &[&str])]| {
            check(&package(at, &[("nodewright-testkit", Kind::Normal, optional)], features)).len()
        };
        assert_eq!(testkit(false, &[]), 1);
        assert_eq!(testkit(true, &[("sim", &["dep:nodewright-testkit"])]), 0);
        assert_eq!(testkit(true, &[("default", &["dep:nodewright-testkit"])]), 1);
    }

    #[test]
    fn a_crate_in_an_unknown_place_needs_a_layer() {
        assert_eq!(check(&package("crates/extra/Cargo.toml", &[], &[])).len(), 1);
    }
}
