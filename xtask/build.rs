//! Hands the name of the host to the tasks: fuzz targets are built for it by name.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let host = std::env::var("HOST").unwrap_or_default();
    println!("cargo::rustc-env=XTASK_HOST={host}");
}
